"""S17: what is kept ends by settings: in chunks, twice as well as once, and past the
guards of what only grows by no other way.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.actions.audit import Actor, record_change
from accounts.actions.erasing import erase_person
from accounts.actions.mails import QueuedMail, mark_sent, queue_mails
from accounts.models import AuditEntry, Invitation, OutgoingMail, RetentionMark
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.models import UsageEvent
from config.kit.retention import end_retention
from requests_inbox.models import UsageRequest
from tests.factories.usage import event
from tests.privacy.bob import live

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _frozen(time_machine, now):
    time_machine.move_to(now, tick=False)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr("accounts.actions.retention.CHUNK", 2)
    monkeypatch.setattr("billing.metering.actions.labels.CHUNK", 2)


def label(acme, bob, name, *, at):
    sent = event(bob, at=at, id=name, labels={"project": name})
    record_usage([sent], organization_id=acme.pk, now=at)


def test_s17_by_default_labels_and_audit_are_kept_for_ever(acme, bob, now):
    label(acme, bob, "old", at=now - 4_000 * DAY)
    assert set(end_retention(now=timezone.now())) == {
        "mails",
        "invitations",
        "sessions",
        "former addresses",
        "deliveries to channels",
    }
    assert UsageEvent.objects.get().labels == {"project": "old"}


def test_s17_labels_of_old_events_go_and_all_else_of_them_stays(
    acme, bob, now, settings
):
    settings.RETAIN_LABELS_DAYS = 40
    for number in range(5):
        label(acme, bob, f"old-{number}", at=now - 41 * DAY)
    label(acme, bob, "new", at=now - 39 * DAY)
    columns = ("pk", "cost_nanos", "funding", "content_digest", "day_on")
    before = list(UsageEvent.objects.order_by("pk").values_list(*columns))
    assert end_retention(now=timezone.now())["labels"] == 5
    assert end_retention(now=timezone.now())["labels"] == 0
    labels = dict(UsageEvent.objects.values_list("event_id", "labels"))
    assert labels.pop("new") == {"project": "new"}
    assert set(map(str, labels.values())) == {"{}"}
    assert list(UsageEvent.objects.order_by("pk").values_list(*columns)) == before
    assert list(differences()) == []


def test_s17_the_next_night_goes_on_where_the_last_one_ended(
    acme, bob, now, settings, time_machine
):
    settings.RETAIN_LABELS_DAYS = 40
    label(acme, bob, "first", at=now - 41 * DAY)
    label(acme, bob, "second", at=now - 39 * DAY)
    assert end_retention(now=timezone.now())["labels"] == 1
    time_machine.move_to(now + 2 * DAY, tick=False)
    assert end_retention(now=timezone.now())["labels"] == 1


def test_s17_a_report_by_label_shows_them_without_one(acme, bob, now, settings, client):
    from tests.factories.people import make_api_key

    settings.RETAIN_LABELS_DAYS = 30
    label(acme, bob, "old", at=now - 31 * DAY)
    end_retention(now=timezone.now())
    headers = {"Authorization": f"Bearer {make_api_key(acme, now=now)}"}
    ask = "/api/v1/usage?group_by=label:project&start=2026-10-01&end=2026-10-31"
    answer = client.get(ask, headers=headers)
    assert answer.status_code == 200, answer.content
    assert "old" not in answer.content.decode()
    assert "0.10" in answer.content.decode()


def guarded(sql):
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_s17_guards_take_only_what_ran_out(acme, alice, bob, now):
    label(acme, bob, "old", at=now - 41 * DAY)
    record_change(
        acme, actor=Actor(label="x"), action="member.seat", subject="s", now=now
    )
    clear = "UPDATE billing_usageevent SET labels = '{}'"
    guarded(clear)
    guarded("DELETE FROM accounts_auditentry")
    RetentionMark.objects.create(kind="labels", before_at=now - 42 * DAY)
    RetentionMark.objects.create(kind="audit", before_at=now - DAY)
    guarded(clear)
    guarded("DELETE FROM accounts_auditentry")
    RetentionMark.objects.filter(kind="labels").update(before_at=now - 40 * DAY)
    guarded('UPDATE billing_usageevent SET labels = \'{"a": "b"}\'')
    guarded("UPDATE billing_usageevent SET labels = '{}', cost_nanos = 0")
    guarded("DELETE FROM billing_usageevent")
    guarded("UPDATE accounts_retentionmark SET before_at = '2020-01-01'")
    guarded("DELETE FROM accounts_retentionmark")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(clear)


def test_s17_the_audit_ends_but_for_what_others_stand_on(acme, alice, now, settings):
    settings.RETAIN_AUDIT_DAYS = 365
    for days in (366, 366, 366, 366, 364):
        record_change(
            acme,
            actor=Actor(label="x"),
            action="member.seat",
            subject=f"{days}",
            now=now - days * DAY,
        )
    stood_on = AuditEntry.objects.filter(subject="366").first()
    UsageRequest.objects.create(
        organization=acme,
        membership=alice,
        seat_tier="standard",
        reason="member_cap",
        month_on="2025-11-01",
        spent_nanos=1,
        created_at=now,
        change=stood_on,
    )
    LogEntry.objects.create(user=alice.user, action_flag=1, object_repr="x")
    LogEntry.objects.update(action_time=now - 366 * DAY)
    assert end_retention(now=timezone.now())["audit"] == 4
    assert end_retention(now=timezone.now())["audit"] == 0
    assert set(AuditEntry.objects.values_list("subject", flat=True)) == {"364", "366"}


def test_s17_the_activity_says_how_long_it_is_kept(acme, alice, client, settings):
    client.force_login(alice.user)
    page = "/o/acme/settings/activity/"
    assert "kept permanently" in client.get(page).content.decode()
    settings.RETAIN_AUDIT_DAYS = 365
    assert "kept for 365 days" in client.get(page).content.decode()


def test_s17_mails_sessions_and_invitations_end(acme, bob, ada, now):
    mails = [QueuedMail(bob.user, "request_answer", f"m{n}", {}) for n in range(4)]
    queue_mails(acme, mails, now=now - 500 * DAY, within=900 * DAY)
    for number, days in ((0, 401), (1, 401), (2, 399)):
        mark_sent(OutgoingMail.objects.get(key=f"m{number}"), now=now - days * DAY)
    for number, days in enumerate((401, 399)):
        Invitation.objects.create(
            organization=acme,
            email=f"i{number}@x.example",
            token_digest=str(number),
            invited_by=ada.user,
            created_at=now - 500 * DAY,
            expires_at=now - days * DAY,
        )
    for hours in (-25, -23, 24):
        session = SessionStore()
        session.create()
        Session.objects.filter(pk=session.session_key).update(
            expire_date=now + dt.timedelta(hours=hours)
        )
    ended = end_retention(now=timezone.now())
    assert (ended["mails"], ended["invitations"], ended["sessions"]) == (2, 1, 1)
    assert set(OutgoingMail.objects.values_list("key", flat=True)) == {"m2", "m3"}
    assert set(end_retention(now=timezone.now()).values()) == {0}


def test_s17_the_hash_of_an_erased_address_ends_and_late_usage_with_it(
    acme, now, time_machine
):
    gone = live(acme, now=now).user
    erase_person(gone, actor=Actor(label="x"), now=now)
    late = [event("bob@acme.example", at=now)]
    time_machine.move_to(now + 89 * DAY, tick=False)
    assert end_retention(now=timezone.now())["former addresses"] == 0
    [result] = record_usage(late, organization_id=acme.pk, now=now + 89 * DAY).results
    assert result.status == "recorded"
    time_machine.move_to(now + 91 * DAY, tick=False)
    assert end_retention(now=timezone.now())["former addresses"] == 2
    more = [event("bob@acme.example", at=now)]
    [result] = record_usage(more, organization_id=acme.pk, now=now + 91 * DAY).results
    # Nobody's from then on: no row says whose it was (X2).
    recorded = UsageEvent.objects.select_related("membership").get(event_id=result.id)
    assert (result.status, recorded.membership.is_nobody) == ("recorded", True)


def test_s17_one_kind_that_fails_stops_no_other(acme, now, monkeypatch):
    from config.kit import retention

    def broken(before):
        raise RuntimeError("mails")

    kept = retention._KINDS["mails"]
    broken_kind = retention.Retained(kept.setting, broken)
    monkeypatch.setitem(retention._KINDS, "mails", broken_kind)
    ended = end_retention(now=timezone.now())
    assert "mails" not in ended and "sessions" in ended
