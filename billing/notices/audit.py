"""How changes of who is told read on the Activity page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import describes, register_changes, register_group
from billing.notices.rules.channels import RECIPIENT_CHANGE

register_group("notices.", gettext_lazy("Notices"), order=27)
register_changes({RECIPIENT_CHANGE: gettext_lazy("Recipient of notices")})


@describes(RECIPIENT_CHANGE)
def recipient_text(value: dict[str, Any]) -> str:
    """Who it is, and whether they agreed just then."""
    if value.get("agreed"):
        return _("%(address)s agreed") % value
    return str(value["address"])
