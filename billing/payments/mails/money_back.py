"""Mails about money that went back at the gateway: refunds made there, and disputes.

To owners, and to operators in their own words.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.delivery import MailText, writes
from accounts.models import OutgoingMail
from billing.ledger.words import refund_reason_text
from billing.models import Dispute, Refund
from billing.payments.actions.owner_mails import DISPUTED, REFUNDED
from billing.payments.mails.frame import BalanceMail, balance_text, operator_text
from config.kit.dates import format_day
from config.kit.links import absolute
from config.kit.money import format_usd
from config.kit.months import local_day

Facts = dict[str, object]


@writes(REFUNDED)
def refunded_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """A purchase was refunded at the gateway, or such a refund failed."""
    if mail.facts.get("is_operator"):
        return operator_text(mail, now, _refunded_for_operator, link=_admin_of_refund)
    return balance_text(mail, now, _refunded)


def _refund_facts(mail: OutgoingMail) -> Facts:
    refund = Refund.objects.select_related("payment").get(pk=mail.facts["refund"])
    return {
        "name": mail.organization.name,
        "amount": format_usd(refund.amount_nanos),
        "card": refund.payment.card_label,
        "payment": refund.payment.gateway_id,
        "balance": format_usd(mail.facts["balance_nanos"]),
        "why": refund_reason_text(refund),
        "failure": refund.failure,
    }


def _admin_of_refund(mail: OutgoingMail) -> str:
    refund = Refund.objects.get(pk=mail.facts["refund"])
    return _admin_link(refund.payment_id)


def _admin_link(payment_id: int | None) -> str:
    return absolute(reverse("admin:billing_payment_change", args=[payment_id]))


def _refunded(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    facts = _refund_facts(mail)
    if mail.facts["has_failed"]:
        title = _("A refund of %(amount)s to %(card)s failed for %(name)s")
        lines = [_("The amount is back in the balance, which is now %(balance)s.")]
    else:
        title = _("%(amount)s was refunded to %(card)s for %(name)s")
        lines = [
            _(
                "The refund was made in Stripe. The amount has left the balance, which "
                "is now %(balance)s."
            ),
            *_if_below_zero(mail),
            *_if_reload_off(mail),
        ]
    lines += _questions()
    return BalanceMail(
        title % facts, [line % facts for line in lines], _("See the ledger"), "billing"
    )


def _refunded_for_operator(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    facts = _refund_facts(mail)
    if mail.facts["has_failed"]:
        title = _("%(name)s: a refund of %(amount)s to %(card)s failed")
        lines = [
            _(
                "Stripe says “%(failure)s”. The amount is back in the balance, which is "
                "now %(balance)s. To give it back, refund again or pay another way."
            )
        ]
    else:
        title = _("%(name)s: %(amount)s was refunded in Stripe")
        lines = [
            _(
                "Purchase %(payment)s with %(card)s: %(why)s. The amount was booked in "
                "the ledger, and the balance is now %(balance)s."
            ),
            *_if_reload_off(mail),
            _("Owners were told. There is nothing to do unless this was a mistake."),
        ]
    lines = [line % facts for line in lines]
    return BalanceMail(title % facts, lines, _("See the payment"), "")


def _if_below_zero(mail: OutgoingMail) -> list[str]:
    if mail.facts["balance_nanos"] > 0:
        return []
    return [
        _(
            "Extra usage is paused for everyone until someone buys more; the next "
            "purchase first covers what is below zero."
        )
    ]


def _if_reload_off(mail: OutgoingMail) -> list[str]:
    if not mail.facts.get("is_reload_off"):
        return []
    return [
        _(
            "Auto-reload was turned off, because it would charge the card again right "
            "away. Owners can turn it back on."
        )
    ]


def _questions() -> list[str]:
    if not settings.SELLER_EMAIL:
        return []
    address = settings.SELLER_EMAIL.replace("%", "%%")
    return [_("Questions? Write to %(address)s.") % {"address": address}]


@writes(DISPUTED)
def disputed_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """A purchase is disputed, or a dispute was decided."""
    if mail.facts.get("is_operator"):
        return operator_text(mail, now, _disputed_for_operator, link=_admin_of_dispute)
    return balance_text(mail, now, _disputed)


def _dispute_of(mail: OutgoingMail) -> Dispute:
    return Dispute.objects.select_related("payment").get(pk=mail.facts["dispute"])


def _admin_of_dispute(mail: OutgoingMail) -> str:
    return _admin_link(_dispute_of(mail).payment_id)


def _dispute_facts(mail: OutgoingMail, dispute: Dispute) -> Facts:
    assert dispute.payment is not None  # those of invoices have a mail of their own
    due = dispute.evidence_due_at
    zone = mail.organization.zone_at(dispute.opened_at)
    return {
        "name": mail.organization.name,
        "amount": format_usd(dispute.amount_nanos),
        "card": dispute.payment.card_label,
        "payment": dispute.payment.gateway_id,
        "dispute": dispute.gateway_id,
        "balance": format_usd(mail.facts["balance_nanos"]),
        "why": dispute.reason_text or _("no reason was given"),
        "due": format_day(local_day(due, zone)) if due else "",
    }


def _disputed(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    dispute = _dispute_of(mail)
    facts = _dispute_facts(mail, dispute)
    title, lines = {
        "won": _won,
        "lost": _lost,
    }.get(mail.facts["step"], _opened)(mail, dispute)
    lines += _questions()
    page, button = "billing", _("See the ledger")
    if mail.facts["balance_nanos"] <= 0:
        page, button = "buy_extra_usage", _("Buy extra usage")
    return BalanceMail(title % facts, [line % facts for line in lines], button, page)


def _opened(mail: OutgoingMail, dispute: Dispute) -> tuple[str, list[str]]:
    if not dispute.taken_nanos:
        title = _("The bank of %(card)s asks about %(amount)s bought for %(name)s")
        lines = [_("Reason: %(why)s. Nothing was taken back so far.")]
    else:
        title = _("The bank of %(card)s took back %(amount)s bought for %(name)s")
        lines = [
            _(
                "The purchase is disputed: %(why)s. Until the bank decides, the amount "
                "is out of the balance, which is now %(balance)s."
            ),
            *_if_below_zero(mail),
        ]
    if mail.facts["is_reload_on"]:
        lines.append(_("Auto-reload doesn't buy anything while the dispute is open."))
    lines.append(
        _(
            "If nobody at %(name)s meant to dispute it, ask the cardholder to tell the "
            "bank so. You can buy extra usage yourself in the meantime."
        )
    )
    return title, lines


def _won(mail: OutgoingMail, dispute: Dispute) -> tuple[str, list[str]]:
    title = _("The dispute about %(amount)s for %(name)s is over: the payment stands")
    if dispute.withdrawn_at is None:
        lines = [_("Nothing was taken back. The balance is %(balance)s.")]
    elif dispute.taken_nanos:
        lines = [_("The amount returns to the balance as soon as Stripe has it back.")]
    else:
        lines = [_("The amount is back in the balance.")]
    if mail.facts["is_reload_on"]:
        lines.append(_("Auto-reload works again."))
    return title, lines


def _lost(mail: OutgoingMail, dispute: Dispute) -> tuple[str, list[str]]:
    title = _("The dispute about %(amount)s for %(name)s is over: the money went back")
    lines = [
        _(
            "The bank of %(card)s gave the amount back to the cardholder for good. The "
            "balance is %(balance)s."
        ),
        *_if_below_zero(mail),
        *_if_reload_off(mail),
    ]
    return title, lines


def _disputed_for_operator(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    dispute = _dispute_of(mail)
    facts = _dispute_facts(mail, dispute)
    lines = [
        _(
            "Purchase %(payment)s with %(card)s, dispute %(dispute)s: %(why)s. The "
            "balance is %(balance)s."
        )
    ]
    step = mail.facts["step"]
    if step in ("won", "lost"):
        outcome = dispute.get_status_display()
        title = _("%(name)s: the dispute about %(amount)s was decided: %(outcome)s")
        facts["outcome"] = outcome
        lines += _if_reload_off(mail)
    else:
        title = _("%(name)s: %(amount)s is disputed")
        lines.append(operators_answer(dispute))
        lines.append(
            _(
                "Until it is decided, auto-reload buys nothing and this purchase can't "
                "be refunded."
            )
        )
    lines = [line % facts for line in lines]
    return BalanceMail(title % facts, lines, _("See the payment"), "")


def operators_answer(dispute: Dispute) -> str:
    """What operators do about an open dispute; with `due` still to be filled in."""
    if dispute.evidence_due_at is None:
        return _("Answer it in Stripe's dashboard, or accept it there.")
    return _("Answer it in Stripe's dashboard by %(due)s, or accept it there.")
