"""What the operators' search finds of usage: an event by its whole id."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.operators.finding import (
    MOST_OF_A_KIND,
    FinderKind,
    Found,
    list_search,
    register_finder,
)
from billing.models import UsageEvent
from config.kit.dates import dated_day_text
from config.kit.money import format_usd


def find_events(text: str) -> list[Found]:
    """By the id the gateway sent. The index is by organization and id, so it is asked of
    each organization.
    """
    rows = UsageEvent.objects.filter(
        organization__in=Organization.objects.values("pk"), event_id=text
    ).select_related("organization", "membership__user")
    return [
        Found(
            f"{format_usd(row.cost_nanos)}, {row.model}",
            f"{row.organization.name} · {row.membership.user.email} · "
            f"{dated_day_text(row.occurred_at.date())}",
            reverse("admin:billing_usageevent_change", args=[row.pk]),
            is_exact=True,
        )
        for row in rows[:MOST_OF_A_KIND]
    ]


register_finder(
    "events",
    FinderKind(
        gettext_lazy("Usage events"),
        "gauge",
        find_events,
        "billing.view_usageevent",
        list_search("billing_usageevent_changelist"),
    ),
)
