"""Mails about a balance: reloads held back by a limit, low, or gone."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from accounts.delivery import MailText, writes
from accounts.models import OutgoingMail
from billing.funding.queries import organization_standing
from billing.payments.actions.owner_mails import LOW, RELOAD_LIMIT
from billing.payments.mails.frame import BalanceMail, balance_text
from billing.payments.queries.reloads import limit_of_reloads
from billing.payments.words.balance import hold_mail_text
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
    """The balance is low, and auto-reload is on but can buy nothing."""
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
    why = _(
        "Auto-reload is on, but there is no card to charge, so nothing is bought "
        "automatically."
    )
    then = _("Once the balance is used up, extra usage pauses for everyone.")
    return BalanceMail(title, [f"{why} {then}", monthly], _("Add card"), "payment_card")


def _once_text() -> str:
    return _(
        "You get this email once a month, and again when the balance runs out after a "
        "purchase."
    )


@writes("balance.exhausted")
def exhausted_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """Queued by the release before; a notice tells it now."""
    return None
