"""People can be erased: their pseudonyms, and which changes append-only rows take."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import config.kit.addresses
from accounts.models.audit import AUDIT_EXEMPTIONS
from accounts.models.privacy import Erasure, RetentionMark
from accounts.models.security import SECURITY_EXEMPTIONS
from config.kit.append_only import add_guards, exempt


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0016_keys_end"),
    ]

    operations = [
        migrations.CreateModel(
            name="RetentionMark",
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
                    "kind",
                    models.CharField(max_length=40, unique=True, verbose_name="kind"),
                ),
                ("before_at", models.DateTimeField(verbose_name="gone before")),
                ("through_id", models.BigIntegerField(default=0, editable=False)),
            ],
            options={
                "verbose_name": "end of retention",
                "verbose_name_plural": "ends of retention",
            },
        ),
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("erase_user", "Can erase a person"),
                    ("export_user", "Can export what is kept of a person"),
                ],
                "verbose_name": "person",
                "verbose_name_plural": "people",
            },
        ),
        migrations.CreateModel(
            name="Erasure",
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
                    "code",
                    models.CharField(max_length=16, unique=True, verbose_name="code"),
                ),
                ("name", models.CharField(max_length=60, verbose_name="pseudonym")),
                (
                    "email",
                    config.kit.addresses.AddressField(
                        max_length=254, unique=True, verbose_name="address"
                    ),
                ),
                ("erased_at", models.DateTimeField(verbose_name="erased")),
                (
                    "finished_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="finished"
                    ),
                ),
                (
                    "erased_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="erased by",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="erasure",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "erased person",
                "verbose_name_plural": "erased people",
                "ordering": ["-erased_at"],
            },
        ),
        add_guards("accounts_erasure", *Erasure.guards),
        add_guards("accounts_retentionmark", *RetentionMark.guards),
        exempt("accounts_auditentry", *AUDIT_EXEMPTIONS),
        exempt("accounts_securityevent", *SECURITY_EXEMPTIONS),
    ]
