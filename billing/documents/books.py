"""The proof of invoices and statements (E8, M5, P3): lines against the events, sums
against lines, the carried rounding from one invoice to the next, numbers without
gaps, statements against the ledger.

Set-based and read-only; the same SQL on both databases. Amounts are nano-USD.
"""

from __future__ import annotations

from collections.abc import Iterator

from config.kit.books import Difference
from config.kit.sql import run

# Each: table and column of what is kept, and SQL of the rows that differ: name, kept, proven.
PROOFS = (
    (  # an invoice's exact sum is its lines', before what is carried
        "billing_invoice",
        "exact_nanos",
        """SELECT i.id, i.exact_nanos, COALESCE(lines.nanos, 0) FROM billing_invoice i LEFT JOIN (
                  SELECT invoice_id, SUM(exact_nanos) AS nanos FROM billing_invoiceline
                   WHERE kind IN ('usage', 'correction') GROUP BY invoice_id
             ) lines ON lines.invoice_id = i.id WHERE i.exact_nanos <> COALESCE(lines.nanos, 0)""",
    ),
    (  # its subtotal is the sum of its rounded lines
        "billing_invoice",
        "subtotal_nanos",
        """SELECT i.id, i.subtotal_nanos, COALESCE(lines.nanos, 0) FROM billing_invoice i
            LEFT JOIN (
                  SELECT invoice_id, SUM(amount_nanos) AS nanos FROM billing_invoiceline
                      GROUP BY invoice_id
             ) lines ON lines.invoice_id = i.id
                 WHERE i.subtotal_nanos <> COALESCE(lines.nanos, 0)""",
    ),
    (  # no line is further than half a cent from what it rounds
        "billing_invoiceline",
        "amount_nanos",
        """SELECT id, amount_nanos, exact_nanos FROM billing_invoiceline
            WHERE kind <> 'carried_out' AND (2 * (amount_nanos - exact_nanos) > 10000000
                  OR 2 * (exact_nanos - amount_nanos) > 10000000)""",
    ),
    (  # each takes over what the one before carried on
        "billing_invoice",
        "carried_in_nanos",
        """SELECT id, carried_in_nanos, before FROM (
                  SELECT id, carried_in_nanos,
                         COALESCE(LAG(carried_out_nanos) OVER months, 0) AS before,
                         COALESCE(LAG(carried_in_nanos) OVER months, 0) AS before_void,
                         LAG(status) OVER months AS status_before
                    FROM billing_invoice WINDOW months AS (PARTITION BY organization_id
                        ORDER BY month_on)
             ) chained WHERE carried_in_nanos <> before
                         AND NOT (status_before = 'void' AND carried_in_nanos = before_void)""",
    ),
    (  # what a month's invoice bills is that month's events and adjustments that nobody prepaid
        "billing_invoice",
        "exact_nanos",
        """SELECT m.id, COALESCE(i.exact_nanos, 0), COALESCE(used.nanos, 0)
            FROM billing_billingmonth m
             LEFT JOIN billing_invoice i ON i.organization_id = m.organization_id
                 AND i.month_on = m.month_on
             LEFT JOIN (
                  SELECT organization_id, month_on, SUM(nanos) AS nanos FROM (
                         SELECT organization_id, month_on, cost_nanos AS nanos
                             FROM billing_usageevent
                          WHERE funding = 'extra_usage' AND NOT prepaid
                         UNION ALL
                         SELECT a.organization_id, a.month_on, a.amount_nanos
                             FROM billing_usageadjustment a
                           JOIN billing_usageevent e ON e.id = a.event_id
                          WHERE e.funding = 'extra_usage' AND NOT a.prepaid
                  ) entries GROUP BY organization_id, month_on
             ) used ON used.organization_id = m.organization_id AND used.month_on = m.month_on
            WHERE m.state <> 'frozen' AND COALESCE(i.exact_nanos, 0) <> COALESCE(used.nanos, 0)""",
    ),
    (  # numbers have no gap
        "billing_invoice",
        "sequence",
        """SELECT organization_id, MAX(sequence), COUNT(sequence) FROM billing_invoice
            GROUP BY organization_id
           HAVING MAX(sequence) <> COUNT(sequence)""",
    ),
    (
        "billing_creditnote",
        "sequence",
        """SELECT organization_id, MAX(sequence), COUNT(sequence) FROM billing_creditnote
            GROUP BY organization_id
           HAVING MAX(sequence) <> COUNT(sequence)""",
    ),
    (  # nobody is credited more than was billed
        "billing_invoice",
        "total_nanos",
        """SELECT i.id, i.total_nanos, notes.nanos FROM billing_invoice i JOIN (
                  SELECT invoice_id, SUM(total_nanos) AS nanos FROM billing_creditnote
                      GROUP BY invoice_id
             ) notes ON notes.invoice_id = i.id WHERE notes.nanos > i.total_nanos""",
    ),
    (  # a statement closes on the ledger's sum through its month
        "billing_statement",
        "closing_nanos",
        """SELECT s.id, s.closing_nanos, COALESCE(SUM(e.amount_nanos), 0) FROM billing_statement s
             LEFT JOIN billing_ledgerentry e ON e.organization_id = s.organization_id
                 AND e.month_on <= s.month_on
            GROUP BY s.id,
                s.closing_nanos HAVING s.closing_nanos <> COALESCE(SUM(e.amount_nanos), 0)""",
    ),
    (  # and its charges are its lines'
        "billing_statement",
        "charges_nanos",
        """SELECT s.id, s.charges_nanos, COALESCE(lines.nanos, 0) FROM billing_statement s
            LEFT JOIN (
                  SELECT statement_id, SUM(charges_nanos) AS nanos
                      FROM billing_statementline GROUP BY statement_id
             ) lines ON lines.statement_id = s.id
                 WHERE s.charges_nanos <> COALESCE(lines.nanos, 0)""",
    ),
)


def document_differences() -> Iterator[Difference]:
    """Every amount on an invoice or statement that is not what is behind it."""
    for table, column, sql in PROOFS:
        for name, kept, proven in run(sql, prepared=False).rows():
            yield Difference(table, f"id={name}", column, int(kept), int(proven))
