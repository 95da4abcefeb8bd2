"""The ledger can only grow (T2)."""

from django.db import migrations

from config.kit.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_balance")]
    operations = [append_only("billing_ledgerentry")]
