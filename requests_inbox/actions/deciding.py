"""The reviewer's half: increase a limit, move to Premium, dismiss (R3, R4).

The first decision wins.

A cap set here is the same act as on the page, under the same lock; the request points
at its audit entry.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.organizations import lock_organization
from accounts.actions.seats import assign_seat
from accounts.actions.undoing import MAIL_WAITS
from accounts.models import AuditEntry, Membership, Organization, Role, Tier
from billing.caps.actions.caps import check_amount, set_member_cap
from billing.caps.actions.switch import change_selection
from billing.funding.queries import standing_of
from billing.funding.rules.standing import Standing
from config.kit.errors import BusinessError
from config.kit.money import format_usd
from requests_inbox.actions.audit import audit_decision
from requests_inbox.actions.ending import end_request
from requests_inbox.actions.notes import check_note
from requests_inbox.models import UsageRequest
from requests_inbox.queries import (
    PEOPLE,
    deciders_for,
    may_decide,
    request_not_found,
    status_now,
)
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
    request, standing = _pending_request(locked, request_id, by=by, now=now)
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
    return _approve(request, change=change.audit, by=by, now=now)


def _check_increase(
    request: UsageRequest, standing: Standing, *, amount_nanos: int, by: Reviewer
) -> None:
    names = {
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
            _("%(name)s no longer has a seat. An owner must assign one first.") % names
        )
        raise BusinessError(sentence, code="seat_unassigned")
    if amount_nanos <= standing.spent_nanos:
        raise BusinessError(
            _(
                "%(name)s has spent %(spent)s this month; the new limit must be "
                "higher than that."
            )
            % {**names, "spent": format_usd(standing.spent_nanos)},
            code="not_above_spent",
            status=422,
            field="amount_usd",
        )


def _off_sentence(by: Reviewer, *, organization: Organization) -> str:
    names = {"organization": organization.name, "owner": organization.primary_owner}
    if by.membership is None or by.membership.is_at_least(Role.OWNER):
        return (
            _(
                "Extra usage is off for %(organization)s. Enable it first, then"
                " increase the limit."
            )
            % names
        )
    return (
        _(
            "Extra usage is off for %(organization)s. An owner, such as %(owner)s, must"
            " enable it first."
        )
        % names
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
    request, standing = _pending_request(locked, request_id, by=by, now=now)
    if standing.seat_tier == Tier.PREMIUM:
        sentence = _("%(name)s already has a Premium seat.") % {
            "name": request.membership.user
        }
        raise BusinessError(sentence, code="already_premium")
    change = assign_seat(request.membership, tier=Tier.PREMIUM, actor=by.actor, now=now)
    request.granted_tier = Tier.PREMIUM
    return _approve(request, change=change.audit, by=by, now=now)


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
    request, standing = _pending_request(locked, request_id, by=by, now=now)
    check_note(note)
    request.answer_note = note.strip()
    return _answer_request(
        request, UsageRequest.Status.DISMISSED, standing=standing, by=by, now=now
    )


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

    Raises BusinessError, which names everybody concerned, and changes nothing when the
    amount does not fit some of those that still wait.
    """

    def decide(request_id: int) -> Decided:
        return increase_limit(
            organization,
            request_id=request_id,
            amount_nanos=amount_nanos,
            this_month_only=this_month_only,
            by=by,
            now=now,
        )

    return _decide_all(request_ids, decide)


@transaction.atomic
def dismiss_requests(
    organization: Organization,
    *,
    request_ids: Sequence[int],
    by: Reviewer,
    now: dt.datetime,
) -> Increased:
    """Say no to several people, without a note; like `increase_limits`."""

    def decide(request_id: int) -> Decided:
        return dismiss_request(
            organization, request_id=request_id, note="", by=by, now=now
        )

    return _decide_all(request_ids, decide)


def _decide_all(
    request_ids: Sequence[int], decide: Callable[[int], Decided]
) -> Increased:
    """One decision each; of those that can't be, all are named and nothing is decided."""
    decided: list[Decided] = []
    passed_over: list[BusinessError] = []
    refused: list[BusinessError] = []
    for request_id in request_ids:
        try:
            decided.append(decide(request_id))
        except BusinessError as error:
            told = (
                passed_over
                if error.code in ("already_decided", "request_ended")
                else refused
            )
            told.append(error)
    if refused:
        first = refused[0]
        sentences = dict.fromkeys(error.message for error in refused)
        raise BusinessError(
            " ".join(sentences), code=first.code, status=first.status, field=first.field
        )
    return Increased(decided, [error.message for error in passed_over])


def _pending_request(
    organization: Organization, request_id: int, *, by: Reviewer, now: dt.datetime
) -> tuple[UsageRequest, Standing]:
    """A request that this reviewer may decide, with its member's standing, both read under
    the lock: of two reviewers the second finds it decided.
    """
    request = (
        UsageRequest.objects.filter(organization=organization, pk=request_id)
        .select_related(*PEOPLE, "membership__organization__primary_owner")
        .first()
    )
    if request is None:
        raise request_not_found()
    standing = standing_of(
        request.membership_id, organization_id=organization.pk, now=now
    )
    _check_pending(request, standing, now=now)
    _check_reviewer(request, organization, by=by)
    request.cap_before_nanos = standing.cap.amount_nanos
    return request, standing


def _check_pending(
    request: UsageRequest, standing: Standing, *, now: dt.datetime
) -> None:
    if request.status in (UsageRequest.Status.APPROVED, UsageRequest.Status.DISMISSED):
        raise BusinessError(
            decided_sentence(request, zone=standing.organization.month.zone, now=now),
            code="already_decided",
        )
    if status_now(request, standing) != UsageRequest.Status.PENDING:
        raise BusinessError(
            _(
                "The request from %(name)s has ended on its own, so there is nothing "
                "left to decide."
            )
            % {"name": request.membership.user},
            code="request_ended",
        )


def _check_reviewer(
    request: UsageRequest, organization: Organization, *, by: Reviewer
) -> None:
    if by.membership is None or may_decide(
        by.membership, request_membership_id=request.membership_id
    ):
        return
    others = deciders_for(request.membership_id, organization=organization)
    raise BusinessError(
        _("You can't decide your own request. %(name)s can.")
        % {"name": others[0].user},
        code="own_request",
        status=403,
    )


def _approve(
    request: UsageRequest,
    *,
    change: AuditEntry | None,
    by: Reviewer,
    now: dt.datetime,
) -> Decided:
    request.change = change
    # Read anew: the change has given the member another cap, and the request keeps that.
    standing = standing_of(
        request.membership_id, organization_id=request.organization_id, now=now
    )
    return _answer_request(
        request, UsageRequest.Status.APPROVED, standing=standing, by=by, now=now
    )


def _answer_request(
    request: UsageRequest,
    status: str,
    *,
    standing: Standing,
    by: Reviewer,
    now: dt.datetime,
) -> Decided:
    """End the request and queue the mail that tells its member."""
    request.decided_by, request.decided_by_label = by.actor.user, by.actor.label
    audit_decision(request, status, actor=by.actor, now=now)
    end_request(request, status=status, standing=standing, now=now)
    mail = QueuedMail(
        request.membership.user,
        ANSWER,
        f"{ANSWER}:{request.pk}",
        {"request": request.pk},
    )
    mails = queue_mails(
        request.membership.organization,
        [mail],
        now=now,
        within=ANSWERED_WITHIN,
        # A person may take it back; a program does not.
        not_before=now + MAIL_WAITS if by.membership is not None else None,
    )
    return Decided(request, mails)
