"""Who writes the mails about money: what was bought, declined, held back, low, gone, or
went back.

To owners, in their language; of what went back also to operators. Importing this
registers the writers.
"""

from __future__ import annotations

from billing.payments.mails import balances, money_back, purchases

__all__ = ["balances", "money_back", "purchases"]
