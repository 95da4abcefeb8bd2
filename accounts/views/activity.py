"""Settings › Activity, as a page and as a CSV: for owners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.audit import AuditRow, audit_row, change_groups
from accounts.models import AuditEntry, Membership, Organization, Role
from accounts.queries import PAGE_SIZE, audit_entries
from config.kit.csv_files import Amount, streamed
from config.kit.later import much_to_make

CHUNK = 2_000


class Filter(NamedTuple):
    """Which changes are looked for: how their action begins, and words."""

    kind: str
    search: str

    @classmethod
    def of(cls, request: HttpRequest) -> Filter:
        """What the address says; an unknown kind is none."""
        kind = request.GET.get("kind", "")
        search = request.GET.get("q", "").replace("\0", "")[:100]
        return cls(kind if kind in dict(change_groups()) else "", search)

    def entries(self, membership: Membership) -> QuerySet[AuditEntry]:
        """The organization's changes that it finds, newest first."""
        return audit_entries(
            membership.organization, action=self.kind, search=self.search
        )


@member_page(Role.OWNER)
@require_safe
def activity_page(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Who changed what, from which value to which."""
    chosen = Filter.of(request)
    entries = chosen.entries(membership)
    page = Paginator(entries, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "organization": membership.organization,
        "page": page,
        "rows": _with_people(membership.organization, list(page)),
        "groups": change_groups(),
        "kept_days": settings.RETAIN_AUDIT_DAYS,
        "kind": chosen.kind,
        "q": chosen.search,
        "zone": membership.organization.zone_at(timezone.now()),
    }
    return render(request, "accounts/activity.html", context)


def _with_people(
    organization: Organization, entries: Sequence[AuditEntry]
) -> list[tuple[AuditRow, int | None]]:
    """Each change in words, with the membership its subject names if that has a page:
    people, removed ones too, but not the line of unattributed usage. One query.

    A change of the organization names the organization, whomever it concerns (such as a
    new primary owner).
    """
    named = {
        entry.pk: entry.membership_id
        for entry in entries
        if entry.membership_id and not entry.action.startswith("organization.")
    }
    people = organization.memberships.filter(pk__in=set(named.values()))
    known = set(people.values_list("pk", flat=True))
    return [
        (audit_row(entry), whose if (whose := named.get(entry.pk)) in known else None)
        for entry in entries
    ]


@member_page(Role.OWNER)
@require_safe
@much_to_make
def activity_csv(
    request: MemberRequest, membership: Membership
) -> StreamingHttpResponse:
    """Every change that the page's filter finds, on all its pages."""
    entries = Filter.of(request).entries(membership)
    name = f"{membership.organization.slug}-activity"
    return streamed(_rows(entries), name=name)


def _rows(entries: QuerySet[AuditEntry]) -> Iterator[list[Any]]:
    yield [
        _("When (UTC)"),
        _("Who"),
        _("E-mail"),
        _("What"),
        _("About"),
        _("From"),
        _("To"),
        _("From (USD)"),
        _("To (USD)"),
        _("Reason"),
    ]
    for entry in entries.iterator(chunk_size=CHUNK):
        yield _cells(entry)


def _cells(entry: AuditEntry) -> list[Any]:
    """Texts as on the page; amounts once more as numbers, exact to nine places."""
    row = audit_row(entry)
    return [
        row.at,
        row.who,
        row.email,
        row.action,
        row.subject,
        row.before,
        row.after,
        _usd(row.before_nanos),
        _usd(row.after_nanos),
        row.reason,
    ]


def _usd(nanos: int | None) -> Amount | None:
    return None if nanos is None else Amount(nanos)
