"""The member's half: send a request, add a note and an amount, take it back (R1, R2,
R4a). One lock, one pending row.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.organizations import lock_organization
from accounts.models import Membership
from billing.funding.queries import standing_of
from billing.funding.rules.decision import Decision, decide, may_request
from billing.funding.rules.standing import Reason, Standing
from config.kit.dates import moment_text
from config.kit.errors import BusinessError
from config.kit.money import MAX_AMOUNT_NANOS, NANOS_PER_CENT, format_usd
from requests_inbox.actions.ending import end_request
from requests_inbox.actions.notes import check_note
from requests_inbox.actions.publishing import publish_created
from requests_inbox.models import UsageRequest
from requests_inbox.queries import latest_request
from requests_inbox.rules import may_ask_again_at


@dataclass(frozen=True, slots=True)
class Sent:
    """The member's pending request, and whether this press made it."""

    request: UsageRequest
    is_new: bool


@transaction.atomic
def send_request(
    membership: Membership,
    *,
    note: str | None = None,
    asked_nanos: int | None = None,
    now: dt.datetime,
) -> Sent:
    """Ask the admins for more usage, at once with a note and an amount where they are given.

    A second press finds the first one's request. The amount is in nano-USD a month.

    Raises BusinessError `requests_off`, `not_blocked`, `dismissed_lately`, or what
    `add_details` raises.
    """
    sent, standing = _find_or_send(membership, now=now)
    if note is not None or asked_nanos is not None:
        request = sent.request
        _keep_details(
            request,
            standing,
            note=request.note if note is None else note,
            asked_nanos=request.asked_nanos if asked_nanos is None else asked_nanos,
        )
    return sent


def _find_or_send(membership: Membership, *, now: dt.datetime) -> tuple[Sent, Standing]:
    standing = _locked_standing(membership, now=now)
    latest, status = latest_request(membership.pk, standing=standing)
    if latest is not None and latest.status == UsageRequest.Status.PENDING:
        if status == UsageRequest.Status.PENDING:
            return Sent(latest, False), standing
        end_request(latest, status=status, standing=standing, now=now)
    decision = decide(standing)
    _check_blocked(standing, decision)
    assert standing.seat_tier is not None
    assert decision.reason is not None
    _check_dismissal(latest, zone=standing.organization.month.zone, now=now)
    request = UsageRequest.objects.create(
        organization_id=membership.organization_id,
        membership=membership,
        seat_tier=standing.seat_tier,
        reason=decision.reason,
        month_on=standing.organization.month.first_on,
        spent_nanos=standing.spent_nanos,
        cap_nanos=standing.cap.amount_nanos,
        created_at=now,
    )
    publish_created(request, now=now)
    return Sent(request, True), standing


def _locked_standing(membership: Membership, *, now: dt.datetime) -> Standing:
    """The member's standing under the organization's lock, which every charge takes too: it
    stays true until the transaction ends.
    """
    lock_organization(membership.organization_id)
    return standing_of(
        membership.pk, organization_id=membership.organization_id, now=now
    )


def _check_blocked(standing: Standing, decision: Decision) -> None:
    if decision.allowed:
        raise BusinessError(
            _("There is nothing to request: you can continue."), code="not_blocked"
        )
    if decision.reason is Reason.CONFIRMATION_NEEDED:
        raise BusinessError(
            _(
                "There is nothing to request: press “Continue with extra usage” on your"
                " usage page."
            ),
            code="confirmation_needed",
        )
    if not may_request(standing, decision.reason):
        raise BusinessError(
            _("%(organization)s doesn't take requests for this. Ask an owner.")
            % {"organization": standing.organization.name},
            code="requests_off",
        )


def pause_after_dismissal() -> dt.timedelta:
    """How long the link stays away after a dismissal (R4)."""
    return dt.timedelta(hours=settings.REQUEST_PAUSE_HOURS)


def _check_dismissal(
    latest: UsageRequest | None, *, zone: str, now: dt.datetime
) -> None:
    if (
        latest is None
        or latest.status != UsageRequest.Status.DISMISSED
        or latest.ended_at is None
    ):
        return
    again_at = may_ask_again_at(latest.ended_at, pause=pause_after_dismissal())
    if now < again_at:
        raise BusinessError(
            _("Your last request was dismissed. You can ask again %(moment)s.")
            % {"moment": moment_text(again_at, zone=zone, now=now)},
            code="dismissed_lately",
        )


@transaction.atomic
def add_details(
    membership: Membership, *, note: str, asked_nanos: int | None, now: dt.datetime
) -> UsageRequest:
    """Put a note and the amount needed on one's pending request; nano-USD, None for no
    amount (R4a).

    Raises BusinessError `no_pending_request`, `note_too_long`, `not_above_spent`,
    `bad_amount`.
    """
    request, standing = _own_pending(membership, now=now)
    _keep_details(request, standing, note=note, asked_nanos=asked_nanos)
    return request


def _keep_details(
    request: UsageRequest, standing: Standing, *, note: str, asked_nanos: int | None
) -> None:
    check_note(note)
    _check_asked_amount(asked_nanos, spent_nanos=standing.spent_nanos)
    request.note, request.asked_nanos = note.strip(), asked_nanos
    request.save(update_fields=["note", "asked_nanos"])


def _check_asked_amount(asked_nanos: int | None, *, spent_nanos: int) -> None:
    if asked_nanos is None:
        return
    if asked_nanos <= spent_nanos:
        raise BusinessError(
            _("You have already spent %(spent)s this month; ask for more than that.")
            % {"spent": format_usd(spent_nanos)},
            code="not_above_spent",
            status=422,
            field="asked_usd",
        )
    if asked_nanos > MAX_AMOUNT_NANOS or asked_nanos % NANOS_PER_CENT:
        sentence = _("Enter an amount in whole cents, up to %(most)s.") % {
            "most": format_usd(MAX_AMOUNT_NANOS)
        }
        raise BusinessError(sentence, code="bad_amount", status=422, field="asked_usd")


@transaction.atomic
def withdraw_request(membership: Membership, *, now: dt.datetime) -> UsageRequest:
    """Take one's pending request back (R5). Raises BusinessError `no_pending_request`."""
    request, standing = _own_pending(membership, now=now)
    end_request(
        request, status=UsageRequest.Status.WITHDRAWN, standing=standing, now=now
    )
    return request


def _own_pending(
    membership: Membership, *, now: dt.datetime
) -> tuple[UsageRequest, Standing]:
    standing = _locked_standing(membership, now=now)
    latest, status = latest_request(membership.pk, standing=standing)
    if latest is None or status != UsageRequest.Status.PENDING:
        raise BusinessError(
            _("This request has already been answered or has ended."),
            code="no_pending_request",
        )
    return latest, standing
