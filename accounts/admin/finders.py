"""What the operators' search finds of customers, people and keys.

A key is found by its name and its visible beginning, never by the whole.
"""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import NOBODYS_ADDRESS, ApiKey, Organization, User
from accounts.operators.finding import (
    MOST_OF_A_KIND,
    FinderKind,
    Found,
    list_search,
    register_finder,
)


def find_customers(text: str) -> list[Found]:
    """By name, name in addresses and billing e-mail."""
    rows = Organization.objects.filter(
        Q(name__icontains=text)
        | Q(slug__icontains=text)
        | Q(billing_email__iexact=text)
    ).order_by("name")[: MOST_OF_A_KIND + 1]
    return [
        Found(
            row.name,
            f"{row.get_plan_display()} · {row.slug}",
            reverse("admin:accounts_organization_change", args=[row.pk]),
            text.lower() in (row.slug, row.name.lower()),
        )
        for row in rows
    ]


def find_people(text: str) -> list[Found]:
    """By name and e-mail."""
    people = User.objects.exclude(email=NOBODYS_ADDRESS)
    rows = people.filter(Q(email__icontains=text) | Q(name__icontains=text)).order_by(
        "email"
    )[: MOST_OF_A_KIND + 1]
    return [
        Found(
            row.name or row.email,
            row.email,
            reverse("admin:accounts_user_change", args=[row.pk]),
            text.lower() == row.email,
        )
        for row in rows
    ]


def find_keys(text: str) -> list[Found]:
    """By name and visible beginning."""
    rows = (
        ApiKey.objects.filter(Q(prefix__startswith=text) | Q(name__icontains=text))
        .select_related("organization")
        .order_by("-pk")[: MOST_OF_A_KIND + 1]
    )
    return [
        Found(
            row.name,
            _("%(prefix)s… of %(organization)s")
            % {"prefix": row.prefix, "organization": row.organization.name},
            reverse("admin:accounts_apikey_change", args=[row.pk]),
            text == row.prefix,
        )
        for row in rows
    ]


register_finder(
    "customers",
    FinderKind(
        gettext_lazy("Customers"),
        "building",
        find_customers,
        "accounts.view_organization",
        list_search("accounts_organization_changelist"),
    ),
)
register_finder(
    "people",
    FinderKind(
        gettext_lazy("People"),
        "users",
        find_people,
        "accounts.view_user",
        list_search("accounts_user_changelist"),
    ),
)
register_finder(
    "keys",
    FinderKind(
        gettext_lazy("API keys"),
        "key",
        find_keys,
        "accounts.view_apikey",
        list_search("accounts_apikey_changelist"),
    ),
)
