"""Managing whom other systems mean by their names (X2). Scope `manage`."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Body, Router, Schema
from pydantic import ConfigDict, StrictStr

from accounts.actions.audit import Actor
from accounts.actions.external_ids import set_external_ids
from accounts.api_access import KeyAuth, MemberPath, organization_of
from accounts.models import ExternalId, Scope
from accounts.queries import member_by_ref
from config.kit.api import ERRORS, at_most

router = Router(tags=["Managing"], auth=KeyAuth(Scope.MANAGE))
MOST_SENT = 100


class ExternalIdIn(Schema):
    """How an issuer names somebody."""

    model_config = ConfigDict(extra="forbid")

    issuer: StrictStr
    subject: StrictStr


class ExternalIdsIn(Schema):
    """The whole list."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "external_ids": [
                    {"issuer": "https://login.acme.example", "subject": "00u1ab2c"}
                ]
            }
        },
    )

    external_ids: Annotated[list[ExternalIdIn], at_most(MOST_SENT)]


class ExternalIdOut(Schema):
    """How an issuer names somebody; as text, `issuer:subject`."""

    issuer: str
    subject: str


class ExternalIdsOut(Schema):
    """A member and the whole list."""

    id: int
    email: str
    external_ids: list[ExternalIdOut]


def external_id_json(one: ExternalId) -> dict[str, str]:
    """One external id as the API writes it."""
    return {"issuer": one.issuer, "subject": one.subject}


@router.put(
    "/external-ids/members/{any:member}",
    response={200: ExternalIdsOut, **ERRORS},
    summary="Name one member as other systems do",
)
def member_external_ids(
    request: HttpRequest, member: MemberPath, payload: Body[ExternalIdsIn]
) -> dict[str, Any]:
    """The member has exactly these afterwards; an empty list takes all away.

    409 `external_id_taken` says whose one of them is already. Who was removed keeps
    theirs, by which late usage finds them, until they are taken from them.
    """
    membership = member_by_ref(organization_of(request), member)
    ids = set_external_ids(
        membership,
        [(one.issuer, one.subject) for one in payload.external_ids],
        actor=Actor(label=f"API key {request.auth.name}"),  # type: ignore[attr-defined]
        now=timezone.now(),
    )
    return {
        "id": membership.pk,
        "email": membership.user.email,
        "external_ids": [external_id_json(one) for one in ids],
    }
