"""The names under which usage came of people whom nobody knows (X2)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0041_unknown_people"),
        ("billing", "0050_request_ids"),
    ]

    operations = [
        migrations.CreateModel(
            name="UnattributedName",
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
                ("sent_as", models.CharField(max_length=401, verbose_name="sent as")),
                (
                    "events",
                    models.BigIntegerField(default=0, verbose_name="open events"),
                ),
                (
                    "extra_nanos",
                    models.BigIntegerField(
                        default=0, verbose_name="extra usage (nano-USD)"
                    ),
                ),
                (
                    "unbilled_nanos",
                    models.BigIntegerField(
                        default=0, verbose_name="unbilled (nano-USD)"
                    ),
                ),
                ("first_seen_at", models.DateTimeField(verbose_name="first seen")),
                ("last_seen_at", models.DateTimeField(verbose_name="last seen")),
                (
                    "assigned_through",
                    models.BigIntegerField(default=0, verbose_name="assigned up to"),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unattributed_names",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "unattributed name",
                "verbose_name_plural": "unattributed names",
                "ordering": ["pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("events__gt", 0)),
                        fields=["organization", "id"],
                        name="names_with_open_events",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("sent_as__contains", "@erased.invalid"), _negated=True
                        ),
                        fields=("organization", "sent_as"),
                        name="one_row_per_unattributed_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "extra_nanos__range",
                                (-75000000000000000, 75000000000000000),
                            ),
                            (
                                "unbilled_nanos__range",
                                (-75000000000000000, 75000000000000000),
                            ),
                        ),
                        name="unattributed_name_is_countable",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("events__gte", 0)),
                        name="open_events_are_not_negative",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="usageevent",
            name="unattributed",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="usage_events",
                to="billing.unattributedname",
                verbose_name="sent as",
            ),
        ),
        migrations.AddIndex(
            model_name="usageevent",
            index=models.Index(
                condition=models.Q(("unattributed__isnull", False)),
                fields=["unattributed", "id"],
                name="unattributed_events",
            ),
        ),
        migrations.AlterField(
            model_name="usageadjustment",
            name="source",
            field=models.CharField(
                choices=[
                    ("price", "Price"),
                    ("operator", "Operator"),
                    ("report", "Report"),
                    ("assigned", "Assigned to a member"),
                ],
                db_default="price",
                default="price",
                max_length=10,
                verbose_name="source",
            ),
        ),
    ]
