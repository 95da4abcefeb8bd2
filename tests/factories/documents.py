"""Builders of closed months."""

from __future__ import annotations

import datetime as dt

from accounts.models import Organization
from billing.documents.closing import close_due
from billing.metering.actions.recording import record_usage
from billing.models import Invoice, SeatAllowance
from tests.factories.usage import enable_extra_usage, event

# 06:00 on 1 December in New York: November's grace is over
CLOSES = dt.datetime(2026, 12, 1, 11, 0, tzinfo=dt.UTC)


def use(
    organization: Organization, who: str, amount: str, *, at: dt.datetime, **more: str
) -> None:
    """Extra usage of `who` (an address's first part) at `at`."""
    sent = event(f"{who}@{organization.slug}.example", at=at, usd=amount, **more)  # type: ignore[arg-type]
    [result] = record_usage([sent], organization_id=organization.pk, now=at).results
    assert (result.status, result.funding) == ("recorded", "extra_usage"), result


def use_november(organization: Organization, *, at: dt.datetime) -> None:
    """Bob $12.345 on Claude Code and $2 on Claude, Ada $30; nothing is included."""
    SeatAllowance.objects.filter(plan=organization.plan).delete()
    enable_extra_usage(organization)
    use(organization, "bob", "12.34500", at=at, id="bob-code")
    use(organization, "bob", "2", at=at, id="bob-chat", surface="claude")
    use(organization, "ada", "30", at=at, id="ada-code")


def close_november(organization: Organization) -> Invoice:
    """Close everything through November; November's invoice."""
    close_due(organization.pk, now=CLOSES)
    return Invoice.objects.get(organization=organization, month_on="2026-11-01")
