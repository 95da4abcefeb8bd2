"""Auto-reload and the notices about a balance (T4, T5, N1): decided under the
organization's lock, written as rows.

Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.funding.queries import organization_standing
from billing.funding.rules.standing import OrganizationStanding
from billing.ledger.actions import account_of
from billing.models import BillingAccount, LedgerEntry, Payment
from billing.payments.actions.declines import end_series_if_lifted
from billing.payments.actions.owner_mails import (
    EXHAUSTED,
    LOW,
    RELOAD_LIMIT,
    tell_owners,
)
from billing.payments.actions.purchases import (
    card_of,
    check_is_prepaid,
    check_purchase_amount,
    new_payment,
)
from billing.payments.queries.reloads import low_mark, reload_state
from billing.payments.rules.reloading import (
    MOST_NANOS,
    Hold,
    Reload,
    ReloadState,
    reload_now,
    threshold_is_in_reach,
)
from config.kit.errors import BusinessError
from config.kit.money import MAX_AMOUNT_NANOS, NANOS_PER_CENT, format_usd

# A reload that is settled within this time keeps the owners from reading that the
# balance is gone.
SETTLES_SOON = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Tended:
    """What looking after a balance led to: a payment to ask the gateway for, and mails
    that are due.
    """

    payment: Payment | None = None
    mails: list[int] = field(default_factory=list)


@transaction.atomic
def set_auto_reload(
    organization: Organization,
    *,
    enabled: bool,
    threshold_nanos: int | None = None,
    amount_nanos: int | None = None,
    limit_nanos: int | None = None,
    actor: Actor,
    now: dt.datetime,
) -> BillingAccount:
    """Switch auto-reload and say when it buys, how much, and at most how much a month
    (None: the organization's cap).

    Switching it off keeps threshold and amount. Raises BusinessError `not_prepaid`,
    `no_card`, or with the field of a bad amount.
    """
    locked = lock_organization(organization.pk)
    check_is_prepaid(locked)
    account = account_of(locked)
    before = account.auto_reload_as_audited
    if enabled:
        _check(
            locked,
            threshold_nanos=threshold_nanos,
            amount_nanos=amount_nanos,
            limit_nanos=limit_nanos,
        )
        account.reload_threshold_nanos, account.reload_amount_nanos = (
            threshold_nanos,
            amount_nanos,
        )
        account.reload_limit_nanos = limit_nanos
        account.reload_declined_at, account.reload_declines, account.reload_retry_at = (
            None,
            0,
            None,
        )
    account.auto_reload_enabled, account.reload_ended_at = enabled, None
    account.save(
        update_fields=[
            "auto_reload_enabled",
            "reload_threshold_nanos",
            "reload_amount_nanos",
            "reload_limit_nanos",
            "reload_declined_at",
            "reload_declines",
            "reload_retry_at",
            "reload_ended_at",
        ]
    )
    if account.auto_reload_as_audited != before:
        record_change(
            locked,
            actor=actor,
            action="balance.auto_reload",
            subject=locked.name,
            now=now,
            from_value=before,
            to_value=account.auto_reload_as_audited,
        )
    return account


def _check(
    locked: Organization,
    *,
    threshold_nanos: int | None,
    amount_nanos: int | None,
    limit_nanos: int | None,
) -> None:
    for name, amount in (("threshold", threshold_nanos), ("limit", limit_nanos)):
        if amount is not None and not 0 <= amount <= MAX_AMOUNT_NANOS:
            sentence = _("Enter an amount from $0 to %(most)s.") % {
                "most": format_usd(MAX_AMOUNT_NANOS)
            }
            raise BusinessError(sentence, code="reload_amount", status=422, field=name)
        if amount is not None and amount % NANOS_PER_CENT:
            raise BusinessError(
                _("Amounts are in whole cents, such as 25.50."),
                code="decimals",
                status=422,
                field=name,
            )
    if threshold_nanos is None or amount_nanos is None:
        missing = "threshold" if threshold_nanos is None else "amount"
        raise BusinessError(
            _("Enter an amount in dollars, such as 25.00."),
            code="empty",
            status=422,
            field=missing,
        )
    check_purchase_amount(amount_nanos)
    if not threshold_is_in_reach(threshold_nanos, amount_nanos=amount_nanos):
        words = {
            "threshold": format_usd(threshold_nanos),
            "most": format_usd(MOST_NANOS),
        }
        raise BusinessError(
            _(
                "A single purchase is at most %(most)s, so it couldn't bring the "
                "balance above %(threshold)s. Enter a smaller amount."
            )
            % words,
            code="reload_threshold",
            status=422,
            field="threshold",
        )
    if limit_nanos is not None and limit_nanos < amount_nanos:
        words = {"limit": format_usd(limit_nanos), "amount": format_usd(amount_nanos)}
        raise BusinessError(
            _("%(limit)s a month is not enough for a single reload of %(amount)s.")
            % words,
            code="reload_limit",
            status=422,
            field="limit",
        )
    if card_of(locked.pk) is None:
        raise BusinessError(
            _("There is no card to charge yet. Add one first."), code="no_card"
        )


@transaction.atomic
def tend_balance(organization_id: int, *, now: dt.datetime) -> Tended:
    """Start the one reload that is due, and tell the owners what they have to know.

    Safe to run twice and at once.
    """
    locked = lock_organization(organization_id)
    standing = organization_standing(organization_id, now=now)
    if not standing.is_prepaid:
        return Tended()
    end_series_if_lifted(locked)
    account = account_of(locked)
    state = reload_state(account, standing, now=now)
    due = reload_now(state, now=now)
    payment = None
    if due.amount_nanos:
        card = card_of(organization_id)
        assert card is not None  # the rule asked for one
        payment = new_payment(
            locked,
            card,
            purpose=Payment.Purpose.RELOAD,
            amount_nanos=due.amount_nanos,
            buyer=None,
            now=now,
        )
    return Tended(
        payment,
        (
            _notices(locked, account, standing, state, due, now=now)
            if payment is None
            else []
        ),
    )


def _notices(
    locked: Organization,
    account: BillingAccount,
    standing: OrganizationStanding,
    state: ReloadState,
    due: Reload,
    *,
    now: dt.datetime,
) -> list[int]:
    """What is low, gone or held back, each told once a threshold and month (N1)."""
    month_on, mails = standing.month.first_on.isoformat(), list[int]()
    facts = {"balance_nanos": account.balance_nanos}
    if due.hold in (Hold.MONTHLY_LIMIT, Hold.DAILY_COUNT):
        key = (
            month_on
            if due.hold is Hold.MONTHLY_LIMIT
            else standing.month.day_of(now).isoformat()
        )
        mails += tell_owners(
            locked,
            RELOAD_LIMIT,
            key=f"{due.hold}:{key}",
            facts={"hold": due.hold},
            now=now,
        )
    if (
        not standing.is_on
        or not LedgerEntry.objects.filter(organization=locked).exists()
    ):
        return mails
    if account.balance_nanos <= 0:
        if not (due.hold is Hold.IN_FLIGHT and _is_fresh(locked, now=now)):
            mails += tell_owners(locked, EXHAUSTED, key=month_on, facts=facts, now=now)
    elif not (state.enabled and state.has_card) and account.balance_nanos <= low_mark(
        account
    ):
        mails += tell_owners(
            locked,
            LOW,
            key=month_on,
            facts={**facts, "has_no_card": state.enabled},
            now=now,
        )
    return mails


def _is_fresh(locked: Organization, *, now: dt.datetime) -> bool:
    return (
        Payment.objects.in_flight()
        .filter(organization=locked, created_at__gt=now - SETTLES_SOON)
        .exists()
    )
