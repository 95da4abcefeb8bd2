"""How changes of channels read on the Activity page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.audit import describes, register_changes, register_group
from billing.models import ChannelKind

register_group("channel.", gettext_lazy("Channels"), order=45)
register_changes(
    {
        "channel.add": gettext_lazy("Channel added"),
        "channel.change": gettext_lazy("Channel changed"),
        "channel.pause": gettext_lazy("Channel paused"),
        "channel.resume": gettext_lazy("Channel resumed"),
        "channel.rotate": gettext_lazy("New signing secret"),
        "channel.remove": gettext_lazy("Channel removed"),
        "channel.resend": gettext_lazy("Delivery sent again"),
    }
)


@describes("channel.add")
def added_text(value: dict[str, Any]) -> str:
    """`Webhook, hooks.acme.example, everything`."""
    kind = ChannelKind(value["kind"]).label
    return f"{kind}, {value['host']}, {_count_text(value['events'])}"


@describes("channel.change")
def changed_text(value: dict[str, Any]) -> str:
    """Its name, and how many kinds of events go there."""
    return f"{value['name']}, {_count_text(value['events'])}"


@describes("channel.resend")
def resent_text(value: dict[str, Any]) -> str:
    """Which event, with the message id."""
    return f"{value['type']}, {value['message_id']}"


def _count_text(events: list[str]) -> str:
    if not events:
        return _("everything")
    return ngettext(
        "%(count)d kind of event", "%(count)d kinds of events", len(events)
    ) % {"count": len(events)}
