"""What happens to an account is kept, told to the person and shown to operators, and
strangers can't fill the table (S14).
"""

from __future__ import annotations

import datetime as dt
import logging

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from accounts.actions.security import forget_old_security_events, record_security_event
from accounts.models import OutgoingMail, SecurityEvent, User
from tests.factories.people import PASSWORD, make_user

NEW = "an-uncommon-phrase"
BROWSER = "Mozilla/5.0\u2028(X11; Linux) Firefox/142.0"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def person(bob) -> Client:
    """Bob's browser, signed in by the page."""
    client = Client(headers={"User-Agent": BROWSER}, REMOTE_ADDR="203.0.113.7")
    sign_in(client)
    return client


def sign_in(client: Client, password: str = PASSWORD, email: str = "bob@acme.example"):
    """By the page."""
    return client.post("/accounts/login/", {"login": email, "password": password})


def kinds() -> list[str]:
    """What was kept, oldest first."""
    return list(SecurityEvent.objects.order_by("pk").values_list("kind", flat=True))


def test_s14_signing_in_and_out_are_kept_with_time_and_place(person, bob):
    person.post("/accounts/logout/")
    assert kinds() == ["signed_in", "signed_out"]
    event = SecurityEvent.objects.first()
    assert (event.person, event.client, event.browser) == (
        bob.user,
        "203.0.113.7",
        "Mozilla/5.0 (X11; Linux) Firefox/142.0",
    )


def test_s14_failures_and_the_lock_are_kept_and_what_was_typed_is_not(bob):
    for _turn in range(6):
        sign_in(Client(), "my-secret-password")
    sign_in(Client(), "x", email="my-secret-password@x.example")
    assert kinds() == ["sign_in_failed"] * 5 + ["sign_in_locked", "sign_in_failed"]
    assert SecurityEvent.objects.filter(person=bob.user).count() == 6
    assert "secret" not in str(list(SecurityEvent.objects.values()))


def test_s14_strangers_do_not_fill_the_table(bob, now):
    for person, most in ((bob.user, 20), (None, 100)):
        for _turn in range(most + 5):
            record_security_event("sign_in_failed", person=person, now=now)
        assert SecurityEvent.objects.filter(person=person).count() == most
    later = now + dt.timedelta(hours=1)
    assert record_security_event("sign_in_failed", person=None, now=later)


def test_s14_a_line_in_the_log_says_so_too(bob, caplog):
    with caplog.at_level(logging.INFO):
        sign_in(Client(REMOTE_ADDR="203.0.113.7"))
    [line] = [r.msg for r in caplog.records if "account." in str(r.msg)]
    assert line["event"] == "account.signed_in"
    assert (line["person"], line["client"]) == (bob.user_id, "203.0.113.7")


def told(mailoutbox) -> list[str]:
    """Subjects of the mails to Bob."""
    return [mail.subject for mail in mailoutbox if mail.to == ["bob@acme.example"]]


def test_s14_a_changed_password_is_kept_and_mailed(
    person, bob, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
        person.post("/accounts/password/change/", form)
    assert kinds() == ["signed_in", "password_changed"]
    [mail] = mailoutbox
    assert told(mailoutbox) == ["Password changed"]
    assert "From 203.0.113.7, Firefox, Linux" in mail.body
    assert NEW not in mail.body and "http://127.0.0.1:8000/me/security/" in mail.body


def test_s14_a_password_set_by_an_operator_is_kept_and_mailed(
    bob, mailoutbox, django_capture_on_commit_callbacks
):
    operator = make_user("op@x.example", "Op", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(operator)
    page = reverse("admin:auth_user_password_change", args=[bob.user_id])
    form = {"usable_password": "true", "password1": NEW, "password2": NEW}
    with django_capture_on_commit_callbacks(execute=True):
        client.get(page)
        client.post(page, form | {"password2": "other"})
        assert told(mailoutbox) == []
        client.post(page, form)
    assert told(mailoutbox) == ["Password set by an operator"]
    event = SecurityEvent.objects.get(kind="password_set")
    assert (event.person, event.operator) == (bob.user, operator)


def test_s14_operators_change_their_own_password_where_everybody_does(bob):
    client = Client()
    client.force_login(make_user("op@x.example", "Op", is_staff=True))
    answer = client.get("/admin/password_change/")
    assert answer["Location"] == "/accounts/password/change/"


def code_of(secret: str) -> str:
    """What an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def test_s14_second_factors_and_recovery_codes_are_kept_and_mailed(
    person, bob, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        person.post("/accounts/reauthenticate/", {"password": PASSWORD})
        page = person.get("/accounts/2fa/totp/activate/")
        secret = page.context["form"].secret
        person.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
        person.post("/accounts/2fa/recovery-codes/generate/")
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    other = Client()
    with django_capture_on_commit_callbacks(execute=True):
        sign_in(other)
        other.post("/accounts/2fa/authenticate/", {"code": "000000"})
        other.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        person.post("/accounts/2fa/totp/deactivate/")
    assert kinds() == [
        "signed_in",
        "second_factor_added",
        "recovery_codes_created",
        "second_factor_failed",
        "recovery_code_used",
        "signed_in",
        "second_factor_removed",
    ]
    assert sorted(told(mailoutbox)) == [
        "New recovery codes created",
        "Recovery code used",
        "Two-factor sign-in turned off",
        "Two-factor sign-in turned on",
    ]


def test_s14_a_mail_is_a_row_written_with_the_event(person, bob):
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    person.post("/accounts/password/change/", form)
    row = OutgoingMail.objects.get()
    assert (row.kind, row.user, row.organization) == ("security_notice", bob.user, None)


def test_s14_the_person_sees_it_and_nobody_elses(person, ada):
    sign_in(Client(REMOTE_ADDR="198.51.100.9"), "wrong")
    record_security_event("password_changed", person=ada.user, now=_now())
    page = person.get("/me/security/").content.decode()
    assert "Signed in" in page and "Wrong password" in page
    assert "198.51.100.9" in page and "Password changed" not in page
    assert "/me/security/" in person.get("/me/").content.decode()


def test_s14_operators_see_all_and_change_nothing(person):
    client = Client()
    client.force_login(make_user("op@x.example", "O", is_staff=True, is_superuser=True))
    address = reverse("admin:accounts_securityevent_changelist")
    assert "203.0.113.7" in client.get(address).content.decode()
    event = SecurityEvent.objects.first()
    change = reverse("admin:accounts_securityevent_change", args=[event.pk])
    assert client.post(change, {"client": "1.1.1.1"}).status_code == 403


def test_s14_events_only_grow_until_their_last_day(bob, now):
    event = record_security_event("signed_in", person=bob.user, now=_now())
    for refused in (
        lambda: SecurityEvent.objects.update(client=""),
        lambda: event.delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            refused()
    old = record_security_event(
        "signed_in", person=bob.user, now=_now() - dt.timedelta(days=401)
    )
    assert forget_old_security_events(now=_now()) == 1
    assert list(SecurityEvent.objects.values_list("pk", flat=True)) == [event.pk]
    assert old.pk != event.pk


def test_s14_the_list_takes_the_same_queries_at_3_and_30_rows(
    person, bob, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(rows: int) -> int:
        for _turn in range(rows):
            record_security_event("signed_out", person=bob.user, now=_now())
        with CaptureQueriesContext(connection) as queries:
            assert person.get("/me/security/").status_code == 200
        return len(queries)

    assert count(3) == count(27)


def test_s14_a_browser_without_an_address_is_no_error(bob):
    user = User.objects.get(pk=bob.user_id)
    Client().force_login(user)  # as a command does, without any request of a browser
    assert SecurityEvent.objects.get().client == ""
