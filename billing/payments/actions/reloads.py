"""Auto-reload and the mails about a balance (T4, T5, N1): decided under the
organization's lock, written as rows.

Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db import transaction

from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.funding.queries import organization_standing
from billing.funding.rules.standing import OrganizationStanding
from billing.ledger.actions import account_of
from billing.models import BillingAccount, LedgerEntry, Payment
from billing.payments.actions.declines import end_series_if_lifted
from billing.payments.actions.owner_mails import (
    LOW,
    RELOAD_LIMIT,
    queue_for_owners,
)
from billing.payments.actions.purchases import new_payment
from billing.payments.queries.cards import card_of
from billing.payments.queries.reloads import (
    lifted_above,
    low_mark,
    reload_state,
)
from billing.payments.rules.reloading import Hold, Reload, ReloadState, reload_now


@dataclass(frozen=True, slots=True)
class StartedReload:
    """What was due for a balance: a payment to ask the gateway for, if any, and the
    mails (ids).
    """

    payment: Payment | None = None
    mails: list[int] = field(default_factory=list)


@transaction.atomic
def start_reload_if_due(organization_id: int, *, now: dt.datetime) -> StartedReload:
    """Start the one reload that is due, or else tell the owners what they have to know.

    Safe to run twice and at once: the recorder, the sweep and a settled payment may all
    call it for the same charge. They queue for the organization's lock, and the second
    finds the payment of the first in flight; `one_payment_in_flight` stands behind it.

    1. A balance that was lifted meanwhile ends a series of declines.
    2. The rule decides on the rows as they are under the lock.
    3. A reload that is due becomes a row; the caller asks the gateway after the commit.
    4. Without one, owners hear what is low, gone or held back.
    """
    locked = lock_organization(organization_id)
    standing = organization_standing(organization_id, now=now)
    if not standing.is_prepaid:
        return StartedReload()
    end_series_if_lifted(locked)
    account = account_of(locked)
    state = reload_state(account, standing, now=now)
    due = reload_now(state, now=now)
    if due.amount_nanos:
        return StartedReload(_new_reload(locked, due.amount_nanos, now=now))
    mails = _queue_limit_mails(locked, standing, due, now=now)
    if _is_told_of_balance(locked, standing):
        mails += _queue_balance_mails(locked, account, standing, state, now=now)
    return StartedReload(None, mails)


def _new_reload(
    locked: Organization, amount_nanos: int, *, now: dt.datetime
) -> Payment:
    card = card_of(locked.pk)
    assert card is not None  # the rule asked for one
    return new_payment(
        locked,
        card,
        purpose=Payment.Purpose.RELOAD,
        amount_nanos=amount_nanos,
        buyer=None,
        now=now,
    )


def _queue_limit_mails(
    locked: Organization,
    standing: OrganizationStanding,
    due: Reload,
    *,
    now: dt.datetime,
) -> list[int]:
    """That a limit holds auto-reload back: once for the limit's month or day (N1)."""
    if due.hold == Hold.MONTHLY_LIMIT:
        since_on = standing.month.first_on
    elif due.hold == Hold.DAILY_COUNT:
        since_on = standing.month.day_of(now)
    else:
        return []
    return queue_for_owners(
        locked,
        RELOAD_LIMIT,
        key=f"{due.hold}:{since_on.isoformat()}",
        facts={"hold": due.hold},
        now=now,
    )


def _is_told_of_balance(locked: Organization, standing: OrganizationStanding) -> bool:
    """Extra usage is on, and there was ever a balance that could be low."""
    return standing.is_on and LedgerEntry.objects.filter(organization=locked).exists()


def _queue_balance_mails(
    locked: Organization,
    account: BillingAccount,
    standing: OrganizationStanding,
    state: ReloadState,
    *,
    now: dt.datetime,
) -> list[int]:
    """That the balance is low and auto-reload, though it is on, can't lift it: once a
    month, and again after a purchase lifted the balance above that mark (N1a).

    Without auto-reload, and for a balance that is gone, the notices tell.
    """
    mark_nanos = low_mark(account)
    is_stuck = state.enabled and (not state.has_card or state.is_disputed)
    if not is_stuck or not 0 < account.balance_nanos <= mark_nanos:
        return []
    facts: dict[str, object] = {
        "balance_nanos": account.balance_nanos,
        "has_no_card": not state.has_card,
        "is_disputed": state.is_disputed,
    }
    key = _once_until_lifted(locked, standing, mark_nanos)
    return queue_for_owners(locked, LOW, key=key, facts=facts, now=now)


def _once_until_lifted(
    locked: Organization, standing: OrganizationStanding, mark_nanos: int
) -> str:
    """Names the month, and what of this month lifted the balance above the mark."""
    month_on = standing.month.first_on
    lifted = lifted_above(locked.pk, mark_nanos, month_on=month_on)
    return f"{month_on.isoformat()}:{lifted.pk}" if lifted else month_on.isoformat()
