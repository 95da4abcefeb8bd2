"""Who writes the mails about money: what was bought, declined, held back, low or gone.

To owners only, in their language. Importing this registers the writers.
"""

from __future__ import annotations

from billing.payments.mails import balances, purchases

__all__ = ["balances", "purchases"]
