"""How changes of reports that are mailed read on the Activity page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import describes, register_changes, register_group
from billing.reports.rules.mailing import CHANGED

register_group("report_mail.", gettext_lazy("Mailed reports"), order=28)
register_changes({CHANGED: gettext_lazy("Report mailed monthly")})


@describes(CHANGED)
def recipients_text(value: dict[str, Any]) -> str:
    """To whom it goes."""
    return ", ".join(value["addresses"]) or _("nobody")
