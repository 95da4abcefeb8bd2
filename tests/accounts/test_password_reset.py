"""Asking for a new password: links from SITE_URL alone (S9), and one answer for all
addresses, made without looking (S10).
"""

from __future__ import annotations

import datetime as dt
import re
from urllib.parse import urlsplit

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone

from accounts.models import OutgoingMail, User
from accounts.tasks import send_due_mails
from tests.factories.people import PASSWORD, make_user

NEW = "an-uncommon-phrase"


@pytest.fixture
def ask(django_capture_on_commit_callbacks):
    """Ask for a new password as anybody may; the worker runs afterwards."""

    def post(email: str, **meta: str):
        with django_capture_on_commit_callbacks(execute=True):
            return Client().post("/accounts/password/reset/", {"email": email}, **meta)

    return post


def link_in(mail) -> str:
    """The link that a mail holds."""
    return re.search(r"http\S+/password/reset/key/\S+", mail.body)[0]


def test_the_mail_leads_to_a_page_that_sets_the_password(ask, bob, mailoutbox):
    ask(" Bob@ACME.example ")
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == (["bob@acme.example"], "Choose a new password")
    visitor = Client()
    page = visitor.get(urlsplit(link_in(mail)).path, follow=True)
    form = {"password1": NEW, "password2": NEW}
    done = visitor.post(page.redirect_chain[-1][0], form, follow=True)
    assert done.redirect_chain[-1][0] == "/accounts/password/reset/key/done/"
    bob.user.refresh_from_db()
    assert bob.user.check_password(NEW)
    assert (
        "no longer works" in visitor.get(urlsplit(link_in(mail)).path).content.decode()
    )


@pytest.mark.parametrize("host", ["localhost:6666", "127.0.0.1:9001", "testserver"])
def test_s9_links_lead_to_site_url_whatever_the_host_header(
    ask, bob, mailoutbox, settings, host
):
    settings.SITE_URL = "https://usage.example"
    ask("bob@acme.example", headers={"Host": host})
    [mail] = mailoutbox
    texts = [mail.subject, mail.body, mail.alternatives[0].content]
    assert link_in(mail).startswith("https://usage.example/accounts/")
    assert not any(host in text for text in texts)


def test_s9_no_code_makes_a_link_from_the_host_header():
    from tests.house.layers import code

    hosts = re.compile(r"build_absolute_uri|get_current_site")
    assert [path.name for path in code() if hosts.search(path.read_text())] == []


def test_s10_known_unknown_and_switched_off_get_one_answer_by_the_same_work(
    bob, django_assert_num_queries
):
    make_user("off@acme.example", "Off", is_active=False)
    answers = set()
    for email in ("bob@acme.example", "nobody@acme.example", "off@acme.example"):
        client = Client()
        client.get("/accounts/password/reset/")
        with django_assert_num_queries(2):  # the row, and its id
            answer = client.post("/accounts/password/reset/", {"email": email})
        answers.add((answer.status_code, answer["Location"]))
    assert answers == {(302, "/accounts/password/reset/done/")}
    assert OutgoingMail.objects.filter(kind="password_reset").count() == 3


def test_s10_only_who_may_sign_in_is_mailed_and_of_others_nothing_is_left(
    ask, bob, mailoutbox
):
    make_user("off@acme.example", "Off", is_active=False)
    for email in ("nobody@acme.example", "off@acme.example"):
        ask(email)
    assert mailoutbox == [] and not OutgoingMail.objects.exists()
    ask("bob@acme.example")
    assert len(mailoutbox) == 1


def test_s10_a_mail_server_that_is_down_changes_no_answer(
    ask, bob, mailoutbox, monkeypatch, django_capture_on_commit_callbacks
):
    def refuse(self, messages):
        raise ConnectionRefusedError

    with monkeypatch.context() as down:
        down.setattr(EmailBackend, "send_messages", refuse)
        assert ask("bob@acme.example").status_code == 302
        assert ask("nobody@acme.example").status_code == 302
    row = OutgoingMail.objects.get()
    assert row.sent_at is None and "ConnectionRefused" in row.last_error
    OutgoingMail.objects.update(next_try_at=timezone.now())
    send_due_mails()
    assert len(mailoutbox) == 1


def test_the_row_holds_no_link_before_or_after(ask, bob, mailoutbox):
    ask("bob@acme.example")
    row = OutgoingMail.objects.get()
    token = link_in(mailoutbox[0]).rsplit("/key/")[1].strip("/")
    assert token not in str(vars(row)) and row.facts == {}


@pytest.mark.parametrize("local", ["a" * 300, "ü" * 60 + "@" + "ü" * 60])
def test_an_address_that_is_too_long_is_nobodys(ask, db, local):
    for domain in ("x.example", "ü" * 50 + ".example"):
        assert ask(f"{local}@{domain}").status_code in (200, 302)
    assert ask(f"ab@{'.'.join(['é' * 40] * 5)}.example").status_code == 302
    assert not OutgoingMail.objects.exists()


def test_s8_a_new_password_by_mail_lifts_the_lock(ask, bob, mailoutbox):
    login = {"login": "bob@acme.example", "password": "wrong"}
    for _turn in range(6):
        Client().post("/accounts/login/", login)
    assert Client().post("/accounts/login/", login | {"password": PASSWORD}).context
    ask("bob@acme.example")
    visitor = Client()
    page = visitor.get(urlsplit(link_in(mailoutbox[0])).path, follow=True)
    visitor.post(page.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    answer = Client().post("/accounts/login/", login | {"password": NEW})
    assert answer.status_code == 302


def test_links_last_a_day(ask, bob, mailoutbox, time_machine):
    ask("bob@acme.example")
    path = urlsplit(link_in(mailoutbox[0])).path
    time_machine.move_to(timezone.now() + dt.timedelta(hours=23), tick=False)
    assert Client().get(path).status_code == 302
    time_machine.shift(dt.timedelta(hours=2))
    assert "no longer works" in Client().get(path).content.decode()


def test_s21_one_address_is_mailed_five_times_an_hour_at_most(ask, bob, mailoutbox):
    spellings = ["bob@acme.example", "BOB@acme.example"] * 4
    answers = [ask(spelling).status_code for spelling in spellings]
    assert answers == [302] * 5 + [429] * 3 and len(mailoutbox) == 5


def test_who_never_had_a_password_gets_one_by_mail(client, bob):
    bob.user.set_unusable_password()
    bob.user.save(update_fields=["password"])
    client.force_login(User.objects.get(pk=bob.user_id))
    answer = client.get("/accounts/password/change/")
    assert (answer.status_code, answer["Location"]) == (
        302,
        "/accounts/password/reset/",
    )
