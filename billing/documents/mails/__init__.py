"""Who writes the mails of documents, and of money that went back of what they bill.

Importing this registers the writers.
"""

from __future__ import annotations

from billing.documents.mails import documents, money_back

__all__ = ["documents", "money_back"]
