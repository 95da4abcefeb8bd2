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
from billing.pages.past_month import ChosenUsage, PastMonth
from billing.pages.usage_parts import UsagePage
from config.kit.htmx import part_of, unchanged_or_html


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
def usage_settings(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The whole page: the month's answer (or the offer to enable), the settings, the
    table; `?month=2026-10` for one that is over.
    """
    page = UsagePage(membership, timezone.now())
    chosen = chosen_usage(page, request)
    if chosen.is_past:
        past = PastMonth(membership, chosen)
        context = past.month_part() | past.caps_part() | past.people_part(request)
        return render(request, "billing/pages/past_month.html", context)
    context = page.shared() | (
        page.month_part(request.GET) if page.is_on else page.off_part()
    )
    context |= {"switch": chosen.switch}
    if page.has_caps_to_show:
        context |= page.caps_part() | page.people_part(request)
    return render(request, "billing/pages/usage_settings.html", context)


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
@part_of("usage_settings")
def usage_month(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The month's panel by itself; `?month=` for one that is over, `?day=` with a day of
    it open.
    """
    page = UsagePage(membership, timezone.now())
    if "month" in request.GET:  # the running one is asked for every 30 seconds
        chosen = chosen_usage(page, request)
        if chosen.is_past:
            context = PastMonth(membership, chosen).month_part()
            return render(request, "billing/pages/_past_month.html", context)
    return unchanged_or_html(
        request,
        "billing/pages/_usage_month.html",
        page.month_part(request.GET) | {"swap_around": True},
    )


def chosen_usage(page: UsagePage, request: MemberRequest) -> ChosenUsage:
    """The month that an address asks for."""
    return ChosenUsage(
        page.organization, request.GET, current_on=page.standing.month.first_on
    )


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
@part_of("usage_settings")
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
@part_of("usage_settings")
def usage_caps(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The settings list by itself."""
    page = UsagePage(membership, timezone.now())
    return unchanged_or_html(
        request, "billing/pages/_usage_caps.html", page.caps_part()
    )


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
@part_of("usage_settings")
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
