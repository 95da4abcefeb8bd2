"""Addresses that people had before, kept by the database with every change of one."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import config.kit.addresses
from accounts.models.people import FORMER_ADDRESS
from config.kit.append_only import add_guards


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_one_spelling")]
    operations = [
        migrations.CreateModel(
            name="FormerAddress",
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
                    "email",
                    config.kit.addresses.AddressField(
                        db_index=True, max_length=254, verbose_name="e-mail address"
                    ),
                ),
                ("until_at", models.DateTimeField(verbose_name="until")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_addresses",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "former address",
                "verbose_name_plural": "former addresses",
                "ordering": ["until_at", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "email"), name="one_former_address_per_person"
                    )
                ],
            },
        ),
        add_guards("accounts_user", FORMER_ADDRESS),
    ]
