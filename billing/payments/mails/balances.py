"""Mails about a balance: reloads held back by a limit, low, or gone."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from accounts.delivery import MailText, writes
from accounts.models import OutgoingMail
from billing.funding.queries import organization_standing
from billing.payments.actions.owner_mails import EXHAUSTED, LOW, RELOAD_LIMIT
from billing.payments.mails.frame import BalanceMail, balance_text
from billing.payments.queries.reloads import limit_of_reloads
from billing.payments.words.balance import hold_mail_text
from billing.payments.words.buying import still_stops
from config.kit.money import format_usd


@writes(RELOAD_LIMIT)
def reload_limit_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """Auto-reload would buy, but its monthly limit or daily count is reached."""
    return balance_text(mail, now, _reload_limit)


def _reload_limit(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    standing = organization_standing(mail.organization.pk, now=now)
    limit = limit_of_reloads(mail.organization.billing_account, standing)
    title, lines = hold_mail_text(mail.facts["hold"], standing, limit=limit)
    return BalanceMail(title, lines, _("Open Settings › Usage"), "usage_settings")


@writes(LOW)
def low_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """The balance is low, and nothing reloads it: auto-reload is off, or has no card."""
    return balance_text(mail, now, _low)


def _low(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    facts = {
        "name": mail.organization.name,
        "balance": format_usd(mail.facts["balance_nanos"]),
    }
    title = _("%(balance)s left: the balance of %(name)s is low") % facts
    monthly = _once_text()
    if mail.facts.get("is_disputed"):
        why = _(
            "Auto-reload doesn't buy anything while a payment is disputed, so nothing is "
            "bought automatically."
        )
        then = _("Once the balance is used up, extra usage pauses for everyone.")
        return BalanceMail(
            title, [f"{why} {then}", monthly], _("Buy extra usage"), "buy_extra_usage"
        )
    if mail.facts.get("has_no_card"):
        why = _(
            "Auto-reload is on, but there is no card to charge, so nothing is bought "
            "automatically."
        )
        then = _("Once the balance is used up, extra usage pauses for everyone.")
        return BalanceMail(
            title, [f"{why} {then}", monthly], _("Add card"), "payment_card"
        )
    lines = [
        _(
            "Auto-reload is off, so nothing is bought automatically. Once the "
            "balance is used up, extra usage pauses for everyone."
        ),
        monthly,
    ]
    return BalanceMail(title, lines, _("Buy extra usage"), "buy_extra_usage")


def _once_text() -> str:
    return _(
        "You get this email once a month, and again when the balance runs out after a "
        "purchase."
    )


def _way_on(mail: OutgoingMail, now: dt.datetime) -> str:
    """Buying, and what else stops people."""
    standing = organization_standing(mail.organization.pk, now=now)
    others = still_stops(standing, balance_nanos=standing.balance_nanos or 0)
    if not others:
        return _("Buy extra usage and they can continue right away.")
    return " ".join([_("Buying extra usage alone is not enough."), *others])


@writes(EXHAUSTED)
def exhausted_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """The balance is gone, and people wait."""
    return balance_text(mail, now, _exhausted)


def _exhausted(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    facts = {
        "name": mail.organization.name,
        "balance": format_usd(mail.facts["balance_nanos"]),
    }
    lines = [
        _(
            "The balance is %(balance)s. Extra usage is paused for everyone; people "
            "have to wait for their reset."
        )
        % facts,
        _way_on(mail, now),
        _once_text(),
    ]
    return BalanceMail(
        _("The balance of %(name)s is used up") % facts,
        lines,
        _("Buy extra usage"),
        "buy_extra_usage",
    )
