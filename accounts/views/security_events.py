"""What happened to one's own account lately."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import UserRequest, signed_in
from accounts.queries import own_security_events


@signed_in
@require_safe
def own_events(request: UserRequest) -> HttpResponse:
    """Signing in, wrong passwords, and changes of how one signs in, newest first."""
    page = own_security_events(request.user, page=request.GET.get("page"))
    return render(
        request, "accounts/security_events.html", {"page": page, "zone": "UTC"}
    )
