"""What the search of an organization's pages (the palette) finds besides people: pages and
acts. Every app registers its own when it starts; the places of the sidebar are among them
by themselves.

An act opens its dialog and never acts at once. Reads no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import Membership, Role
from accounts.navigation import places_for

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Goal:
    """A page or an act by its URL name; `role` is what it takes to open it.

    `words` are further words it is found by, `hint` is what stands behind its name.
    """

    name: str
    label: Text
    icon: str
    role: Role
    is_act: bool = False
    hint: Text = ""
    words: Text = ""
    # Of which members it is a goal at all; of all where nobody says so.
    shows: Callable[[Membership], bool] | None = None
    # Whether its address names the organization.
    is_inside: bool = True

    def url(self, slug: str) -> str:
        """Where it is in the organization with `slug`."""
        return reverse(self.name, args=[slug] if self.is_inside else [])


_GOALS: dict[str, Goal] = {}


def register_goals(*goals: Goal) -> None:
    """Let pages and acts be found."""
    _GOALS.update({goal.name: goal for goal in goals})


def goals_for(membership: Membership) -> list[Goal]:
    """Every page and act that this member may open, those of the sidebar first."""
    places = [
        Goal(
            place.name,
            place.label,
            place.icon,
            place.role,
            words=_WORDS_OF_PLACES.get(place.name, ""),
        )
        for place in places_for(membership)
    ]
    others = [
        goal
        for goal in _GOALS.values()
        if membership.is_at_least(goal.role)
        and (goal.shows is None or goal.shows(membership))
    ]
    return places + others


def rank_of(text: str, words: Sequence[str], *, more: str = "") -> int | None:
    """How well `text` answers the words: 0 it begins with them, 1 each begins one of its
    words, 2 it has them, 3 it has them only together with `more`; None not at all.
    """
    text, wanted = text.casefold(), [word.casefold() for word in words]
    if not wanted or text.startswith(" ".join(wanted)):
        return 0
    if all(text.startswith(word) or f" {word}" in text for word in wanted):
        return 1
    if all(word in text for word in wanted):
        return 2
    whole = f"{text} {more.casefold()}"
    return 3 if all(f" {word}" in f" {whole}" for word in wanted) else None


_WORDS_OF_PLACES: dict[str, Text] = {
    "members": gettext_lazy("people seats roles invitations"),
    "api_keys": gettext_lazy("tokens metering"),
    "activity": gettext_lazy("audit history changes"),
    "security": gettext_lazy("two-factor"),
}


def register_words(words: Mapping[str, Text]) -> None:
    """By which other words places of the sidebar are found, by their URL names."""
    _WORDS_OF_PLACES.update(words)


register_goals(
    Goal(
        "me",
        gettext_lazy("Your settings"),
        "settings",
        Role.MEMBER,
        hint=gettext_lazy("name, language, password"),
        is_inside=False,
    ),
    Goal(
        "member_invite",
        gettext_lazy("Invite a person"),
        "user-plus",
        Role.OWNER,
        is_act=True,
        words=gettext_lazy("add member seat"),
    ),
)
