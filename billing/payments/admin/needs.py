"""What needs somebody among payments: declined cards, payments without an answer,
disputes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin.steps import step_url
from accounts.operators.needs import MOST_OF_A_KIND, Act, Need, register_needs
from billing.models import BillingAccount, Dispute, Payment
from config.kit.dates import day_text
from config.kit.money import format_usd

ANSWER_IS_LATE = dt.timedelta(minutes=15)


def cards_declined(now: dt.datetime) -> Iterator[Need]:
    """Auto-reload that waits after a decline, or was switched off by them."""
    accounts = BillingAccount.objects.filter(
        Q(reload_declines__gt=0, auto_reload_enabled=True)
        | Q(reload_ended_at__isnull=False, auto_reload_enabled=False)
    ).select_related("organization")
    for account in accounts.order_by("reload_declined_at")[:MOST_OF_A_KIND]:
        balance = format_usd(account.balance_nanos)
        if account.auto_reload_enabled:
            facts = _("auto-reload waits, %(balance)s left") % {"balance": balance}
        else:
            facts = _("auto-reload is off, %(balance)s left") % {"balance": balance}
        yield Need(
            _declined_text(account.reload_declines),
            facts,
            account.reload_declined_at or account.reload_ended_at,
            "credit-card-off",
            (_payments_of(account.organization_id),),
            has_stopped=account.balance_nanos <= 0,
            organization=account.organization,
        )


def _declined_text(declines: int) -> str:
    if not declines:
        return _("The card was declined and auto-reload is off")
    return ngettext(
        "Card declined %(number)d time", "Card declined %(number)d times", declines
    ) % {"number": declines}


def _payments_of(organization_id: int) -> Act:
    url = reverse("admin:billing_payment_changelist")
    address = f"{url}?customer={organization_id}"
    return Act(_("Payments"), address, "billing.view_payment")


def payments_without_answer(now: dt.datetime) -> Iterator[Need]:
    """The gateway was asked, and what became of the money is not known yet."""
    payments = Payment.objects.in_flight().filter(created_at__lt=now - ANSWER_IS_LATE)
    for payment in payments.select_related("organization").order_by("created_at")[
        :MOST_OF_A_KIND
    ]:
        url = reverse("admin:billing_payment_change", args=[payment.pk])
        yield Need(
            _("Payment of %(amount)s without an answer")
            % {"amount": format_usd(payment.amount_nanos)},
            ngettext(
                "asked the gateway %(number)d time",
                "asked the gateway %(number)d times",
                payment.checks,
            )
            % {"number": payment.checks},
            payment.created_at,
            "clock",
            (
                Act(
                    _("Ask the gateway again"),
                    f"{step_url('ask-gateway', payment.organization)}?payment={payment.pk}",
                    "billing.change_payment",
                ),
                Act(_("Show the payment"), url, "billing.view_payment"),
            ),
            has_stopped=True,
            organization=payment.organization,
        )


def disputes_open(now: dt.datetime) -> Iterator[Need]:
    """What a bank asks about, until it has decided."""
    disputes = Dispute.objects.filter(status=Dispute.Status.OPEN)
    for dispute in disputes.select_related("organization").order_by("opened_at")[
        :MOST_OF_A_KIND
    ]:
        due = dispute.evidence_due_at
        facts = (
            _("answer at the gateway by %(day)s") % {"day": day_text(due.date())}
            if due
            else _("the bank decides")
        )
        url = reverse("admin:billing_dispute_change", args=[dispute.pk])
        yield Need(
            _("%(amount)s is disputed") % {"amount": format_usd(dispute.amount_nanos)},
            facts,
            dispute.opened_at,
            "alert-triangle",
            (Act(_("Show the dispute"), url, "billing.view_dispute"),),
            organization=dispute.organization,
        )


register_needs(
    "cards",
    cards_declined,
    label=gettext_lazy("Declined cards"),
    permission="billing.view_billingaccount",
)
register_needs(
    "payments",
    payments_without_answer,
    label=gettext_lazy("Payments without an answer"),
    permission="billing.view_payment",
)
register_needs(
    "disputes",
    disputes_open,
    label=gettext_lazy("Disputes"),
    permission="billing.view_dispute",
)
