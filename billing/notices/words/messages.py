"""What goes out to a channel: the body of a webhook, the message for Slack."""

from __future__ import annotations

import json
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from billing.models import ChannelEvent, EventType
from billing.notices.queries.channels import People
from billing.notices.words.events import event_line, event_title
from config.kit.links import page_url

BILLING = frozenset(
    {
        EventType.BALANCE_LOW,
        EventType.BALANCE_EXHAUSTED,
        EventType.BALANCE_SHORT,
        EventType.MONTH_CLOSED,
        EventType.INVOICE_ISSUED,
        EventType.INVOICE_PAID,
        EventType.RELOAD_SUCCEEDED,
        EventType.RELOAD_DECLINED,
        EventType.PURCHASE_SUCCEEDED,
    }
)


def webhook_body(event: ChannelEvent, people: People) -> bytes:
    """The JSON of an event, the same in every try; people with address and name. One who
    was erased has a number alone.
    """
    payload = event.payload
    data = dict(payload["data"])
    if data.get("member"):
        member_id = data["member"]["id"]
        unknown = {"id": member_id, "email": None, "name": None}
        data["member"] = people.get(member_id, unknown)
    ordered = {
        "type": payload["type"],
        "version": payload["version"],
        "timestamp": payload["timestamp"],
        "organization": payload["organization"],
        "data": data,
    }
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode()


def slack_body(event: ChannelEvent, people: People, *, language: str) -> bytes:
    """A message in blocks with a button, and the same as plain text for notifications."""
    with translation.override(language):
        title, line = event_title(event, people), event_line(event, people)
        message = {
            "text": f"{escaped(title)}. {escaped(line)}".rstrip(" "),
            "blocks": [
                _section(
                    f"*{escaped(title)}*" + (f"\n{escaped(line)}" if line else "")
                ),
                _button(event),
                _context(str(event.payload["organization"]["name"])),
            ],
        }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def escaped(text: str) -> str:
    """As Slack asks: nothing in a name becomes a link, a mention or bold."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Slack has no escape for its marks of style; a letter that is not seen parts them.
    for mark in "*_~`":
        plain = plain.replace(mark, f"\u200b{mark}\u200b")
    return plain


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3_000]}}


def _context(text: str) -> dict[str, Any]:
    element = {"type": "plain_text", "text": text[:150], "emoji": False}
    return {"type": "context", "elements": [element]}


def _button(event: ChannelEvent) -> dict[str, Any]:
    slug = event.payload["organization"]["slug"]
    label, name = _("Show usage"), "usage_settings"
    if event.type == EventType.REQUEST_CREATED:
        label, name = _("Review requests"), "review_requests"
    elif event.type in BILLING:
        label, name = _("Show billing"), "billing"
    elif event.type == EventType.TEST:
        label, name = _("Show channels"), "channels"
    text = {"type": "plain_text", "text": label, "emoji": False}
    button = {"type": "button", "text": text, "url": page_url(name, slug)}
    return {"type": "actions", "elements": [button]}
