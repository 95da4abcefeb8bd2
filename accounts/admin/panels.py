"""The panels of people, keys and changes on a customer's page: five rows each at most,
nobody listed by name who need not be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.audit import AuditRow, audit_row
from accounts.models import AuditEntry, Membership, Organization, Role
from accounts.panels import (
    Fact,
    Look,
    Panel,
    register_facts,
    register_panels,
    step_back_url,
)
from accounts.queries import audit_entries, seat_counts

SHOWN = 5


@dataclass(frozen=True, slots=True)
class PeopleRow:
    """How many of one role, how many of them with two-factor sign-in, and when one was
    last signed in.
    """

    label: str
    detail: str
    people: int
    second_factor: int | None
    seen_at: dt.datetime | None


def people_panel(look: Look) -> dict[str, Any]:
    """People by role, counted in one query."""
    organization = look.organization
    rows = list(_people_rows(organization))
    return {
        "rows": rows,
        "number": organization.memberships.active().count(),
        "zone": look.zone,
        "all_url": filtered("accounts_membership", organization),
    }


def _people_rows(organization: Organization) -> Iterator[PeopleRow]:
    factors = Authenticator.objects.filter(
        user=OuterRef("user"), type=Authenticator.Type.TOTP
    )
    counted = (
        Membership.objects.active()
        .filter(organization=organization)
        .annotate(
            has_factor=Exists(factors),
            is_primary=Q(user_id=organization.primary_owner_id),
        )
        .values("is_primary", "base_role", "user__is_active")
        .annotate(
            people=Count("pk"),
            factors=Count("pk", filter=Q(has_factor=True)),
            seen_at=Max("user__last_login"),
        )
    )
    found: list[Any] = list(counted)
    owner = organization.primary_owner
    primary = [one for one in found if one["is_primary"]]
    on = [one for one in found if not one["is_primary"] and one["user__is_active"]]
    off = [one for one in found if not one["user__is_active"]]
    admins = [one for one in on if one["base_role"] != Role.MEMBER]
    members = [one for one in on if one["base_role"] == Role.MEMBER]
    yield _row(_("Primary Owner"), f"{owner} · {owner.email}", primary)
    yield _row(_("Owners and admins"), "", admins)
    yield _row(_("Members"), "", members)
    if off:
        yield _row(_("Switched off"), _("keep their history"), off, is_off=True)


def _row(
    label: str, detail: str, found: list[dict[str, Any]], *, is_off: bool = False
) -> PeopleRow:
    seen = [one["seen_at"] for one in found if one["seen_at"]]
    return PeopleRow(
        label,
        detail,
        sum(one["people"] for one in found),
        None if is_off else sum(one["factors"] for one in found),
        max(seen, default=None),
    )


def keys_panel(look: Look) -> dict[str, Any]:
    """The keys that are good, the latest used first."""
    good = look.organization.api_keys.shared().live(look.now)
    latest = good.select_related("created_by")  # at most MOST_KEYS
    rows = sorted(latest, key=lambda key: (key.last_used_at or key.created_at, key.pk))[
        ::-1
    ]
    return {
        "rows": rows[:SHOWN],
        "number": len(rows),
        "zone": look.zone,
        "all_url": filtered("accounts_apikey", look.organization),
    }


def audit_panel(look: Look) -> dict[str, Any]:
    """The latest changes, each with the way back where there is one for this operator."""
    latest = list(audit_entries(look.organization)[:SHOWN])
    return {
        "rows": list(_with_undo(latest, look)),
        "zone": look.zone,
        "all_url": filtered("accounts_auditentry", look.organization),
    }


def _with_undo(
    entries: Iterable[AuditEntry], look: Look
) -> Iterator[tuple[AuditRow, str]]:
    """Only the latest of its kind can be taken back: the one before is no longer so."""
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        kind = (entry.action, entry.subject)
        undo = "" if kind in seen else step_back_url(entry, look.operator)
        seen.add(kind)
        yield audit_row(entry), undo


def seat_facts(look: Look) -> Iterator[Fact]:
    """Seats that were bought and are assigned."""
    if not look.organization.has_seats:
        return
    counts = seat_counts(look.organization)
    bought = sum(count.bought for count in counts)
    assigned = sum(count.assigned for count in counts)
    words = {"assigned": assigned, "bought": bought}
    detail = ", ".join(f"{count.assigned} {count.label}" for count in counts)
    yield Fact(_("Seats"), _("%(assigned)d of %(bought)d") % words, detail, order=30)


def filtered(table: str, organization: Organization, **more: Any) -> str:
    """The list of a table, of one customer alone."""
    asked = {"organization__id__exact": organization.pk, **more}
    return f"{reverse(f'admin:{table}_changelist')}?{urlencode(asked)}"


register_facts(seat_facts)
register_panels(
    Panel("people", "admin/customer/_people.html", people_panel, order=20),
    Panel("keys", "admin/customer/_keys.html", keys_panel, order=30),
    Panel("audit", "admin/customer/_audit.html", audit_panel, order=90),
)
