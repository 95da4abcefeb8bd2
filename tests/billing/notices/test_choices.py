"""What each person chose, who else is told, and the links in mails (N4)."""

from __future__ import annotations

import datetime as dt
import re
from email.header import decode_header, make_header
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client

from accounts.actions.audit import Actor
from accounts.models import AuditEntry, OutgoingMail
from accounts.tasks import send_due_mails
from billing.models import NoticeChoice, NoticeKind, NoticeRecipient
from billing.notices.actions.choices import choose, stop_mails
from billing.notices.actions.recipients import (
    AGREE,
    add_recipient,
    agree,
    ask_again,
    remove_recipient,
)
from billing.notices.actions.telling import tell
from billing.notices.links import Stop, stop_url
from config.kit.errors import BusinessError
from tests.billing.notices.conftest import make_notice
from tests.conftest import NOW

OUTSIDE = "finance@books.example"


def add(alice, address: str = OUTSIDE, *, now: dt.datetime = NOW):
    return add_recipient(
        alice.organization, address=address, language="ja", by=alice, now=now
    )


def path_in(mail) -> str:
    """The path of the first link."""
    return urlsplit(re.search(r"http\S+/notices/\S+", mail.body)[0]).path


def test_n4_a_choice_replaces_the_one_before(bob):
    choose(bob, kind="member_cap", told_by="page")
    choose(bob, kind="member_cap", told_by="nothing")
    assert NoticeChoice.objects.get(membership=bob).told_by == "nothing"
    for kind, told_by in [("member_cap", "pigeon"), ("weather", "mail")]:
        with pytest.raises(BusinessError) as refused:
            choose(bob, kind=kind, told_by=told_by)
        assert refused.value.code == "unknown_choice"


@pytest.mark.parametrize(
    ("before", "after"), [(None, "page"), ("mail", "page"), ("nothing", "nothing")]
)
def test_n4_stopping_mails_leaves_the_page_to_who_wanted_it(bob, before, after):
    if before:
        choose(bob, kind="member_cap", told_by=before)
    stop_mails(bob, kind="member_cap")
    stop_mails(bob, kind="member_cap")
    assert NoticeChoice.objects.get(membership=bob).told_by == after


def test_n4_a_member_is_a_recipient_at_once_and_gets_no_question(alice, ada):
    added = add(alice, "  ADA@acme.example ")
    assert added.recipient.membership == ada
    assert added.mails == []
    assert add(alice, ada.user.email).is_new is False
    assert OutgoingMail.objects.count() == 0


def test_n4_a_person_of_another_organization_is_asked_like_any_stranger(alice, charlie):
    added = add(alice, charlie.user.email)
    assert added.recipient.membership is None
    assert added.recipient.address == charlie.user.email
    assert len(added.mails) == 1


@pytest.mark.parametrize(
    "address", ["", "finance", "x@erased.invalid", "a b@c.example"]
)
def test_n4_what_is_no_address_is_refused(alice, address):
    with pytest.raises(BusinessError) as refused:
        add(alice, address)
    assert refused.value.code == "bad_address"


def test_n4_an_address_outside_agrees_by_the_mails_link(alice, mailoutbox, worker):
    with time_machine.travel(NOW, tick=False), worker():
        add(alice)
        send_due_mails()
    [mail] = mailoutbox
    assert mail.to == [OUTSIDE]
    assert str(make_header(decode_header(mail.from_email))).startswith("Acme")
    path = path_in(mail)
    client = Client(enforce_csrf_checks=True)
    with time_machine.travel(NOW + dt.timedelta(days=6), tick=False):
        page = client.get(path)
        assert (
            NoticeRecipient.objects.get().agreed_at is None
        )  # looking agrees to nothing
        assert client.post(path).status_code == 403
        token = page.cookies["csrftoken"].value
        done = client.post(path, {"csrfmiddlewaretoken": token})
    assert "You get the notices now" in done.content.decode()
    assert NoticeRecipient.objects.get().agreed_at == NOW + dt.timedelta(days=6)


def test_n4_the_link_to_agree_is_good_for_seven_days(alice, mailoutbox, worker):
    with time_machine.travel(NOW, tick=False), worker():
        add(alice)
        send_due_mails()
    path = path_in(mailoutbox[0])
    with time_machine.travel(NOW + dt.timedelta(days=7, seconds=1), tick=False):
        for answer in (Client().get(path), Client().post(path)):
            assert answer.status_code == 404
            assert "no longer works" in answer.content.decode()
    assert NoticeRecipient.objects.get().agreed_at is None


def test_n4_a_link_to_agree_is_void_once_the_address_was_taken_off(alice):
    recipient = add(alice).recipient
    remove_recipient(recipient, actor=Actor.person(alice.user), now=NOW)
    assert agree(recipient.pk, now=NOW) is None
    with time_machine.travel(NOW, tick=False):
        assert Client().get("/notices/agree/forged/").status_code == 404


def test_n4_a_link_of_one_purpose_is_none_of_the_other(alice):
    recipient = add(alice).recipient
    token = stop_url(Stop(recipient_id=recipient.pk)).rstrip("/").rsplit("/", 1)[1]
    assert Client().post(f"/notices/agree/{token}/").status_code == 404


def test_n4_who_is_told_is_in_the_activity(alice):
    recipient = add(alice).recipient
    agree(recipient.pk, now=NOW)
    agree(recipient.pk, now=NOW)
    remove_recipient(recipient, actor=Actor.person(alice.user), now=NOW)
    kept = AuditEntry.objects.filter(action="notices.recipient").order_by("pk")
    assert [(one.actor_id, one.from_value, one.to_value) for one in kept] == [
        (alice.user_id, None, {"address": OUTSIDE}),
        (None, None, {"address": OUTSIDE, "agreed": True}),
        (alice.user_id, {"address": OUTSIDE}, None),
    ]


def test_s21_taking_an_address_off_and_adding_it_again_mails_nobody_twice(alice):
    recipient = add(alice).recipient
    for again in (lambda: ask_again(recipient, now=NOW), lambda: add(alice)):
        with pytest.raises(BusinessError) as refused:
            again()
        assert refused.value.code == "asked_today"
        NoticeRecipient.objects.all().delete()
    assert OutgoingMail.objects.filter(kind=AGREE).count() == 1
    assert len(add(alice, now=NOW + dt.timedelta(days=1)).mails) == 1


def test_s21_an_organization_asks_so_many_an_hour(alice, settings):
    settings.INVITATIONS_AN_HOUR = 2
    for number in range(2):
        add(alice, f"a{number}@books.example")
    with pytest.raises(BusinessError) as refused:
        add(alice, "a3@books.example")
    assert refused.value.code == "too_many_asked"
    assert NoticeRecipient.objects.count() == 2
    add(alice, "a3@books.example", now=NOW + dt.timedelta(hours=1))


def test_n4_one_click_stops_a_members_mails_without_cookies(alice):
    path = urlsplit(stop_url(Stop("organization_cap", membership_id=alice.pk))).path
    client = Client(enforce_csrf_checks=True)
    page = client.get(path).content.decode()
    assert "Organization spend cap" in page
    assert not NoticeChoice.objects.exists()
    assert Client(enforce_csrf_checks=True).post(path).status_code == 200
    choice = NoticeChoice.objects.get(membership=alice)
    assert (choice.kind, choice.told_by) == ("organization_cap", "page")


def test_n4_one_click_takes_an_address_outside_off_the_list(acme, alice, worker):
    recipient = add(alice).recipient
    agree(recipient.pk, now=NOW)
    mails = tell(make_notice(acme).pk, now=NOW)
    path = urlsplit(stop_url(Stop(recipient_id=recipient.pk))).path
    client = Client(enforce_csrf_checks=True)
    assert client.post(path).status_code == 200
    assert not NoticeRecipient.objects.exists()
    assert client.post(path).status_code == 200  # again, as mail programs do
    assert OutgoingMail.objects.filter(pk__in=mails, address=OUTSIDE).exists()


@pytest.mark.parametrize("token", ["forged", "WzFd:1x:forged"])
def test_n4_a_forged_link_stops_nothing(acme, token):
    assert Client().post(f"/notices/stop/{token}/").status_code == 404
    assert not NoticeChoice.objects.exists()


def test_n4_every_kind_can_be_chosen(bob):
    for kind in NoticeKind.values:
        choose(bob, kind=kind, told_by="page")
    assert NoticeChoice.objects.filter(membership=bob).count() == len(NoticeKind.values)
