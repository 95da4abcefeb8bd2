"""Owners' acts on channels (N3, C8): change, pause, resume, rotate, remove; they are added
by `adding`.

Each holds the organization's lock and is audited; secrets are in no audit.
"""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from accounts.sealing import sealed
from billing.models import (
    CHOSEN_TYPES,
    Channel,
    ChannelDelivery,
    ChannelKind,
    Notice,
    NoticeKind,
    PausedWhy,
)
from config.kit.errors import BusinessError
from config.kit.one_line import name_of

PURPOSE = "channel"
SECRET_BYTES = 32
# So long both secrets sign after a rotation.
BOTH_SIGN = dt.timedelta(hours=24)


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def checked_events(events: Iterable[str]) -> list[str]:
    """Types in the order of publication; all of them is none chosen, so that later ones come
    too. Raises BusinessError `unknown_event`.
    """
    chosen = set(events)
    unknown = sorted(chosen - set(CHOSEN_TYPES))
    if unknown:
        raise BusinessError(
            _("“%(type)s” is not a type of event; use %(all)s.")
            % {"type": unknown[0], "all": ", ".join(CHOSEN_TYPES)},
            code="unknown_event",
            status=422,
            field="events",
        )
    if len(chosen) == len(CHOSEN_TYPES):
        return []
    return [one for one in CHOSEN_TYPES if one in chosen]


@transaction.atomic
def change_channel(
    channel: Channel,
    *,
    name: str,
    events: Iterable[str],
    actor: Actor,
    now: dt.datetime,
) -> Channel:
    """Rename it and choose what goes there; no `events`: all.

    Raises BusinessError `unknown_event`, `no_name`, `channel_removed`.
    """
    name = name_of(name, field="name", most=80)
    if not name:
        raise BusinessError(
            _("Give the channel a name."), code="no_name", status=422, field="name"
        )
    chosen = checked_events(events)
    locked, channel = _locked(channel)
    before = {"name": channel.name, "events": channel.events}
    channel.name, channel.events = name, chosen
    channel.save(update_fields=["name", "events"])
    after = {"name": name, "events": chosen}
    audit_channel(
        channel,
        locked,
        "channel.change",
        actor=actor,
        now=now,
        from_value=before,
        to_value=after,
    )
    return channel


@transaction.atomic
def pause_channel(channel: Channel, *, actor: Actor, now: dt.datetime) -> Channel:
    """Send nothing there until it is resumed; what happens meanwhile waits. Paused before,
    it stays as it is.
    """
    locked, channel = _locked(channel)
    if channel.paused_at is None:
        hold(channel, PausedWhy.OWNER, now=now)
        audit_channel(channel, locked, "channel.pause", actor=actor, now=now)
    return channel


def hold(channel: Channel, why: PausedWhy, *, now: dt.datetime) -> None:
    """Pause under the organization's lock: what waits has no next try. One that is being
    tried just now is finished by whoever tries it.
    """
    channel.paused_at, channel.paused_why = now, why
    channel.save(update_fields=["paused_at", "paused_why"])
    waiting = ChannelDelivery.objects.unfinished().filter(channel=channel)
    waiting.update(next_try_at=None)


@transaction.atomic
def resume_channel(channel: Channel, *, actor: Actor, now: dt.datetime) -> Channel:
    """Send there again, first what waited. Each starts its tries anew."""
    locked, channel = _locked(channel)
    if channel.paused_at is None:
        return channel
    channel.paused_at, channel.paused_why = None, ""
    channel.save(update_fields=["paused_at", "paused_why"])
    waiting = ChannelDelivery.objects.unfinished().filter(
        channel=channel, next_try_at__isnull=True
    )
    waiting.update(next_try_at=now, tries=0)
    _overtake_notices(channel, now=now)
    audit_channel(channel, locked, "channel.resume", actor=actor, now=now)
    return channel


@transaction.atomic
def rotate_secret(channel: Channel, *, actor: Actor, now: dt.datetime) -> str:
    """A new signing secret, which nobody can read again; the one before signs beside it
    for 24 hours.

    Raises BusinessError `not_signed` for Slack, `channel_removed`.
    """
    locked, channel = _locked(channel)
    if channel.kind != ChannelKind.WEBHOOK:
        raise BusinessError(
            _("Only webhooks are signed; for Slack, add the channel again."),
            code="not_signed",
        )
    secret = new_secret()
    channel.sealed_old_secret = channel.sealed_secret
    channel.old_secret_until = now + BOTH_SIGN
    channel.sealed_secret = sealed(secret, purpose=PURPOSE)
    channel.secret_made_at = now
    channel.save(
        update_fields=[
            "sealed_old_secret",
            "old_secret_until",
            "sealed_secret",
            "secret_made_at",
        ]
    )
    audit_channel(channel, locked, "channel.rotate", actor=actor, now=now)
    return secret


@transaction.atomic
def remove_channel(channel: Channel, *, actor: Actor, now: dt.datetime) -> None:
    """Send nothing there any more and forget its secrets; its deliveries stay to be read.
    Doing it again changes nothing.
    """
    locked = lock_organization(channel.organization_id)
    found = Channel.objects.present().filter(pk=channel.pk).first()
    if found is None:
        return
    found.removed_at = now
    found.sealed_url = found.sealed_secret = found.sealed_old_secret = ""
    found.save(
        update_fields=["removed_at", "sealed_url", "sealed_secret", "sealed_old_secret"]
    )
    ChannelDelivery.objects.unfinished().filter(channel=found).update(overtaken_at=now)
    _overtake_notices(found, now=now)
    audit_channel(found, locked, "channel.remove", actor=actor, now=now)


def paused_subject(channel: Channel) -> str:
    """What the notice that it was paused is about."""
    return f"channel:{channel.pk}"


def _overtake_notices(channel: Channel, *, now: dt.datetime) -> None:
    """That it was paused is true no longer, and is told again the next time."""
    Notice.objects.live().filter(
        organization=channel.organization_id,
        kind=NoticeKind.CHANNEL_PAUSED,
        subject=paused_subject(channel),
    ).update(overtaken_at=now)


def _locked(channel: Channel) -> tuple[Organization, Channel]:
    """The organization under its lock, and the channel as it is behind it. Raises
    BusinessError `channel_removed`.
    """
    locked = lock_organization(channel.organization_id)
    found = Channel.objects.present().filter(pk=channel.pk).first()
    if found is None:
        raise BusinessError(
            _("This channel has been removed."), code="channel_removed", status=404
        )
    return locked, found


def audit_channel(
    channel: Channel,
    locked: Organization,
    action: str,
    *,
    actor: Actor,
    now: dt.datetime,
    from_value: object = None,
    to_value: object = None,
) -> None:
    """Keep an act on a channel, by its name."""
    record_change(
        locked,
        actor=actor,
        action=action,
        subject=channel.name,
        now=now,
        from_value=from_value,
        to_value=to_value,
    )
