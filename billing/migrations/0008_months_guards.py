"""What closed months and issued documents refuse (P2, P3), and the counters of invoices
for events recorded before.
"""

from django.db import migrations

from billing.models.months import OPEN_MONTH
from config.kit.append_only import Guard, InsertGuard, add_guards, append_only

ISSUED = (
    "organization_id, month_on, sequence, number, exact_nanos, carried_in_nanos,"
    " carried_out_nanos, carried_from_id, subtotal_nanos, tax_label, tax_rate,"
    " tax_nanos, total_nanos, issued_at, due_on, seller, buyer, starts_at, ends_at,"
    " zone"
)
STEPS = (
    "NOT (OLD.status = NEW.status OR (OLD.status = 'draft' AND NEW.status IN ('open',"
    " 'paid')) OR (OLD.status = 'open' AND NEW.status IN ('paid', 'void')))"
)
FILL = """
INSERT INTO billing_usagemonth (membership_id, month_on, surface, model, prepaid, events,
    extra_nanos)
SELECT membership_id, month_on, surface, model, prepaid, COUNT(*), SUM(cost_nanos)
    FROM billing_usageevent
 WHERE funding = 'extra_usage' GROUP BY membership_id, month_on, surface, model, prepaid
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_months")]
    operations = [
        migrations.RunSQL(FILL, "DELETE FROM billing_usagemonth"),
        *(
            add_guards(f"billing_{table}", OPEN_MONTH)
            for table in ("usageevent", "usageadjustment", "ledgerentry")
        ),
        add_guards(
            "billing_billingaccount",
            Guard(
                "is_kept",
                "DELETE",
                "closed months are kept",
                when="OLD.frozen_through_on IS NOT NULL",
            ),
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
        add_guards(
            "billing_billingmonth",
            Guard("is_kept", "DELETE", "a closed month is kept"),
            Guard(
                "stays_closed",
                "UPDATE",
                "a closed month is not changed",
                when="OLD.state = 'closed'",
            ),
        ),
        add_guards(
            "billing_invoice",
            Guard("is_kept", "DELETE", "an invoice is kept"),
            Guard(
                "is_issued",
                f"UPDATE OF {ISSUED}",
                "what was issued is not changed",
                when="OLD.status <> 'draft'",
            ),
            Guard("steps", "UPDATE OF status", "no such step", when=STEPS),
        ),
        add_guards(
            "billing_invoiceline",
            InsertGuard(
                "is_drafted",
                "only a draft takes lines",
                "NOT EXISTS (SELECT 1 FROM billing_invoice i WHERE i.id ="
                " new.invoice_id AND i.status = 'draft')",
            ),
        ),
        *(
            append_only(f"billing_{table}")
            for table in ("invoiceline", "creditnote", "statement", "statementline")
        ),
    ]
