"""Operators' pages of prices, allowances, usage, counters, money and documents: the
rooms' own, and their places in the sidebar.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.operators.navigation import (
    Group,
    OperatorPlace,
    register_operator_places,
)
from accounts.operators.start import Panel, register_panel
from billing.caps import admin as caps
from billing.documents import admin as documents
from billing.metering import admin as metering
from billing.notices import admin as notices
from billing.pages.customers import ALL, customers_page
from billing.payments import admin as payments
from billing.prices import admin as prices
from billing.reports import admin as reports

__all__ = ["caps", "documents", "metering", "notices", "payments", "prices", "reports"]

register_operator_places(
    OperatorPlace(
        "billing_usageevent_changelist",
        gettext_lazy("Usage events"),
        "gauge",
        Group.CUSTOMERS,
        order=30,
        permission="billing.view_usageevent",
    ),
    OperatorPlace(
        "billing_invoice_changelist",
        gettext_lazy("Invoices"),
        "receipt",
        Group.MONEY,
        order=10,
        permission="billing.view_invoice",
    ),
    OperatorPlace(
        "billing_payment_changelist",
        gettext_lazy("Payments"),
        "credit-card",
        Group.MONEY,
        order=20,
        permission="billing.view_payment",
    ),
    OperatorPlace(
        "billing_ledgerentry_changelist",
        gettext_lazy("Balances"),
        "wallet",
        Group.MONEY,
        order=30,
        permission="billing.view_ledgerentry",
    ),
    OperatorPlace(
        "billing_modelprice_changelist",
        gettext_lazy("Model prices"),
        "tag",
        Group.CATALOG,
        order=10,
        permission="billing.view_modelprice",
    ),
    OperatorPlace(
        "billing_unknownmodel_changelist",
        gettext_lazy("Unknown models"),
        "alert-triangle",
        Group.CATALOG,
        order=20,
        permission="billing.view_modelprice",
    ),
    OperatorPlace(
        "billing_modelalias_changelist",
        gettext_lazy("Model names"),
        "copy",
        Group.CATALOG,
        order=22,
        permission="billing.view_modelalias",
    ),
    OperatorPlace(
        "billing_pricefactor_changelist",
        gettext_lazy("Price factors"),
        "chart-bar",
        Group.CATALOG,
        order=25,
        permission="billing.view_pricefactor",
    ),
    OperatorPlace(
        "billing_seatallowance_changelist",
        gettext_lazy("Allowances"),
        "clock",
        Group.CATALOG,
        order=30,
        permission="billing.view_seatallowance",
    ),
)


def customers_panel(request: HttpRequest, now: dt.datetime) -> dict[str, Any]:
    """The table of customers on the start page."""
    which = request.GET.get("customers", ALL)
    page, counts = customers_page(now=now, page=request.GET.get("page"), which=which)
    return {
        "page": page,
        "counts": counts,
        "which": which,
        "may_add": operator_of(request).has_perm("accounts.add_organization"),
    }


register_panel(
    "customers",
    Panel(
        "admin/billing/_customers.html",
        customers_panel,
        "accounts.view_organization",
        order=10,
    ),
)
