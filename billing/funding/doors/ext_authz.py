"""External authorization: proxies ask by sending on a request's head, and let it pass at
200 (Envoy, Istio, Traefik, nginx, Kong).

402 in Anthropic's form of an error is what clients show best: Claude Code and the SDKs
print the sentence after one attempt, where 403 makes them ask for another sign-in.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from accounts.api_access import hot_path_key
from billing.funding.doors.asking import Asked, NobodyKnown, ask, header_text
from billing.funding.promises import sign_authorization
from billing.funding.rules.headroom import all_left
from billing.models.surfaces import Surface, surface_name
from config.kit.money import to_decimal_text

router = Router(tags=["Doors"], auth=hot_path_key)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
UNLIMITED = "unlimited"
CLAUDE_CODE_AGENT = "claude-cli/"


@router.api_operation(METHODS, "/ext-authz", url_name="ext_authz")
@router.api_operation(METHODS, "/ext-authz/", url_name="ext_authz_root")
def ext_authz(request: HttpRequest) -> HttpResponse:
    """May the request pass whose head this is?"""
    try:
        asked = ask(request)
    except NobodyKnown as nobody:
        return _stopped(str(nobody))
    if asked.decision.funding is None:
        return _stopped(asked.sentence)
    return _passed(asked, asked.decision.funding, surface=_surface(request))


@router.api_operation(METHODS, "/ext-authz/{any:path}", url_name="ext_authz_path")
def ext_authz_path(request: HttpRequest, path: str) -> HttpResponse:
    """The same: proxies put the path that their client asks for behind this one."""
    return ext_authz(request)


def _passed(asked: Asked, funding: str, *, surface: str) -> HttpResponse:
    standing = asked.standing
    remaining = all_left(standing)
    response = HttpResponse()
    response["x-extra-usage-authorization"] = sign_authorization(
        funding,
        organization_id=standing.organization.id,
        membership_id=standing.membership_id,
        now=asked.now,
    )
    response["x-extra-usage-remaining"] = (
        UNLIMITED if remaining is None else to_decimal_text(remaining)
    )
    response["x-extra-usage-surface"] = surface
    if asked.decision.is_changeover:
        response["x-extra-usage-changeover"] = "true"
    return response


def _stopped(sentence: str) -> HttpResponse:
    error: dict[str, Any] = {"type": "billing_error", "message": sentence}
    response = JsonResponse(
        {"type": "error", "error": error},
        status=402,
        json_dumps_params={"ensure_ascii": False},
    )
    # The SDKs would wait and send it again where a status says it may pass later.
    response["x-should-retry"] = "false"
    return response


def _surface(request: HttpRequest) -> str:
    """The surface to report the request with: as the proxy says, else by the client."""
    told = header_text(request, settings.DOOR_SURFACE_HEADER)
    if name := surface_name(told):
        return name
    agent = request.headers.get("User-Agent", "")
    is_claude_code = agent.startswith(CLAUDE_CODE_AGENT)
    return Surface.CLAUDE_CODE if is_claude_code else Surface.CLAUDE
