"""Numbers of documents that are left out on purpose are kept with their reason."""

import django.db.models.deletion
from django.db import migrations, models

from config.kit.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_privacy"),
        ("billing", "0031_reopened_months_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="NumberGap",
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
                (
                    "series",
                    models.CharField(
                        choices=[
                            ("invoice", "Invoice numbers"),
                            ("credit-note", "Credit note numbers"),
                            ("receipt", "Receipt numbers"),
                        ],
                        max_length=12,
                        verbose_name="series",
                    ),
                ),
                ("from_sequence", models.PositiveIntegerField(verbose_name="from")),
                (
                    "through_sequence",
                    models.PositiveIntegerField(verbose_name="through"),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("skipped_at", models.DateTimeField(verbose_name="left out")),
                (
                    "skipped_by",
                    models.CharField(max_length=100, verbose_name="left out by"),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="number_gaps",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "gap in the numbers",
                "verbose_name_plural": "gaps in the numbers",
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "series", "from_sequence"),
                        name="one_gap_per_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("from_sequence__gte", 1),
                            ("through_sequence__gte", models.F("from_sequence")),
                        ),
                        name="gap_has_numbers",
                    ),
                ],
            },
        ),
        append_only("billing_numbergap"),
    ]
