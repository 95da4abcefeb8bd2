"""What billing shows on an operator's page of one customer: the month's answer, its
facts, the months so far, documents and payments; and what steps would change in money.

All from counters and from a few rows each, however much was used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Membership, Organization, Plan, Settlement
from accounts.panels import (
    Effect,
    Fact,
    Look,
    Panel,
    register_effects,
    register_facts,
    register_panels,
)
from billing.documents.queries.documents import invoices_of
from billing.funding.queries import organization_standing
from billing.models import (
    BillingAccount,
    CapLevel,
    Invoice,
    OrganizationMonth,
    SpendCap,
)
from billing.pages.usage_parts import UsagePage
from config.kit.dates import dated_day_text
from config.kit.money import format_usd
from config.kit.months import local_day

SHOWN = 5


def page_of(look: Look) -> UsagePage:
    """Settings › Usage as the primary owner sees it."""
    owner = Membership.objects.select_related("organization", "user").get(
        organization=look.organization, user=look.organization.primary_owner_id
    )
    return UsagePage(owner, look.now)


def answer_panel(look: Look) -> dict[str, Any]:
    """The month's verdict, figure, bar and chart."""
    return page_of(look).month_part() | {"zone": look.zone}


def facts(look: Look) -> Iterator[Fact]:
    """Plan, settlement, balance, caps and events."""
    organization = look.organization
    yield Fact(
        _("Plan"),
        organization.get_plan_display(),
        _("since %(day)s")
        % {"day": dated_day_text(local_day(organization.created_at, look.zone))},
        order=10,
    )
    yield _settlement_fact(organization)
    account = BillingAccount.objects.filter(organization=organization).first()
    if account and (account.ledger_nanos or organization.settlement == "prepaid"):
        reload = (
            _("auto-reload on") if account.auto_reload_enabled else _("no auto-reload")
        )
        yield Fact(_("Balance"), format_usd(account.balance_nanos), reload, order=25)
    if account and account.confirmation_required:
        asked = _("Members are asked first")
        yield Fact(_("Before extra usage begins"), asked, order=35)
    yield from _cap_facts(look)
    yield _events_fact(look)


def _settlement_fact(organization: Organization) -> Fact:
    open_ones = invoices_of(organization.pk).filter(status=Invoice.Status.OPEN)
    owed = open_ones.aggregate(nanos=Sum("total_nanos"))["nanos"]
    detail = (
        _("%(amount)s unpaid") % {"amount": format_usd(owed)}
        if owed
        else _("nothing unpaid")
    )
    value = str(organization.get_settlement_display())
    return Fact(_("Settlement"), value, detail, order=20)


def _cap_facts(look: Look) -> Iterator[Fact]:
    """Seat tiers' caps, and how many people have one of their own."""
    organization = look.organization
    caps = SpendCap.objects.filter(organization=organization)
    own = caps.filter(level=CapLevel.MEMBER, amount_nanos__isnull=False).count()
    month_on = organization.calendar.month_at(look.now).first_on
    tiers = {
        cap.seat_tier: cap.amount_in(month_on)
        for cap in caps.filter(level=CapLevel.SEAT_TIER)
    }
    texts = [
        format_usd(nanos) if (nanos := tiers.get(tier)) is not None else _("Unlimited")
        for tier in ("standard", "premium")
    ]
    people = ngettext(
        "%(own)d person with their own", "%(own)d people with their own", own
    )
    value = " / ".join(texts) if organization.plan == Plan.ENTERPRISE_SEAT else "–"
    yield Fact(_("Caps"), value, people % {"own": own}, order=40)


def _events_fact(look: Look) -> Fact:
    month_on = look.organization.calendar.month_at(look.now).first_on
    counted = OrganizationMonth.objects.filter(
        organization=look.organization, month_on=month_on
    ).values_list("events", flat=True)
    return Fact(_("Events this month"), f"{counted.first() or 0:,}", order=50)


def plan_effects(
    organization: Organization, typed: dict[str, Any], now: dt.datetime
) -> Iterator[Effect]:
    """What another plan or settlement does to the balance and to people."""
    standing = organization_standing(organization.pk, now=now)
    account = BillingAccount.objects.filter(organization=organization).first()
    balance = account.balance_nanos if account else 0
    spent = format_usd(standing.spent_nanos)
    yield Effect(
        _("%(spent)s used this month stays as it was paid for.") % {"spent": spent}
    )
    if typed["settlement"] == Settlement.PREPAID and balance <= 0:
        people = organization.memberships.enabled().count()
        sentence = ngettext(
            "The balance is %(balance)s: %(people)d person can't go on with extra "
            "usage until an owner buys some.",
            "The balance is %(balance)s: %(people)d people can't go on with extra "
            "usage until an owner buys some.",
            people,
        )
        words = {"balance": format_usd(balance), "people": people}
        yield Effect(sentence % words, is_warning=True)
    if typed["settlement"] == Settlement.POSTPAID and balance > 0:
        sentence = _(
            "The balance of %(balance)s is kept and used for nothing meanwhile."
        )
        yield Effect(sentence % {"balance": format_usd(balance)}, is_warning=True)
    yield from _seat_effects(organization, typed["plan"])


def _seat_effects(organization: Organization, plan: str) -> Iterator[Effect]:
    if plan == organization.plan:
        return
    with_seat = organization.memberships.active().exclude(seat_tier=None).count()
    if plan == Plan.ENTERPRISE_USAGE and with_seat:
        sentence = ngettext(
            "%(people)d person loses the usage included in their seat.",
            "%(people)d people lose the usage included in their seats.",
            with_seat,
        )
        yield Effect(sentence % {"people": with_seat}, is_warning=True)
    if organization.plan == Plan.ENTERPRISE_USAGE:
        without = organization.memberships.active().filter(seat_tier=None).count()
        sentence = ngettext(
            "%(people)d person has no seat and is refused until an owner gives one.",
            "%(people)d people have no seat and are refused until an owner gives one.",
            without,
        )
        if without:
            yield Effect(sentence % {"people": without}, is_warning=True)
    if organization.plan == Plan.ENTERPRISE_SEAT:
        yield Effect(_("Caps of seat tiers stop holding; people's own go on."))


register_facts(facts)
register_effects("plan", plan_effects)
register_panels(
    Panel("answer", "admin/customer/_answer.html", answer_panel, 0, "answer"),
)
