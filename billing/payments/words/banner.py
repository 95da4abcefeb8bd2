"""The one banner that matters most above a balance, in the active language; its text
is HTML.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from billing.funding.rules.standing import OrganizationStanding
from billing.models import Dispute, Payment
from billing.payments.queries.balance import BalanceState, BalanceSummary
from billing.payments.rules.reloading import Hold
from billing.payments.words.balance import hold_text, lasts_text
from config.kit.dates import moment_label, moment_text
from config.kit.money import format_usd
from config.kit.months import Month


class BannerAct(StrEnum):
    """What an owner can do about a banner."""

    CONFIRM = "confirm"
    CHANGE_CARD = "change_card"


@dataclass(frozen=True, slots=True)
class BalanceBanner:
    """The banner above a balance; `text` is HTML.

    `payment` is the one to confirm or cancel.
    """

    label: str
    icon: str
    text: SafeString
    is_stop: bool = True
    act: BannerAct | None = None
    payment: Payment | None = None


def balance_banner(
    balance: BalanceSummary,
    standing: OrganizationStanding,
    *,
    can_edit: bool,
    now: dt.datetime,
) -> BalanceBanner | None:
    """The one thing that matters most about a balance; None where all is well."""
    month = standing.month
    if balance.waiting and can_edit:
        return _to_confirm(balance.waiting)
    if balance.state is BalanceState.DECLINED and balance.last_decline:
        text = _declined(balance, balance.last_decline, zone=month.zone, now=now)
        act = BannerAct.CHANGE_CARD if can_edit else None
        return BalanceBanner(_("Auto-reload"), "credit-card-off", text, act=act)
    if balance.state is BalanceState.GONE and standing.is_on:
        text = _gone(balance, month=month, now=now)
        act = BannerAct.CHANGE_CARD if can_edit and balance.last_decline else None
        return BalanceBanner(_("Balance"), "wallet", text, act=act)
    if balance.dispute:
        return _disputed(balance, balance.dispute)
    if balance.in_flight:
        return _being_settled(balance.in_flight, zone=month.zone, now=now)
    if balance.hold in (Hold.MONTHLY_LIMIT, Hold.DAILY_COUNT):
        held_back = conditional_escape(hold_text(balance, month=month))
        return BalanceBanner(_("Auto-reload"), "player-pause", held_back)
    return None


def _html(sentence: str, **values: str) -> SafeString:
    """A translated sentence with markup of its own, its values escaped."""
    escaped = {name: conditional_escape(value) for name, value in values.items()}
    return mark_safe(sentence % escaped)


def _to_confirm(payment: Payment) -> BalanceBanner:
    text = _html(
        _(
            "<b>Your bank wants you to confirm %(amount)s.</b> Nothing is charged until"
            " then."
        ),
        amount=format_usd(payment.amount_nanos),
    )
    return BalanceBanner(_("Balance"), "clock", text, False, BannerAct.CONFIRM, payment)


def _disputed(balance: BalanceSummary, dispute: Dispute) -> BalanceBanner:
    """What the bank took, or asks about, and what that means until it has decided."""
    if dispute.invoice is not None:
        head = _("<b>%(amount)s paid for invoice %(number)s is disputed.</b>")
    elif dispute.taken_nanos:
        head = _(
            "<b>The bank of %(card)s took back %(amount)s, because the purchase is "
            "disputed.</b>"
        )
    else:
        head = _("<b>The bank of %(card)s asks about a purchase of %(amount)s.</b>")
    sentences = [
        _html(
            head,
            amount=format_usd(dispute.amount_nanos),
            card=dispute.payment.card_label if dispute.payment else "",
            number=dispute.invoice.number if dispute.invoice else "",
        )
    ]
    if balance.account.auto_reload_enabled:
        held_back = _(
            "Auto-reload doesn't buy anything until the bank has decided; you can still "
            "buy extra usage yourself."
        )
        sentences.append(conditional_escape(held_back))
    if not dispute.invoice:
        ask = _("If nobody meant to dispute it, ask the cardholder to tell the bank.")
        sentences.append(conditional_escape(ask))
    text = mark_safe(" ".join(sentences))
    return BalanceBanner(_("Dispute"), "alert-circle", text)


def _being_settled(payment: Payment, *, zone: str, now: dt.datetime) -> BalanceBanner:
    text = _html(
        _(
            "<b>A payment of %(amount)s is being settled.</b> It was started %(moment)s"
            " with %(card)s; you won't be charged twice."
        ),
        amount=format_usd(payment.amount_nanos),
        moment=moment_text(payment.created_at, zone=zone, now=now),
        card=payment.card_label,
    )
    return BalanceBanner(_("Balance"), "clock", text, is_stop=False)


def _declined(
    balance: BalanceSummary, decline: Payment, *, zone: str, now: dt.datetime
) -> SafeString:
    sentences = [
        _html(
            _("<b>%(card)s was declined %(moment)s.</b>"),
            **_of_decline(decline, zone=zone, now=now),
        )
    ]
    if balance.has_ended and balance.is_declined_for_good:
        last = _(
            "The bank won't accept this card any more, so it isn't tried again and "
            "auto-reload is off."
        )
        sentences.append(conditional_escape(last))
    elif balance.has_ended:
        last = _("That was the last attempt, so auto-reload is off.")
        sentences.append(conditional_escape(last))
    elif balance.account.reload_retry_at:
        sentences.append(_next_attempt(balance, zone=zone, now=now))
    left = format_usd(balance.balance_nanos)
    if balance.lasts:
        lasts = lasts_text(balance.lasts, left=left, zone=zone)
    else:
        lasts = _("%(left)s is left.") % {"left": left}
    return mark_safe(" ".join([*sentences, conditional_escape(lasts)]))


def _gone(balance: BalanceSummary, *, month: Month, now: dt.datetime) -> SafeString:
    paused = _html(
        "<b>%(paused)s</b>",
        paused=_("The balance is used up, so extra usage is paused for everyone."),
    )
    if balance.last_decline is None:
        if balance.dispute:
            hold = _disputed(balance, balance.dispute).text
        else:
            hold = conditional_escape(hold_text(balance, month=month))
        return mark_safe(f"{paused} {hold}".strip())
    decline = _html(
        _("%(card)s was declined %(moment)s."),
        **_of_decline(balance.last_decline, zone=month.zone, now=now),
    )
    if balance.account.reload_retry_at is None:
        return mark_safe(f"{paused} {decline}")
    next_attempt = _next_attempt(balance, zone=month.zone, now=now)
    return mark_safe(f"{paused} {decline} {next_attempt}")


def _of_decline(decline: Payment, *, zone: str, now: dt.datetime) -> dict[str, str]:
    declined_at = decline.settled_at or decline.created_at
    return {
        "card": decline.card_label,
        "moment": moment_text(declined_at, zone=zone, now=now),
    }


def _next_attempt(
    balance: BalanceSummary, *, zone: str, now: dt.datetime
) -> SafeString:
    retry_at = balance.account.reload_retry_at or now
    moment = moment_label(retry_at, zone=zone, now=now)
    return _html(_("Next attempt: %(time)s."), time=moment)
