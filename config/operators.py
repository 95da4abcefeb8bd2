"""The operators' groups: Support reads, Finance acts on money, Administrators also set
prices and what seats include, and manage customers and people.

They are written with every migration, so what a group may is what stands here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps as installed

SUPPORT, FINANCE, ADMINISTRATORS = "Support", "Finance", "Administrators"
# What everything is charged at: Finance reads it.
CATALOG = ("modelprice", "pricefactor", "modelalias", "pricelist", "seatallowance")
APPS = ("accounts", "billing", "requests_inbox")


def write_groups(*, using: str, apps: Any = installed, **kwargs: Any) -> None:
    """After a migration, with the state it ended in: each group with its permissions."""
    try:
        group_model = apps.get_model("auth", "Group")
        permission_model = apps.get_model("auth", "Permission")
    except LookupError:  # migrated half-way
        return
    permissions = permission_model.objects.using(using).filter(
        content_type__app_label__in=APPS
    )
    rows = list(permissions.values_list("pk", "content_type__app_label", "codename"))
    for name in (SUPPORT, FINANCE, ADMINISTRATORS):
        group, _is_new = group_model.objects.using(using).get_or_create(name=name)
        group.permissions.set(
            [pk for pk, app, code in rows if name in _groups_with(app, code)]
        )


def _groups_with(app: str, codename: str) -> Iterator[str]:
    """Which groups have a permission."""
    yield ADMINISTRATORS
    is_read = codename.startswith("view_")
    acts_on_money = app == "billing" and codename.partition("_")[2] not in CATALOG
    # Settlement and seats stand with the organization.
    if is_read or acts_on_money or codename == "change_organization":
        yield FINANCE
    if is_read:
        yield SUPPORT
