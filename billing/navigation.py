"""Billing's places in the sidebar."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from accounts.models import Role
from accounts.navigation import Place, register_places

register_places(
    Place("own_usage", gettext_lazy("Your usage"), "gauge", Role.MEMBER, order=0),
    Place("usage_settings", gettext_lazy("Usage"), "chart-bar", Role.ADMIN, order=10),
    Place("reports", gettext_lazy("Reports"), "chart-bar", Role.ADMIN, order=15),
    Place("billing", gettext_lazy("Billing"), "receipt-2", Role.OWNER, order=30),
    Place("connect", gettext_lazy("Connect"), "plug", Role.OWNER, order=38),
)
