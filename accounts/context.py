"""Template context every page needs: where the reader is, and where they may go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Membership, Organization, Role


@dataclass(frozen=True, slots=True)
class Link:
    """One place in the navigation; `name` is the URL's name."""

    name: str
    label: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class Navigation:
    """The shell around a page."""

    organization: Organization | None = None
    role: str = ""
    here: str = ""
    initials: str = ""
    settings: list[Link] = field(default_factory=list)


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
    nav = Navigation(
        membership.organization,
        str(membership.role.label),
        here,
        initials,
        _settings(membership),
    )
    return {"nav": nav}


def _settings(membership: Membership) -> list[Link]:
    places = [
        ("usage_settings", _("Usage"), "chart-bar", Role.ADMIN),
        ("members", _("Members"), "users", Role.ADMIN),
        ("billing", _("Billing"), "receipt-2", Role.OWNER),
        ("api_keys", _("API keys"), "key", Role.OWNER),
        ("activity", _("Activity"), "history", Role.OWNER),
    ]
    return [
        Link(name, label, icon, reverse(name, args=[membership.organization.slug]))
        for name, label, icon, role in places
        if membership.is_at_least(role)
    ]


def _initials(name: str) -> str:
    words = name.split()
    return (
        "".join(word[0] for word in (words[0], *words[-1:][: len(words) - 1])).upper()
        if words
        else ""
    )
