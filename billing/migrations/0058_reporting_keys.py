"""Each event keeps the key that reported it. No index: it is read with its event, and
counted among one organization's events of a day.
"""

import django.db.models.deletion
from django.db import migrations, models

from billing.models.usage import EVENT_EXEMPTIONS
from config.kit.append_only import exempt


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0044_key_ways"),
        ("billing", "0052_unattributed"),
    ]

    operations = [
        migrations.AddField(
            model_name="usageevent",
            name="api_key",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.apikey",
                verbose_name="API key",
            ),
        ),
        # It changes as little as the other columns.
        exempt("billing_usageevent", *EVENT_EXEMPTIONS),
    ]
