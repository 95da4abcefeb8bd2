"""Personal tokens of members: keys that end with a membership (X3)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0036_leases"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="membership",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tokens",
                to="accounts.membership",
                verbose_name="personal token of",
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("membership__isnull", True),
                        models.Q(("scopes", "self"), _negated=True),
                    ),
                    models.Q(
                        ("expires_at__isnull", False),
                        ("membership__isnull", False),
                        ("scopes", "self"),
                    ),
                    _connector="OR",
                ),
                name="token_is_for_oneself_and_ends",
            ),
        ),
        migrations.AlterField(
            model_name="securityevent",
            name="kind",
            field=models.CharField(
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
                    ("token_created", "Personal token created"),
                    ("token_revoked", "Personal token revoked"),
                ],
                max_length=30,
                verbose_name="what",
            ),
        ),
    ]
