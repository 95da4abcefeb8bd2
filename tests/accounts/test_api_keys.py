"""S30 and keys with an end: how many there may be, until when, and from where they were
last used.
"""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command

from accounts.actions.api_keys import MOST_KEYS, create_api_key, revoke_api_key
from accounts.actions.audit import Actor
from accounts.key_use import forget_uses
from accounts.models import ApiKey, Invitation, OutgoingMail
from accounts.tasks import send_due_mails, tell_of_ending_keys, write_down_key_use
from config.kit.errors import BusinessError
from tests.factories.people import MembershipFactory, make_api_key, make_user
from tests.factories.usage import enable_extra_usage

PAGE = "/o/acme/settings/api-keys/"
BY = Actor(label="test")
LAST_DAY = dt.date(2026, 12, 31)
# Acme is in New York.
ENDS = dt.datetime(2027, 1, 1, 5, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def owner(client, alice):
    client.force_login(alice.user)
    return client


@pytest.fixture
def ending(acme, now) -> tuple[ApiKey, str]:
    """A key that is good through the last day of the year."""
    enable_extra_usage(acme)
    return create_api_key(
        acme,
        name="gateway",
        scopes=["meter", "read"],
        actor=BY,
        now=now,
        expires_on=LAST_DAY,
    )


def call(client, path: str, key: str, at: dt.datetime, **more: str):
    bodies = {
        "authorize": {
            "member": "bob@acme.example",
            "surface": "claude_code",
            "model": "m",
        },
        "usage": {"events": [{"id": "x"}]},
    }
    headers = {"Authorization": f"Bearer {key}"}
    with time_machine.travel(at, tick=False):
        if path not in bodies:
            return client.get(f"/api/v1/{path}", headers=headers, **more)
        return client.post(
            f"/api/v1/{path}",
            json.dumps(bodies[path]),
            content_type="application/json",
            headers=headers,
            **more,
        )


@pytest.mark.parametrize("path", ["authorize", "usage", "organization"])
def test_a_key_is_good_through_its_last_day_and_then_refused(client, ending, path):
    _key, secret = ending
    assert call(client, path, secret, ENDS - SECOND).status_code == 200
    refused = call(client, path, secret, ENDS)
    assert refused.status_code == 401
    assert refused.json()["detail"] == (
        "This API key expired at 2027-01-01T05:00:00Z. Create a new one under API keys."
    )
    assert refused["WWW-Authenticate"]


def test_an_expired_key_that_was_revoked_says_no_more_than_a_wrong_one(
    client, ending, now
):
    key, secret = ending
    revoke_api_key(key, actor=BY, now=now)
    before = call(client, "authorize", secret, now)
    assert before.json()["detail"].startswith("Send a valid API key")


@pytest.mark.parametrize(
    "day", ["2026-11-22", "2037-12-01", "9999-12-31", "0001-01-01"]
)
def test_a_last_day_that_is_past_or_far_away_is_refused_at_its_field(
    owner, acme, now, day
):
    typed = {"name": "gateway", "scopes": ["meter"], "expires_on": day}
    with time_machine.travel(now, tick=False):
        page = owner.post(PAGE, typed)
    assert page.status_code == 422 and not ApiKey.objects.exists()
    assert "at most ten years ahead" in page.content.decode()


def test_a_day_that_is_none_is_refused_at_its_field(owner, acme):
    typed = {"name": "gateway", "scopes": ["meter"], "expires_on": "31.12.2026"}
    assert owner.post(PAGE, typed).status_code == 422


def test_today_is_the_earliest_last_day_by_the_organizations_clock(owner, acme):
    # 22 November, 22:00 in New York
    evening = dt.datetime(2026, 11, 23, 3, tzinfo=dt.UTC)
    typed = {"name": "gateway", "scopes": ["meter"], "expires_on": "2026-11-22"}
    with time_machine.travel(evening, tick=False):
        assert owner.post(PAGE, typed).status_code == 200
    assert ApiKey.objects.get().expires_at == dt.datetime(
        2026, 11, 23, 5, tzinfo=dt.UTC
    )


def test_the_page_says_until_when_and_warns_seven_days_before(owner, ending):
    def page(at: dt.datetime) -> str:
        with time_machine.travel(at, tick=False):
            owner.force_login(owner.alice)
            return owner.get(PAGE).content.decode()

    owner.alice = ApiKey.objects.get().organization.primary_owner
    calm = page(ENDS - dt.timedelta(days=7, seconds=1))
    assert "Thu 31 Dec 2026" in calm and "Ends soon" not in calm
    assert "Ends soon" in page(ENDS - dt.timedelta(days=7))
    over = page(ENDS)
    assert "Expired" in over and "Ends soon" not in over


def test_the_activity_says_until_when_a_key_is_good(owner, ending):
    page = owner.get("/o/acme/settings/activity/").content.decode()
    assert "Metering, Reading; until Thu 31 Dec 2026" in page


def test_the_command_takes_a_last_day(acme):
    words = ("create_api_key", "acme", "--name", "ci", "--scope", "read")
    out = io.StringIO()
    day = dt.date.today() + dt.timedelta(days=30)
    call_command(*words, "--expires", day.isoformat(), stdout=out)
    key = ApiKey.objects.get(digest=ApiKey.digest_of(out.getvalue().strip()))
    assert key.expires_at is not None
    with pytest.raises(CommandError, match="ten years"):
        call_command(*words, "--expires", "2020-01-01")
    with pytest.raises(CommandError, match="no day such as"):
        call_command(*words, "--expires", "soon")


def deliver(at: dt.datetime) -> list[mail.EmailMessage]:
    with time_machine.travel(at, tick=False):
        tell_of_ending_keys()
        send_due_mails()
    sent, mail.outbox = mail.outbox, []
    return sent


def test_owners_are_told_seven_days_before_once_each_in_their_language(acme, ending):
    ken = make_user("ken@acme.example", "田中 健", language="ja")
    MembershipFactory(organization=acme, user=ken, base_role="owner")
    week = ENDS - dt.timedelta(days=7)
    assert deliver(week - SECOND) == []
    sent = {message.to[0]: message for message in deliver(week)}
    assert sorted(sent) == ["alice@acme.example", "ken@acme.example"]
    alices = sent["alice@acme.example"]
    assert alices.subject == "The API key gateway is valid until Thu 31 Dec 2026"
    assert "/o/acme/settings/api-keys/" in alices.body
    assert deliver(week + dt.timedelta(hours=1)) == []
    assert deliver(ENDS + SECOND) == []


def test_nobody_is_told_of_a_key_that_was_revoked_or_made_for_a_short_time(acme, now):
    key, _secret = create_api_key(
        acme, name="a", scopes=["read"], actor=BY, now=now, expires_on=LAST_DAY
    )
    create_api_key(
        acme,
        name="b",
        scopes=["read"],
        actor=BY,
        now=now,
        expires_on=now.date() + dt.timedelta(days=3),
    )
    assert deliver(now + SECOND) == []
    with time_machine.travel(ENDS - dt.timedelta(days=2), tick=False):
        tell_of_ending_keys()
    revoke_api_key(key, actor=BY, now=ENDS - dt.timedelta(days=1))
    OutgoingMail.objects.filter(sent_at=None).update(next_try_at=now)
    assert deliver(ENDS - dt.timedelta(hours=1)) == []


def test_s30_an_organization_has_fifty_keys_in_use_at_most(owner, acme, now):
    def make(name: str, **more: object) -> ApiKey:
        key, _secret = create_api_key(
            acme, name=name, scopes=["read"], actor=BY, now=now, **more
        )
        return key

    keys = [make(f"key-{number}") for number in range(MOST_KEYS - 1)]
    make("ends", expires_on=now.date())
    with pytest.raises(BusinessError) as refused:
        make("one more")
    assert refused.value.code == "too_many_keys"
    assert "Acme has 50 keys in use" in str(refused.value)
    with time_machine.travel(now, tick=False):
        typed = {"name": "by hand", "scopes": ["meter"]}
        page = owner.post(PAGE, typed)
        assert page.status_code == 422
        assert "Revoke one first." in page.content.decode()
        with pytest.raises(CommandError, match="Revoke one first"):
            call_command("create_api_key", "acme", "--name", "n", "--scope", "read")
    revoke_api_key(keys[0], actor=BY, now=now)
    make("in its place")
    tomorrow = now + dt.timedelta(days=1)
    create_api_key(acme, name="after", scopes=["read"], actor=BY, now=tomorrow)


def test_s30_the_keys_page_has_an_end(owner, acme, now):
    for number in range(60):
        ApiKey.objects.create(
            organization=acme,
            name=f"old-{number}",
            prefix="xu_",
            digest=f"digest-{number}",
            scopes="read",
            created_at=now,
            revoked_at=now,
        )
    make_api_key(acme, now=now)
    first = owner.get(PAGE).content.decode()
    assert first.count("old-") == 49 and "1–50 of 61" in first
    assert owner.get(f"{PAGE}?page=2").content.decode().count("old-") == 11


def test_s30_the_invitations_of_the_members_page_have_an_end(owner, acme, alice, now):
    for number in range(45):
        Invitation.objects.create(
            organization=acme,
            email=f"guest{number}@acme.example",
            token_digest=f"digest-{number}",
            invited_by=alice.user,
            created_at=now + dt.timedelta(minutes=number),
            expires_at=now,
        )
    members = "/o/acme/settings/members/"
    first = owner.get(members).content.decode()
    assert "guest44@" in first and "guest24@" not in first and "1–20 of 45" in first
    assert "?invitations=2" in first
    last = owner.get(f"{members}?invitations=3&q=a").content.decode()
    assert "guest0@" in last and "guest5@" not in last
    assert "?invitations=2&amp;q=a" in last


def written_down(at: dt.datetime) -> int:
    with time_machine.travel(at, tick=False):
        return write_down_key_use()


def test_last_use_is_kept_with_time_and_address_and_written_once_a_minute(
    client, owner, acme, ending, now, django_assert_num_queries
):
    key, secret = ending
    call(client, "authorize", secret, now, REMOTE_ADDR="203.0.113.5")
    with django_assert_num_queries(1):
        call(client, "authorize", secret, now, REMOTE_ADDR="203.0.113.6")
    assert written_down(now) == 1
    key.refresh_from_db()
    assert (key.last_used_at, key.last_used_from) == (now, "203.0.113.5")
    assert "from 203.0.113.5" in owner.get(PAGE).content.decode()
    forget_uses()
    later = now + dt.timedelta(minutes=2)
    call(client, "organization", secret, later, REMOTE_ADDR="2001:db8::7")
    assert (written_down(later), written_down(later)) == (1, 0)
    key.refresh_from_db()
    assert (key.last_used_at, key.last_used_from) == (later, "2001:db8::7")
