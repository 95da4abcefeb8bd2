"""The daily digest: due at the local hour, once a recipient and local date, and what it
says (R6).
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.test import Client, override_settings

from accounts.actions.mails import (
    QueuedMail,
    claim_mail,
    mark_sent,
    queue_mails,
    retry_mail_later,
)
from accounts.delivery import deliver
from accounts.models import Membership, OutgoingMail, Role, User
from accounts.models.mails import OutgoingMailQuerySet
from accounts.tasks import send_due_mails
from requests_inbox import tasks
from requests_inbox.actions.asking import send_request
from requests_inbox.actions.deciding import dismiss_request
from requests_inbox.actions.digests import prepare_digest
from requests_inbox.actions.settings import set_digest
from requests_inbox.digest_links import membership_id_of, unsubscribe_url
from requests_inbox.models import DigestRun, UsageRequest
from requests_inbox.rules import digest_of
from requests_inbox.tasks import end_requests, prepare_digests
from tests.conftest import NOW
from tests.factories.people import MembershipFactory

NINE = dt.datetime(
    2026, 11, 24, 14, 0, tzinfo=dt.UTC
)  # 09:00 in New York, the day after NOW
MINUTE = dt.timedelta(minutes=1)
CLAIM = OutgoingMailQuerySet.claim_lasts


@pytest.mark.parametrize(
    ("zone", "day", "hour", "utc"),
    [
        ("Asia/Tokyo", dt.date(2026, 11, 1), 9, "2026-11-01T00:00"),
        ("America/Los_Angeles", dt.date(2026, 10, 31), 9, "2026-10-31T16:00"),
        # the clocks went back at 2
        ("America/Los_Angeles", dt.date(2026, 11, 1), 9, "2026-11-01T17:00"),
        (
            "America/Los_Angeles",
            dt.date(2027, 3, 14),
            9,
            "2027-03-14T16:00",
        ),  # and forward at 2
        # 02:00 does not exist: 03:00
        ("America/Los_Angeles", dt.date(2027, 3, 14), 2, "2027-03-14T10:00"),
        # 01:00 comes twice: the first
        ("America/Los_Angeles", dt.date(2026, 11, 1), 1, "2026-11-01T08:00"),
    ],
)
def test_r6_due_at_the_local_hour_also_when_clocks_change(zone, day, hour, utc):
    due = dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC)
    assert digest_of(due, zone=zone, hour=hour) == (day, due)
    assert digest_of(due - dt.timedelta(seconds=1), zone=zone, hour=hour)[
        0
    ] == day - dt.timedelta(days=1)
    assert due.astimezone(ZoneInfo(zone)).date() == day


@pytest.fixture
def pending(blocked_bob):
    """Bob's request from NOW, with note and amount."""
    return send_request(
        blocked_bob, note="Until Thursday.", asked_nanos=60_000_000_000, now=NOW
    ).request


@pytest.mark.django_db
class TestPreparing:
    """One run an organization and date."""

    def test_r6_each_admin_and_owner_once_however_often_it_runs(
        self, pending, alice, ada
    ):
        assert prepare_digest(pending.organization, now=NINE - MINUTE) == []
        assert len(prepare_digest(pending.organization, now=NINE)) == 2
        for late in (0, 1, 600):
            assert prepare_digest(pending.organization, now=NINE + late * MINUTE) == []
        assert set(OutgoingMail.objects.values_list("user__email", flat=True)) == {
            alice.user.email,
            ada.user.email,
        }
        assert (
            len(prepare_digest(pending.organization, now=NINE + dt.timedelta(days=1)))
            == 2
        )

    def test_r6_a_late_job_still_sends_that_days_digest_after_midnight(self, pending):
        assert (
            len(prepare_digest(pending.organization, now=NINE + dt.timedelta(hours=20)))
            == 2
        )
        assert DigestRun.objects.get().local_on == dt.date(2026, 11, 24)

    def test_r6_a_request_after_the_hour_waits_for_the_next_one(self, blocked_bob):
        send_request(blocked_bob, now=NOW)  # 14:28 in New York
        assert prepare_digest(blocked_bob.organization, now=NOW + MINUTE) == []

    def test_r6_nothing_pending_no_mail(self, pending, by_ada):
        dismiss_request(
            pending.organization, request_id=pending.pk, note="", by=by_ada, now=NOW
        )
        assert prepare_digest(pending.organization, now=NINE) == []
        assert not DigestRun.objects.exists()

    def test_r6_who_switched_it_off_gets_none(self, pending, ada):
        set_digest(ada, wanted=False, now=NOW)
        set_digest(ada, wanted=False, now=NOW)
        assert len(prepare_digest(pending.organization, now=NINE)) == 1
        set_digest(ada, wanted=True, now=NOW)
        assert (
            len(prepare_digest(pending.organization, now=NINE + dt.timedelta(days=1)))
            == 2
        )


@pytest.fixture
def at_nine():
    """The clock at the digest's hour."""
    with time_machine.travel(NINE, tick=False):
        yield


@pytest.mark.django_db
class TestSending:
    """What goes out."""

    def test_r6_the_digest_says_who_waits_since_when_and_how_to_stop_it(
        self, pending, ada, at_nine
    ):
        assert prepare_digests() == 2
        assert prepare_digests() == 0 and send_due_mails() == 0
        mine = next(one for one in mail.outbox if one.to == [ada.user.email])
        assert mine.subject == "1 person is waiting for more usage at Acme"
        html = " ".join(mine.alternatives[0][0].split())
        for words in (
            "Bob Feld",
            "Standard",
            "$40.12",
            "of $40.00 seat cap",
            "Mon 23 Nov, 14:28",
            "18 hours",
            "Until Thursday.",
            "$60.00",
            "/o/acme/settings/usage/?review=requests",
            "once a day at 09:00",
            "your role at Acme is Admin",
        ):
            assert words in mine.body, words
            assert words in html, words
        stop = mine.extra_headers["List-Unsubscribe"].strip("<>")
        assert (
            mine.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        )
        assert (
            stop in mine.body
            and membership_id_of(stop.rstrip("/").rpartition("/")[2]) == ada.pk
        )

    def test_bugs_14_a_name_and_a_note_of_several_lines_are_one_line_of_the_text(
        self, pending, ada, at_nine
    ):
        User.objects.filter(pk=pending.membership.user_id).update(name="Bob\n\nFeld")
        UsageRequest.objects.update(note="Until\nThursday.\n\nAda wrote:\tyes")
        prepare_digests()
        mine = next(one for one in mail.outbox if one.to == [ada.user.email])
        lines = mine.body.splitlines()
        assert "- Bob Feld, Standard" in lines
        assert "  “Until Thursday. Ada wrote: yes”" in lines

    def test_r6_in_the_recipients_language(self, pending, alice, at_nine):
        alice.user.language = "ja"
        alice.user.save(update_fields=["language"])
        prepare_digests()
        mine = next(one for one in mail.outbox if one.to == [alice.user.email])
        assert "11月23日(月)" in mine.body and "リクエストを確認" in mine.body
        assert "More usage" not in mine.body and "requests" not in mine.body.replace(
            "review=requests", ""
        )

    def test_r6_dropped_when_nothing_waits_any_more_or_the_role_is_gone(
        self, pending, ada, by_alice
    ):
        ids = prepare_digest(pending.organization, now=NINE)
        Membership.objects.filter(pk=ada.pk).update(base_role=Role.MEMBER)
        with time_machine.travel(NINE, tick=False):
            assert deliver(OutgoingMail.objects.get(user=ada.user).pk) is False
            dismiss_request(
                pending.organization,
                request_id=pending.pk,
                note="",
                by=by_alice,
                now=NINE,
            )
            for pk in ids:
                deliver(pk)
        assert (
            OutgoingMail.objects.filter(
                kind="request.digest", dropped_at__isnull=False
            ).count()
            == 2
        )
        assert [one for one in mail.outbox if "waiting" in one.subject] == []

    def test_what_fails_for_one_organization_stops_no_other(
        self, pending, charlie, at_nine, monkeypatch
    ):
        theirs = MembershipFactory(organization=charlie.organization)
        UsageRequest.objects.create(
            organization=charlie.organization,
            membership=theirs,
            seat_tier="standard",
            created_at=NOW,
            reason="extra_usage_disabled",
            month_on=NOW.date().replace(day=1),
            spent_nanos=0,
        )

        def failing(organization, *, now):
            if organization.slug == "acme":
                raise RuntimeError("a fault")
            return prepare_digest(organization, now=now)

        monkeypatch.setattr(tasks, "prepare_digest", failing)
        assert prepare_digests() == 1
        assert [one.to for one in mail.outbox] == [[charlie.user.email]]

    def test_jobs_run_twice_and_at_once_change_nothing(self, pending, by_ada, at_nine):
        prepare_digests()
        sent = len(mail.outbox)
        for job in (prepare_digests, send_due_mails, end_requests) * 2:
            job()
        assert len(mail.outbox) == sent == 2


class BrokenBackend:
    """A mail server that refuses one address and takes the others."""

    refused = "ada@acme.example"
    taken: list[str] = []

    def __init__(self, *args, **options) -> None: ...

    def send_messages(self, messages):
        """Refuse or take."""
        for one in messages:
            if one.to == [self.refused]:
                raise ConnectionRefusedError("mailbox is full")
            self.taken.append(one.to[0])
        return len(messages)


@pytest.mark.django_db
class TestFailing:
    """A failed send is tried again without mailing the others twice."""

    def test_r6_refused_for_one_sent_once_to_the_others(self, pending):
        BrokenBackend.taken, BrokenBackend.refused = [], "ada@acme.example"
        backend = "tests.requests_inbox.test_digest.BrokenBackend"
        with override_settings(EMAIL_BACKEND=backend):
            with time_machine.travel(NINE, tick=False):
                prepare_digests()
            for minutes in (1, 2, 6, 7, 30):
                with time_machine.travel(NINE + minutes * MINUTE, tick=False):
                    send_due_mails()
            failed = OutgoingMail.objects.get(sent_at__isnull=True)
            assert (failed.user.email, failed.attempts) == ("ada@acme.example", 4)
            assert "mailbox is full" in failed.last_error
            BrokenBackend.refused = ""
            with time_machine.travel(failed.next_try_at, tick=False):
                send_due_mails()
        assert sorted(BrokenBackend.taken) == ["ada@acme.example", "alice@acme.example"]
        failed.refresh_from_db()
        assert failed.sent_at is not None and failed.last_error == ""

    def test_given_up_when_it_expires(self, alice):
        [pk] = queue_mails(
            alice.organization,
            [QueuedMail(alice.user, "request.digest", "k")],
            now=NOW,
            within=dt.timedelta(hours=1),
        )
        taken = claim_mail(pk, now=NOW)
        assert taken is not None
        retry_mail_later(taken, error="no", now=NOW + dt.timedelta(hours=2))
        assert OutgoingMail.objects.get().dropped_at is not None

    def test_r6_what_a_dead_worker_left_is_due_again_with_the_same_message_id(
        self, alice
    ):
        [pk] = queue_mails(
            alice.organization,
            [QueuedMail(alice.user, "request.digest", "k")],
            now=NOW,
            within=CLAIM * 9,
        )
        first = claim_mail(pk, now=NOW)
        assert first is not None and claim_mail(pk, now=NOW + CLAIM - MINUTE) is None
        second = claim_mail(pk, now=NOW + CLAIM)
        assert second is not None and second.message_id == first.message_id
        mark_sent(second, now=NOW + CLAIM)
        assert claim_mail(pk, now=NOW + 9 * CLAIM) is None

    def test_the_same_key_is_queued_once(self, alice):
        for _turn in range(2):
            queue_mails(
                alice.organization,
                [QueuedMail(alice.user, "request.digest", "k")],
                now=NOW,
                within=CLAIM,
            )
        assert OutgoingMail.objects.count() == 1


@pytest.mark.django_db
class TestUnsubscribing:
    """The link in the mail, pressed by a person or by a mail program."""

    def test_r6_one_click_without_signing_in_and_without_a_csrf_token(
        self, pending, ada, client
    ):
        path = "/" + unsubscribe_url(ada.pk).split("/", 3)[3]
        assert "Stop the daily digest of Acme?" in client.get(path).content.decode()
        assert (
            len(prepare_digest(pending.organization, now=NINE)) == 2
        )  # looking changed nothing
        strict = Client(enforce_csrf_checks=True)
        assert strict.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
        assert (
            len(prepare_digest(pending.organization, now=NINE + dt.timedelta(days=1)))
            == 1
        )

    def test_a_forged_link_is_not_there(self, client, db):
        assert client.post("/digest/off/eyJ0.forged.token/").status_code == 404
