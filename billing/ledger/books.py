"""The proof of the balances (E8, T2): account, ledger, what is not yet rolled up,
payments, refunds and disputes, down to the events.

Set-based and read-only; the same SQL on both databases. Amounts are nano-USD.
"""

from __future__ import annotations

from collections.abc import Iterator

from config.kit.books import Difference
from config.kit.sql import run

# What is away of a dispute, as `Dispute.taken_nanos` has it.
TAKEN = """CASE WHEN d.withdrawn_at IS NOT NULL AND (d.reinstated_at IS NULL
    OR d.reinstated_at < d.withdrawn_at) THEN d.amount_nanos ELSE 0 END"""
# Each: table and column of what is kept, and SQL of the rows that differ: name, kept, proven.
PROOFS = (
    (
        "billing_billingaccount",
        "ledger_nanos",
        """SELECT kept.organization_id, kept.ledger_nanos, COALESCE(proven.nanos, 0)
             FROM billing_billingaccount kept LEFT JOIN (
                  SELECT organization_id, SUM(amount_nanos) AS nanos
                      FROM billing_ledgerentry GROUP BY organization_id
             ) proven ON proven.organization_id = kept.organization_id
            WHERE kept.ledger_nanos <> COALESCE(proven.nanos, 0)""",
    ),
    (
        "billing_billingaccount",
        "pending_nanos",
        """SELECT kept.organization_id, kept.pending_nanos, COALESCE(proven.nanos, 0)
             FROM billing_billingaccount kept LEFT JOIN (
                  SELECT organization_id, SUM(amount_nanos) AS nanos
                      FROM billing_pendingcharge GROUP BY organization_id
             ) proven ON proven.organization_id = kept.organization_id
            WHERE kept.pending_nanos <> COALESCE(proven.nanos, 0)""",
    ),
    (  # an entry's running balance
        "billing_ledgerentry",
        "balance_nanos",
        """SELECT id, balance_nanos, nanos FROM (
                  SELECT id, balance_nanos,
                      SUM(amount_nanos) OVER (PARTITION BY organization_id ORDER BY id) AS nanos
                    FROM billing_ledgerentry
             ) entries WHERE balance_nanos <> nanos""",
    ),
    (  # what a payment brought is its amount, and only a paid one brought anything
        "billing_payment",
        "amount_nanos",
        """SELECT p.id, COALESCE(entry.nanos, 0), CASE
            WHEN p.status = 'succeeded' THEN p.amount_nanos ELSE 0 END
             FROM billing_payment p LEFT JOIN (
                  SELECT payment_id, SUM(amount_nanos) AS nanos FROM billing_ledgerentry
                   WHERE kind IN ('purchase', 'reload') GROUP BY payment_id
             ) entry ON entry.payment_id = p.id
            WHERE COALESCE(entry.nanos, 0) <> CASE
                WHEN p.status = 'succeeded' THEN p.amount_nanos ELSE 0 END""",
    ),
    (  # what a refund took is its amount, unless it failed
        "billing_refund",
        "amount_nanos",
        """SELECT r.id, -COALESCE(entry.nanos, 0), CASE WHEN r.status = 'failed' THEN 0
            ELSE r.amount_nanos END
             FROM billing_refund r LEFT JOIN (
                  SELECT refund_id, SUM(amount_nanos) AS nanos FROM billing_ledgerentry
                   WHERE refund_id IS NOT NULL GROUP BY refund_id
             ) entry ON entry.refund_id = r.id
            WHERE -COALESCE(entry.nanos, 0) <> CASE WHEN r.status = 'failed' THEN 0
                ELSE r.amount_nanos END""",
    ),
    (  # what a disputed purchase is out of the balance by is what the bank holds of it
        "billing_dispute",
        "amount_nanos",
        f"""SELECT d.id, -COALESCE(entry.nanos, 0), {TAKEN}
             FROM billing_dispute d LEFT JOIN (
                  SELECT dispute_id, SUM(amount_nanos) AS nanos FROM billing_ledgerentry
                   WHERE dispute_id IS NOT NULL GROUP BY dispute_id
             ) entry ON entry.dispute_id = d.id
            WHERE d.payment_id IS NOT NULL AND -COALESCE(entry.nanos, 0) <> {TAKEN}""",
    ),
    (  # an entry of a refund or dispute is of that one's payment, and of its organization
        "billing_ledgerentry",
        "payment_id",
        """SELECT e.id, COALESCE(e.payment_id, 0), COALESCE(r.payment_id, d.payment_id, 0)
             FROM billing_ledgerentry e
             LEFT JOIN billing_refund r ON r.id = e.refund_id
             LEFT JOIN billing_dispute d ON d.id = e.dispute_id
             LEFT JOIN billing_payment p ON p.id = e.payment_id
            WHERE (e.refund_id IS NOT NULL OR e.dispute_id IS NOT NULL)
              AND (COALESCE(e.payment_id, 0) <> COALESCE(r.payment_id, d.payment_id, 0)
                   OR p.organization_id <> e.organization_id)""",
    ),
)
# Usage by member, day and kind: rolled up and not yet rolled up together, against the
# prepaid events and adjustments.
USAGE = """
 SELECT membership_id, day_on, kind, SUM(kept), SUM(proven) FROM (
   SELECT membership_id, day_on, kind, -amount_nanos AS kept, 0 AS proven FROM billing_ledgerentry
    WHERE membership_id IS NOT NULL
   UNION ALL SELECT membership_id, day_on, kind, amount_nanos, 0 FROM billing_pendingcharge
   UNION ALL SELECT membership_id, day_on, 'charge', 0, cost_nanos FROM billing_usageevent
    WHERE prepaid AND funding = 'extra_usage'
   UNION ALL SELECT membership_id, day_on, 'adjustment', 0, amount_nanos
       FROM billing_usageadjustment WHERE prepaid
 ) sides GROUP BY membership_id, day_on, kind HAVING SUM(kept) <> SUM(proven)
     ORDER BY membership_id, day_on, kind
"""


def balance_differences() -> Iterator[Difference]:
    """Every amount around the balances that is not what is behind it."""
    for table, column, sql in PROOFS:
        for name, kept, proven in run(sql, prepared=False).rows():
            yield Difference(table, f"id={name}", column, int(kept), int(proven))
    for member, day_on, kind, kept, proven in run(USAGE, prepared=False).rows():
        row = f"membership_id={member}, day_on={day_on}, kind={kind}"
        yield Difference(
            "billing_ledgerentry", row, "amount_nanos", int(kept), int(proven)
        )
