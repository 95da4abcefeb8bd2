"""Names are one visible line wherever they enter, and stored ones are mailed as one
(bugs.md 14).
"""

from __future__ import annotations

import io

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.actions.api_keys import create_api_key
from accounts.actions.audit import Actor
from accounts.actions.invitation_mails import invite_by_mail
from accounts.actions.invitations import accept_invitation, invite
from accounts.actions.organizations import create_organization
from accounts.actions.reasons import check_reason
from accounts.delivery import deliver
from accounts.models import ApiKey, Organization, User
from billing.documents.actions.details import set_billing_details, set_terms
from billing.models import BillingDetails
from config.kit.errors import BusinessError
from config.kit.letters import Fact, Letter, Press
from config.kit.mailer import send
from config.kit.one_line import LineError, checked_line, lines_of, shown_line
from tests.factories.people import make_user

REFUSED = [
    "Ada\nOkafor",
    "Ada\r\nOkafor",
    "Ada\tOkafor",
    "Ada\u2028Okafor",
    "Ada\u2029Okafor",
    "Ada\x85Okafor",
    "Ada\x1b[2J",
    "Ada\x00",
    "\u202eadA",
    "Ada\u2066x\u2069",
    "Ada\u200f",
    "Ada\u061c",
    "A\u200bda",
    "\u200b",
    "\ufeffAda",
    "Ad\u00ada",
    "\u200d",
    "\u200c\u200d",
    "\u3164",
    "\u2800\u2800",
    "\u0301",
    "Ada\ud83d",
    "Ada\U000e0041",
    "🏴 Ada\U000e0067\U000e007f",
    "a\u034f",
]
TAKEN = [
    "Ada Okafor",
    "山田\u3000太郎",
    "Jean\u00a0Dupont",
    "👩‍💻",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿 Ada",
    "❤️ Ada",
    "葛\U000e0100城",
    "علی‌رضا",
    "क्‍षत्रिय",
    "שלום",
    "สมชาย ใจดี",
    "김철수",
    "e\u0301",
    "O'Brien-Łukasz",
    "7",
]


@pytest.mark.parametrize("text", REFUSED)
def test_bugs_14_what_breaks_turns_or_hides_a_line_is_refused(text):
    with pytest.raises(LineError):
        checked_line(text)
    assert text.strip() == "" or checked_line(shown_line(f"{text} Ada"))


@pytest.mark.parametrize("text", TAKEN)
def test_bugs_14_names_of_all_scripts_and_their_joiners_are_taken_as_they_are(text):
    assert checked_line(f" {text}\n") == text
    assert shown_line(text) == " ".join(text.split())


def test_bugs_14_the_refusal_says_what_and_where():
    with pytest.raises(LineError, match="there is a line break after “Ada”"):
        checked_line("Ada\nOkafor")
    with pytest.raises(LineError, match=r"U\+202E\) after “Ada ”. Type it anew."):
        checked_line("Ada \u202eOkafor")
    assert lines_of("1 Main St\r\n Springfield ", field="address") == (
        "1 Main St\nSpringfield"
    )


BAD = "Ada\u2028=Owner"


@pytest.fixture
def operator(db) -> Client:
    """An operator's browser."""
    client = Client()
    client.force_login(
        make_user("op@x.example", "Op", is_staff=True, is_superuser=True)
    )
    return client


@pytest.fixture
def owner(acme) -> Client:
    """Alice's browser."""
    client = Client()
    client.force_login(acme.primary_owner)
    return client


def test_bugs_14_forms_of_people_keys_and_billing_refuse_such_names(owner, acme):
    answers = [
        owner.post("/me/", {"name": BAD, "language": "en"}),
        owner.post("/o/acme/settings/api-keys/", {"name": BAD, "scopes": ["meter"]}),
        *(
            owner.post(
                reverse("billing_details", args=["acme"]),
                {"billing_email": "b@acme.example", name: BAD},
            )
            for name in ("legal_name", "tax_id", "reference")
        ),
        owner.post(
            reverse("billing_details", args=["acme"]),
            {"billing_email": "b@acme.example", "address": "1 Main St\n\u202e2"},
        ),
    ]
    assert [answer.status_code for answer in answers] == [422] * 6
    acme.primary_owner.refresh_from_db()
    assert acme.primary_owner.name == "Alice Nakamura"
    assert not ApiKey.objects.exists() and not BillingDetails.objects.exists()


def test_bugs_14_joining_refuses_such_a_name(acme, alice, now):
    _invitation, token = invite(
        acme, email="new@x.example", role="member", seat_tier=None, by=alice, now=now
    )
    answer = {"name": BAD, "password": "a-good-password"}
    with pytest.raises(BusinessError) as refused:
        accept_invitation(token, user=None, now=now, **answer)
    assert (refused.value.code, refused.value.field) == ("not_one_line", "name")
    assert not User.objects.filter(email="new@x.example").exists()


def test_bugs_14_the_admin_refuses_such_names(operator, acme):
    person = reverse("admin:accounts_user_add")
    added = operator.post(
        person,
        {
            "email": "a@x.example",
            "name": BAD,
            "usable_password": "false",
        },
    )
    assert "line break after “Ada”" in added.content.decode()
    address = reverse("admin:customer_step", args=[acme.pk, "details"])
    data = {"billing_email": acme.billing_email, "name": BAD}
    changed = operator.post(address, data)
    assert "line break after “Ada”" in changed.content.decode()
    assert not Organization.objects.filter(name=BAD).exists()
    terms = operator.post(
        reverse("admin:billing_billingdetails_add"),
        {"organization": acme.pk, "tax_label": BAD, "tax_percent": 1, "due_days": 1},
    )
    assert "line break after “Ada”" in terms.content.decode()


def test_bugs_14_commands_and_acts_refuse_such_names(acme, alice, now):
    with pytest.raises(CommandError, match="line break"):
        call_command("create_api_key", "acme", name=BAD, scope=["meter"])
    with pytest.raises(CommandError, match="line break"):
        call_command(
            "createsuperuser", email="s@x.example", name=BAD, interactive=False
        )
    by = Actor.person(alice.user)
    buyer = {"legal_name": "", "address": "", "tax_id": "", "reference": ""}
    acts = [
        lambda: create_api_key(acme, name=BAD, scopes=["meter"], actor=by, now=now),
        lambda: create_organization(
            BAD,
            slug="bad",
            plan="team",
            primary_owner=alice.user,
            billing_email="b@x.example",
            now=now,
        ),
        lambda: check_reason(BAD),
        lambda: set_terms(
            acme, tax_rate=0, tax_label=BAD, due_days=1, actor=by, now=now
        ),
        *(
            lambda name=name: set_billing_details(
                acme,
                billing_email="b@x.example",
                actor=by,
                now=now,
                **buyer | {name: "Ada\u202e"},
            )
            for name in buyer
        ),
    ]
    for act in acts:
        with pytest.raises(BusinessError) as refused:
            act()
        assert (refused.value.code, refused.value.status) == ("not_one_line", 422)


def test_bugs_14_text_mails_join_the_lines_of_a_stored_name(
    acme, alice, now, time_machine
):
    time_machine.move_to(now, tick=False)
    User.objects.filter(pk=alice.user_id).update(
        name="Alice\n\nYour account is closed.\u202e\nAct now:"
    )
    Organization.objects.filter(pk=acme.pk).update(name="Acme\r\n\r\nBuy")
    invited = {"email": "new@x.example", "role": "member", "seat_tier": None}
    _invitation, [mail_id] = invite_by_mail(
        acme, by=alice, now=now, language="en", **invited
    )
    assert deliver(mail_id)
    first = io.StringIO(mail.outbox[-1].body).readline().strip()
    assert first == (
        "“Alice Your account is closed. Act now:” invited you to “Acme Buy”."
    )


def test_bugs_14_mails_join_what_they_quote(db):
    quoted = "Refused.\n\nPay here: evil"
    letter = Letter(
        quoted,
        [quoted],
        Press("Open", "l"),
        "Acme\nX",
        facts=[Fact(quoted, quoted, quoted)],
        note_by=quoted,
        note=quoted,
        advice=quoted,
        name="Acme\nX",
        when=quoted,
    )
    send("letter", to="a@x.example", language="en", context={"letter": letter})
    assert "\nPay here" not in mail.outbox[-1].body
    body = mail.outbox[-1].body
    assert "Refused. Pay here: evil" in body.splitlines()
    assert "Acme X" in body
