"""A paid invoice whose money was taken back may be open again; and invoices that were
paid at Stripe before are due to be asked about, so that we learn by which payment.
"""

from django.db import migrations
from django.utils import timezone

from config.kit.append_only import Guard, add_guards

BEFORE = (
    "OLD.status = NEW.status OR (OLD.status = 'draft' AND NEW.status IN ('open',"
    " 'paid')) OR (OLD.status = 'open' AND NEW.status IN ('paid', 'void'))"
)
AFTER = (
    f"{BEFORE} OR (OLD.status = 'paid' AND NEW.status = 'open'"
    " AND NEW.reopened_at IS NOT NULL)"
)


def steps(allowed):
    """The guard of an invoice's steps."""
    return Guard("steps", "UPDATE OF status", "no such step", when=f"NOT ({allowed})")


def drop_steps(apps, schema_editor):
    """The guard goes on PostgreSQL; on SQLite all are put back after `migrate`."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "DROP TRIGGER IF EXISTS billing_invoice_steps ON billing_invoice"
        )


def keep_steps(apps, schema_editor):
    """The guard of before comes back."""
    if schema_editor.connection.vendor == "postgresql":
        for statement in steps(BEFORE).on_postgresql("billing_invoice"):
            schema_editor.execute(statement, params=None)


def ask_about_paid_ones(apps, schema_editor):
    """The sweep that sends invoices asks Stripe about those it took money for."""
    apps.get_model("billing", "Invoice").objects.filter(
        gateway="stripe", status="paid", settled_by=None
    ).exclude(gateway_id="").update(gateway_next_try_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("billing", "0013_money_back")]
    operations = [
        migrations.RunPython(drop_steps, keep_steps),
        add_guards("billing_invoice", steps(AFTER)),
        migrations.RunPython(ask_about_paid_ones, migrations.RunPython.noop),
    ]
