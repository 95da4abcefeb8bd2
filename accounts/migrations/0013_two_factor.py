"""Of whom an organization requires two-factor sign-in; mails about an account alone."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_one_address")]
    operations = [
        migrations.AddField(
            model_name="organization",
            name="two_factor",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Nobody"),
                    ("admins", "Owners and admins"),
                    ("everybody", "Everybody"),
                ],
                db_default="",
                default="",
                max_length=10,
                verbose_name="two-factor sign-in required of",
            ),
        ),
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=models.Q(("two_factor__in", ["", "admins", "everybody"])),
                name="organization_two_factor_is_known",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("is_active", False)),
                fields=["id"],
                name="people_switched_off",
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
    ]
