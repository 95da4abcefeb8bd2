"""Settings › Usage: the page, its parts that refetch themselves, and the table as CSV.

Admins read, owners edit.
"""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership, Role
from billing.pages.usage_parts import UsagePage
from config.kit.htmx import unchanged_or_html


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
def usage_settings(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The whole page: the month's answer (or the offer to enable), the settings, the table."""
    page = UsagePage(membership, timezone.now())
    context = page.shared() | (page.month_part() if page.is_on else page.off_part())
    if page.has_caps_to_show:
        context |= page.caps_part() | page.people_part(request)
    return render(request, "billing/pages/usage_settings.html", context)


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
def usage_month(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The month's panel by itself."""
    page = UsagePage(membership, timezone.now())
    return unchanged_or_html(
        request,
        "billing/pages/_usage_month.html",
        page.month_part() | {"swap_around": True},
    )


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
def usage_balance(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The balance by itself."""
    page = UsagePage(membership, timezone.now())
    if not page.is_prepaid:
        raise Http404
    return unchanged_or_html(
        request, "billing/pages/_usage_balance.html", page.balance_part()
    )


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
def usage_caps(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The settings list by itself."""
    page = UsagePage(membership, timezone.now())
    return unchanged_or_html(
        request, "billing/pages/_usage_caps.html", page.caps_part()
    )


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
def usage_people(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The table by itself, with the counts around it; the address of the page follows
    what was filtered.
    """
    page = UsagePage(membership, timezone.now())
    context = page.people_part(request)
    response = unchanged_or_html(
        request, "billing/pages/_usage_people.html", context | {"swap_around": True}
    )
    if response.status_code == 200 and "seen" not in request.GET:
        address = reverse("usage_settings", args=[membership.organization.slug])
        response["HX-Replace-Url"] = (
            f"{address}?{context['address']}" if context["address"] else address
        )
    return response
