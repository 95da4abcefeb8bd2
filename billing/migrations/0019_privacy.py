"""Append-only rows take the pseudonym of somebody who is being erased."""

from django.db import migrations

from billing.models import CreditNote, InvoiceLine, LedgerEntry, StatementLine
from billing.models.usage import UsageAdjustment, UsageEvent
from config.kit.append_only import exempt

MODELS = (
    CreditNote,
    InvoiceLine,
    LedgerEntry,
    StatementLine,
    UsageAdjustment,
    UsageEvent,
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_privacy"),
        ("billing", "0018_one_event_a_promise"),
    ]
    operations = [exempt(one._meta.db_table, *one.exemptions) for one in MODELS]
