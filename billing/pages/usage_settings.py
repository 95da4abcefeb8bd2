"""Settings › Usage: the page, its parts that refetch themselves, and the table as CSV. Admins read, owners edit."""

from __future__ import annotations

import csv
import hashlib
import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import member_page
from accounts.models import Membership, Role
from billing.caps.words.status import cap_source_text, status_text
from billing.pages.usage_parts import UsagePage
from billing.reports.filters import filter_of
from billing.reports.queries.people import Person, people
from config.kit.csv_files import plain
from config.kit.money import to_decimal_text
from config.kit.months import Month

UNSEEN = "unseen-unseen-16"
CSRF_INPUT = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')


@member_page(Role.ADMIN)
@require_safe
def usage_settings(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The whole page: the month's answer (or the offer to enable), the settings, the table."""
    page = UsagePage(membership, timezone.now())
    context = page.shared() | (page.month_part() if page.is_on else page.off_part())
    if page.has_caps_to_show:
        context |= page.caps_part() | page.people_part(request)
    return render(request, "billing/pages/usage_settings.html", context)


@member_page(Role.ADMIN)
@require_safe
def usage_month(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The month's panel by itself."""
    page = UsagePage(membership, timezone.now())
    return _part(request, "billing/pages/_usage_month.html", page.month_part())


@member_page(Role.ADMIN)
@require_safe
def usage_balance(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The balance by itself."""
    page = UsagePage(membership, timezone.now())
    if not page.is_prepaid:
        raise Http404
    return _part(request, "billing/pages/_usage_balance.html", page.balance_part())


@member_page(Role.ADMIN)
@require_safe
def usage_caps(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The settings list by itself."""
    page = UsagePage(membership, timezone.now())
    return _part(request, "billing/pages/_usage_caps.html", page.caps_part())


@member_page(Role.ADMIN)
@require_safe
def usage_people(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The table by itself, with the counts around it; the address of the page follows what was filtered."""
    page = UsagePage(membership, timezone.now())
    context = page.people_part(request)
    response = _part(request, "billing/pages/_usage_people.html", context | {"swap_around": True})
    if response.status_code == 200 and "seen" not in request.GET:
        address = reverse("usage_settings", args=[membership.organization.slug])
        response["HX-Replace-Url"] = f"{address}?{context['here']}" if context["here"] else address
    return response


def _part(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    """A part of the page; 204, so that nothing is swapped, while it reads as the reader last saw it."""
    html = render_to_string(template, context | {"seen": UNSEEN}, request)
    seen = hashlib.sha256(CSRF_INPUT.sub("", html).encode()).hexdigest()[: len(UNSEEN)]
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    return HttpResponse(html.replace(UNSEEN, seen))


@member_page(Role.ADMIN)
@require_safe
def usage_people_csv(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Everybody the filter finds, as CSV with a mark that lets spreadsheets read it as UTF-8."""
    page = UsagePage(membership, timezone.now())
    month = page.standing.month
    name = f"{membership.organization.slug}-usage-{month.first_on:%Y-%m}.csv"
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow(
        [_("Person"), _("E-mail"), _("Seat"), _("Cap (USD)"), _("Cap from"), _("MTD spend (USD)"), _("Status")]
    )
    for person in people(page.standing, filter_of(request), page=None):
        writer.writerow([plain(cell) for cell in _csv_row(person, month)])
    return response


def _csv_row(person: Person, month: Month) -> list[str]:
    cap = "" if person.cap_nanos is None else to_decimal_text(person.cap_nanos, places=2)
    source = _("Unlimited") if person.cap_nanos is None else cap_source_text(person, month)
    spent = to_decimal_text(person.spent_nanos)
    return [person.name, person.email, person.seat_label, cap, source, spent, status_text(person.reason)]
