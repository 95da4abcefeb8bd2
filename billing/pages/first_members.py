"""The caps of single members in the form that enables extra usage: whom the owner added,
with the amounts as typed, whom a search found, and who ran out of included usage.

The browser carries all of it, so nothing is kept before it is saved and nothing typed is
lost. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Membership, Tier
from billing.caps.queries.ran_out import RanOut, ran_out, spent_last_month
from billing.caps.queries.selection import candidates
from billing.pages.forms import MemberCapForm
from billing.pages.usage_parts import UsagePage
from billing.reports.filters import words_of
from config.kit.dates import month_name_text
from config.kit.fields import typed_amount
from config.kit.ids import is_row_id
from config.kit.money import AmountError, format_usd, parse_amount
from config.kit.months import previous_month

MOST_MEMBERS = 100
MOST_FOUND = 8
ACTION = "member_action"


@dataclass
class MemberRow:
    """One member with the amount as it is typed; `source` says where it came from."""

    member: Membership
    form: MemberCapForm
    source: str = ""
    is_new: bool = False

    @property
    def seat(self) -> str:
        """The seat; empty without one."""
        return Tier.label_of(self.member.seat_tier)


@dataclass
class FirstMembers:
    """What the owner has put together so far, from what was posted."""

    page: UsagePage
    posted: QueryDict

    @property
    def action(self) -> str:
        """`add-12`, `drop-12`, `search`, `effect`; empty where the form itself is sent.

        Without scripts, Enter in the search presses the form's first button.
        """
        action = self.posted.get(ACTION, "")
        pressed = action or "go" in self.posted or "unlimited" in self.posted
        is_search = self.query and self.query != self.posted.get("searched", "")
        return "search" if not pressed and is_search else action

    @property
    def query(self) -> str:
        """What is searched; nothing any more once somebody was added."""
        if self._acted("add-"):
            return ""
        return " ".join(words_of(self.posted.get("q", "")))

    def _acted(self, verb: str) -> int | None:
        """The member that the pressed button names."""
        name = self.posted.get(ACTION, "").removeprefix(verb)
        is_verb = self.posted.get(ACTION, "").startswith(verb)
        return int(name) if is_verb and is_row_id(name) else None

    @cached_property
    def ids(self) -> list[int]:
        """The members of the list, in the order they were added."""
        typed = [int(pk) for pk in self.posted.getlist("member") if is_row_id(pk)]
        added, dropped = self._acted("add-"), self._acted("drop-")
        ids = dict.fromkeys([*typed, *([added] if added else [])])
        return [pk for pk in ids if pk != dropped][:MOST_MEMBERS]

    @property
    def is_full(self) -> bool:
        """Whether no more fit into one form; the rest is set on the page afterwards."""
        return len(self.ids) >= MOST_MEMBERS

    @cached_property
    def rows(self) -> list[MemberRow]:
        """Them, as far as they are active members here."""
        people = candidates(self.page.organization, only=self.ids).in_bulk()
        month = self.page.standing.month
        added = self._acted("add-")
        spent = spent_last_month([added], month=month) if added else {}
        return [
            self._row(people[pk], spent.get(pk, 0), is_new=pk == added)
            for pk in self.ids
            if pk in people
        ]

    def _row(self, member: Membership, spent_nanos: int, *, is_new: bool) -> MemberRow:
        prefix = f"member-{member.pk}"
        if not is_new or f"{prefix}-amount" in self.posted:
            bound = None if self.action else self.posted
            typed = {"amount": self.posted.get(f"{prefix}-amount", "")[:60]}
            form = MemberCapForm(bound, prefix=prefix, initial=typed)
        else:
            proposed = RanOut(member, 0, spent_nanos).proposed_nanos
            first = {"amount": typed_amount(proposed)}
            form = MemberCapForm(prefix=prefix, initial=first)
        form.fields["amount"].label = _("Spend cap for %(name)s") % {
            "name": member.user
        }
        source = self.spent_text(spent_nanos) if is_new and spent_nanos > 0 else ""
        return MemberRow(member, form, source, is_new)

    def spent_text(self, spent_nanos: int) -> str:
        """Where a proposed amount comes from, or that there is none."""
        month_on = previous_month(self.page.standing.month.first_on)
        figures = {"month": month_name_text(month_on), "spent": format_usd(spent_nanos)}
        if spent_nanos > 0:
            return (
                _("Spent %(spent)s of extra usage in %(month)s, rounded up.") % figures
            )
        return _("No extra usage in %(month)s to propose an amount from.") % figures

    @cached_property
    def found(self) -> list[Membership]:
        """Whom the search found, without those on the list."""
        if not self.query:
            return []
        people = candidates(self.page.organization, words=self.query.split())
        return list(people.exclude(pk__in=self.ids)[:MOST_FOUND])

    @cached_property
    def suggestions(self) -> list[tuple[RanOut, str]]:
        """Who ran out this month and is not on the list, with why."""
        people = ran_out(
            self.page.organization.pk, month=self.page.standing.month, now=self.page.now
        )
        return [
            (one, f"{_times_text(one.times)} {self.spent_text(one.last_month_nanos)}")
            for one in people
            if one.member.pk not in self.ids
        ]

    def is_valid(self) -> bool:
        """Whether every amount can be read."""
        return all(row.form.is_valid() for row in self.rows)

    @property
    def caps(self) -> dict[int, int]:
        """The amounts in nano-USD by membership, those who are gone as well, so that the
        act refuses; only after `is_valid`.
        """
        typed = {row.member.pk: row.form.cleaned_data["amount"] for row in self.rows}
        return {pk: typed.get(pk, 0) for pk in self.ids}

    @property
    def sum_nanos(self) -> int:
        """What the readable amounts come to together."""
        return sum(_readable(row.form["amount"].value()) or 0 for row in self.rows)


def _times_text(times: int) -> str:
    return ngettext(
        "Ran out %(count)d time this month.",
        "Ran out %(count)d times this month.",
        times,
    ) % {"count": times}


def _readable(typed: Any) -> int | None:
    try:
        return parse_amount(str(typed or "").replace("\0", ""))
    except AmountError:
        return None


def kept(form_fields: Iterable[str], posted: QueryDict) -> dict[str, Any]:
    """What was typed in other fields, to show it again without judging it."""
    return {name: posted.get(name, "")[:60] for name in form_fields if name in posted}
