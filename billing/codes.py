"""What our codes are called in operators' lists: kinds of mail, gateways."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.mail_kinds import register_mail_kinds
from billing.documents.actions import issuing, money_back
from billing.notices.actions.recipients import AGREE
from billing.notices.actions.telling import NOTICE
from billing.payments.actions import owner_mails
from billing.reports.rules.mailing import REPORT
from config.kit.code_words import name_codes

register_mail_kinds(
    {
        owner_mails.PAID: gettext_lazy("Purchase paid"),
        owner_mails.DECLINED: gettext_lazy("Card declined"),
        owner_mails.RELOAD_OFF: gettext_lazy("Auto-reload switched off"),
        owner_mails.RELOAD_LIMIT: gettext_lazy("Auto-reload limit reached"),
        owner_mails.LOW: gettext_lazy("Balance is low"),
        "balance.exhausted": gettext_lazy("Balance is used up"),
        owner_mails.REFUNDED: gettext_lazy("Purchase refunded"),
        owner_mails.DISPUTED: gettext_lazy("Payment disputed"),
        owner_mails.REPRICED: gettext_lazy("Usage repriced"),
        owner_mails.UNPRINTED: gettext_lazy("Document that could not be printed"),
        issuing.INVOICE: gettext_lazy("Invoice"),
        issuing.STATEMENT: gettext_lazy("Statement"),
        issuing.CREDIT_NOTE: gettext_lazy("Credit note"),
        money_back.MONEY_BACK: gettext_lazy("Money back"),
        NOTICE: gettext_lazy("Notice"),
        AGREE: gettext_lazy("Question to a recipient of notices"),
        REPORT: gettext_lazy("Report"),
    }
)

GATEWAYS: dict[str, str | Promise] = {
    "sandbox": gettext_lazy("Test gateway"),
    "stripe": "Stripe",
}


def gateway_text(name: str) -> str:
    """What a payment gateway is called."""
    return str(GATEWAYS.get(name, name))


for _table in ("Payment", "PaymentCard", "GatewayNotice", "Invoice", "Dispute"):
    name_codes(f"billing.{_table}.gateway", gateway_text)
