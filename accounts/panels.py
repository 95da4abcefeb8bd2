"""What an operator's page of one customer shows. Every app registers its own panels when
it starts, what its side of a step would change, and its own steps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, Organization, User

Label = str | Promise
Slot = Literal["answer", "body"]


@dataclass(frozen=True, slots=True)
class Look:
    """One operator's look at one organization at one moment."""

    organization: Organization
    operator: User
    now: dt.datetime

    @property
    def zone(self) -> str:
        """The organization's time zone now."""
        return self.organization.zone_at(self.now)


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page: a template and what fills it; panels stand by `order`, smallest
    first.

    The one in `answer` stands first, with the facts beside it.
    """

    name: str
    template: str
    context: Callable[[Look], dict[str, Any]]
    order: int
    slot: Slot = "body"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the first panel's list, with a smaller second line."""

    label: Label
    value: str
    detail: str = ""
    order: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a step would change: what it is called, as it is and as it would be;
    a sentence alone has no values.
    """

    label: str
    before: str = ""
    after: str = ""
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class StepLink:
    """A step on the customer's page, for whoever has `permission`; `url` is asked for
    with the organization, `why_not` says why it can't be taken now.
    """

    name: str
    label: Label
    icon: str
    group: str
    permission: str
    url: Callable[[Organization], str]
    order: int
    is_danger: bool = False
    why_not: Callable[[Organization], str] = field(default=lambda organization: "")
    short: Label = ""


@dataclass(frozen=True, slots=True)
class UndoPage:
    """Where a change of what everybody has is taken back, for whoever has `permission`;
    `url` is empty for one that can't be.
    """

    permission: str
    url: Callable[[AuditEntry], str]


Facts = Callable[[Look], Iterable[Fact]]
Effects = Callable[[Organization, dict[str, Any], dt.datetime], Iterable[Effect]]
Undo = Callable[[AuditEntry], dict[str, Any] | None]

_PANELS: dict[str, Panel] = {}
_FACTS: list[Facts] = []
_EFFECTS: dict[str, list[Effects]] = {}
_STEPS: dict[str, StepLink] = {}
_UNDO: dict[str, tuple[str, Undo]] = {}
_UNDO_PAGES: dict[str, UndoPage] = {}


def register_panels(*panels: Panel) -> None:
    """Add panels to the page."""
    _PANELS.update({panel.name: panel for panel in panels})


def register_facts(facts: Facts) -> None:
    """Add lines to the list beside the answer."""
    if facts not in _FACTS:
        _FACTS.append(facts)


def register_effects(step: str, effects: Effects) -> None:
    """Let a room say what a step would change in it, in money or people."""
    known = _EFFECTS.setdefault(step, [])
    if effects not in known:
        known.append(effects)


def register_steps(*steps: StepLink) -> None:
    """Add steps to the page."""
    _STEPS.update({step.name: step for step in steps})


def register_undo(action: str, step: str, values: Undo) -> None:
    """Say which step takes back a kept change, and what to type there; None where this
    one can't be taken back.
    """
    _UNDO[action] = (step, values)


def register_undo_page(action: str, page: UndoPage) -> None:
    """Say where a change of no organization in particular is taken back."""
    _UNDO_PAGES[action] = page


def undo_url(entry: AuditEntry, operator: User) -> str:
    """The page that takes back a change of no organization in particular, with the values
    of before; empty where there is none for this operator.
    """
    page = _UNDO_PAGES.get(entry.action)
    if page is None or entry.organization_id or not operator.has_perm(page.permission):
        return ""
    return page.url(entry)


def step_back_url(entry: AuditEntry, operator: User) -> str:
    """The customer's step that takes a change back, with the values of before; empty
    where there is none for this operator. Whether a later change stands in the way is
    the caller's to ask.
    """
    undo = undo_of(entry)
    step = _STEPS.get(undo[0]) if undo else None
    organization = entry.organization
    if undo is None or step is None or organization is None:
        return ""
    if not operator.has_perm(step.permission):
        return ""
    return f"{step.url(organization)}?{urlencode(undo[1] | {'reason': _('Undo')})}"


def panels_in(slot: Slot) -> list[Panel]:
    """The panels of a place, in order."""
    chosen = [panel for panel in _PANELS.values() if panel.slot == slot]
    return sorted(chosen, key=lambda panel: panel.order)


def facts_about(look: Look) -> list[Fact]:
    """All lines of the list, in order."""
    lines = [fact for facts in _FACTS for fact in facts(look)]
    return sorted(lines, key=lambda fact: fact.order)


def effects_of(
    step: str, organization: Organization, typed: dict[str, Any], now: dt.datetime
) -> list[Effect]:
    """What the rooms above say a step would change."""
    return [
        effect
        for effects in _EFFECTS.get(step, [])
        for effect in effects(organization, typed, now)
    ]


def steps_in_order() -> list[StepLink]:
    """All steps, whoever may take them."""
    return sorted(_STEPS.values(), key=lambda step: step.order)


def links_to_steps(
    organization: Organization, operator: User, *names: str, **typed: Any
) -> list[tuple[Label, str]]:
    """Short label and address of the steps of these names that this operator may take, with
    what is chosen there already (`payment=7`).
    """
    asked = f"?{urlencode(typed)}" if typed else ""
    return [
        (step.short or step.label, f"{step.url(organization)}{asked}")
        for step in map(_STEPS.get, names)
        if step is not None and operator.has_perm(step.permission)
    ]


def undo_of(entry: AuditEntry) -> tuple[str, dict[str, Any]] | None:
    """The step that takes a change back, with what to type; None where there is none."""
    step, values = _UNDO.get(entry.action, ("", None))
    typed = values(entry) if values else None
    return None if typed is None else (step, typed)
