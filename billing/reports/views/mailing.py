"""Having a report mailed each month, at once, or no more."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, member_page, public
from accounts.actions.audit import Actor
from accounts.models import Membership, Organization, Role
from accounts.tasks import send_soon
from billing.models import ReportMail, ReportMailRecipient
from billing.reports.actions.mailing import (
    addresses_of,
    queue_report_now,
    set_report_mail,
    stop_for_one,
    stop_report_mail,
)
from billing.reports.filters import (
    ReportFilter,
    chip_people,
    query_without_days,
    report_filter,
)
from billing.reports.forms import ReportMailForm
from billing.reports.links import recipient_that_stops
from billing.reports.rules.mailing import first_mail_at
from billing.reports.rules.ranges import THIS_MONTH
from billing.reports.words.report import report_text
from config.kit.dates import moment_label, month_name_text
from config.kit.fields import refusals_on
from config.kit.htmx import render_modal, saved
from config.kit.http import get_or_post, posted
from config.kit.later import for_strangers
from config.kit.months import local_day


@member_page(Role.ADMIN)
@get_or_post
def report_mail(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Mail the report of this address monthly, or once now to whoever asks."""
    organization, now = membership.organization, timezone.now()
    query = query_without_days(request.GET)
    if request.method == "POST" and "now" in request.POST:
        return _sent_now(request, membership, query=query, now=now)
    kept = organization.report_mails.filter(query=query).first()
    addresses = addresses_of(kept) if kept else [membership.user.email]
    form = ReportMailForm(posted(request), initial={"addresses": "\n".join(addresses)})
    if form.is_valid():
        with refusals_on(form):
            set_report_mail(
                organization, query=query, addresses=form.typed, by=membership, now=now
            )
            messages.success(
                request,
                _("The report is mailed monthly, for the first time about %(day)s.")
                % {"day": _first_text(organization, now=now)},
            )
            return saved(request, "reportMailsChanged", then=_page(membership, query))
    context = {
        "form": form,
        "organization": organization,
        "modal_url": f"{request.path}?{query}",
        "back": "reports",
        "subtitle": _text(organization, query, now=now),
        "first": _first_text(organization, now=now),
        "month": month_name_text(local_day(now, organization.zone_at(now))),
        "kept": kept,
    }
    return render_modal(
        request,
        "billing/reports/mail.html",
        context,
        title=_("Mail this report monthly"),
        name="report-mail",
    )


def _sent_now(
    request: MemberRequest, membership: Membership, *, query: str, now: dt.datetime
) -> HttpResponse:
    send_soon(queue_report_now(membership, query=query, range_name=THIS_MONTH, now=now))
    messages.success(
        request,
        _("The report of this month so far is on its way to %(address)s.")
        % {"address": membership.user.email},
    )
    return saved(request, then=_page(membership, query))


@member_page(Role.ADMIN)
@require_POST
def report_mail_stop(
    request: MemberRequest, membership: Membership, report_mail_id: int
) -> HttpResponse:
    """Mail it no more to anybody."""
    report_mail = get_object_or_404(
        ReportMail, organization=membership.organization, pk=report_mail_id
    )
    stop_report_mail(report_mail, actor=Actor.person(request.user), now=timezone.now())
    messages.success(request, _("The report is mailed no more."))
    return redirect("reports", membership.organization.slug)


@public
# mail programs press it by themselves (RFC 8058); the token in the address is the
# permission
@csrf_exempt
@for_strangers
@get_or_post
def report_stop(request: HttpRequest, token: str) -> HttpResponse:
    """The link in every mailed report: a page that asks, and the one-click POST."""
    recipient_id = recipient_that_stops(token)
    if recipient_id is None:
        raise Http404
    rows = ReportMailRecipient.objects.select_related("report_mail__organization")
    recipient = rows.filter(pk=recipient_id).first()
    if recipient is not None and request.method == "POST":
        stop_for_one(recipient.pk, now=timezone.now())
    context = {
        "organization": recipient.report_mail.organization if recipient else None,
        "done": recipient is None or request.method == "POST",
    }
    return render(request, "billing/reports/mail_stop.html", context)


def mailed_reports(organization: Organization, *, now: dt.datetime) -> list[Any]:
    """Every report that is mailed monthly, in words, with to whom; three queries at most
    beside those for who is named.
    """
    rows = organization.report_mails.prefetch_related(
        "recipients__membership__user", "recipients__outside"
    )
    return [
        {
            "pk": one.pk,
            "query": one.query,
            "text": _text(organization, one.query, now=now),
            "names": [recipient.name for recipient in one.recipients.all()],
        }
        for one in rows
    ]


def _text(organization: Organization, query: str, *, now: dt.datetime) -> str:
    chosen = _chosen(organization, query, now=now)
    return report_text(chosen.asked, chosen.chips)


def _chosen(
    organization: Organization, query: str, *, now: dt.datetime
) -> ReportFilter:
    today = local_day(now, organization.zone_at(now))
    chosen = report_filter(QueryDict(query), today=today)
    chosen.people = chip_people(organization.pk, chosen)
    return chosen


def _first_text(organization: Organization, *, now: dt.datetime) -> str:
    """The day and hour of the first mail, in the organization's zone."""
    month = organization.calendar.month_at(now)
    grace = dt.timedelta(hours=settings.CLOSE_GRACE_HOURS)
    first = first_mail_at(month.end, grace=grace)
    return moment_label(first, zone=organization.zone_at(now), now=now)


def _page(membership: Membership, query: str) -> str:
    page = reverse("reports", args=[membership.organization.slug])
    return f"{page}?{query}" if query else page
