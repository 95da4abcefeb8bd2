"""Events and their adjustments can only grow."""

from django.db import migrations

from config.kit.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [
        append_only("billing_usageevent"),
        append_only("billing_usageadjustment"),
    ]
