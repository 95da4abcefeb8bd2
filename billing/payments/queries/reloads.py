"""What auto-reload looks at, read from the rows. Read-only; amounts are nano-USD."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.conf import settings
from django.db.models import F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import AuditEntry, Plan, Settlement
from billing.funding.queries import organization_standing
from billing.funding.rules.standing import OrganizationStanding
from billing.models import (
    BillingAccount,
    Dispute,
    EntryKind,
    LedgerEntry,
    Payment,
    PaymentCard,
    Refund,
)
from billing.payments.rules.reloading import ReloadState
from config.kit.money import NANOS_PER_USD
from config.kit.months import local_midnight


def balances_at_threshold() -> QuerySet[BillingAccount, int]:
    """Organizations (ids) whose extra usage is on and whose prepaid balance has reached
    the amount to act at.

    Also those with declines, since a balance that was lifted ends their series.
    """
    is_on = Q(extra_usage_enabled=True) | Q(organization__plan=Plan.ENTERPRISE_USAGE)
    prepaid = BillingAccount.objects.filter(
        is_on, organization__settlement=Settlement.PREPAID
    )
    reached = F("pending_nanos") + Coalesce(
        F("reload_threshold_nanos"), Value(_default_low())
    )
    return (
        prepaid.filter(Q(ledger_nanos__lte=reached) | Q(reload_declines__gt=0))
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def balances_in_use() -> QuerySet[BillingAccount, int]:
    """Organizations (ids) whose extra usage is on and that have a prepaid balance left
    which nothing reloads.
    """
    is_on = Q(extra_usage_enabled=True) | Q(organization__plan=Plan.ENTERPRISE_USAGE)
    return (
        BillingAccount.objects.filter(
            is_on,
            organization__settlement=Settlement.PREPAID,
            auto_reload_enabled=False,
            ledger_nanos__gt=F("pending_nanos"),
        )
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def low_mark(account: BillingAccount) -> int:
    """The balance that counts as low: the reload threshold, or the setting's where none
    was ever set (N1).
    """
    if account.reload_threshold_nanos is None:
        return _default_low()
    return account.reload_threshold_nanos


def _default_low() -> int:
    return int(Decimal(settings.LOW_BALANCE_USD) * NANOS_PER_USD)


def reload_limit(account: BillingAccount, standing: OrganizationStanding) -> int | None:
    """Most that auto-reload buys this month: what was set, else the organization's cap;
    None without either (T4).
    """
    if account.reload_limit_nanos is None:
        return standing.cap.amount_nanos
    return account.reload_limit_nanos


def bought_this_month(standing: OrganizationStanding) -> int:
    """What auto-reload bought, or may have bought, since the month began."""
    reloads = Payment.objects.filter(organization_id=standing.id).reloads().counting()
    this_month = reloads.filter(created_at__gte=standing.month.start)
    return this_month.aggregate(sum=Sum("amount_nanos"))["sum"] or 0


def is_wanted(organization_id: int, *, now: dt.datetime) -> bool:
    """Whether a reload started before may still be bought: not once it, or extra usage,
    was switched off (C7), nor while a payment is disputed.
    """
    standing = organization_standing(organization_id, now=now)
    is_on = standing.is_prepaid and standing.is_on and standing.auto_reload
    return is_on and open_dispute(organization_id) is None


def open_dispute(organization_id: int) -> Dispute | None:
    """The latest dispute that a bank has not decided yet, about a purchase or an invoice."""
    disputes = Dispute.objects.open().filter(organization_id=organization_id)
    return disputes.select_related("payment", "invoice").order_by("-pk").first()


def lifted_above(
    organization_id: int, mark_nanos: int, *, month_on: dt.date
) -> LedgerEntry | None:
    """The latest purchase, reload or credit of a month that left the balance above
    `mark_nanos`: what arms the notice of that mark again (N1a).
    """
    lifting = LedgerEntry.objects.filter(
        organization_id=organization_id,
        month_on=month_on,
        kind__in=[EntryKind.PURCHASE, EntryKind.RELOAD, EntryKind.CREDIT],
        balance_nanos__gt=mark_nanos,
    )
    return lifting.order_by("-pk").first()


def reload_went_off_by(refund: Refund) -> bool:
    """Whether this refund switched auto-reload off.

    Read from the audit, which has the moment and the operator of the refund: a
    press of the same form again, whose answer is the one the operator sees, has to know
    it too, and no column keeps it.
    """
    entries = AuditEntry.objects.filter(
        organization_id=refund.payment.organization_id, action="balance.auto_reload"
    )
    return entries.filter(at=refund.created_at, actor_id=refund.created_by_id).exists()


def reload_state(
    account: BillingAccount, standing: OrganizationStanding, *, now: dt.datetime
) -> ReloadState:
    """All that `rules.reloading` decides on, at this moment."""
    payments = Payment.objects.filter(organization_id=standing.id)
    today = local_midnight(standing.month.day_of(now), standing.month.zone)
    cards = PaymentCard.objects.chargeable().filter(organization_id=standing.id)
    return ReloadState(
        enabled=account.auto_reload_enabled,
        threshold_nanos=account.reload_threshold_nanos or 0,
        amount_nanos=account.reload_amount_nanos or 0,
        balance_nanos=account.balance_nanos,
        is_on=standing.is_on and standing.is_prepaid,
        cap_is_reached=standing.cap.is_reached(standing.spent_nanos),
        has_card=cards.exists(),
        is_in_flight=payments.in_flight().exists(),
        retry_at=account.reload_retry_at,
        bought_today=payments.reloads()
        .counting()
        .filter(created_at__gte=today)
        .count(),
        bought_this_month_nanos=bought_this_month(standing),
        limit_nanos=reload_limit(account, standing),
        is_disputed=open_dispute(standing.id) is not None,
    )
