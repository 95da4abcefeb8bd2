"""The places of organizations and people in the operators' sidebar."""

from __future__ import annotations

from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.operators.navigation import (
    Group,
    OperatorPlace,
    register_operator_places,
)

register_operator_places(
    OperatorPlace(
        "accounts_organization_changelist",
        gettext_lazy("Customers"),
        "building",
        Group.CUSTOMERS,
        order=10,
        permission="accounts.view_organization",
    ),
    OperatorPlace(
        "accounts_user_changelist",
        pgettext_lazy("place", "People"),
        "users",
        Group.CUSTOMERS,
        order=20,
        permission="accounts.view_user",
    ),
    OperatorPlace(
        "accounts_outgoingmail_changelist",
        gettext_lazy("Mails"),
        "mail",
        Group.INSTALLATION,
        order=20,
        permission="accounts.view_outgoingmail",
    ),
    OperatorPlace(
        "accounts_auditentry_changelist",
        gettext_lazy("Audit"),
        "history",
        Group.INSTALLATION,
        order=30,
        permission="accounts.view_auditentry",
    ),
    OperatorPlace(
        "all_tables",
        gettext_lazy("All tables"),
        "database",
        Group.INSTALLATION,
        order=90,
    ),
)
