"""Operators' pages of documents and of the terms they are issued on.

Whatever has an act is done by it.
"""

from billing.documents.admin import invoices, money_back, receipts, terms

__all__ = ["invoices", "money_back", "receipts", "terms"]
