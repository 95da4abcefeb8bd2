"""Whom a change of what a seat includes hits at once, in lines and sentences of a preview."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.panels import Effect
from billing.prices.queries.seats import (
    AllowanceKey,
    out_of_included,
    people_on,
    without_extra_usage,
)


class Touched:
    """The people on a seat, and for how many nothing included would be left who have
    some now; `before` and `after` are nano-USD by window.
    """

    def __init__(
        self,
        key: AllowanceKey,
        before: dict[str, int],
        after: dict[str, int],
        now: dt.datetime,
    ) -> None:
        plan, seat_tier, _name = key
        self.on_seat = people_on(plan, seat_tier)
        self.has_any_left = bool(after)
        out_before = out_of_included(plan, seat_tier, before, now=now)
        out_after = out_of_included(plan, seat_tier, after, now=now)
        newly = out_after
        if after:
            newly = out_after.exclude(pk__in=out_before.values("pk"))
        self.newly_out = newly.count()
        self.stopped = without_extra_usage(newly) if self.newly_out else 0
        back = out_before.exclude(pk__in=out_after.values("pk"))
        self.back = back.count()

    def effects(self) -> Iterator[Effect]:
        """How many have the seat, and who gets included usage back; what hits people stands in
        the sentences to confirm.
        """
        on_seat = self.on_seat
        people = ngettext("%(number)s person", "%(number)s people", on_seat.people)
        places = ngettext(
            "%(number)s organization", "%(number)s organizations", on_seat.organizations
        )
        yield Effect(
            _("Have this seat"),
            after=_("%(people)s in %(organizations)s")
            % {
                "people": people % {"number": f"{on_seat.people:,}"},
                "organizations": places % {"number": f"{on_seat.organizations:,}"},
            },
        )
        if self.back:
            text = ngettext(
                "%(number)s person would have included usage again at once.",
                "%(number)s people would have included usage again at once.",
                self.back,
            )
            yield Effect(text % {"number": f"{self.back:,}"})

    def sentences(self) -> Iterator[str]:
        """Whom it would hit at once."""
        if not self.newly_out:
            return
        words = {"number": f"{self.newly_out:,}"}
        if not self.has_any_left:
            yield (
                ngettext(
                    "%(number)s person would have no included usage.",
                    "%(number)s people would have no included usage.",
                    self.newly_out,
                )
                % words
            )
        else:
            yield (
                ngettext(
                    "%(number)s person has used more already: nothing included is left.",
                    "%(number)s people have used more already: nothing included is left.",
                    self.newly_out,
                )
                % words
            )
        moved = self.newly_out - self.stopped
        if self.stopped:
            text = ngettext(
                "%(number)s would be stopped at once: no extra usage.",
                "%(number)s would be stopped at once: no extra usage.",
                self.stopped,
            )
            yield text % {"number": f"{self.stopped:,}"}
        if moved:
            text = ngettext(
                "%(number)s would move to extra usage, up to the caps.",
                "%(number)s would move to extra usage, up to the caps.",
                moved,
            )
            yield text % {"number": f"{moved:,}"}
