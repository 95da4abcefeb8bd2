"""What the review modal shows: each requester with everything a decision needs, and
what a decision costs. Reads only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django import forms

from accounts.models import Membership, Role, Tier
from accounts.queries import seat_counts
from billing.caps.queries.effects import member_effect
from billing.caps.words.previews import Preview, member_preview
from billing.funding.rules.standing import OrganizationStanding, Reason
from config.kit.fields import typed_amount
from config.kit.money import AmountError, parse_amount
from requests_inbox.forms import DismissForm, IncreaseForm
from requests_inbox.models import UsageRequest
from requests_inbox.queries import PendingRequest, pending_of, reviewers
from requests_inbox.words import asked_label, block_reason_text

# What a new limit starts from when the member named no amount: half as much again as
# was spent, in whole dollars.
MORE = (3, 2)
DOLLAR = 1_000_000_000


@dataclass
class ReviewRow:
    """One request as the modal shows it; `opened` is the form that is open inside it,
    if any.
    """

    waiting: PendingRequest
    now: dt.datetime
    is_own: bool
    can_move: bool
    opened: str = ""
    form: forms.Form | None = None
    typed: str = ""
    error: str = ""

    @property
    def request(self) -> UsageRequest:
        """The request itself."""
        return self.waiting.request

    @property
    def name(self) -> str:
        """Who asked."""
        return str(self.request.membership.user)

    @property
    def seat(self) -> str:
        """The present seat; empty without one."""
        return Tier.label_of(self.waiting.standing.seat_tier)

    @property
    def asked(self) -> str:
        """When it was asked, in the organization's zone."""
        return asked_label(
            self.request,
            zone=self.waiting.standing.organization.month.zone,
            now=self.now,
        )

    @property
    def reason(self) -> str:
        """What blocks the member now."""
        return block_reason_text(self.waiting.reason)

    @property
    def waits_for_organization_cap(self) -> bool:
        """Whether a higher limit alone would not let the member go on."""
        return self.waiting.reason is Reason.ORGANIZATION_CAP_REACHED

    @property
    def suggested_nanos(self) -> int:
        """What was asked, else half as much again as is spent, never less than the
        present cap and one dollar more.
        """
        standing = self.waiting.standing
        asked = self.request.asked_nanos
        if asked is not None and asked > standing.spent_nanos:
            return asked
        floor = max(standing.spent_nanos, standing.cap.amount_nanos or 0)
        more = -(-floor * MORE[0] // MORE[1] // DOLLAR) * DOLLAR
        return max(more, floor // DOLLAR * DOLLAR + DOLLAR)

    @property
    def amount_nanos(self) -> int | None:
        """The amount typed so far; None while it can't be read."""
        try:
            return parse_amount(self.typed.replace("\0", ""))
        except AmountError:
            return None

    @property
    def preview(self) -> Preview | None:
        """What the typed amount would do, as the page's own modal says it."""
        amount = self.amount_nanos
        if amount is None:
            return None
        standing = replace(self.waiting.standing, selected=True)
        month = standing.organization.month
        name = self.request.membership.user.get_short_name()
        effect = member_effect(standing, amount_nanos=amount)
        return member_preview(
            effect, name=name, month=month, days_left=month.days_left(self.now)
        )

    def open_increase(
        self, form: IncreaseForm | None = None, *, typed: str | None = None
    ) -> None:
        """Open the amount inside the row, filled with what was asked."""
        self.opened = "increase"
        self.typed = typed_amount(self.suggested_nanos) if typed is None else typed
        self.form = form or increase_form(
            self.request.pk, initial={"amount": self.typed}
        )

    def open_dismiss(self, form: DismissForm) -> None:
        """Open the note inside the row."""
        self.opened, self.form = "dismiss", form


@dataclass
class Review:
    """One reviewer's look at everything that waits."""

    membership: Membership
    now: dt.datetime

    @cached_property
    def waiting(self) -> list[PendingRequest]:
        """Oldest first."""
        return pending_of(self.membership.organization_id, now=self.now).waiting

    @cached_property
    def rows(self) -> list[ReviewRow]:
        """One a request."""
        own_is_closed = self._others_may_decide
        return [
            ReviewRow(
                waiting,
                self.now,
                is_own=own_is_closed
                and waiting.request.membership_id == self.membership.pk,
                can_move=waiting.standing.seat_tier == Tier.STANDARD
                and self.premium_free > 0,
            )
            for waiting in self.waiting
        ]

    @cached_property
    def _others_may_decide(self) -> bool:
        requesters = {waiting.request.membership_id for waiting in self.waiting}
        if self.membership.pk not in requesters:
            return False
        return (
            reviewers(self.membership.organization)
            .exclude(pk=self.membership.pk)
            .exists()
        )

    @cached_property
    def premium(self) -> tuple[int, int]:
        """Premium seats free and bought."""
        for seats in seat_counts(self.membership.organization):
            if seats.tier == Tier.PREMIUM:
                return max(0, seats.free), seats.bought
        return 0, 0

    @property
    def premium_free(self) -> int:
        """Premium seats nobody has."""
        return self.premium[0]

    @property
    def premium_bought(self) -> int:
        """Premium seats there are."""
        return self.premium[1]

    @property
    def standing(self) -> OrganizationStanding | None:
        """What all share; None when nothing waits."""
        return self.waiting[0].standing.organization if self.waiting else None

    @property
    def left_nanos(self) -> int | None:
        """What is left until the organization's cap; None when it is unlimited."""
        standing = self.standing
        if standing is None or standing.cap.amount_nanos is None:
            return None
        return max(0, standing.cap.amount_nanos - standing.spent_nanos)

    @property
    def is_off(self) -> bool:
        """Whether extra usage is off, so that an owner must enable it first (R3)."""
        return self.standing is not None and not self.standing.is_on

    @property
    def cap_is_reached(self) -> bool:
        """Whether the organization's cap stops everybody."""
        return self.standing is not None and self.standing.cap.is_reached(
            self.standing.spent_nanos
        )

    @property
    def is_owner(self) -> bool:
        """Owners get the link to what is in the way."""
        return self.membership.is_at_least(Role.OWNER)

    @property
    def can_tick(self) -> bool:
        """Whether several may be increased at once."""
        return not self.is_off and len([row for row in self.rows if not row.is_own]) > 1

    def row(self, request_id: int) -> ReviewRow | None:
        """The row of one request; None when it no longer waits."""
        return next((row for row in self.rows if row.request.pk == request_id), None)


def increase_form(request_id: int, **options: Any) -> IncreaseForm:
    """The form inside one row; its ids are the row's own."""
    return IncreaseForm(auto_id=f"%s-{request_id}", **options)


def dismiss_form(request_id: int, **options: Any) -> DismissForm:
    """The form inside one row; its ids are the row's own."""
    return DismissForm(auto_id=f"%s-{request_id}", **options)
