"""The reviewer's half: increase a limit, move to Premium, dismiss (R3, R4).

The first decision wins.

A cap set here is the same act as on the page, under the same lock; the request points
at its audit entry.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.organizations import lock_organization
from accounts.actions.seats import assign_seat
from accounts.models import AuditEntry, Membership, Organization, Role, Tier
from billing.caps.actions.caps import check_amount, set_member_cap
from billing.caps.actions.switch import change_selection
from billing.funding.queries import standing_of
from billing.funding.rules.standing import Standing
from config.kit.errors import BusinessError
from config.kit.money import format_usd
from requests_inbox.actions.asking import end_request
from requests_inbox.models import NOTE_LENGTH, UsageRequest
from requests_inbox.queries import PEOPLE, asked_of, deciders_for, may_decide
from requests_inbox.rules import ending_of
from requests_inbox.words import decided_sentence

ANSWER = "request.answer"
ANSWERED_WITHIN = dt.timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who decides: a person with their membership, or an API key by its label."""

    actor: Actor
    membership: Membership | None = None

    @classmethod
    def person(cls, membership: Membership) -> Reviewer:
        """An admin or owner."""
        return cls(Actor.person(membership.user), membership)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and the mails (ids) that tell it."""

    request: UsageRequest
    mails: list[int] = field(default_factory=list)


@transaction.atomic
def increase_limit(
    organization: Organization,
    *,
    request_id: int,
    amount_nanos: int,
    this_month_only: bool,
    by: Reviewer,
    now: dt.datetime,
) -> Decided:
    """Give the member a cap of their own, in nano-USD, and extra usage if they are not
    among those selected.

    Raises BusinessError `request_not_found`, `already_decided`, `own_request`,
    `extra_usage_off`, `not_above_spent`, `seat_unassigned`, or for a bad amount.
    """
    locked = lock_organization(organization.pk)
    request, standing = _take(locked, request_id, by=by, now=now)
    check_amount(amount_nanos)
    _check_increase(request, standing, amount_nanos=amount_nanos, by=by)
    if not standing.is_enabled:
        change_selection(
            locked, add=[request.membership_id], remove=[], actor=by.actor, now=now
        )
    change = set_member_cap(
        locked,
        membership=request.membership,
        amount_nanos=amount_nanos,
        this_month_only=this_month_only,
        actor=by.actor,
        now=now,
    )
    request.granted_nanos, request.granted_month_only = amount_nanos, this_month_only
    return _decide(
        request, UsageRequest.Status.APPROVED, change=change.audit, by=by, now=now
    )


def _check_increase(
    request: UsageRequest, standing: Standing, *, amount_nanos: int, by: Reviewer
) -> None:
    words = {
        "name": request.membership.user,
        "organization": standing.organization.name,
    }
    if not standing.organization.is_on:
        raise BusinessError(
            _off_sentence(by, organization=request.membership.organization),
            code="extra_usage_off",
        )
    if standing.seat_tier is None:
        sentence = (
            _("%(name)s no longer has a seat. An owner must assign one first.") % words
        )
        raise BusinessError(sentence, code="seat_unassigned")
    if amount_nanos <= standing.spent_nanos:
        raise BusinessError(
            _(
                "%(name)s has spent %(spent)s this month; the new limit must be "
                "higher than that."
            )
            % {**words, "spent": format_usd(standing.spent_nanos)},
            code="not_above_spent",
            status=422,
            field="amount_usd",
        )


def _off_sentence(by: Reviewer, *, organization: Organization) -> str:
    words = {"organization": organization.name, "owner": organization.primary_owner}
    if by.membership is None or by.membership.is_at_least(Role.OWNER):
        return (
            _(
                "Extra usage is off for %(organization)s. Enable it first, then"
                " increase the limit."
            )
            % words
        )
    return (
        _(
            "Extra usage is off for %(organization)s. An owner, such as %(owner)s, must"
            " enable it first."
        )
        % words
    )


@transaction.atomic
def move_to_premium(
    organization: Organization, *, request_id: int, by: Reviewer, now: dt.datetime
) -> Decided:
    """Give the member a premium seat instead of the standard one.

    Raises BusinessError `request_not_found`, `already_decided`, `own_request`,
    `already_premium`, `no_free_seat`.
    """
    locked = lock_organization(organization.pk)
    request, standing = _take(locked, request_id, by=by, now=now)
    if standing.seat_tier == Tier.PREMIUM:
        sentence = _("%(name)s already has a Premium seat.") % {
            "name": request.membership.user
        }
        raise BusinessError(sentence, code="already_premium")
    assign_seat(request.membership, tier=Tier.PREMIUM, actor=by.actor, now=now)
    request.granted_tier = Tier.PREMIUM
    change = (
        AuditEntry.objects.filter(membership=request.membership, action="member.seat")
        .order_by("-pk")
        .first()
    )
    return _decide(request, UsageRequest.Status.APPROVED, change=change, by=by, now=now)


@transaction.atomic
def dismiss_request(
    organization: Organization,
    *,
    request_id: int,
    note: str,
    by: Reviewer,
    now: dt.datetime,
) -> Decided:
    """Say no, with an optional note for the member.

    Raises BusinessError `request_not_found`, `already_decided`, `own_request`, `note_too_long`.
    """
    locked = lock_organization(organization.pk)
    request, _standing = _take(locked, request_id, by=by, now=now)
    if len(note) > NOTE_LENGTH:
        raise BusinessError(
            _("The note has %(length)d characters; the limit is %(most)d.")
            % {
                "length": len(note),
                "most": NOTE_LENGTH,
            },
            code="note_too_long",
            status=422,
            field="note",
        )
    request.answer_note = note.strip()
    return _decide(request, UsageRequest.Status.DISMISSED, change=None, by=by, now=now)


@dataclass(frozen=True, slots=True)
class Increased:
    """What became of several requests: those decided now, and why the others were
    passed over.
    """

    decided: list[Decided]
    passed_over: list[str]


@transaction.atomic
def increase_limits(
    organization: Organization,
    *,
    request_ids: Sequence[int],
    amount_nanos: int,
    this_month_only: bool,
    by: Reviewer,
    now: dt.datetime,
) -> Increased:
    """Raise several people to one amount.

    Those somebody else decided meanwhile are passed over and told.

    Raises BusinessError and changes nothing when the amount does not fit one of those
    that still wait.
    """
    decided, passed_over = [], []
    for request_id in request_ids:
        try:
            done = increase_limit(
                organization,
                request_id=request_id,
                amount_nanos=amount_nanos,
                this_month_only=this_month_only,
                by=by,
                now=now,
            )
            decided.append(done)
        except BusinessError as error:
            if error.code not in ("already_decided", "request_ended"):
                raise
            passed_over.append(error.message)
    return Increased(decided, passed_over)


def _take(
    organization: Organization, request_id: int, *, by: Reviewer, now: dt.datetime
) -> tuple[UsageRequest, Standing]:
    """A request that waits for this reviewer, read under the lock."""
    request = (
        UsageRequest.objects.filter(organization=organization, pk=request_id)
        .select_related(*PEOPLE, "membership__organization__primary_owner")
        .first()
    )
    if request is None:
        raise BusinessError(
            _("There is no such request."), code="request_not_found", status=404
        )
    standing = standing_of(
        request.membership_id, organization_id=organization.pk, now=now
    )
    if request.status in (UsageRequest.Status.APPROVED, UsageRequest.Status.DISMISSED):
        raise BusinessError(
            decided_sentence(request, zone=standing.organization.month.zone, now=now),
            code="already_decided",
        )
    if request.status != UsageRequest.Status.PENDING or ending_of(
        asked_of(request), standing
    ):
        raise BusinessError(
            _(
                "The request from %(name)s has ended on its own, so there is nothing "
                "left to decide."
            )
            % {"name": request.membership.user},
            code="request_ended",
        )
    if by.membership is not None and not may_decide(
        by.membership, request_membership_id=request.membership_id
    ):
        others = deciders_for(request.membership_id, organization=organization)
        raise BusinessError(
            _("You can't decide your own request. %(name)s can.")
            % {"name": others[0].user},
            code="own_request",
            status=403,
        )
    return request, standing


def _decide(
    request: UsageRequest,
    status: str,
    *,
    change: AuditEntry | None,
    by: Reviewer,
    now: dt.datetime,
) -> Decided:
    standing = standing_of(
        request.membership_id, organization_id=request.organization_id, now=now
    )
    request.decided_by, request.decided_by_label, request.change = (
        by.actor.user,
        by.actor.label,
        change,
    )
    end_request(request, status=status, standing=standing, now=now)
    draft = QueuedMail(
        request.membership.user,
        ANSWER,
        f"{ANSWER}:{request.pk}",
        {"request": request.pk},
    )
    mails = queue_mails(
        request.membership.organization, [draft], now=now, within=ANSWERED_WITHIN
    )
    return Decided(request, mails)
