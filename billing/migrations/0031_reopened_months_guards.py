"""A close that came too early may be taken back: by a row that says so and stays, never
without. The guards of before are replaced by ones that look for it.
"""

from django.db import migrations

from billing.models.account import BillingAccount
from billing.models.invoices import Invoice
from billing.models.months import BillingMonth, MonthReopening
from config.kit.append_only import Guard, add_guards, append_only

STEPS_BEFORE = (
    "OLD.status = NEW.status OR (OLD.status = 'draft' AND NEW.status IN ('open',"
    " 'paid')) OR (OLD.status = 'open' AND NEW.status IN ('paid', 'void'))"
    " OR (OLD.status = 'paid' AND NEW.status = 'open' AND NEW.reopened_at IS NOT NULL)"
)
ISSUED_BEFORE = (
    "organization_id, month_on, sequence, number, exact_nanos, carried_in_nanos,"
    " carried_out_nanos, carried_from_id, subtotal_nanos, tax_label, tax_rate,"
    " tax_nanos, total_nanos, issued_at, due_on, seller, buyer, starts_at, ends_at,"
    " zone"
)
BEFORE = {
    "billing_billingaccount": (
        Guard(
            "months_stay_closed",
            "UPDATE OF frozen_through_on",
            "a closed month is not opened again",
            when=(
                "OLD.frozen_through_on IS NOT NULL AND (NEW.frozen_through_on IS"
                " NULL OR NEW.frozen_through_on < OLD.frozen_through_on)"
            ),
        ),
    ),
    "billing_billingmonth": (Guard("is_kept", "DELETE", "a closed month is kept"),),
    "billing_invoice": (
        Guard(
            "is_issued",
            f"UPDATE OF {ISSUED_BEFORE}",
            "what was issued is not changed",
            when="OLD.status <> 'draft'",
        ),
        Guard(
            "steps",
            "UPDATE OF status",
            "no such step",
            when=f"NOT ({STEPS_BEFORE})",
        ),
    ),
}
MODELS = (BillingAccount, BillingMonth, Invoice)


def drop_guards(apps, schema_editor):
    """The replaced ones go on PostgreSQL; on SQLite all are put back after `migrate`."""
    if schema_editor.connection.vendor == "postgresql":
        for table, guards in BEFORE.items():
            for guard in guards:
                schema_editor.execute(
                    f"DROP TRIGGER IF EXISTS {table}_{guard.name} ON {table}"
                )


def put_back(apps, schema_editor):
    """The guards of before come back."""
    if schema_editor.connection.vendor == "postgresql":
        for table, guards in BEFORE.items():
            for guard in guards:
                for statement in guard.on_postgresql(table):
                    schema_editor.execute(statement, params=None)


def replaced(model):
    """The guards of today by the names of those before."""
    table = model._meta.db_table
    names = {guard.name for guard in BEFORE[table]}
    return add_guards(table, *(one for one in model.guards if one.name in names))


class Migration(migrations.Migration):
    dependencies = [("billing", "0030_reopened_months")]
    operations = [
        migrations.RunPython(drop_guards, put_back),
        *(replaced(model) for model in MODELS),
        add_guards(MonthReopening._meta.db_table, *MonthReopening.guards),
        append_only(MonthReopening._meta.db_table),
    ]
