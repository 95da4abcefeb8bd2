"""Names that other systems have for members (X2)."""

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0037_personal_tokens"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExternalId",
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
                ("issuer", models.CharField(max_length=200, verbose_name="issuer")),
                ("subject", models.CharField(max_length=200, verbose_name="subject")),
                (
                    "name",
                    models.CharField(max_length=401, verbose_name="external id"),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="external_ids",
                        to="accounts.membership",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="external_ids",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "external id",
                "verbose_name_plural": "external ids",
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "name"),
                        name="external_id_names_one_member",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "name",
                                django.db.models.functions.text.Concat(
                                    "issuer", models.Value(":"), "subject"
                                ),
                            )
                        ),
                        name="external_id_is_issuer_and_subject",
                    ),
                ],
            },
        ),
    ]
