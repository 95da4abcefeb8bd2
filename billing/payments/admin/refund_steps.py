"""The steps on payments: give a purchase back to its card, and ask the gateway what
became of one that has no answer. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.access import operator_of
from accounts.actions.audit import Actor, record_change
from accounts.admin.steps import (
    KeyedForm,
    Preview,
    ReasonForm,
    Step,
    Typed,
    register,
)
from accounts.admin.steps.choices import RowChoice, asked_for
from accounts.models import Organization
from accounts.panels import Effect
from billing.models import Payment, Refund
from billing.payments import processing
from billing.payments.actions.refunds import (
    check_refund,
    refundable_nanos,
    refunded_by_form,
)
from billing.payments.admin.effects import balance_effects, goes_off
from billing.payments.queries.reloads import reload_went_off_by
from config.kit.dates import dated_day_text, time_text
from config.kit.errors import BusinessError
from config.kit.fields import AmountField
from config.kit.money import format_usd
from config.kit.months import local_day


class RefundForm(KeyedForm):
    """Which purchase, and how much of it."""

    payment = RowChoice(Payment, label=gettext_lazy("Purchase"))
    amount = AmountField(
        label=gettext_lazy("Amount"),
        unit=gettext_lazy("USD"),
        required=False,
        help_text=gettext_lazy("Empty: all of it that is unused."),
    )

    def prepare(self) -> None:
        """Those that were paid, newest first."""
        payments = Payment.objects.filter(organization=self.organization)
        paid = payments.filter(status=Payment.Status.SUCCEEDED).order_by("-pk")
        self.fields["payment"].offer(  # type: ignore[attr-defined]
            payments, paid, asked=asked_for(self, "payment"), label=payment_label
        )


class RefundStep(Step):
    name, icon, group, order, is_danger = "refund", "arrow-back-up", "money", 30, True
    label, short = gettext_lazy("Refund a purchase"), gettext_lazy("Refund")
    permission, form = "billing.add_refund", RefundForm
    foot = gettext_lazy(
        "It leaves the balance at once and goes back to the card that paid. It can't be "
        "taken back."
    )

    def why_not(self, organization: Organization) -> str:
        """Nothing was bought."""
        paid = organization.payments.filter(status=Payment.Status.SUCCEEDED)
        return "" if paid.exists() else _("Nothing was bought yet.")

    def done_before(self, organization: Organization, typed: Typed) -> str:
        """Refunded by this form."""
        refund = refunded_by_form(
            typed["payment"], key=typed["key"], amount_nanos=typed["amount"]
        )
        if refund is None:
            return ""
        return _("It was refunded already by this form: %(refund)s.") % {
            "refund": refund_text(refund)
        }

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """What goes back where, what is left, and whether auto-reload goes off."""
        payment, amount = typed["payment"], _amount(typed)
        check_refund(payment, amount_nanos=amount)
        title = _("%(amount)s would go back to %(card)s.") % {
            "amount": format_usd(amount),
            "card": payment.card_label,
        }
        effects = [
            Effect(_("Paid"), format_usd(payment.amount_nanos)),
            *_refunded_before(payment),
            Effect(
                _("Unused of it"),
                format_usd(refundable_nanos(payment)),
                format_usd(refundable_nanos(payment) - amount),
            ),
            *balance_effects(organization, -amount, now=now),
            *goes_off(organization, -amount),
            *self.effects(organization, typed, now),
        ]
        return Preview(title, effects, button=_("Refund"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act, which asks the gateway."""
        refund = processing.refund(
            typed["payment"],
            amount_nanos=_amount(typed),
            reason=actor.reason,
            operator=operator_of(request),
            key=typed["key"],
            now=now,
        )
        sentences = [_("Refund of %(refund)s.") % {"refund": refund_text(refund)}]
        if reload_went_off_by(refund):
            sentences.append(_("Auto-reload is now off. Owners can turn it back on."))
        return " ".join(sentences)


def _amount(typed: Typed) -> int:
    """As typed, else all that is unused."""
    amount: int | None = typed["amount"]
    return refundable_nanos(typed["payment"]) if amount is None else amount


def _refunded_before(payment: Payment) -> list[Effect]:
    """Earlier refunds of the same purchase: whoever comes second sees the first."""
    refunds = payment.refunds.not_failed().select_related("created_by").order_by("pk")
    return [
        Effect(
            _("Refunded before"),
            f"{format_usd(refund.amount_nanos)}, "
            f"{refund.created_by or refund.payment.gateway}, {refund.reason}",
            is_warning=True,
        )
        for refund in refunds
    ]


def refund_text(refund: Refund) -> str:
    """Amount and what became of it."""
    return f"{format_usd(refund.amount_nanos)}, {refund.get_status_display()}"


def payment_label(payment: Payment) -> str:
    """Amount, kind, card and day, by the customer's clock."""
    zone = payment.organization.zone_at(payment.created_at)
    day = dated_day_text(local_day(payment.created_at, zone))
    kind, status = payment.get_purpose_display(), payment.get_status_display()
    parts = [format_usd(payment.amount_nanos), kind, payment.card_label, day, status]
    return " · ".join(map(str, parts))


class AskForm(ReasonForm):
    """Which payment has no answer."""

    payment = RowChoice(Payment, label=gettext_lazy("Payment"))

    def prepare(self) -> None:
        """Those that are not settled, oldest first."""
        payments = Payment.objects.filter(organization=self.organization)
        self.fields["payment"].offer(  # type: ignore[attr-defined]
            payments,
            payments.unsettled().order_by("pk"),
            asked=asked_for(self, "payment"),
            label=payment_label,
        )


class AskStep(Step):
    name, icon, group, order = "ask-gateway", "refresh", "money", 40
    label = gettext_lazy("Ask the gateway again")
    permission, form = "billing.change_payment", AskForm
    foot = gettext_lazy(
        "It is asked with the key of the first time: nothing is paid twice."
    )

    def why_not(self, organization: Organization) -> str:
        """All have their answer."""
        waiting = Payment.objects.unsettled().filter(organization=organization)
        return "" if waiting.exists() else _("No payment waits for an answer.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """How long it waits, and what each answer would mean."""
        payment = typed["payment"]
        if payment.status not in Payment.OPEN:
            raise BusinessError(
                _("It has its answer: %(status)s.")
                % {"status": payment.get_status_display()},
                code="payment_settled",
                field="payment",
            )
        title = _("The gateway would be asked what became of %(amount)s.") % {
            "amount": format_usd(payment.amount_nanos)
        }
        asked = ngettext("%(count)d time", "%(count)d times", payment.checks)
        since = time_text(payment.created_at, zone=organization.zone_at(now))
        effects = [
            Effect(_("Started"), f"{payment_label(payment)}, {since}"),
            Effect(_("Asked so far"), asked % {"count": payment.checks}),
            Effect(_("If it was paid, the balance gets it at once.")),
            Effect(_("If it was declined or nobody confirmed it, nothing is booked.")),
        ]
        return Preview(title, effects, button=_("Ask the gateway"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """Outside any transaction; the audit has who asked, the ledger what came of it."""
        before = typed["payment"].status
        payment = processing.refresh(typed["payment"], now=now)
        record_change(
            organization,
            actor=actor,
            action="balance.asked",
            subject=payment.key,
            now=now,
            to_value={"before": before, "after": payment.status},
        )
        return _("The gateway says: %(status)s.") % {
            "status": payment.get_status_display()
        }


register(RefundStep(), AskStep())
