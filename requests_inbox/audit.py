"""How changes of the requests' settings read on the Activity page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import describes, register_changes

register_changes(
    {
        "organization.requests": gettext_lazy("Requests and digest"),
    }
)


@describes("organization.requests")
def requests_text(value: dict[str, Any]) -> str:
    """Whether members may ask, and the local hour of the digest."""
    on = _("On") if value["requests"] else _("Off")
    return _("%(on)s, digest at %(hour)s") % {
        "on": on,
        "hour": f"{value['digest_hour']:02}:00",
    }
