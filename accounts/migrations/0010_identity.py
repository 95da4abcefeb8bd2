"""What happens to accounts is kept; invitations say when they were mailed; mails about
a person's account belong to no organization; names hold no links.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import config.kit.one_line
from config.kit.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_names_are_one_line"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="mailed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="mailed"),
        ),
        migrations.AddField(
            model_name="organization",
            name="invites_freely",
            field=models.BooleanField(
                db_default=False,
                default=False,
                verbose_name="may invite without limit",
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="name",
            field=models.CharField(
                max_length=80,
                validators=[config.kit.one_line.validate_name],
                verbose_name="name",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="name",
            field=models.CharField(
                max_length=120,
                validators=[config.kit.one_line.validate_name],
                verbose_name="name",
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="organization",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="outgoing_mails",
                to="accounts.organization",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="name",
            field=models.CharField(
                max_length=120,
                validators=[config.kit.one_line.validate_name],
                verbose_name="name",
            ),
        ),
        migrations.CreateModel(
            name="SecurityEvent",
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
                ("at", models.DateTimeField(verbose_name="when")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("signed_in", "Signed in"),
                            ("signed_out", "Signed out"),
                            ("sign_in_failed", "Wrong password"),
                            ("sign_in_locked", "Sign-in blocked after wrong passwords"),
                            ("second_factor_failed", "Wrong two-factor code"),
                            ("password_changed", "Password changed"),
                            ("password_reset", "Password reset by e-mail"),
                            ("password_set", "Password set by an operator"),
                            ("address_changed", "E-mail address changed"),
                            ("second_factor_added", "Two-factor sign-in turned on"),
                            ("second_factor_removed", "Two-factor sign-in turned off"),
                            ("recovery_codes_created", "New recovery codes created"),
                            ("recovery_code_used", "Recovery code used"),
                        ],
                        max_length=30,
                        verbose_name="what",
                    ),
                ),
                (
                    "client",
                    models.CharField(
                        blank=True, max_length=45, verbose_name="from address"
                    ),
                ),
                (
                    "browser",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="browser"
                    ),
                ),
                ("keep_until", models.DateTimeField(verbose_name="kept until")),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="operator",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="security_events",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "security event",
                "verbose_name_plural": "security events",
                "ordering": ["-at", "-pk"],
                "indexes": [
                    models.Index(
                        fields=["person", "kind", "at"], name="security_by_person"
                    ),
                    models.Index(fields=["kind", "at"], name="security_by_kind"),
                    models.Index(fields=["keep_until"], name="security_kept_until"),
                ],
            },
        ),
        append_only("accounts_securityevent"),
    ]
