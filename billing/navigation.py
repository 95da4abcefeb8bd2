"""Billing's places in the sidebar."""

from __future__ import annotations

from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import Role
from accounts.navigation import Bell, Place, register_bell, register_places
from billing.notices.queries.bell import unread_count

register_places(
    Place("own_usage", gettext_lazy("Your usage"), "gauge", Role.MEMBER, order=0),
    Place("usage_settings", gettext_lazy("Usage"), "chart-bar", Role.ADMIN, order=10),
    Place(
        "reports", pgettext_lazy("place", "Reports"), "chart-line", Role.ADMIN, order=15
    ),
    Place("billing", gettext_lazy("Billing"), "receipt-2", Role.OWNER, order=30),
    Place("notices", gettext_lazy("Notices"), "bell", Role.OWNER, order=34),
    Place("connect", gettext_lazy("Connect"), "plug", Role.OWNER, order=38),
)
register_bell(Bell("billing/notices/_bell.html", unread=unread_count))
