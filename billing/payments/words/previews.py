"""What a typed purchase or auto-reload would do, before it is pressed, in the active
language. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.utils.translation import gettext as _

from billing.funding.rules.standing import OrganizationStanding
from billing.payments.queries.balance import BalanceSummary
from billing.payments.queries.reloads import reload_state
from billing.payments.rules.reloading import reload_now
from config.kit.money import format_usd


def bought_text(balance: BalanceSummary, *, amount_nanos: int) -> str:
    """The balance after a purchase."""
    return _("New balance: %(balance)s") % {
        "balance": format_usd(balance.balance_nanos + amount_nanos)
    }


def reload_text(
    balance: BalanceSummary,
    standing: OrganizationStanding,
    *,
    threshold_nanos: int,
    amount_nanos: int,
    limit_nanos: int | None,
    now: dt.datetime,
) -> str:
    """What auto-reload would charge at once, by its own rule: now, or as soon as extra
    usage is on; empty where it waits for the balance to fall.
    """
    if balance.card is None or amount_nanos <= 0:
        return ""
    state = replace(
        reload_state(balance.account, standing, now=now),
        enabled=True,
        is_on=True,
        retry_at=None,  # switching it on forgets declines
        threshold_nanos=threshold_nanos,
        amount_nanos=amount_nanos,
        limit_nanos=standing.cap.amount_nanos if limit_nanos is None else limit_nanos,
    )
    charged_nanos = reload_now(state, now=now).amount_nanos
    if not charged_nanos:
        return ""
    sentence = (
        _(
            "The balance of %(balance)s is at %(threshold)s or below already, so saving "
            "charges %(card)s %(amount)s right away."
        )
        if standing.is_on
        else _(
            "The balance of %(balance)s is at %(threshold)s or below already, so %(card)s "
            "is charged %(amount)s as soon as extra usage is on."
        )
    )
    return sentence % {
        "balance": format_usd(balance.balance_nanos),
        "threshold": format_usd(threshold_nanos),
        "card": str(balance.card),
        "amount": format_usd(charged_nanos),
    }
