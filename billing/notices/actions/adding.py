"""Adding a channel (N3, C8): its address is checked, sealed, and shown to nobody again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from accounts.sealing import sealed
from billing.models import Channel, ChannelKind
from billing.notices.actions.channels import (
    PURPOSE,
    audit_channel,
    checked_events,
    new_secret,
)
from config.kit.errors import BusinessError
from config.kit.one_line import name_of
from config.kit.web_addresses import AddressRefused, WebAddress, parse_web_address

MOST_CHANNELS = 10
SLACK_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})


@transaction.atomic
def add_channel(
    organization: Organization,
    *,
    kind: str,
    name: str,
    url: str,
    events: Iterable[str] = (),
    actor: Actor,
    now: dt.datetime,
) -> tuple[Channel, str]:
    """A new channel, and the secret that signs what a webhook gets, which nobody can read
    again; empty for Slack. No `events`: all.

    Raises BusinessError `bad_address`, `not_slack`, `unknown_event`, `no_name`,
    `too_many_channels`, or what `name_of` raises.
    """
    address = _checked_address(kind, url)
    name = name_of(name, field="name", most=80) or address.shown_host[:80]
    chosen = checked_events(events)
    locked = lock_organization(organization.pk)
    _check_there_is_room(locked)
    secret = new_secret() if kind == ChannelKind.WEBHOOK else ""
    channel = Channel.objects.create(
        organization=locked,
        kind=kind,
        name=name,
        sealed_url=sealed(address.url, purpose=PURPOSE),
        host=address.shown_host,
        url_end=address.target[-4:].lstrip("/"),
        sealed_secret=sealed(secret, purpose=PURPOSE) if secret else "",
        secret_made_at=now if secret else None,
        events=chosen,
        created_by=actor.user,
        created_at=now,
    )
    value = {"kind": kind, "host": channel.host, "events": chosen}
    audit_channel(channel, locked, "channel.add", actor=actor, now=now, to_value=value)
    return channel, secret


def _checked_address(kind: str, url: str) -> WebAddress:
    inside = settings.WEBHOOKS_ALLOW_PRIVATE
    try:
        address = parse_web_address(url, is_inside_allowed=inside)
    except AddressRefused as error:
        raise BusinessError(
            str(error), code="bad_address", status=422, field="url"
        ) from error
    is_slack = address.host in SLACK_HOSTS and address.target.startswith("/services/")
    if kind == ChannelKind.SLACK and not is_slack and not inside:
        raise BusinessError(
            _(
                "This is not an incoming webhook of Slack; those begin with "
                "https://hooks.slack.com/services/."
            ),
            code="not_slack",
            status=422,
            field="url",
        )
    return address


def _check_there_is_room(locked: Organization) -> None:
    if Channel.objects.present().filter(organization=locked).count() < MOST_CHANNELS:
        return
    raise BusinessError(
        _("%(name)s has %(most)d channels, the most there can be. Remove one first.")
        % {"name": locked.name, "most": MOST_CHANNELS},
        code="too_many_channels",
    )
