"""The steps on a balance: give a credit, deduct something. Amounts are nano-USD."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, ClassVar

from django.db.models import Max
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.admin.steps import KeyedForm, Preview, Step, Typed, register
from accounts.models import AuditEntry, Organization, Settlement
from accounts.panels import register_undo
from billing.models import EntryKind, LedgerEntry, Payment
from billing.payments.actions.credits import booked_by_form, check_credit, post_credit
from billing.payments.admin.effects import balance_effects, reload_effects
from config.kit.fields import AmountField, typed_amount
from config.kit.money import NANOS_PER_USD, format_usd

# More is unusual, whatever the customer buys.
MOST_USUAL_NANOS = 10_000 * NANOS_PER_USD
# Where nothing was bought yet, and below which nothing is unusual.
WITHOUT_PURCHASE_NANOS = 1_000 * NANOS_PER_USD
LEAST_UNUSUAL_NANOS = 100 * NANOS_PER_USD
TIMES_THE_LARGEST = 10


class MovementForm(KeyedForm):
    """How much."""

    amount = AmountField(label=gettext_lazy("Amount"), unit=gettext_lazy("USD"))


class MovementStep(Step):
    """One movement of a balance; `sign` is its direction."""

    group, form = "money", MovementForm
    permission = "billing.add_ledgerentry"
    sign: ClassVar[int]

    def why_not(self, organization: Organization) -> str:
        """There is no balance."""
        if organization.settlement == Settlement.PREPAID:
            return ""
        return _("There is no balance: months are billed afterwards.")

    def moved(self, typed: Typed) -> int:
        """The amount with its sign."""
        return self.sign * int(typed["amount"])

    def done_before(self, organization: Organization, typed: Typed) -> str:
        """Booked by this form."""
        moved = self.moved(typed)
        entry = booked_by_form(organization, key=typed["key"], amount_nanos=moved)
        if entry is None:
            return ""
        sentence = _(
            "%(amount)s was booked already by this form; nothing was booked twice."
        )
        return sentence % {"amount": format_usd(entry.amount_nanos)}

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act."""
        entry = post_credit(
            organization,
            amount_nanos=self.moved(typed),
            reason=actor.reason,
            operator=operator_of(request),
            key=typed["key"],
            now=now,
        )
        return _("%(amount)s is booked; the balance of %(name)s is %(balance)s.") % {
            "amount": format_usd(entry.amount_nanos),
            "name": organization.name,
            "balance": format_usd(entry.balance_nanos),
        }


class CreditStep(MovementStep):
    name, icon, order, sign = "credit", "plus", 10, 1
    label = gettext_lazy("Give a credit")
    foot = gettext_lazy(
        "Owners read amount and reason in the ledger. A credit is never paid out to a card."
    )

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """The balance, who goes on, and whether it is an unusual amount."""
        moved = self.moved(typed)
        check_credit(organization, amount_nanos=moved)
        title = _("%(name)s would get %(amount)s.") % {
            "name": organization.name,
            "amount": format_usd(moved),
        }
        effects = [
            *balance_effects(organization, moved, now=now),
            *reload_effects(organization, moved),
            *self.effects(organization, typed, now),
        ]
        sure = unusual_text(organization, moved)
        return Preview(title, effects, sure=sure, button=_("Give the credit"))


class DeductStep(MovementStep):
    name, icon, order, sign, is_danger = "deduct", "arrow-down", 20, -1, True
    label = gettext_lazy("Deduct from the balance")
    foot = gettext_lazy(
        "Owners read amount and reason in the ledger. No money goes back."
    )

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """The balance, who stops, and what auto-reload makes of it."""
        moved = self.moved(typed)
        check_credit(organization, amount_nanos=moved)
        title = _("%(amount)s would be taken from the balance of %(name)s.") % {
            "name": organization.name,
            "amount": format_usd(-moved),
        }
        balance = list(balance_effects(organization, moved, now=now))
        effects = [
            *balance,
            *reload_effects(organization, moved),
            *self.effects(organization, typed, now),
        ]
        is_below = any(effect.is_warning for effect in balance)
        sure = _("Yes, even though people stop or a debt is left.") if is_below else ""
        return Preview(title, effects, sure=sure, button=_("Deduct"))


def unusual_text(organization: Organization, nanos: int) -> str:
    """What must be ticked for a credit above what is usual; nothing for any other.

    Above $10,000 a slip of the keyboard costs more than a tick; and ten times the largest
    purchase is more than any customer was ever owed for a mistake of ours.
    """
    purchases = Payment.objects.filter(
        organization=organization, status=Payment.Status.SUCCEEDED
    )
    largest = purchases.aggregate(most=Max("amount_nanos"))["most"]
    facts = {"amount": format_usd(nanos)}
    if nanos > MOST_USUAL_NANOS:
        facts["most"] = format_usd(MOST_USUAL_NANOS)
        return _("Yes, %(amount)s: more than %(most)s, the most that is usual.") % facts
    if largest is None and nanos > WITHOUT_PURCHASE_NANOS:
        return _("Yes, %(amount)s, though nothing was ever bought.") % facts
    most = max(TIMES_THE_LARGEST * (largest or 0), LEAST_UNUSUAL_NANOS)
    if largest is not None and nanos > most:
        facts["largest"] = format_usd(largest)
        sentence = _(
            "Yes, %(amount)s: more than ten times the largest purchase, %(largest)s."
        )
        return sentence % facts
    return ""


def _undo_credit(entry: AuditEntry) -> dict[str, Any] | None:
    return _undo(entry, kind=EntryKind.CREDIT)


def _undo_deduction(entry: AuditEntry) -> dict[str, Any] | None:
    return _undo(entry, kind=EntryKind.ADJUSTMENT)


def _undo(entry: AuditEntry, *, kind: EntryKind) -> dict[str, Any] | None:
    """The opposite amount, once: its key is made of the entry. None where it was taken
    back, and for what no operator booked.
    """
    before, after = entry.from_value, entry.to_value
    if not isinstance(before, int) or not isinstance(after, int) or not entry.actor_id:
        return None
    is_credit = kind == EntryKind.CREDIT
    if is_credit != (after > before):
        return None
    key = hashlib.sha256(f"undo audit entry {entry.pk}".encode()).hexdigest()[:32]
    undone = LedgerEntry.objects.filter(organization=entry.organization, key=key)
    if undone.exists():
        return None
    return {"amount": typed_amount(abs(after - before)), "key": key}


register(CreditStep(), DeductStep())
register_undo("balance.credit", "deduct", _undo_credit)
register_undo("balance.adjustment", "credit", _undo_deduction)
