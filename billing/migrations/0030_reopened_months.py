"""Closes that came too early and were taken back; documents say which close wrote them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_names_are_one_line"),
        ("billing", "0019_privacy"),
    ]

    operations = [
        migrations.CreateModel(
            name="MonthReopening",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("month_on", models.DateField(verbose_name="month")),
                ("edition", models.PositiveSmallIntegerField(verbose_name="close")),
                ("closed_through_on", models.DateField(verbose_name="closed through")),
                ("frozen_at", models.DateTimeField(verbose_name="frozen")),
                ("closed_at", models.DateTimeField(verbose_name="closed")),
                ("reopened_at", models.DateTimeField(verbose_name="open again")),
                (
                    "reopened_by",
                    models.CharField(max_length=100, verbose_name="reopened by"),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("events_through", models.BigIntegerField(verbose_name="events up to")),
                (
                    "adjustments_through",
                    models.BigIntegerField(verbose_name="adjustments up to"),
                ),
            ],
            options={
                "verbose_name": "reopened month",
                "verbose_name_plural": "reopened months",
                "ordering": ["-month_on", "-edition"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="one_invoice_per_month",
        ),
        migrations.RemoveConstraint(
            model_name="statement",
            name="one_statement_per_month",
        ),
        migrations.AddField(
            model_name="billingmonth",
            name="edition",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, verbose_name="close"
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="edition",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, verbose_name="close"
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="edition",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, verbose_name="close"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                fields=("organization", "month_on", "edition"),
                name="one_invoice_per_close",
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.UniqueConstraint(
                fields=("organization", "month_on", "edition"),
                name="one_statement_per_close",
            ),
        ),
        migrations.AddField(
            model_name="monthreopening",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="month_reopenings",
                to="accounts.organization",
            ),
        ),
        migrations.AddConstraint(
            model_name="monthreopening",
            constraint=models.UniqueConstraint(
                fields=("organization", "month_on", "edition"),
                name="one_reopening_per_close",
            ),
        ),
    ]
