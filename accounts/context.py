"""Template context every page needs: where the reader is, and where they may go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Membership, Organization, Role
from accounts.navigation import counter_for, place_url, places_for, the_bell


@dataclass(frozen=True, slots=True)
class Link:
    """One place in the navigation; `name` is the URL's name, the counters are templates."""

    name: str
    label: str
    icon: str
    url: str
    is_for_members: bool
    counter: str = ""
    topbar_counter: str = ""


@dataclass(frozen=True, slots=True)
class Navigation:
    """The shell around a page."""

    organization: Organization | None = None
    role: str = ""
    here: str = ""
    initials: str = ""
    links: list[Link] = field(default_factory=list)
    # Whose page it is that an operator looks at.
    looks_as: str = ""
    # The template of the bell; what it tells is its reader's own.
    bell: str = ""

    @property
    def searches(self) -> bool:
        """Whether there is a search over the page: not for who only looks at one."""
        return self.organization is not None and not self.looks_as

    @property
    def own(self) -> list[Link]:
        """What every member may see."""
        return [link for link in self.links if link.is_for_members]

    @property
    def settings(self) -> list[Link]:
        """What takes a role."""
        return [link for link in self.links if not link.is_for_members]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """What the shell shows: set by the access mark of the page; nothing is queried here."""
    user = getattr(request, "user", None)
    initials = (
        _initials(user.name or user.email) if user and user.is_authenticated else ""
    )
    membership: Membership | None = getattr(request, "membership", None)
    match = getattr(request, "resolver_match", None)
    here = (match.url_name or "") if match else ""
    if membership is None:
        return {"nav": Navigation(here=here, initials=initials)}
    looks = getattr(request, "looks", False)
    links = _links(membership)
    bell = None if looks else the_bell()
    nav = Navigation(
        membership.organization,
        _("Operator, read-only") if looks else str(membership.role.label),
        here,
        initials,
        [link for link in links if link.name == here] if looks else links,
        looks_as=str(membership.user) if looks else "",
        bell=bell.template if bell else "",
    )
    return {"nav": nav}


def _links(membership: Membership) -> list[Link]:
    links = []
    for place in places_for(membership):
        counter = counter_for(place, membership)
        link = Link(
            place.name,
            str(place.label),
            place.icon,
            place_url(place, membership),
            is_for_members=place.role is Role.MEMBER,
            counter=counter.template if counter else "",
            topbar_counter=counter.topbar_template if counter else "",
        )
        links.append(link)
    return links


def _initials(name: str) -> str:
    parts = name.split()
    return (
        "".join(word[0] for word in (parts[0], *parts[-1:][: len(parts) - 1])).upper()
        if parts
        else ""
    )
