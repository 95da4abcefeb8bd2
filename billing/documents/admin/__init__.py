"""Operators' pages of documents and of the terms they are issued on.

Whatever has an act is done by it.
"""

from billing.documents.admin import (
    credit_note_steps,
    finders,
    invoice_steps,
    invoices,
    money_back,
    month_steps,
    needs,
    numbers,
    receipts,
    reopen_steps,
    terms,
)

__all__ = [
    "credit_note_steps",
    "finders",
    "invoice_steps",
    "invoices",
    "money_back",
    "month_steps",
    "needs",
    "numbers",
    "receipts",
    "reopen_steps",
    "terms",
]
