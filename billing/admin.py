"""Operators' pages of prices, allowances, usage, counters, money and documents: the
rooms' own.
"""

from billing.documents import admin as documents
from billing.metering import admin as metering
from billing.payments import admin as payments
from billing.prices import admin as prices

__all__ = ["documents", "metering", "payments", "prices"]
