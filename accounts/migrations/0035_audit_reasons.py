"""The audit keeps the reason of what operators do."""

from django.db import migrations, models

from accounts.models.audit import AUDIT_EXEMPTIONS
from config.kit.append_only import exempt


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0025_refuse_emptying"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="reason",
            field=models.CharField(
                blank=True, db_default="", max_length=300, verbose_name="reason"
            ),
        ),
        # A pseudonym is put into reasons too.
        exempt("accounts_auditentry", *AUDIT_EXEMPTIONS),
    ]
