"""Mails about payments: what was bought, what was declined and what happens next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.utils.translation import gettext as _

from accounts.delivery import MailText, writes
from accounts.models import Organization, OutgoingMail
from billing.funding.queries import organization_standing
from billing.funding.words.buying import still_stops
from billing.models import EntryKind, LedgerEntry, Payment, PurchaseReceipt
from billing.payments.actions.owner_mails import DECLINED, RELOAD_OFF
from billing.payments.mails.frame import BalanceMail, balance_text
from billing.payments.queries.reloads import bought_this_month, reload_limit
from billing.payments.rules.reloading import is_final
from config.kit.dates import moment_text
from config.kit.money import format_usd
from config.kit.one_line import isolated


def paid_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """What was bought, with which card, and the balance after it.

    `documents.mails` sends it with the receipt.
    """
    return balance_text(mail, now, _paid)


def _paid(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    entry = LedgerEntry.objects.select_related("payment", "actor").get(
        pk=mail.facts["entry"]
    )
    assert entry.payment is not None
    zone = mail.organization.zone_at(now)
    facts = {
        "name": mail.organization.name,
        "amount": format_usd(entry.amount_nanos),
        "card": entry.payment.card_label,
        "balance": format_usd(entry.balance_nanos),
        "who": entry.actor,
        "moment": moment_text(entry.created_at, zone=zone, now=now),
    }
    if entry.kind == EntryKind.RELOAD:
        title = _("%(amount)s bought by auto-reload for %(name)s") % facts
        charged = _(
            "The balance had reached the threshold. %(card)s was charged %(moment)s."
        )
        lines = [
            charged % facts,
            _balance_after(facts),
            _reloaded(mail.organization, now),
        ]
    else:
        title = _("%(amount)s bought for %(name)s") % facts
        charged = _("Bought by %(who)s. %(card)s was charged %(moment)s.")
        lines = [charged % facts, _balance_after(facts)]
    standing = organization_standing(mail.organization.pk, now=now)
    lines += still_stops(standing, balance_nanos=standing.balance_nanos or 0)
    lines += _about_receipt(entry.payment)
    return BalanceMail(title, lines, _("See the ledger"), "billing")


def _about_receipt(payment: Payment) -> list[str]:
    """That the receipt is attached, and the tax in it; payments of old may have none."""
    receipt = PurchaseReceipt.objects.filter(payment=payment).first()
    if receipt is None:
        return []
    facts = {
        "number": receipt.number,
        "tax": format_usd(receipt.tax_nanos),
        "label": isolated(receipt.tax_label or _("Tax")),
    }
    if receipt.tax_rate:
        return [
            _("Receipt %(number)s is attached; %(tax)s of it is %(label)s.") % facts
        ]
    return [_("Receipt %(number)s is attached.") % facts]


def _balance_after(facts: Mapping[str, object]) -> str:
    return _("This brought the balance to %(balance)s.") % facts


def _reloaded(organization: Organization, now: dt.datetime) -> str:
    standing = organization_standing(organization.pk, now=now)
    limit = reload_limit(organization.billing_account, standing)
    facts = {
        "bought": format_usd(bought_this_month(standing)),
        "limit": format_usd(limit or 0),
    }
    if limit is None:
        return _("%(bought)s reloaded this month.") % facts
    return _("%(bought)s of %(limit)s reloaded this month.") % facts


@writes(DECLINED)
def declined_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """Auto-reload was declined: why, what is left, when it tries again."""
    return balance_text(mail, now, _declined)


def _declined(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    facts = _decline_facts(mail, now)
    lines = [
        _("The payment gateway says: “%(why)s” Nothing was charged.") % facts,
        _next_try(mail, facts, now),
    ]
    title = (
        _(
            "%(card)s was declined for %(amount)s: the balance of %(name)s was not"
            " reloaded"
        )
        % facts
    )
    return BalanceMail(title, lines, _("Change card"), "payment_card")


def _next_try(mail: OutgoingMail, facts: dict[str, object], now: dt.datetime) -> str:
    """When it is tried again, with what is left; it is not while auto-reload or extra
    usage is off.
    """
    standing = organization_standing(mail.organization.pk, now=now)
    retry_at = mail.facts["retry_at"]
    if not standing.auto_reload or retry_at is None:
        sentence = _(
            "Auto-reload has been turned off since, so we won't try again. The "
            "balance is %(balance)s; once it's used up, extra usage pauses for "
            "everyone."
        )
        return sentence % facts
    if not standing.is_on:
        sentence = _(
            "Extra usage has been turned off since; once it's back on, we'll try "
            "again. The balance is %(balance)s."
        )
        return sentence % facts
    zone = mail.organization.zone_at(now)
    moment = moment_text(dt.datetime.fromisoformat(retry_at), zone=zone, now=now)
    if facts["is_gone"]:
        sentence = _(
            "We'll try again %(retry)s. The balance is used up, so extra usage "
            "is paused for everyone."
        )
    else:
        sentence = _(
            "We'll try again %(retry)s. The balance is %(balance)s; once it's used "
            "up, extra usage pauses for everyone."
        )
    return sentence % {**facts, "retry": moment}


def _decline_facts(mail: OutgoingMail, now: dt.datetime) -> dict[str, object]:
    payment = Payment.objects.get(pk=mail.facts["payment"])
    standing = organization_standing(mail.organization.pk, now=now)
    return {
        "name": mail.organization.name,
        "card": payment.card_label,
        "amount": format_usd(payment.amount_nanos),
        "why": payment.decline_text or _("The payment was canceled."),
        "balance": format_usd(standing.balance_nanos or 0),
        "is_gone": (standing.balance_nanos or 0) <= 0,
        "is_final": is_final(payment.decline_code),
    }


@writes(RELOAD_OFF)
def reload_off_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """The last try was declined, and auto-reload is off."""
    return balance_text(mail, now, _reload_off)


def _reload_off(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    facts = _decline_facts(mail, now)
    if facts["is_final"]:
        declined = _(
            "%(card)s was declined: “%(why)s” Its bank won't accept this card any more, "
            "so we won't try again, and auto-reload is now off."
        )
    else:
        declined = _(
            "%(card)s was declined again: “%(why)s” That was the last attempt, so "
            "auto-reload is now off."
        )
    lines = [
        declined % facts,
        _(
            "The balance is %(balance)s. Add another card, then turn auto-reload "
            "back on or buy extra usage yourself."
        )
        % facts,
    ]
    return BalanceMail(
        _("Auto-reload is off for %(name)s") % facts,
        lines,
        _("Change card"),
        "payment_card",
    )
