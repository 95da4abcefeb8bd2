"""A prepaid balance as the pages tell it: what is left, how long it lasts, what
auto-reload does. Read-only.

Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from billing.funding.rules.standing import OrganizationStanding
from billing.models import (
    BillingAccount,
    Dispute,
    LedgerEntry,
    Payment,
    PaymentCard,
    SetupStep,
)
from billing.models.payments import PaymentQuerySet
from billing.payments.queries.cards import card_of
from billing.payments.queries.reloads import (
    bought_this_month,
    low_mark,
    open_dispute,
    reload_limit,
    reload_state,
)
from billing.payments.rules.reloading import RETRIES, Hold, is_final, reload_now
from billing.payments.rules.runway import Runway, runway
from billing.reports.queries.month import MonthSummary, month_summary
from config.kit.months import local_midnight


class BalanceState(StrEnum):
    """What a balance means for the people who use it.

    Only `GONE` stops them; `DECLINED` and `LOW` soon will.
    """

    FINE = "fine"
    LOW = "low"
    DECLINED = "declined"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class BalanceSummary:
    """One prepaid organization's balance at one moment."""

    account: BillingAccount
    state: BalanceState
    hold: Hold | None
    card: PaymentCard | None
    limit_nanos: int | None
    bought_nanos: int
    last_reload: Payment | None
    last_decline: Payment | None
    in_flight: Payment | None
    waiting: Payment | None
    lasts: Runway | None
    next_reload: Runway | None
    last_entry_at: dt.datetime | None
    dispute: Dispute | None = None

    @property
    def balance_nanos(self) -> int:
        """What is left."""
        return self.account.balance_nanos

    @property
    def has_any(self) -> bool:
        """Whether there is something to show: money was booked, or a payment is on its way."""
        return bool(
            self.account.ledger_nanos
            or self.last_entry_at
            or self.in_flight
            or self.waiting
        )

    @property
    def setup_step(self) -> SetupStep:
        """Where the owner is in the flow that enables: paying comes first, until there
        is a balance (T1).
        """
        if self.account.balance_nanos <= 0 or not self.account.setup_step:
            return SetupStep.PAY
        return SetupStep(self.account.setup_step)

    @property
    def is_paused(self) -> bool:
        """Auto-reload waits for its next try after a decline."""
        return _waits_for_retry(self.account, self.card)

    @property
    def will_reload(self) -> bool:
        """Auto-reload is on, and nothing is in its way that lasts."""
        is_on = self.account.auto_reload_enabled and self.card is not None
        return is_on and not self.is_paused and self.dispute is None

    @property
    def lacks_card(self) -> bool:
        """Auto-reload is on, and there is nothing it could charge."""
        return self.account.auto_reload_enabled and self.card is None

    @property
    def has_ended(self) -> bool:
        """Auto-reload was switched off by declines."""
        return self.account.reload_ended_at is not None

    @property
    def is_declined_for_good(self) -> bool:
        """The bank's answer was one that never changes, so it was not tried again."""
        return self.last_decline is not None and is_final(
            self.last_decline.decline_code
        )

    @property
    def last_try_at(self) -> dt.datetime | None:
        """When the last try of a series of declines is due; None when the next one is
        the last.
        """
        account = self.account
        if account.reload_retry_at is None or not 0 < account.reload_declines < len(
            RETRIES
        ):
            return None
        return (
            account.reload_retry_at + RETRIES[-1] - RETRIES[account.reload_declines - 1]
        )


def balance_summary(
    standing: OrganizationStanding, summary: MonthSummary, *, now: dt.datetime
) -> BalanceSummary:
    """The balance of a prepaid organization, with the pace of its month."""
    account = _account_of(standing)
    payments = Payment.objects.filter(organization_id=standing.id).order_by(
        "-created_at", "-pk"
    )
    reloads = payments.reloads()
    card = card_of(standing.id)
    dispute = open_dispute(standing.id)
    balance_nanos = account.balance_nanos
    to_threshold_nanos = balance_nanos - (account.reload_threshold_nanos or 0)
    return BalanceSummary(
        account=account,
        state=_state(account, standing, card, is_disputed=dispute is not None),
        hold=reload_now(reload_state(account, standing, now=now), now=now).hold,
        card=card,
        limit_nanos=reload_limit(account, standing),
        bought_nanos=bought_this_month(standing),
        last_reload=reloads.filter(status=Payment.Status.SUCCEEDED).first(),
        last_decline=_last_decline(account, reloads),
        in_flight=payments.in_flight().first(),
        waiting=payments.filter(status=Payment.Status.ACTION).first(),
        lasts=_used_up_by(balance_nanos, standing, summary, now=now),
        next_reload=_used_up_by(to_threshold_nanos, standing, summary, now=now),
        last_entry_at=_last_entry_at(standing),
        dispute=dispute,
    )


def lasts_until(standing: OrganizationStanding, *, now: dt.datetime) -> Runway | None:
    """When a balance is used up at the month's pace; None: not by the end of the month,
    or nobody can tell yet.
    """
    if standing.balance_nanos is None:
        return None
    summary = month_summary(standing, now=now)
    return _used_up_by(standing.balance_nanos, standing, summary, now=now)


def _account_of(standing: OrganizationStanding) -> BillingAccount:
    """The account, or an empty one, not saved, where there is none yet."""
    account = BillingAccount.objects.filter(organization_id=standing.id).first()
    return account or BillingAccount(organization_id=standing.id)


def _last_decline(account: BillingAccount, reloads: PaymentQuerySet) -> Payment | None:
    """The latest decline of a series that goes on or has ended auto-reload."""
    if not (account.reload_declines or account.reload_ended_at):
        return None
    return reloads.filter(status=Payment.Status.DECLINED).first()


def _used_up_by(
    amount_nanos: int,
    standing: OrganizationStanding,
    summary: MonthSummary,
    *,
    now: dt.datetime,
) -> Runway | None:
    """When an amount is used at the month's pace; None without a projection, or not by
    the end of the month.
    """
    if summary.projection is None:
        return None
    tomorrow = summary.today + dt.timedelta(days=1)
    today_ends = local_midnight(tomorrow, standing.month.zone)
    expected = summary.projection.expected
    return runway(amount_nanos, expected, now=now, today_ends=today_ends)


def _last_entry_at(standing: OrganizationStanding) -> dt.datetime | None:
    entries = LedgerEntry.objects.filter(organization_id=standing.id).order_by("-pk")
    return entries.values_list("created_at", flat=True).first()


def _waits_for_retry(account: BillingAccount, card: PaymentCard | None) -> bool:
    """A declined reload is due to be tried again; not any more where a credit lifted
    the balance meanwhile.
    """
    is_due = account.balance_nanos <= (account.reload_threshold_nanos or 0)
    return (
        account.auto_reload_enabled
        and card is not None
        and account.reload_retry_at is not None
        and is_due
    )


def _state(
    account: BillingAccount,
    standing: OrganizationStanding,
    card: PaymentCard | None,
    *,
    is_disputed: bool,
) -> BalanceState:
    if account.balance_nanos <= 0:
        return BalanceState.GONE
    if _waits_for_retry(account, card) or account.reload_ended_at is not None:
        return BalanceState.DECLINED
    is_reloaded = account.auto_reload_enabled and card is not None and not is_disputed
    is_low = account.balance_nanos <= low_mark(account)
    if standing.is_on and is_low and not is_reloaded:
        return BalanceState.LOW
    return BalanceState.FINE
