"""The operators' start page, and the search: built from what the apps registered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from accounts.access import operator_of
from accounts.audit import LOOKED_AT, AuditRow, audit_row
from accounts.models import AuditEntry
from accounts.operators.finding import hits_for
from accounts.operators.needs import needs_for

SHOWN_NEEDS = 10
SHOWN_CHANGES = 8
KEPT_COUNT = 300  # seconds: how old the number beside “Start” may be
LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the start page below what needs somebody: a template, and the context it
    gets under `panel`. `is_wide` ones stand above each other, the rest side by side.
    """

    template: str
    context: Callable[[HttpRequest, dt.datetime], dict[str, Any]]
    permission: str
    order: int
    is_wide: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """One line of what changed today."""

    row: AuditRow
    organization: Any


_PANELS: dict[str, Panel] = {}


def register_panel(name: str, panel: Panel) -> None:
    """Add a part to the start page."""
    _PANELS[name] = panel


def start_context(request: HttpRequest) -> dict[str, Any]:
    """What the start page shows this operator."""
    operator, now = operator_of(request), timezone.now()
    rows = needs_for(operator, now=now)
    cache.set(_count_key(operator.pk), len(rows), KEPT_COUNT)
    shows_all = request.GET.get("needs") == "all"
    shown = rows if shows_all else rows[:SHOWN_NEEDS]
    panels = [
        {
            "template": panel.template,
            "panel": panel.context(request, now),
            "is_wide": panel.is_wide,
        }
        for panel in sorted(_PANELS.values(), key=lambda panel: panel.order)
        if operator.has_perm(panel.permission)
    ]
    return {
        "now": now,
        "needs": shown,
        "needs_count": len(rows),
        "stopped_count": sum(row.need.has_stopped for row in rows),
        "hidden_needs": len(rows) - len(shown),
        "wide_panels": [panel for panel in panels if panel["is_wide"]],
        "side_panels": [panel for panel in panels if not panel["is_wide"]],
        "changes": _changes_today(operator, now),
    }


def known_count(operator_id: int) -> int:
    """How many things need somebody, as the start page counted last; 0 when that is too
    long ago.
    """
    return int(cache.get(_count_key(operator_id), 0))


def found_context(request: HttpRequest) -> dict[str, Any]:
    """What a search found."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    hits = hits_for(operator_of(request), text) if text else []
    return {"text": text, "hits": hits}


def _count_key(operator_id: int) -> str:
    return f"operators:needs:{operator_id}"


def _changes_today(operator: Any, now: dt.datetime) -> list[Change] | None:
    """The newest changes of the day in UTC by operators and by jobs; None for whom the
    audit is not to be seen.
    """
    if not operator.has_perm("accounts.view_auditentry"):
        return None
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    entries = AuditEntry.objects.filter(
        Q(actor__is_staff=True) | Q(actor=None), at__gte=midnight
    ).exclude(action=LOOKED_AT)
    newest = entries.select_related("actor", "organization")[:SHOWN_CHANGES]
    return [Change(audit_row(entry), entry.organization) for entry in newest]
