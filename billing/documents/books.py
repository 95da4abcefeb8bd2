"""The proof of invoices, statements and receipts (E8, M5, P3).

Lines against the events, sums against lines, the carried rounding from one invoice to
the next, numbers without gaps, statements against the ledger. Set-based and read-only;
the same SQL on both databases. Amounts are nano-USD.
"""

from __future__ import annotations

from collections.abc import Iterator

from config.kit.books import Difference
from config.kit.sql import run

EXACT_SUM_IS_ITS_LINES_BEFORE_CARRYOVER = """
SELECT i.id, i.exact_nanos, COALESCE(lines.nanos, 0)
  FROM billing_invoice i
  LEFT JOIN (SELECT invoice_id, SUM(exact_nanos) AS nanos
               FROM billing_invoiceline
              WHERE kind IN ('usage', 'correction')
              GROUP BY invoice_id) lines ON lines.invoice_id = i.id
 WHERE i.exact_nanos <> COALESCE(lines.nanos, 0)
"""
SUBTOTAL_IS_THE_SUM_OF_ROUNDED_LINES = """
SELECT i.id, i.subtotal_nanos, COALESCE(lines.nanos, 0)
  FROM billing_invoice i
  LEFT JOIN (SELECT invoice_id, SUM(amount_nanos) AS nanos
               FROM billing_invoiceline
              GROUP BY invoice_id) lines ON lines.invoice_id = i.id
 WHERE i.subtotal_nanos <> COALESCE(lines.nanos, 0)
"""
# A cent is 10,000,000 nano-USD.
NO_LINE_IS_FURTHER_THAN_HALF_A_CENT_FROM_WHAT_IT_ROUNDS = """
SELECT id, amount_nanos, exact_nanos
  FROM billing_invoiceline
 WHERE kind <> 'carried_out'
   AND (2 * (amount_nanos - exact_nanos) > 10000000
        OR 2 * (exact_nanos - amount_nanos) > 10000000)
"""
# A void invoice bills nothing, and hands on what it took over itself; also to the next of
# its own month, where its close was taken back.
EACH_TAKES_OVER_WHAT_THE_ONE_BEFORE_HANDED_ON = """
SELECT id, carried_in_nanos, before
  FROM (SELECT id, carried_in_nanos,
               COALESCE(LAG(carried_out_nanos) OVER months, 0) AS before,
               COALESCE(LAG(carried_in_nanos) OVER months, 0) AS before_void,
               LAG(status) OVER months AS status_before
          FROM billing_invoice
        WINDOW months AS (PARTITION BY organization_id ORDER BY month_on, id)) chained
 WHERE carried_in_nanos <> before
   AND NOT (status_before = 'void' AND carried_in_nanos = before_void)
"""
AN_INVOICE_BILLS_WHAT_NOBODY_PREPAID_IN_ITS_MONTH = """
SELECT m.id, COALESCE(i.exact_nanos, 0), COALESCE(used.nanos, 0)
  FROM billing_billingmonth m
  LEFT JOIN billing_invoice i
    ON i.organization_id = m.organization_id
   AND i.month_on = m.month_on
   AND i.edition = m.edition
  LEFT JOIN (SELECT organization_id, month_on, SUM(nanos) AS nanos
               FROM (SELECT organization_id, month_on, cost_nanos AS nanos
                       FROM billing_usageevent
                      WHERE funding = 'extra_usage'
                        AND NOT prepaid
                      UNION ALL
                     SELECT a.organization_id, a.month_on, a.amount_nanos
                       FROM billing_usageadjustment a
                       JOIN billing_usageevent e ON e.id = a.event_id
                      WHERE e.funding = 'extra_usage'
                        AND NOT a.prepaid) entries
              GROUP BY organization_id, month_on) used
    ON used.organization_id = m.organization_id
   AND used.month_on = m.month_on
 WHERE m.state <> 'frozen'
   AND COALESCE(i.exact_nanos, 0) <> COALESCE(used.nanos, 0)
"""
NO_MORE_IS_CREDITED_THAN_WAS_BILLED = """
SELECT i.id, i.total_nanos, notes.nanos
  FROM billing_invoice i
  JOIN (SELECT invoice_id, SUM(total_nanos) AS nanos
          FROM billing_creditnote
         GROUP BY invoice_id) notes ON notes.invoice_id = i.id
 WHERE notes.nanos > i.total_nanos
"""
A_STATEMENT_CLOSES_ON_THE_LEDGERS_SUM_THROUGH_ITS_MONTH = """
SELECT s.id, s.closing_nanos, COALESCE(SUM(e.amount_nanos), 0)
  FROM billing_statement s
  LEFT JOIN billing_ledgerentry e
    ON e.organization_id = s.organization_id
   AND e.month_on <= s.month_on
 WHERE NOT EXISTS (SELECT 1 FROM billing_monthreopening r
                    WHERE r.organization_id = s.organization_id
                      AND r.month_on = s.month_on
                      AND r.edition = s.edition)
 GROUP BY s.id, s.closing_nanos
HAVING s.closing_nanos <> COALESCE(SUM(e.amount_nanos), 0)
"""
CHARGES_OF_A_STATEMENT_ARE_ITS_LINES = """
SELECT s.id, s.charges_nanos, COALESCE(lines.nanos, 0)
  FROM billing_statement s
  LEFT JOIN (SELECT statement_id, SUM(charges_nanos) AS nanos
               FROM billing_statementline
              GROUP BY statement_id) lines ON lines.statement_id = s.id
 WHERE s.charges_nanos <> COALESCE(lines.nanos, 0)
"""
EVERY_PURCHASE_HAS_A_RECEIPT_OF_WHAT_WAS_PAID = """
SELECT p.id, COALESCE(r.total_nanos, 0), p.amount_nanos
  FROM billing_payment p
  LEFT JOIN billing_purchasereceipt r ON r.payment_id = p.id
 WHERE p.status = 'succeeded'
   AND COALESCE(r.total_nanos, 0) <> p.amount_nanos
"""
# What is left out on purpose is kept with its reason (`NumberGap`).
NUMBERS_HAVE_NO_GAP_BUT_THOSE_KEPT = """
SELECT organization_id, MAX(last), SUM(numbers)
  FROM (SELECT organization_id, sequence AS last, 1 AS numbers
          FROM {table}
         WHERE sequence IS NOT NULL
         UNION ALL
        SELECT organization_id, through_sequence, through_sequence - from_sequence + 1
          FROM billing_numbergap
         WHERE series = '{series}') taken
 GROUP BY organization_id
HAVING MAX(last) <> SUM(numbers)
"""


def _numbers_without_gap(table: str, series: str) -> str:
    return NUMBERS_HAVE_NO_GAP_BUT_THOSE_KEPT.format(table=table, series=series)


# Each: table and column of what is kept, and SQL of the rows that differ, which are
# the row's id (for numbers, the organization's), what is kept and what is proven.
PROOFS = (
    ("billing_invoice", "exact_nanos", EXACT_SUM_IS_ITS_LINES_BEFORE_CARRYOVER),
    ("billing_invoice", "subtotal_nanos", SUBTOTAL_IS_THE_SUM_OF_ROUNDED_LINES),
    (
        "billing_invoiceline",
        "amount_nanos",
        NO_LINE_IS_FURTHER_THAN_HALF_A_CENT_FROM_WHAT_IT_ROUNDS,
    ),
    (
        "billing_invoice",
        "carried_in_nanos",
        EACH_TAKES_OVER_WHAT_THE_ONE_BEFORE_HANDED_ON,
    ),
    (
        "billing_invoice",
        "exact_nanos",
        AN_INVOICE_BILLS_WHAT_NOBODY_PREPAID_IN_ITS_MONTH,
    ),
    ("billing_invoice", "sequence", _numbers_without_gap("billing_invoice", "invoice")),
    (
        "billing_creditnote",
        "sequence",
        _numbers_without_gap("billing_creditnote", "credit-note"),
    ),
    ("billing_invoice", "total_nanos", NO_MORE_IS_CREDITED_THAN_WAS_BILLED),
    (
        "billing_statement",
        "closing_nanos",
        A_STATEMENT_CLOSES_ON_THE_LEDGERS_SUM_THROUGH_ITS_MONTH,
    ),
    ("billing_statement", "charges_nanos", CHARGES_OF_A_STATEMENT_ARE_ITS_LINES),
    (
        "billing_purchasereceipt",
        "total_nanos",
        EVERY_PURCHASE_HAS_A_RECEIPT_OF_WHAT_WAS_PAID,
    ),
    (
        "billing_purchasereceipt",
        "sequence",
        _numbers_without_gap("billing_purchasereceipt", "receipt"),
    ),
)


def document_differences() -> Iterator[Difference]:
    """Every amount on an invoice, statement or receipt that is not what is behind it."""
    for table, column, sql in PROOFS:
        for row_id, kept, proven in run(sql, prepared=False).rows():
            yield Difference(table, f"id={row_id}", column, int(kept), int(proven))
