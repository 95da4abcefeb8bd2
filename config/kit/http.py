"""Requests as views get them, and what was posted."""

from __future__ import annotations

from ipaddress import IPv6Network, ip_address

from allauth.account.adapter import get_adapter
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, QueryDict
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails


class PageRequest(HttpRequest):
    """A request for a page: `htmx` is true where HTMX asks for a part of one."""

    htmx: HtmxDetails


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: what was posted, None while it is only shown."""
    return request.POST if request.method == "POST" else None


def client_address(request: HttpRequest) -> str:
    """Whom the request comes from, as far as is known: the peer, or with BEHIND_PROXY
    what the proxy says of it, never what a client says of itself. Empty where there is
    none, such as on a socket of this machine.
    """
    try:
        return str(get_adapter().get_client_ip(request))
    except (PermissionDenied, ImproperlyConfigured):
        return ""


def client_network(request: HttpRequest) -> str:
    """The address that limits count by: of IPv6, where everybody has 2⁶⁴, the network."""
    address = client_address(request)
    if ":" not in address:
        return address
    if (mapped := getattr(ip_address(address), "ipv4_mapped", None)) is not None:
        return str(mapped)
    return str(IPv6Network(f"{address}/64", strict=False).network_address)


def note_caller(
    request: HttpRequest, *, organization_id: int | None, key_id: int
) -> None:
    """Whose key opened this call, for the log."""
    request.called_by = (organization_id, key_id)  # type: ignore[attr-defined]


def caller_noted(request: HttpRequest) -> tuple[int | None, int | None]:
    """The organization and the key of a call; nothing where no good key came."""
    called_by: tuple[int | None, int | None] = getattr(
        request, "called_by", (None, None)
    )
    return called_by


# A view that shows a form and takes what is posted.
get_or_post = require_http_methods(["GET", "HEAD", "POST"])
