"""Owners may have members asked before extra usage begins; each yes is kept (N5)."""

import django.db.models.deletion
from django.db import migrations, models

from config.kit.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0044_key_ways"),
        ("billing", "0059_notices"),
    ]

    operations = [
        migrations.AddField(
            model_name="billingaccount",
            name="confirmation_required",
            field=models.BooleanField(
                db_default=False,
                default=False,
                verbose_name="ask before extra usage begins",
            ),
        ),
        migrations.CreateModel(
            name="ExtraUsageConfirmation",
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
                    "confirmed_for",
                    models.CharField(
                        choices=[
                            ("window", "Until included usage resets"),
                            ("month", "Until the month ends"),
                        ],
                        max_length=10,
                        verbose_name="how long",
                    ),
                ),
                ("until_at", models.DateTimeField(verbose_name="until")),
                ("windows", models.JSONField(blank=True, default=dict)),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("page", "Page"),
                            ("key", "API key"),
                            ("token", "Personal token"),
                        ],
                        max_length=10,
                        verbose_name="by",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="confirmed")),
                (
                    "membership",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="extra_usage_confirmations",
                        to="accounts.membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "confirmation of extra usage",
                "verbose_name_plural": "confirmations of extra usage",
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("membership", "until_at"),
                        name="one_confirmation_per_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until_at__gt", models.F("created_at"))),
                        name="confirmation_ends_after_it_was_made",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("confirmed_for__in", ["window", "month"])),
                        name="confirmation_is_for_a_known_time",
                    ),
                ],
            },
        ),
        append_only("billing_extrausageconfirmation"),
    ]
