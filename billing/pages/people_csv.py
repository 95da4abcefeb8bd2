"""Spend caps by user as CSV: everybody the filter finds, as they stand this month.

Without a filter the spending adds up to the organization's, people who have left included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import member_page
from accounts.models import Membership, Role
from billing.caps.words.status import cap_note_text, status_text
from billing.reports.filters import filter_of
from billing.reports.queries.members import MemberRow, member_rows
from billing.reports.reader import Reader
from config.kit.csv_files import Amount, streamed
from config.kit.later import much_to_make
from config.kit.months import Month


@member_page(Role.ADMIN)
@require_safe
@much_to_make
def usage_people_csv(
    request: HttpRequest, membership: Membership
) -> StreamingHttpResponse:
    """Everybody the filter of the table finds."""
    reader = Reader(membership, timezone.now())
    month = reader.standing.month
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
