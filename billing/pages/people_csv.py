"""Spend caps by user as CSV: everybody the filter finds, as they stand this month."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import member_page
from accounts.models import Membership, Role
from billing.caps.words.status import cap_source_text, status_text
from billing.reports.filters import filter_of
from billing.reports.queries.people import Person, people
from billing.reports.reader import Reader
from config.kit.csv_files import plain, streamed
from config.kit.money import to_decimal_text
from config.kit.months import Month


@member_page(Role.ADMIN)
@require_safe
def usage_people_csv(
    request: HttpRequest, membership: Membership
) -> StreamingHttpResponse:
    """Everybody the filter of the table finds."""
    reader = Reader(membership, timezone.now())
    month = reader.standing.month
    rows = people(reader.standing, filter_of(request), page=None)
    name = f"{membership.organization.slug}-usage-{month.first_on:%Y-%m}"
    return streamed(_rows(rows, month), name=name)


def _rows(rows: list[Person], month: Month) -> Iterator[list[str]]:
    yield [
        _("Person"),
        _("E-mail"),
        _("Seat"),
        _("Cap (USD)"),
        _("Cap from"),
        _("MTD spend (USD)"),
        _("Status"),
    ]
    for person in rows:
        yield [plain(cell) for cell in _cells(person, month)]


def _cells(person: Person, month: Month) -> list[str]:
    cap = (
        "" if person.cap_nanos is None else to_decimal_text(person.cap_nanos, places=2)
    )
    source = (
        _("Unlimited") if person.cap_nanos is None else cap_source_text(person, month)
    )
    spent = to_decimal_text(person.spent_nanos)
    return [
        person.name,
        person.email,
        person.seat_label,
        cap,
        source,
        spent,
        status_text(person.reason),
    ]
