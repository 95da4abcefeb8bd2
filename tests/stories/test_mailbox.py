"""The mailbox of S4: a person's address is given to a colleague, who reads what still
comes to it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import FormerAddress, User
from tests.factories.people import PASSWORD, make_api_key, make_user

OLD, NEW = "bob@acme.example", "bob.feld@acme.example"


def sign_in(email: str, password: str = PASSWORD) -> Client | None:
    """A browser that got in; None for one that did not."""
    client = Client()
    form = {"login": email, "password": password}
    return client if client.post("/accounts/login/", form).status_code == 302 else None


def reset_link(mail) -> str:
    """The path of the link in a mail."""
    return urlsplit(re.search(r"http\S+/reset/key/\S+", mail.body)[0]).path


def test_s4_the_old_mailbox_opens_nothing(
    acme, bob, mailoutbox, django_capture_on_commit_callbacks
):
    # Bob works, and has asked for a new password that he never chose.
    session = sign_in(OLD)
    with django_capture_on_commit_callbacks(execute=True):
        Client().post("/accounts/password/reset/", {"email": OLD})
    open_link = reset_link(mailoutbox.pop())

    # An operator gives him another address; the old mailbox now has another reader.
    operator = Client()
    operator.force_login(
        make_user("op@x.example", "Op", is_staff=True, is_superuser=True)
    )
    page = reverse("admin:accounts_user_change", args=[bob.user_id])
    data = {"email": NEW, "name": "Bob Feld", "language": "en", "is_active": "on"}
    with django_capture_on_commit_callbacks(execute=True):
        assert operator.post(page, data).status_code == 302
    assert {mail.to[0] for mail in mailoutbox} == {OLD, NEW}
    assert NEW not in next(mail.body for mail in mailoutbox if mail.to == [OLD])
    mailoutbox.clear()

    # Who reads it has no way in: the link, the session, a new link, the password.
    assert "no longer works" in Client().get(open_link).content.decode()
    assert session.get("/o/acme/usage/").status_code == 302
    with django_capture_on_commit_callbacks(execute=True):
        answer = Client().post("/accounts/password/reset/", {"email": OLD})
    assert answer.status_code == 302 and mailoutbox == []
    assert sign_in(OLD) is None

    # Bob goes on under the new address, and his usage under the old one is still his.
    again = sign_in(NEW)
    assert again.get("/o/acme/usage/").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        Client().post("/accounts/password/reset/", {"email": NEW})
    assert [mail.to for mail in mailoutbox] == [[NEW]]
    assert FormerAddress.objects.get(user=bob.user).email == OLD
    key = make_api_key(acme, scopes="meter", now=timezone.now())
    check = Client().post(
        "/api/v1/authorize",
        {"member": OLD, "surface": "claude"},
        "application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert check.status_code == 200

    # The colleague is invited under the old address, as a person of their own.
    colleague = User.objects.create_user(OLD, PASSWORD, name="Barbara")
    assert sign_in(OLD) is not None and colleague.pk != bob.user_id
