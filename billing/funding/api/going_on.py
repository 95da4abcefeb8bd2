"""A member's yes to extra usage (`POST /members/{member}/continue`, N5).

Scopes `meter`, for gateways that put the question to their people, and `self`.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Body, Router

from accounts.actions.audit import Actor
from accounts.api_access import (
    KeyAuth,
    MemberPath,
    member_called,
    own_membership_id,
)
from accounts.models import Scope
from billing.funding.actions.confirming import confirm_extra_usage
from billing.funding.schemas import ContinueIn, ContinueOut
from billing.models import ConfirmationDoor
from config.kit.api import ERRORS

router = Router(tags=["Metering"], auth=KeyAuth(Scope.METER, Scope.SELF))


@router.post(
    "/members/{any:member}/continue",
    response={200: ContinueOut, **ERRORS},
    summary="Continue with extra usage",
)
def continue_with_extra_usage(
    request: HttpRequest, member: MemberPath, payload: Body[ContinueIn]
) -> dict[str, Any]:
    """Say yes for a member whom the check answers `confirmation_needed`; only when they
    asked for it.

    Again it changes nothing. A personal token says it for its own member alone.
    """
    own_id = own_membership_id(request)
    membership = member_called(request, member)
    by_key = Actor(label=f"API key {request.auth.name}")  # type: ignore[attr-defined]
    confirmed = confirm_extra_usage(
        membership,
        confirmed_for=payload.until,
        door=ConfirmationDoor.KEY if own_id is None else ConfirmationDoor.TOKEN,
        actor=by_key if own_id is None else Actor.person(membership.user),
        now=timezone.now(),
    )
    return {"member": membership.pk, "confirmed_until": confirmed.until_at}
