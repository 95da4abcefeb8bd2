"""Requests that wait, on an operator's page of one customer."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from accounts.panels import Look, Panel, register_panels
from requests_inbox.queries import pending_of

SHOWN = 5


def requests_panel(look: Look) -> dict[str, Any]:
    """Those that wait now, the oldest first; nothing where the plan has no requests."""
    organization = look.organization
    if not organization.has_seats:
        return {"is_shown": False}
    waiting = pending_of(organization.pk, now=look.now).waiting
    asked = urlencode({"organization__id__exact": organization.pk})
    return {
        "is_shown": True,
        "rows": [(one.request, one.standing) for one in waiting[:SHOWN]],
        "number": len(waiting),
        "zone": look.zone,
        "all_url": f"{reverse('admin:requests_inbox_usagerequest_changelist')}?{asked}",
    }


register_panels(
    Panel("requests", "admin/customer/_requests.html", requests_panel, order=40)
)
