"""Who writes the mails about money: what was bought, declined, held back, low or gone.

To owners only, in their language.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.delivery import MailText, writes
from accounts.models import Membership, Organization, OutgoingMail, Role
from billing.funding.queries import organization_standing
from billing.models import EntryKind, LedgerEntry, Payment
from billing.payments.actions.owner_mails import (
    DECLINED,
    EXHAUSTED,
    LOW,
    PAID,
    RELOAD_LIMIT,
    RELOAD_OFF,
)
from billing.payments.queries.reloads import bought_this_month, reload_limit
from billing.payments.words.balance import hold_mail_text
from config.kit.dates import moment_text, zone_city_text
from config.kit.links import page_url
from config.kit.money import format_usd


@dataclass(frozen=True, slots=True)
class Words:
    """One mail: the number first, what it means, and the one thing to do."""

    title: str
    lines: list[str]
    button: str
    page: str


def _letter(
    mail: OutgoingMail,
    now: dt.datetime,
    write: Callable[[OutgoingMail, dt.datetime], Words],
) -> MailText | None:
    """In the owner's language; nothing to somebody who is no owner any more."""
    membership = (
        Membership.objects.active()
        .select_related("organization", "user")
        .filter(pk=mail.facts["membership"])
        .first()
    )
    if (
        membership is None
        or not membership.user.is_active
        or not membership.is_at_least(Role.OWNER)
    ):
        return None
    with translation.override(mail.reads):
        words = write(mail, now)
        city = zone_city_text(mail.organization.zone_at(now))
    link = page_url(words.page, mail.organization.slug)
    context = {
        "organization": mail.organization,
        "words": words,
        "link": link,
        "role": membership.role.label,
        "zone_city": city,
    }
    return MailText("balance", context)


@writes(PAID)
def paid_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """A receipt: what was bought, with which card, and the balance after it."""
    return _letter(mail, now, _paid)


def _paid(mail: OutgoingMail, now: dt.datetime) -> Words:
    entry = LedgerEntry.objects.select_related("payment", "actor").get(
        pk=mail.facts["entry"]
    )
    assert entry.payment is not None
    zone = mail.organization.zone_at(now)
    words = {
        "name": mail.organization.name,
        "amount": format_usd(entry.amount_nanos),
        "card": entry.payment.card_label,
        "balance": format_usd(entry.balance_nanos),
        "who": entry.actor,
        "moment": moment_text(entry.created_at, zone=zone, now=now),
    }
    if entry.kind == EntryKind.RELOAD:
        lines = [
            _("The balance had reached the threshold. %(card)s was charged %(moment)s.")
            % words
        ]
        return Words(
            _("%(amount)s bought by auto-reload for %(name)s") % words,
            [*lines, _balance_after(words), _reloaded(mail.organization, now)],
            _("See the ledger"),
            "billing",
        )
    lines = [
        _("Bought by %(who)s. %(card)s was charged %(moment)s.") % words,
        _balance_after(words),
    ]
    return Words(
        _("%(amount)s bought for %(name)s") % words,
        lines,
        _("See the ledger"),
        "billing",
    )


def _balance_after(words: Mapping[str, object]) -> str:
    return _("This brought the balance to %(balance)s.") % words


def _reloaded(organization: Organization, now: dt.datetime) -> str:
    standing = organization_standing(organization.pk, now=now)
    limit = reload_limit(organization.billing_account, standing)
    words = {
        "bought": format_usd(bought_this_month(standing)),
        "limit": format_usd(limit or 0),
    }
    if limit is None:
        return _("%(bought)s reloaded this month.") % words
    return _("%(bought)s of %(limit)s reloaded this month.") % words


@writes(DECLINED)
def declined_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """Auto-reload was declined: why, what is left, when it tries again."""
    return _letter(mail, now, _declined)


def _declined(mail: OutgoingMail, now: dt.datetime) -> Words:
    words = _decline_words(mail, now)
    lines = [
        _("The payment gateway says: “%(why)s” Nothing was charged.") % words,
        _next_try(mail, words, now),
    ]
    title = (
        _(
            "%(card)s was declined for %(amount)s: the balance of %(name)s was not"
            " reloaded"
        )
        % words
    )
    return Words(title, lines, _("Change card"), "payment_card")


def _next_try(mail: OutgoingMail, words: dict[str, object], now: dt.datetime) -> str:
    """When it is tried again, with what is left; it is not while auto-reload or extra
    usage is off.
    """
    standing = organization_standing(mail.organization_id, now=now)
    if not standing.auto_reload or mail.facts["retry_at"] is None:
        sentence = _(
            "Auto-reload has been turned off since, so we won't try again. The "
            "balance is %(balance)s; once it's used up, extra usage pauses for "
            "everyone."
        )
        return sentence % words
    if not standing.is_on:
        sentence = _(
            "Extra usage has been turned off since; once it's back on, we'll try "
            "again. The balance is %(balance)s."
        )
        return sentence % words
    retry_at = dt.datetime.fromisoformat(mail.facts["retry_at"])
    words["retry"] = moment_text(retry_at, zone=mail.organization.zone_at(now), now=now)
    if words["is_gone"]:
        return (
            _(
                "We'll try again %(retry)s. The balance is used up, so extra usage "
                "is paused for everyone."
            )
            % words
        )
    return (
        _(
            "We'll try again %(retry)s. The balance is %(balance)s; once it's used "
            "up, extra usage pauses for everyone."
        )
        % words
    )


def _decline_words(mail: OutgoingMail, now: dt.datetime) -> dict[str, object]:
    payment = Payment.objects.get(pk=mail.facts["payment"])
    standing = organization_standing(mail.organization_id, now=now)
    return {
        "name": mail.organization.name,
        "card": payment.card_label,
        "amount": format_usd(payment.amount_nanos),
        "why": payment.decline_text or _("The payment was canceled."),
        "balance": format_usd(standing.balance_nanos or 0),
        "is_gone": (standing.balance_nanos or 0) <= 0,
    }


@writes(RELOAD_OFF)
def reload_off_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """The last try was declined, and auto-reload is off."""
    return _letter(mail, now, _reload_off)


def _reload_off(mail: OutgoingMail, now: dt.datetime) -> Words:
    words = _decline_words(mail, now)
    lines = [
        _(
            "%(card)s was declined again: “%(why)s” That was the last attempt, so "
            "auto-reload is now off."
        )
        % words,
        _(
            "The balance is %(balance)s. Add another card, then turn auto-reload "
            "back on or buy extra usage yourself."
        )
        % words,
    ]
    return Words(
        _("Auto-reload is off for %(name)s") % words,
        lines,
        _("Change card"),
        "payment_card",
    )


@writes(RELOAD_LIMIT)
def reload_limit_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """Auto-reload would buy, but its monthly limit or daily count is reached."""
    return _letter(mail, now, _reload_limit)


def _reload_limit(mail: OutgoingMail, now: dt.datetime) -> Words:
    standing = organization_standing(mail.organization_id, now=now)
    title, lines = hold_mail_text(
        mail.facts["hold"],
        standing,
        limit_nanos=reload_limit(mail.organization.billing_account, standing),
    )
    return Words(title, lines, _("Open Settings › Usage"), "usage_settings")


@writes(LOW)
def low_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """The balance is low, and nothing reloads it: auto-reload is off, or has no card."""
    return _letter(mail, now, _low)


def _low(mail: OutgoingMail, now: dt.datetime) -> Words:
    words = {
        "name": mail.organization.name,
        "balance": format_usd(mail.facts["balance_nanos"]),
    }
    title, monthly = (
        _("%(balance)s left: the balance of %(name)s is low") % words,
        _("You get this e-mail at most once a month."),
    )
    if mail.facts.get("has_no_card"):
        why = _(
            "Auto-reload is on, but there is no card to charge, so nothing is bought "
            "automatically."
        )
        then = _("Once the balance is used up, extra usage pauses for everyone.")
        return Words(title, [f"{why} {then}", monthly], _("Add card"), "payment_card")
    lines = [
        _(
            "Auto-reload is off, so nothing is bought automatically. Once the "
            "balance is used up, extra usage pauses for everyone."
        ),
        monthly,
    ]
    return Words(title, lines, _("Buy extra usage"), "buy_extra_usage")


@writes(EXHAUSTED)
def exhausted_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """The balance is gone, and people wait."""
    return _letter(mail, now, _exhausted)


def _exhausted(mail: OutgoingMail, now: dt.datetime) -> Words:
    words = {
        "name": mail.organization.name,
        "balance": format_usd(mail.facts["balance_nanos"]),
    }
    lines = [
        _(
            "The balance is %(balance)s. Extra usage is paused for everyone; people "
            "have to wait for their reset."
        )
        % words,
        _(
            "Buy extra usage and they can continue right away. You get this e-mail at "
            "most once a month."
        ),
    ]
    return Words(
        _("The balance of %(name)s is used up") % words,
        lines,
        _("Buy extra usage"),
        "buy_extra_usage",
    )
