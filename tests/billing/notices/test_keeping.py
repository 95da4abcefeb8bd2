"""What is kept of channels (N3, S13): sealed by the present key, deliveries for a time."""

from __future__ import annotations

import datetime as dt

from django.core.management import call_command

from accounts.sealing import opened
from billing.models import Channel, ChannelDelivery, ChannelEvent
from billing.notices.actions.channels import PURPOSE, remove_channel, rotate_secret
from config.kit.retention import end_retention
from tests.billing.notices.conftest import ALICE, added, published
from tests.conftest import NOW

DAY = dt.timedelta(days=1)


def test_s13_channels_are_sealed_anew_so_that_the_old_key_can_be_forgotten(
    acme, settings, capsys
):
    settings.SECRET_KEY = "an old key of this installation, long enough"
    channel, _secret = added(acme, "https://hooks.example/take")
    gone, _secret = added(acme, "https://hooks.example/gone")
    remove_channel(gone, actor=ALICE, now=NOW)
    secret = rotate_secret(channel, actor=ALICE, now=NOW)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the key of today, which is as long as that"
    call_command("reseal_two_factor")
    settings.SECRET_KEY_FALLBACKS = []
    kept = Channel.objects.get(pk=channel.pk)
    assert opened(kept.sealed_url, purpose=PURPOSE) == "https://hooks.example/take"
    assert opened(kept.sealed_secret, purpose=PURPOSE) == secret
    assert opened(kept.sealed_old_secret, purpose=PURPOSE).startswith("whsec_")
    assert "of kind channel: 1." in capsys.readouterr().out


def test_s13_a_channel_that_no_key_opens_is_named(acme, settings, capsys):
    added(acme, "https://hooks.example/take")
    settings.SECRET_KEY = "another key, that never sealed anything here"
    call_command("reseal_two_factor")
    said = capsys.readouterr()
    assert "of kind channel: 0." in said.out and "“Usage”" in said.err


def test_deliveries_that_ended_long_ago_are_forgotten_with_their_events(acme, settings):
    settings.RETAIN_MAILS_DAYS = 30
    added(acme, "https://hooks.example/take")
    old, new, waits = (published(acme, f"switch:{one}") for one in range(3))
    rows = ChannelDelivery.objects
    rows.filter(pk=old.pk).update(sent_at=NOW - 31 * DAY)
    rows.filter(pk=new.pk).update(failed_at=NOW - 29 * DAY)
    ChannelEvent.objects.update(occurred_at=NOW - 31 * DAY)
    assert end_retention(now=NOW)["deliveries to channels"] == 2
    assert set(rows.values_list("pk", flat=True)) == {new.pk, waits.pk}
    assert ChannelEvent.objects.count() == 2
