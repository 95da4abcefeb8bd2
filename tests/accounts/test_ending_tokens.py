"""Whose personal token is about to end is told by mail, once, and nobody else (X3)."""

from __future__ import annotations

import datetime as dt

import time_machine
from django.core import mail

from accounts.actions.audit import Actor
from accounts.actions.people import switch_person
from accounts.actions.tokens import create_token, revoke_token
from accounts.models import ApiKey, OutgoingMail
from accounts.tasks import send_due_mails, tell_of_ending_keys

BY = Actor(label="test", reason="x")
LAST_DAY = dt.date(2026, 12, 31)
# Acme is in New York.
ENDS = dt.datetime(2027, 1, 1, 5, tzinfo=dt.UTC)
WEEK, SECOND = dt.timedelta(days=7), dt.timedelta(seconds=1)


def make(bob, now, *, last_day: dt.date = LAST_DAY) -> ApiKey:
    """A token of Bob's."""
    token, _secret = create_token(bob, name="laptop", now=now, expires_on=last_day)
    return token


def deliver(at: dt.datetime) -> list[mail.EmailMessage]:
    with time_machine.travel(at, tick=False):
        tell_of_ending_keys()
        send_due_mails()
    sent, mail.outbox = mail.outbox, []
    return sent


def test_its_person_is_told_seven_days_before_once(acme, bob, now):
    token = make(bob, now)
    assert deliver(ENDS - WEEK - SECOND) == []
    [sent] = deliver(ENDS - WEEK)
    assert sent.to == ["bob@acme.example"]
    assert sent.subject == ("Your personal token laptop is valid until Thu 31 Dec 2026")
    assert f"({token.prefix}…)" in sent.body
    assert "/me/tokens/" in sent.body
    assert deliver(ENDS - WEEK + dt.timedelta(hours=1)) == []
    assert deliver(ENDS + SECOND) == []


def test_it_is_written_in_their_language(acme, bob, now):
    make(bob, now)
    bob.user.language = "ja"
    bob.user.save(update_fields=["language"])
    deliver(ENDS - WEEK)
    assert OutgoingMail.objects.get(kind="api_key.token_ends").reads == "ja"


def test_nobody_is_told_of_one_that_was_revoked_ended_or_made_for_a_short_time(
    acme, bob, ada, now
):
    make(bob, now, last_day=now.date() + dt.timedelta(days=3))
    assert deliver(now + SECOND) == []
    token, others = make(bob, now), make(ada, now)
    with time_machine.travel(ENDS - WEEK, tick=False):
        tell_of_ending_keys()
    assert OutgoingMail.objects.filter(sent_at=None).count() == 2
    revoke_token(token, actor=BY, now=ENDS - WEEK)
    switch_person(ada.user, on=False, actor=BY, now=ENDS - WEEK)
    OutgoingMail.objects.filter(sent_at=None).update(next_try_at=now)
    assert deliver(ENDS - dt.timedelta(days=1)) == []
    assert not ApiKey.objects.live(now).filter(pk=others.pk).exists()
