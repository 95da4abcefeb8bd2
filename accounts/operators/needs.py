"""What needs somebody: every app tells its own, the start page shows them together.

What was stopped comes first, then what will stop soonest, then the oldest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import structlog
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from config.kit.dates import duration_text

log = structlog.get_logger(__name__)

# Of one kind; a table's own list shows the rest.
MOST_OF_A_KIND = 50


@dataclass(frozen=True, slots=True)
class Act:
    """One press: where it is mended or shown; `permission` is what it takes."""

    label: str
    url: str
    permission: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that needs somebody, in one sentence and one line of facts.

    `has_stopped`: money or service has stopped because of it. `form` is a template with
    the press that mends it in place, given `extra`.
    """

    sentence: str
    facts: str
    since: dt.datetime | None
    icon: str
    acts: tuple[Act, ...] = ()
    has_stopped: bool = False
    organization: Organization | None = None
    code: str = ""
    form: str = ""
    form_permission: str = ""
    extra: dict[str, object] = field(default_factory=dict)


Provider = Callable[[dt.datetime], Iterable[Need]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A provider of needs, what it counts and what it takes to be told."""

    label: str | Promise
    provider: Provider
    permission: str


@dataclass(frozen=True, slots=True)
class Row:
    """A need as one operator sees it."""

    need: Need
    waits: str
    acts: list[Act]
    has_form: bool


_KINDS: dict[str, Kind] = {}


def register_needs(
    name: str, provider: Provider, *, label: str | Promise, permission: str
) -> None:
    """Let `provider(now)` tell what needs somebody, at most `MOST_OF_A_KIND` rows with
    the oldest first, to operators with `permission`.
    """
    _KINDS[name] = Kind(label, provider, permission)


def needs_for(operator: User, *, now: dt.datetime) -> list[Row]:
    """All that needs somebody, of what this operator may see; a part that cannot be
    counted says so in its own row.
    """
    needs: list[Need] = []
    for kind in _KINDS.values():
        if operator.has_perm(kind.permission):
            needs += _told(kind, now)
    needs.sort(key=lambda need: (not need.has_stopped, need.since or now))
    return [_row(need, operator, now) for need in needs]


def _told(kind: Kind, now: dt.datetime) -> list[Need]:
    try:
        with transaction.atomic():
            return list(kind.provider(now))
    except Exception:
        log.exception("operators.need_not_counted", kind=str(kind.label))
        sentence = _("%(what)s could not be counted") % {"what": kind.label}
        facts = _("The error is in the log. The rest of this page is complete.")
        return [Need(sentence, facts, None, "alert-circle")]


def _row(need: Need, operator: User, now: dt.datetime) -> Row:
    acts = [
        act
        for act in need.acts
        if not act.permission or operator.has_perm(act.permission)
    ]
    has_form = bool(need.form) and operator.has_perm(need.form_permission)
    waits = ""
    if need.since is not None:
        length = max(now - need.since, dt.timedelta())
        waits = _("for %(duration)s") % {"duration": _rough(length)}
    return Row(need, waits, acts, has_form)


def _rough(length: dt.timedelta) -> str:
    """In whole days from two days on."""
    if length >= dt.timedelta(days=2):
        return _("%(days)d days") % {"days": length.days}
    return duration_text(length)
