"""The places in the operators' sidebar. Every app registers its own when the admin
starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import User


class Group(StrEnum):
    """The headings of the sidebar, in their order."""

    CUSTOMERS = "customers"
    MONEY = "money"
    CATALOG = "catalog"
    INSTALLATION = "installation"


LABELS = {
    Group.CUSTOMERS: gettext_lazy("Customers"),
    Group.MONEY: gettext_lazy("Money"),
    Group.CATALOG: gettext_lazy("Catalog"),
    Group.INSTALLATION: gettext_lazy("Installation"),
}


@dataclass(frozen=True, slots=True)
class OperatorPlace:
    """A page of the operators' site, by its URL name without the namespace; `permission`
    is what it takes to see the link, nothing for every operator.

    In a group they stand by `order`, smallest first.
    """

    name: str
    label: str | Promise
    icon: str
    group: Group
    order: int
    permission: str = ""


@dataclass(frozen=True, slots=True)
class OperatorLink:
    """A place as one operator sees it."""

    label: str
    icon: str
    url: str
    is_here: bool


_PLACES: dict[str, OperatorPlace] = {}


def register_operator_places(*places: OperatorPlace) -> None:
    """Add places to the operators' sidebar."""
    _PLACES.update({place.name: place for place in places})


def links_for(request: HttpRequest, user: User) -> list[tuple[str, list[OperatorLink]]]:
    """The groups with a place that this operator may see, each with its links."""
    here = request.resolver_match.url_name if request.resolver_match else ""
    places = sorted(_PLACES.values(), key=lambda place: place.order)
    groups = []
    for group in Group:
        links = [
            _link(place, here or "")
            for place in places
            if place.group is group and _may_see(user, place)
        ]
        if links:
            groups.append((str(LABELS[group]), links))
    return groups


def place_label(request: HttpRequest) -> str:
    """What the sidebar calls the list that is asked for, or whose row is, so that its
    page is called the same; nothing where it is no place.
    """
    here = (request.resolver_match and request.resolver_match.url_name) or ""
    labels = [str(one.label) for one in _PLACES.values() if _is_at(one, here)]
    return labels[0] if labels else ""


def _may_see(user: User, place: OperatorPlace) -> bool:
    return not place.permission or user.has_perm(place.permission)


def _link(place: OperatorPlace, here: str) -> OperatorLink:
    """The link to a place; of a table, also its rows' pages are at the place."""
    url = reverse(f"admin:{place.name}")
    return OperatorLink(str(place.label), place.icon, url, _is_at(place, here))


def _is_at(place: OperatorPlace, here: str) -> bool:
    of_table = place.name.removesuffix("_changelist")
    return here == place.name or (
        of_table != place.name and here.startswith(f"{of_table}_")
    )
