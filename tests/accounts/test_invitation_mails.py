"""Fault 22: an invitation's mail is a row, sent by the worker; a mail server that is down
or silent is nobody's business who clicks.
"""

from __future__ import annotations

import datetime as dt
import re
import socket
import time

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.urls import reverse

from accounts.actions.invitations import open_invitation, revoke_invitation
from accounts.delivery import deliver
from accounts.models import Invitation, OutgoingMail, User
from accounts.tasks import send_due_mails
from config.kit.sealed import is_sealed
from tests.factories.people import make_user

PAGE = "/o/acme/settings/members/invite/"
FORM = {"email": "new@x.example", "role": "member", "seat_tier": ""}
DAY = dt.timedelta(days=1)


@pytest.fixture
def owner(client, alice):
    """Alice's browser."""
    client.force_login(alice.user)
    return client


@pytest.fixture
def clock(time_machine, now):
    """Moves the clock: `clock(days=1)` is a day after NOW."""

    def move(**later: int) -> dt.datetime:
        time_machine.move_to(now + dt.timedelta(**later), tick=False)
        return now + dt.timedelta(**later)

    move()
    return move


def refuse(self, messages):
    """A mail server that is down."""
    raise ConnectionRefusedError


def token_in(mail) -> str:
    """Of the link that a mail holds."""
    return re.search(r"/invitations/([\w-]+)", mail.body)[1]


def test_fault_22_the_page_writes_a_row_and_sends_nothing(owner, mailoutbox):
    assert owner.post(PAGE, FORM).status_code == 302
    row = OutgoingMail.objects.get()
    assert (row.kind, row.to, row.sent_at) == ("invitation", "new@x.example", None)
    assert mailoutbox == []
    assert b"E-mail not sent yet" in owner.get("/o/acme/settings/members/").content


def test_fault_22_a_mail_server_that_is_down_changes_no_answer_and_loses_nothing(
    owner, mailoutbox, monkeypatch, worker, clock
):
    with monkeypatch.context() as down, worker():
        down.setattr(EmailBackend, "send_messages", refuse)
        answer = owner.post(PAGE, FORM, follow=True)
    assert "Invitation sent to new@x.example" in answer.content.decode()
    row = OutgoingMail.objects.get()
    assert row.attempts == 1 and "ConnectionRefused" in row.last_error
    clock(minutes=2)
    send_due_mails()
    [mail] = mailoutbox
    assert open_invitation(token_in(mail), now=clock(minutes=3))
    members = owner.get("/o/acme/settings/members/").content
    assert b"E-mail not sent yet" not in members


def test_fault_22_a_silent_mail_server_holds_no_request(
    owner, settings, worker, monkeypatch
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_TIMEOUT = 3
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        began = time.monotonic()
        assert owner.post(PAGE, FORM).status_code == 302
        reset = {"email": "alice@acme.example"}
        assert owner.post("/accounts/password/reset/", reset).status_code == 302
        assert time.monotonic() - began < 3
        for mail_id in OutgoingMail.objects.values_list("pk", flat=True):
            assert deliver(mail_id) is False
    errors = OutgoingMail.objects.values_list("last_error", flat=True)
    assert len(errors) == 2 and all("imed" in error for error in errors)


def test_the_row_holds_the_links_secret_sealed_and_only_until_it_is_sent(
    owner, mailoutbox, clock
):
    owner.post(PAGE, FORM)
    before = OutgoingMail.objects.get()
    assert is_sealed(before.facts["sealed"])
    assert deliver(before.pk)
    token = token_in(mailoutbox[0])
    after = OutgoingMail.objects.get()
    assert token not in f"{vars(before)} {vars(after)}" and len(token) == 43
    assert after.facts == {"invitation": Invitation.objects.get().pk}


def test_a_mail_that_is_sent_twice_holds_one_link(
    owner, mailoutbox, clock, monkeypatch
):
    """A worker dies between sending and marking: both mails work."""
    owner.post(PAGE, FORM)
    pk = OutgoingMail.objects.get().pk
    with monkeypatch.context() as dying:
        dying.setattr("accounts.delivery.mark_sent", lambda *args, **rest: None)
        deliver(pk)
    clock(minutes=11)
    assert deliver(pk)
    first, second = mailoutbox
    assert token_in(first) == token_in(second)
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_the_days_of_a_link_count_from_when_it_was_mailed(owner, mailoutbox, clock):
    owner.post(PAGE, FORM)
    clock(days=5)
    assert deliver(OutgoingMail.objects.get().pk)
    invitation = Invitation.objects.get()
    assert invitation.expires_at - invitation.created_at == 12 * DAY
    assert "until Sat 5 Dec." in mailoutbox[0].body
    assert open_invitation(token_in(mailoutbox[0]), now=clock(days=11))
    assert open_invitation(token_in(mailoutbox[0]), now=clock(days=13)) is None


def test_an_invitation_that_was_withdrawn_or_replaced_is_not_mailed(
    owner, alice, mailoutbox, clock
):
    owner.post(PAGE, FORM)
    owner.post(PAGE, FORM)
    first, second = OutgoingMail.objects.order_by("pk")
    assert deliver(first.pk) is False
    revoke_invitation(Invitation.objects.get(revoked_at=None), by=alice, now=clock())
    assert deliver(second.pk) is False
    assert mailoutbox == []
    for row in OutgoingMail.objects.all():
        assert row.dropped_at and "sealed" not in row.facts


def test_operators_see_what_waits_and_what_was_given_up(
    client, owner, monkeypatch, clock
):
    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    owner.post(PAGE, FORM)
    row = OutgoingMail.objects.get()
    page = reverse("admin:accounts_outgoingmail_changelist")
    client.force_login(
        make_user("op@x.example", "Op", is_staff=True, is_superuser=True)
    )

    def listed(state: str) -> bool:
        return b"new@x.example" in client.get(page, {"state": state}).content

    assert (listed("waiting"), listed("failing"), listed("given_up")) == (1, 0, 0)
    deliver(row.pk)
    assert (listed("waiting"), listed("failing"), listed("given_up")) == (1, 1, 0)
    clock(days=8)
    client.force_login(User.objects.get(email="op@x.example"))
    deliver(row.pk)
    assert (listed("waiting"), listed("failing"), listed("given_up")) == (0, 0, 1)
    assert b"ConnectionRefusedError" in client.get(page).content
