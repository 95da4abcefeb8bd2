"""What a seat includes (I1): set in dollars and hours, and taken away, previewed with the
people it would leave with nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions.audit import Actor
from accounts.admin.steps.base import Typed, refuse_no_change
from accounts.models import AuditEntry, Plan, Tier
from accounts.panels import Effect
from billing.models import SeatAllowance, WindowName
from billing.prices.actions import end_allowance, set_allowance
from billing.prices.admin.steps import CatalogPreview, CatalogStep, step_url
from billing.prices.admin.touched import Touched
from billing.prices.forms import HOUR, AllowanceForm, SeatForm
from billing.prices.queries.seats import AllowanceKey, allowances_of
from billing.prices.rules.estimates import is_far
from billing.prices.words import times_between
from config.kit.columns import hours
from config.kit.errors import BusinessError
from config.kit.money import format_usd, to_decimal_text

KEY = ("plan", "seat_tier", "name")


class SetAllowance(CatalogStep):
    name, model = "billing_seatallowance_set", SeatAllowance
    permission = "billing.change_seatallowance"
    label = gettext_lazy("Set what a seat includes")
    foot = gettext_lazy(
        "It holds from the next check on, for everybody with that seat. A window that is "
        "open keeps its end."
    )

    def form(self, data: Any, now: dt.datetime) -> SeatForm:
        """With what it includes now."""
        about = {name: self.asked.get(name, "") for name in KEY}
        row = SeatAllowance.objects.filter(**about).first()
        known: Typed = {}
        if row is not None:
            known = {
                "amount_nanos": to_decimal_text(row.amount_nanos, places=2),
                "length_seconds": hours_typed(row.length_seconds),
            }
        form = AllowanceForm(data, initial=known | dict(self.asked))
        if row is not None:
            form.fix_seat()
        return form

    def preview(self, typed: Typed, now: dt.datetime) -> CatalogPreview:
        """From what to what, for how many, and whom it would leave with nothing."""
        plan, seat_tier, name = key = key_of(typed)
        rows = allowances_of(plan, seat_tier)
        old = rows.get(name)
        before = (old.amount_nanos, old.length_seconds) if old else None
        after = (typed["amount_nanos"], typed["length_seconds"])
        refuse_no_change(before != after, "amount_nanos")
        amounts = {one: row.amount_nanos for one, row in rows.items()}
        touched = Touched(key, amounts, {**amounts, name: after[0]}, now)
        sure = [*_unusual(before, after), *touched.sentences()]
        return CatalogPreview(
            _("%(seat)s would include this from the next check on.")
            % {"seat": seat_text(key)},
            [*_changes(before, after), *touched.effects()],
            sure=" ".join(sure),
            button=_("Set what it includes"),
            basis=(before, touched.newly_out),
        )

    def take(self, typed: Typed, *, actor: Actor, now: dt.datetime) -> str:
        """By the act."""
        key = key_of(typed)
        amounts = {name: typed[name] for name in ("amount_nanos", "length_seconds")}
        set_allowance(key, **amounts, actor=actor, now=now)
        return _("What %(seat)s includes is set.") % {"seat": seat_text(key)}


class EndAllowance(CatalogStep):
    name, model = "billing_seatallowance_end", SeatAllowance
    permission = "billing.delete_seatallowance"
    label = gettext_lazy("Take an allowance away")
    foot = gettext_lazy(
        "It holds from the next check on. What it was stays in the audit, from where it "
        "can be set again."
    )
    is_danger = True
    is_settled = True

    def form(self, data: Any, now: dt.datetime) -> SeatForm:
        """About one window of one seat."""
        form = SeatForm(data, initial=dict(self.asked))
        form.fix_seat()
        return form

    def preview(self, typed: Typed, now: dt.datetime) -> CatalogPreview:
        """What is taken away, and from how many."""
        plan, seat_tier, name = key = key_of(typed)
        rows = allowances_of(plan, seat_tier)
        row = rows.get(name)
        if row is None:
            raise BusinessError(
                _("This seat includes nothing in that window."), code="no_allowance"
            )
        amounts = {one: other.amount_nanos for one, other in rows.items()}
        left = {one: amount for one, amount in amounts.items() if one != name}
        touched = Touched(key, amounts, left, now)
        was = _("%(amount)s in %(hours)s") % {
            "amount": format_usd(row.amount_nanos),
            "hours": hours(row.length_seconds),
        }
        effects = [Effect(seat_text(key), was, _("nothing")), *touched.effects()]
        if left:
            others = ", ".join(str(WindowName(one).label) for one in left)
            text = _("Only this limits included usage then: %(windows)s.")
            effects.append(Effect(text % {"windows": others}, is_warning=True))
        return CatalogPreview(
            _("%(seat)s would not include this any more.") % {"seat": seat_text(key)},
            effects,
            sure=" ".join(touched.sentences()) or _("Yes, take it away"),
            button=_("Take it away"),
            basis=((row.amount_nanos, row.length_seconds), touched.newly_out),
        )

    def take(self, typed: Typed, *, actor: Actor, now: dt.datetime) -> str:
        """By the act."""
        key = key_of(typed)
        end_allowance(key, actor=actor, now=now)
        return _("%(seat)s does not include it any more.") % {"seat": seat_text(key)}


def key_of(typed: Typed) -> AllowanceKey:
    """Which window of which seat was chosen."""
    return typed["plan"], typed["seat_tier"], typed["name"]


def seat_text(key: AllowanceKey) -> str:
    """`Team, Premium, Session`."""
    plan, seat_tier, name = key
    labels = (
        dict(Plan.choices)[plan],
        Tier.label_of(seat_tier),
        WindowName(name).label,
    )
    return ", ".join(str(label) for label in labels)


def hours_typed(seconds: int) -> str:
    """Seconds as hours that a person would type: `5`, `0.5`."""
    whole, rest = divmod(seconds, HOUR)
    return (
        str(whole) if not rest else f"{whole}.{rest * 10_000 // HOUR:04d}".rstrip("0")
    )


def _changes(
    before: tuple[int, int] | None, after: tuple[int, int]
) -> Iterator[Effect]:
    """Dollars and hours, as far as they change."""
    was = before or (None, None)
    if was[0] != after[0]:
        times = times_between(was[0] or 0, after[0])
        text = f"{format_usd(after[0])} ({times})" if times else format_usd(after[0])
        old = "" if was[0] is None else format_usd(was[0])
        yield Effect(
            _("Included"), old, text, is_warning=bool(_far_amount(was[0], after[0]))
        )
    if was[1] != after[1]:
        old = "" if was[1] is None else hours(was[1])
        yield Effect(_("A window lasts"), old, hours(after[1]))


def _far_amount(before: int | None, after: int) -> bool:
    return after == 0 or is_far(before or 0, after)


def _unusual(before: tuple[int, int] | None, after: tuple[int, int]) -> Iterator[str]:
    """Nothing, a hundred times more or less, or a window ten times as long or short."""
    was = before or (None, None)
    if was[0] != after[0] and _far_amount(was[0], after[0]):
        words = {"after": format_usd(after[0]), "hours": hours(after[1])}
        yield _("A seat would include %(after)s in %(hours)s.") % words
    if was[1] and (after[1] >= 10 * was[1] or after[1] * 10 <= was[1]):
        words = {"after": hours(after[1]), "before": hours(was[1])}
        yield _("A window would last %(after)s instead of %(before)s.") % words


def undo_allowance(entry: AuditEntry) -> str:
    """The step with what was included before; one that was not there is taken away."""
    parts = entry.subject.split(" ")
    if len(parts) != len(KEY):
        return ""
    about = dict(zip(KEY, parts, strict=True))
    was = entry.from_value
    if was is None:
        return step_url(EndAllowance, **about)
    typed = {
        "amount_nanos": to_decimal_text(was["amount_nanos"], places=2),
        "length_seconds": hours_typed(was["length_seconds"]),
    }
    return step_url(SetAllowance, **about, **typed)
