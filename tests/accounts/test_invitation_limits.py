"""Strangers are mailed seldom, and without links of the sender's choice (S21)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.urls import reverse

from accounts.actions.invitation_mails import invite_by_mail
from accounts.actions.invitations import revoke_invitation
from accounts.delivery import deliver
from accounts.models import AuditEntry, Invitation, Organization, User
from config.kit.errors import BusinessError
from config.kit.one_line import LineError, checked_name
from tests.customer.conftest import take
from tests.factories.people import make_user

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def send(acme, alice, time_machine):
    """Invite and mail; the invitation."""

    def invite_at(email: str, at: dt.datetime) -> Invitation:
        time_machine.move_to(at, tick=False)
        person = {"email": email, "role": "member", "seat_tier": None}
        invitation, [mail] = invite_by_mail(
            acme, by=alice, now=at, language="en", **person
        )
        assert deliver(mail)
        return invitation

    return invite_at


def refusal(act, *args) -> BusinessError:
    """What the act answers."""
    with pytest.raises(BusinessError) as refused:
        act(*args)
    assert refused.value.status == 429
    return refused.value


def test_s21_twenty_an_hour_and_the_sentence_says_when_again(send, now, settings):
    assert settings.INVITATIONS_AN_HOUR == 20
    for minute in range(20):
        send(f"p{minute}@x.example", now + dt.timedelta(minutes=minute))
    error = refusal(send, "one.more@x.example", now + dt.timedelta(minutes=30))
    assert error.code == "too_many_invitations"
    assert "Up to 20 invitations an hour" in str(error)
    assert "at 15:28 today" in str(error), "the first went out at 14:28 in New York"
    send("one.more@x.example", now + HOUR)
    refusal(send, "two.more@x.example", now + HOUR)


def test_s21_withdrawing_makes_no_room(send, now, alice):
    for turn in range(20):
        revoke_invitation(send(f"p{turn}@x.example", now), by=alice, now=now)
    assert refusal(send, "p@x.example", now).code == "too_many_invitations"


def test_s21_one_mail_a_day_an_address_also_for_resending(send, now):
    first = send("new@x.example", now)
    for spelling in ("new@x.example", "NEW@x.example"):
        error = refusal(send, spelling, now + 23 * HOUR)
        assert (error.code, error.field) == ("mailed_today", "email")
    assert "You can send another one" in str(error)
    first.refresh_from_db()
    assert first.revoked_at is None, "and the link that was mailed still works"
    send("new@x.example", now + 24 * HOUR)


@pytest.fixture
def owner(acme) -> Client:
    """Alice's browser."""
    client = Client()
    client.force_login(acme.primary_owner)
    return client


FORM = {"email": "new@x.example", "role": "member", "seat_tier": ""}
PAGE = "/o/acme/settings/members/invite/"


def test_s21_pages_say_so_and_resending_too(owner, acme, mailoutbox, worker):
    with worker():
        assert owner.post(PAGE, FORM).status_code == 302
    again = owner.post(PAGE, FORM)
    text = again.content.decode()
    assert again.status_code == 422 and "within the last 24 hours" in text
    invitation = Invitation.objects.get()
    resend = reverse("invitation_resend", args=["acme", invitation.pk])
    assert "within the last 24 hours" in owner.post(resend).content.decode()
    assert len(mailoutbox) == 1


def test_s21_a_mail_that_was_refused_may_be_tried_again(
    owner, acme, monkeypatch, worker
):
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as down, worker():
        down.setattr(EmailBackend, "send_messages", refuse)
        assert owner.post(PAGE, FORM).status_code == 302
    assert Invitation.objects.get().mailed_at is None
    with worker():
        assert owner.post(PAGE, FORM).status_code == 302
    assert Invitation.objects.filter(revoked_at=None).get().mailed_at


def test_s21_an_operator_lifts_the_limit_for_an_organization_they_trust(
    acme, send, now, settings
):
    operator = Client()
    operator.force_login(
        make_user("op@x.example", "Op", is_staff=True, is_superuser=True)
    )
    settings.INVITATIONS_AN_HOUR = 2
    typed = {"name": acme.name, "billing_email": acme.billing_email}
    take(operator, acme, "details", **typed, invites_freely="on")
    acme.refresh_from_db()
    assert acme.invites_freely
    assert AuditEntry.objects.get().to_value == {"invites_freely": True}
    for turn in range(5):
        send(f"p{turn}@x.example", now)


LINKS = [
    "See http://evil.example",
    "HTTPS://evil.example",
    "call x://y",
    "www.evil.example",
    "Ann (WWW.evil.example)",
    "ｈｔｔｐ：／／evil",
    "ｗｗｗ．evil.example",
]


@pytest.mark.parametrize("name", LINKS)
def test_s21_a_name_holds_no_link(name):
    with pytest.raises(LineError, match="can't contain a link"):
        checked_name(name)


@pytest.mark.parametrize(
    "name", ["Booking.com", "St. John", "A/B Testing", "Awww. Inc", "C: drive"]
)
def test_s21_names_that_only_look_like_it_are_taken(name):
    assert checked_name(name) == name


@pytest.mark.parametrize("name", LINKS[:4])
def test_s21_every_place_where_names_enter_refuses_links(owner, acme, name):
    details = reverse("billing_details", args=["acme"])
    answers = [
        owner.post("/me/", {"name": name, "language": "en"}),
        owner.post("/o/acme/settings/api-keys/", {"name": name, "scopes": ["read"]}),
        *(
            owner.post(details, {"billing_email": "b@acme.example", field: name})
            for field in ("legal_name", "address", "tax_id", "reference")
        ),
    ]
    assert [answer.status_code for answer in answers] == [422] * 6
    assert all("contain a link" in answer.content.decode() for answer in answers)


def test_s21_joining_and_the_admin_refuse_links_too(acme, alice, now):
    from accounts.actions.invitations import accept_invitation, invite

    _invitation, token = invite(
        acme, email="n@x.example", role="member", seat_tier=None, by=alice, now=now
    )
    with pytest.raises(BusinessError) as refused:
        accept_invitation(
            token, user=None, name=LINKS[0], password="an-uncommon-phrase", now=now
        )
    assert (refused.value.code, refused.value.field) == ("has_link", "name")
    operator = Client()
    operator.force_login(
        make_user("op@x.example", "Op", is_staff=True, is_superuser=True)
    )
    added = operator.post(
        reverse("admin:accounts_user_add"),
        {"email": "a@x.example", "name": LINKS[0], "usable_password": "false"},
    )
    assert "contain a link" in added.content.decode()


def test_s21_mails_quote_names_and_give_no_stored_link(
    acme, alice, send, now, mailoutbox
):
    User.objects.filter(pk=alice.user_id).update(name=LINKS[0])
    Organization.objects.filter(pk=acme.pk).update(name="Acme, see www.evil.example")
    send("n@x.example", now)
    [mail] = mailoutbox
    assert mail.subject == "“alice@acme.example” invited you to “acme”"
    texts = [mail.subject, mail.body, mail.alternatives[0].content]
    assert not any("evil" in text for text in texts)
