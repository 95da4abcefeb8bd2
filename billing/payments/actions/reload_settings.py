"""Switching auto-reload on and off (T4), audited. Amounts are nano-USD."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.funding.queries import organization_standing
from billing.ledger.actions import account_of
from billing.models import BillingAccount
from billing.notices.actions.noticing import notice_unreloaded
from billing.payments.actions.declines import keep_reload_change
from billing.payments.actions.purchases import (
    check_is_prepaid,
    check_purchase_amount,
    require_card,
)
from billing.payments.rules.reloading import MOST_NANOS, threshold_is_in_reach
from config.kit.errors import BusinessError
from config.kit.money import MAX_AMOUNT_NANOS, NANOS_PER_CENT, format_usd

# What switching auto-reload on or off may change.
SETTINGS = [
    "auto_reload_enabled",
    "reload_threshold_nanos",
    "reload_amount_nanos",
    "reload_limit_nanos",
    "reload_declined_at",
    "reload_declines",
    "reload_retry_at",
    "reload_ended_at",
]


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

    Switching it off keeps threshold and amount; switching it on forgets earlier
    declines. Raises BusinessError `not_prepaid`, `no_card`, `reload_cap` where the cap
    that stands in for the limit is smaller than one reload, or with the field of a bad
    amount.
    """
    locked = lock_organization(organization.pk)
    check_is_prepaid(locked)
    account = account_of(locked)
    before = account.auto_reload_as_audited
    if enabled:
        check_reload_settings(
            threshold_nanos=threshold_nanos,
            amount_nanos=amount_nanos,
            limit_nanos=limit_nanos,
        )
        if limit_nanos is None:
            _check_cap_allows_one(locked, amount_nanos=amount_nanos or 0, now=now)
        require_card(locked.pk)
        account.reload_threshold_nanos = threshold_nanos
        account.reload_amount_nanos = amount_nanos
        account.reload_limit_nanos = limit_nanos
        _forget_declines(account)
    account.auto_reload_enabled = enabled
    account.reload_ended_at = None
    account.save(update_fields=SETTINGS)
    if account.auto_reload_as_audited != before:
        keep_reload_change(locked, account, before, actor=actor, now=now)
        if not enabled:
            notice_unreloaded(locked, now=now)
    return account


def _forget_declines(account: BillingAccount) -> None:
    account.reload_declined_at = None
    account.reload_declines = 0
    account.reload_retry_at = None


def check_reload_settings(
    *,
    threshold_nanos: int | None,
    amount_nanos: int | None,
    limit_nanos: int | None,
) -> None:
    """Raises BusinessError with the field (`threshold`, `amount`, `limit`) that has to
    change.
    """
    _check_range("threshold", threshold_nanos)
    _check_range("limit", limit_nanos)
    if threshold_nanos is None:
        raise _missing("threshold")
    if amount_nanos is None:
        raise _missing("amount")
    check_purchase_amount(amount_nanos)
    _check_threshold_is_in_reach(threshold_nanos, amount_nanos=amount_nanos)
    if limit_nanos is not None:
        _check_limit_allows_one(limit_nanos, amount_nanos=amount_nanos)


def _check_range(name: str, amount_nanos: int | None) -> None:
    if amount_nanos is None:
        return
    if not 0 <= amount_nanos <= MAX_AMOUNT_NANOS:
        sentence = _("Enter an amount from $0 to %(most)s.") % {
            "most": format_usd(MAX_AMOUNT_NANOS)
        }
        raise BusinessError(sentence, code="reload_amount", status=422, field=name)
    if amount_nanos % NANOS_PER_CENT:
        raise BusinessError(
            _("Amounts are in whole cents, such as 25.50."),
            code="decimals",
            status=422,
            field=name,
        )


def _missing(name: str) -> BusinessError:
    return BusinessError(
        _("Enter an amount in dollars, such as 25.00."),
        code="empty",
        status=422,
        field=name,
    )


def _check_threshold_is_in_reach(threshold_nanos: int, *, amount_nanos: int) -> None:
    if threshold_is_in_reach(threshold_nanos, amount_nanos=amount_nanos):
        return
    texts = {"threshold": format_usd(threshold_nanos), "most": format_usd(MOST_NANOS)}
    raise BusinessError(
        _(
            "A single purchase is at most %(most)s, so it couldn't bring the "
            "balance above %(threshold)s. Enter a smaller amount."
        )
        % texts,
        code="reload_threshold",
        status=422,
        field="threshold",
    )


def _check_cap_allows_one(
    organization: Organization, *, amount_nanos: int, now: dt.datetime
) -> None:
    cap_nanos = organization_standing(organization.pk, now=now).cap.amount_nanos
    if cap_nanos is None or cap_nanos >= amount_nanos:
        return
    raise BusinessError(
        _(
            "Without a limit of its own, auto-reload buys at most the organization "
            "spend cap of %(cap)s a month, which is not enough for a single reload of "
            "%(amount)s. Enter a limit, or a smaller reload amount."
        )
        % {"cap": format_usd(cap_nanos), "amount": format_usd(amount_nanos)},
        code="reload_cap",
        status=422,
        field="limit",
    )


def check_cap_allows_reload(account: BillingAccount, *, cap_nanos: int | None) -> None:
    """Raises BusinessError (`reload_cap`, field `organization_cap`) where auto-reload is
    on, has no limit of its own, and one reload is more than `cap_nanos`.
    """
    amount_nanos = account.reload_amount_nanos
    is_limited = account.auto_reload_enabled and account.reload_limit_nanos is None
    if not is_limited or cap_nanos is None or amount_nanos is None:
        return
    if amount_nanos > cap_nanos:
        raise BusinessError(
            _(
                "Auto-reload could not buy: one reload is %(amount)s, and the cap limits "
                "reloads too. Enter at least %(amount)s, or go back and change "
                "auto-reload."
            )
            % {"amount": format_usd(amount_nanos)},
            code="reload_cap",
            status=422,
            field="organization_cap",
        )


def _check_limit_allows_one(limit_nanos: int, *, amount_nanos: int) -> None:
    if limit_nanos >= amount_nanos:
        return
    texts = {"limit": format_usd(limit_nanos), "amount": format_usd(amount_nanos)}
    raise BusinessError(
        _("%(limit)s a month is not enough for a single reload of %(amount)s.") % texts,
        code="reload_limit",
        status=422,
        field="limit",
    )
