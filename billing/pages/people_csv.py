"""Spend caps by user as CSV: everybody the filter finds, as they stand this month, or as
they were in one that is over (`?month=2026-10`).

Without a filter the spending adds up to the organization's, people who have left included.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import member_page
from accounts.models import Membership, Role
from billing.caps.words.status import cap_note_text, past_cap_note_text, status_text
from billing.pages.past_month import ChosenUsage, PastMonth
from billing.pages.past_rows import PastRow, past_filter_of
from billing.reports.filters import filter_of
from billing.reports.queries.members import MemberRow, member_rows
from billing.reports.reader import Reader
from config.kit.csv_files import Amount, streamed
from config.kit.later import much_to_make
from config.kit.months import Month, local_day


@member_page(Role.ADMIN)
@require_safe
@much_to_make
def usage_people_csv(
    request: HttpRequest, membership: Membership
) -> StreamingHttpResponse:
    """Everybody the filter of the table finds."""
    reader = Reader(membership, timezone.now())
    month = reader.standing.month
    chosen = ChosenUsage(reader.organization, request.GET, current_on=month.first_on)
    if chosen.is_past:
        past = PastMonth(membership, chosen)
        name = f"{membership.organization.slug}-usage-{past.month.first_on:%Y-%m}"
        found = past.found(past_filter_of(request))
        return streamed(_past_rows(found, past.month), name=name)
    rows = member_rows(reader.standing, filter_of(request), page=None)
    name = f"{membership.organization.slug}-usage-{month.first_on:%Y-%m}"
    return streamed(_rows(rows, month), name=name)


def _rows(rows: list[MemberRow], month: Month) -> Iterator[list[Any]]:
    yield [
        _("Person"),
        _("E-mail"),
        _("Seat"),
        _("Cap (USD)"),
        _("Cap from"),
        _("MTD spend (USD)"),
        _("Status"),
    ]
    for member in rows:
        yield _cells(member, month)


def _cells(member: MemberRow, month: Month) -> list[Any]:
    cap, source = _cap_cells(member, month)
    return [
        member.name,
        member.email,
        member.seat_label,
        cap,
        source,
        Amount(member.spent_nanos),
        status_text(member),
    ]


def _cap_cells(member: MemberRow, month: Month) -> tuple[Amount | None, str]:
    """The cap and where it comes from; nothing for somebody who has left."""
    if member.is_removed:
        return None, ""
    if member.cap_nanos is None:
        return None, _("Unlimited")
    return Amount(member.cap_nanos, places=2), cap_note_text(member, month)


def _past_rows(rows: list[PastRow], month: Month) -> Iterator[list[Any]]:
    yield [
        _("Person"),
        _("E-mail"),
        _("Seat then"),
        _("Cap then (USD)"),
        _("Cap from"),
        _("Spend (USD)"),
        _("Stopped on"),
        _("Removed on"),
    ]
    for row in rows:
        yield _past_cells(row, month)


def _past_cells(row: PastRow, month: Month) -> list[Any]:
    person, cap = row.person, row.cap
    amount, source = None, _("not recorded")
    if cap is not None and cap.amount_nanos is None:
        source = _("Unlimited")
    elif cap is not None and cap.amount_nanos is not None:
        amount = Amount(cap.amount_nanos, places=2)
        source = past_cap_note_text(cap, month)
    return [
        person.name,
        person.email,
        row.seat_label,
        amount,
        source,
        Amount(person.spent_nanos),
        _moment(row.stopped_at, month) or row.stopped_on,
        local_day(person.removed_at, month.zone) if person.removed_at else None,
    ]


def _moment(at: dt.datetime | None, month: Month) -> str | None:
    """`2026-10-14 15:02` by the clock of the month."""
    return f"{at.astimezone(ZoneInfo(month.zone)):%Y-%m-%d %H:%M}" if at else None
