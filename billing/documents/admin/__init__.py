"""Operators' pages of documents and of the terms they are issued on.

Whatever has an act is done by it.
"""

from billing.documents.admin import invoices, receipts, terms

__all__ = ["invoices", "receipts", "terms"]
