"""The places of the sidebar. Every app registers its own when it starts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import Membership, Role


@dataclass(frozen=True, slots=True)
class Place:
    """A page of an organization's own, by its URL name; `role` is what it takes to see
    the link.

    Places stand by `order`, smallest first; those for members above “Admin settings”.
    """

    name: str
    label: str | Promise
    icon: str
    role: Role
    order: int


@dataclass(frozen=True, slots=True)
class Counter:
    """A number beside the link to a place, and one in the bar that small screens have on
    top: a template each. Shown to whom `shows` says.
    """

    place: str
    template: str
    topbar_template: str
    shows: Callable[[Membership], bool]


@dataclass(frozen=True, slots=True)
class Bell:
    """What tells its reader of something new, on every page of an organization: the
    template of its button, and how many are new to a membership at a moment.
    """

    template: str
    unread: Callable[[Membership, dt.datetime], int]


_PLACES: dict[str, Place] = {}
_COUNTERS: dict[str, Counter] = {}
_BELLS: list[Bell] = []


def register_places(*places: Place) -> None:
    """Add places to the sidebar."""
    _PLACES.update({place.name: place for place in places})


def register_counter(counter: Counter) -> None:
    """Put a number beside a place."""
    _COUNTERS[counter.place] = counter


def register_bell(bell: Bell) -> None:
    """Put the bell beside the organization's name; there is one."""
    _BELLS[:] = [bell]


def the_bell() -> Bell | None:
    """The bell, where an app registered one."""
    return _BELLS[0] if _BELLS else None


def places_for(membership: Membership) -> list[Place]:
    """What this member's role lets them see, in order."""
    visible = [
        place for place in _PLACES.values() if membership.is_at_least(place.role)
    ]
    return sorted(visible, key=lambda place: place.order)


def place_url(place: Place, membership: Membership) -> str:
    """Where it is in the member's organization."""
    return reverse(place.name, args=[membership.organization.slug])


def front_page(membership: Membership) -> str:
    """Where a member arrives: the first of their places."""
    return place_url(places_for(membership)[0], membership)


def settings_page(membership: Membership) -> str:
    """The first of the places that take a role."""
    places = [
        place for place in places_for(membership) if place.role is not Role.MEMBER
    ]
    return place_url(places[0], membership)


def counter_for(place: Place, membership: Membership) -> Counter | None:
    """The number beside a place; None for none."""
    counter = _COUNTERS.get(place.name)
    return counter if counter and counter.shows(membership) else None


register_places(
    Place("members", gettext_lazy("Members"), "users", Role.ADMIN, order=20),
    Place("api_keys", gettext_lazy("API keys"), "key", Role.OWNER, order=40),
    Place("security", gettext_lazy("Security"), "shield-lock", Role.OWNER, order=45),
    Place("activity", gettext_lazy("Activity"), "history", Role.OWNER, order=50),
)
