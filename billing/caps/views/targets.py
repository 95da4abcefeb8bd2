"""What a cap modal is about: the organization, a seat tier, or one person.

Its words, its preview, and how to save it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor
from accounts.models import Membership, Organization, Plan, Tier
from billing.caps.actions.caps import (
    CapChange,
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from billing.caps.queries.caps import cap_rows
from billing.caps.queries.effects import member_effect, organization_effect, seat_effect
from billing.caps.words.previews import (
    Preview,
    member_preview,
    organization_preview,
    seat_preview,
)
from billing.funding.queries import standing_of
from billing.funding.rules.standing import Cap, CapSource, Standing
from billing.models import CapLevel
from billing.reports.queries.month import month_summary
from billing.reports.queries.people import counts
from config.kit.dates import long_day_text
from config.kit.money import format_usd

NO_CAP = Cap()


def amount_text(nanos: int | None) -> str:
    """A cap as people read it."""
    return _("Unlimited") if nanos is None else format_usd(nanos)


@dataclass
class CapTarget:
    """The shared half of the three: who looks, when, and the texts that only need the cap."""

    viewer: Membership
    now: dt.datetime

    url_name = ""

    @property
    def organization(self) -> Organization:
        """The organization whose cap it is."""
        return self.viewer.organization

    @cached_property
    def standing(self) -> Standing:
        """Whose standing shows the organization's month: the person's, else the viewer's."""
        return standing_of(
            self.standing_id, organization_id=self.organization.pk, now=self.now
        )

    @property
    def standing_id(self) -> int:
        return self.viewer.pk

    @cached_property
    def cap(self) -> Cap:
        """The cap of this level as it holds this month and later."""
        raise NotImplementedError

    @property
    def url_args(self) -> list[Any]:
        return [self.organization.slug]

    @property
    def url(self) -> str:
        """Where the modal is."""
        return reverse(self.url_name, args=self.url_args)

    @property
    def preview_url(self) -> str:
        """Where its preview is."""
        return reverse(f"{self.url_name}_preview", args=self.url_args)

    @property
    def next_month_text(self) -> str:
        """`1 December`."""
        month = self.standing.organization.month
        return long_day_text(month.last_on + dt.timedelta(days=1))

    @property
    def subject(self) -> str:
        """Whose cap it is and what it is now."""
        raise NotImplementedError

    def preview(self, amount_nanos: int) -> Preview:
        """What the amount would do."""
        raise NotImplementedError

    def save(
        self, amount_nanos: int | None, *, this_month_only: bool, actor: Actor
    ) -> CapChange:
        """Set the cap; None is unlimited. Raises BusinessError."""
        raise NotImplementedError

    def saved_sentence(self, change: CapChange) -> str:
        """What is true now, for the toast."""
        raise NotImplementedError

    def month_only_hint(self, ticked: bool) -> str:
        """What follows when the amount is for this month only."""
        words = {"cap": amount_text(self.cap.later_nanos), "day": self.next_month_text}
        if self.cap.later_nanos is None:
            return (
                _("It will be unlimited again from %(day)s.")
                if ticked
                else _("If checked, it will be unlimited again from %(day)s.")
            ) % words
        return (
            _("It will be %(cap)s again from %(day)s.")
            if ticked
            else _("If checked, it will be %(cap)s again from %(day)s.")
        ) % words


@dataclass
class OrganizationTarget(CapTarget):
    """The organization's own cap, shared by everyone."""

    url_name = "organization_cap"

    @cached_property
    def cap(self) -> Cap:
        return self.standing.organization.cap

    @property
    def subject(self) -> str:
        return _("%(organization)s, the whole organization. Currently %(cap)s.") % {
            "organization": self.organization.name,
            "cap": amount_text(self.cap.amount_nanos),
        }

    def preview(self, amount_nanos: int) -> Preview:
        """The month under this amount."""
        organization = self.standing.organization
        summary = month_summary(organization, now=self.now)
        effect = organization_effect(summary, amount_nanos=amount_nanos)
        return organization_preview(
            summary, effect, people=counts(organization).enabled
        )

    def save(
        self, amount_nanos: int | None, *, this_month_only: bool, actor: Actor
    ) -> CapChange:
        return set_organization_cap(
            self.organization,
            amount_nanos=amount_nanos,
            this_month_only=this_month_only,
            actor=actor,
            now=self.now,
        )

    def saved_sentence(self, change: CapChange) -> str:
        words = {"cap": amount_text(change.to_nanos)}
        if change.to_nanos is None:
            return (
                _("The organization spend cap is now unlimited, this month only.")
                if change.this_month_only
                else _("The organization spend cap is now unlimited.")
            )
        if change.this_month_only:
            return (
                _("The organization spend cap is now %(cap)s, this month only.") % words
            )
        return _("The organization spend cap is now %(cap)s.") % words


@dataclass
class SeatTarget(CapTarget):
    """A seat tier's cap: for each person on it without a cap of their own.

    Http404 where the plan has none.
    """

    tier: str = ""
    url_name = "seat_cap"

    def __post_init__(self) -> None:
        if (
            self.tier not in Tier.values
            or self.organization.plan != Plan.ENTERPRISE_SEAT
        ):
            raise Http404

    @property
    def label(self) -> str:
        """The tier as people know it."""
        return str(Tier(self.tier).label)

    @property
    def url_args(self) -> list[Any]:
        return [self.organization.slug, self.tier]

    @cached_property
    def cap(self) -> Cap:
        month_on = self.standing.organization.month.first_on
        return cap_rows(self.organization.pk, month_on=month_on).get(
            (CapLevel.SEAT_TIER, self.tier), NO_CAP
        )

    @property
    def subject(self) -> str:
        return _(
            "Each person on a %(tier)s seat without a cap of their own. Currently %(cap)s."
        ) % {
            "tier": self.label,
            "cap": amount_text(self.cap.amount_nanos),
        }

    def preview(self, amount_nanos: int) -> Preview:
        """Whom the amount stops or lets go on, now and last month."""
        organization = self.standing.organization
        effect = seat_effect(organization, tier=self.tier, amount_nanos=amount_nanos)
        return seat_preview(effect, amount_nanos=amount_nanos)

    def save(
        self, amount_nanos: int | None, *, this_month_only: bool, actor: Actor
    ) -> CapChange:
        return set_seat_tier_cap(
            self.organization,
            tier=self.tier,
            amount_nanos=amount_nanos,
            this_month_only=this_month_only,
            actor=actor,
            now=self.now,
        )

    def saved_sentence(self, change: CapChange) -> str:
        words = {"tier": self.label, "cap": amount_text(change.to_nanos)}
        if change.to_nanos is None:
            return (
                _("%(tier)s seats are now unlimited, this month only.")
                if change.this_month_only
                else _("%(tier)s seats are now unlimited.")
            ) % words
        if change.this_month_only:
            return (
                _(
                    "The cap for %(tier)s seats is now %(cap)s per person, this month only."
                )
                % words
            )
        return _("The cap for %(tier)s seats is now %(cap)s per person.") % words


@dataclass
class MemberTarget(CapTarget):
    """One person's own cap; without one the seat's applies (C2)."""

    person: Membership | None = None
    url_name = "member_cap"

    @property
    def member(self) -> Membership:
        assert self.person is not None
        return self.person

    @property
    def standing_id(self) -> int:
        return self.member.pk

    @property
    def url_args(self) -> list[Any]:
        return [self.organization.slug, self.member.pk]

    @cached_property
    def cap(self) -> Cap:
        """What holds for the person now, wherever it comes from; later, their own or
        the seat's.
        """
        return Cap(
            self.standing.cap.amount_nanos,
            self.standing.own_cap.month_only,
            self.standing.next_cap_nanos,
        )

    @property
    def subject(self) -> str:
        words = {
            "name": str(self.member.user),
            "seat": self.member.get_seat_tier_display()
            if self.member.seat_tier
            else "",
            "cap": amount_text(self.cap.amount_nanos),
        }
        if not self.member.seat_tier:
            return _("%(name)s, no seat. Currently %(cap)s.") % words
        if self.standing.cap_source is CapSource.SEAT_TIER:
            return (
                _("%(name)s, %(seat)s seat. Currently %(cap)s, from the seat.") % words
            )
        return _("%(name)s, %(seat)s seat. Currently %(cap)s.") % words

    def month_only_hint(self, ticked: bool) -> str:
        """After this month, the person's own cap or the seat's."""
        if (
            self.standing.own_cap.later_nanos is not None
            or self.standing.next_cap_nanos is None
        ):
            return super().month_only_hint(ticked)
        words = {
            "cap": amount_text(self.standing.next_cap_nanos),
            "day": self.next_month_text,
        }
        if ticked:
            return _("From %(day)s, the seat cap of %(cap)s applies again.") % words
        return (
            _("If checked, the seat cap of %(cap)s applies again from %(day)s.") % words
        )

    @property
    def unlimited_hint(self) -> str:
        """What “Set to unlimited” means where a seat cap stands behind (C2)."""
        seat = self.standing.seat_cap.amount_nanos
        if self.organization.plan != Plan.ENTERPRISE_SEAT or seat is None:
            return ""
        return _(
            "“Set to unlimited” removes this person's own cap; the seat cap of "
            "%(cap)s then applies."
        ) % {"cap": format_usd(seat)}

    def preview(self, amount_nanos: int) -> Preview:
        """The person's next check under this amount."""
        summary = self.standing.organization.month
        effect = member_effect(self.standing, amount_nanos=amount_nanos)
        return member_preview(
            effect,
            name=self.member.user.get_short_name(),
            month=summary,
            days_left=summary.days_left(self.now),
        )

    def save(
        self, amount_nanos: int | None, *, this_month_only: bool, actor: Actor
    ) -> CapChange:
        return set_member_cap(
            self.organization,
            membership=self.member,
            amount_nanos=amount_nanos,
            this_month_only=this_month_only,
            actor=actor,
            now=self.now,
        )

    def saved_sentence(self, change: CapChange) -> str:
        words = {"name": str(self.member.user), "cap": amount_text(change.to_nanos)}
        if change.to_nanos is None:
            seat = self.standing.seat_cap.amount_nanos
            if self.organization.plan == Plan.ENTERPRISE_SEAT and seat is not None:
                return _(
                    "%(name)s no longer has a cap of their own; the seat cap of "
                    "%(cap)s applies."
                ) % {
                    **words,
                    "cap": format_usd(seat),
                }
            return _("%(name)s is now unlimited.") % words
        if change.this_month_only:
            return _("The cap for %(name)s is now %(cap)s, this month only.") % words
        return _("The cap for %(name)s is now %(cap)s.") % words
