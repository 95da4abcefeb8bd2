"""A cap as its modal shows it: what holds, in words, and what a typed amount would do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.urls import reverse

from accounts.actions.audit import Actor
from accounts.models import Membership, Organization, Plan
from billing.caps.actions.caps import CapChange, set_cap
from billing.caps.queries.caps import CapTarget, cap_now
from billing.caps.words.modal import (
    capped_text,
    month_only_hint,
    target_text,
    uncapped_text,
    unlimited_hint,
    unlimited_label,
)
from billing.caps.words.previews import Preview, cap_preview
from billing.funding.queries import standing_of
from billing.funding.rules.standing import Cap, Standing
from billing.models import CapLevel

URL_NAMES = {
    CapLevel.ORGANIZATION: "organization_cap",
    CapLevel.SEAT_TIER: "seat_cap",
    CapLevel.MEMBER: "member_cap",
}


@dataclass
class CapModal:
    """One cap that `viewer` looks at; queries run when a value is first needed."""

    viewer: Membership
    target: CapTarget
    now: dt.datetime

    @property
    def organization(self) -> Organization:
        """The organization whose cap it is."""
        return self.target.organization

    @cached_property
    def standing(self) -> Standing:
        """The member's whose cap it is, else the viewer's, for what all share."""
        member = self.target.membership or self.viewer
        return standing_of(
            member.pk, organization_id=self.organization.pk, now=self.now
        )

    @cached_property
    def cap(self) -> Cap:
        """The cap as it holds this month and later."""
        return cap_now(self.target, self.standing)

    @property
    def seat_cap_nanos(self) -> int | None:
        """The seat tier's cap that stands behind a member's own (C2)."""
        is_member = self.target.level is CapLevel.MEMBER
        if not is_member or self.organization.plan != Plan.ENTERPRISE_SEAT:
            return None
        return self.standing.seat_cap.amount_nanos

    @property
    def url(self) -> str:
        """Where the modal is."""
        return reverse(URL_NAMES[self.target.level], args=self._url_args)

    @property
    def preview_url(self) -> str:
        """Where its preview is."""
        name = f"{URL_NAMES[self.target.level]}_preview"
        return reverse(name, args=self._url_args)

    @property
    def _url_args(self) -> list[Any]:
        member = self.target.membership
        whose = self.target.seat_tier if member is None else member.pk
        return [self.organization.slug, *([whose] if whose is not None else [])]

    @property
    def subject(self) -> str:
        """Whose cap it is and what it is now."""
        return target_text(self.target, self.cap, self.standing)

    @property
    def can_be_unlimited(self) -> bool:
        """Whether there is a cap of this level to take away."""
        if self.target.level is not CapLevel.MEMBER:
            return self.cap.amount_nanos is not None or self.cap.month_only
        own = self.standing.own_cap
        return own.amount_nanos is not None or own.month_only

    def unlimited_text(self, *, this_month_only: bool = False) -> str:
        """What the button that takes the cap away is called."""
        return unlimited_label(self.seat_cap_nanos, this_month_only=this_month_only)

    @property
    def unlimited_hint(self) -> str:
        """What “Set to unlimited” means, where that is not plain."""
        return unlimited_hint(self.seat_cap_nanos) if self.can_be_unlimited else ""

    def month_only_hint(self, ticked: bool) -> str:
        """What follows when the amount is for this month only."""
        return month_only_hint(self.target, self.cap, self.standing, ticked=ticked)

    def preview(self, amount_nanos: int) -> Preview:
        """What the amount would do."""
        return cap_preview(
            self.target, self.standing, amount_nanos=amount_nanos, now=self.now
        )

    def save(
        self, amount_nanos: int | None, *, this_month_only: bool, actor: Actor
    ) -> CapChange:
        """Set the cap; None is unlimited. Raises BusinessError."""
        return set_cap(
            self.target,
            amount_nanos=amount_nanos,
            this_month_only=this_month_only,
            actor=actor,
            now=self.now,
        )

    def saved_sentence(self, change: CapChange) -> str:
        """What is true now, for the toast."""
        if change.to_nanos is None:
            return uncapped_text(
                self.target,
                seat_cap_nanos=self.seat_cap_nanos,
                this_month_only=change.this_month_only,
            )
        return capped_text(
            self.target, change.to_nanos, this_month_only=change.this_month_only
        )
