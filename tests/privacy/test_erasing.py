"""S17: a person can be erased: name and address replaced everywhere, in rows that only
grow as well, while the books stay; and the lost mailbox is worth nothing afterwards.
"""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pypdf import PdfReader

from accounts.actions.audit import Actor
from accounts.actions.erasing import erase_person, rehearse_erasure
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.members import bring_back, remove_member
from accounts.delivery import deliver
from accounts.models import (
    AuditEntry,
    Erasure,
    FormerAddress,
    Invitation,
    Membership,
    OutgoingMail,
    User,
)
from accounts.tasks import send_due_mails
from billing.books import differences
from billing.documents.print.documents import printed_invoice
from billing.documents.print.layout import pdf_of
from billing.metering.actions.recording import record_usage
from billing.models import Invoice, InvoiceLine, UsageEvent
from config.kit.errors import BusinessError
from tests.factories.people import PASSWORD, make_api_key, make_organization, make_user
from tests.factories.usage import event
from tests.privacy.bob import BEFORE, BOB, LATER, WORDS, clean, live, naming, texts

pytestmark = pytest.mark.django_db
COMMAND = Actor(label="erase_person")


@pytest.fixture
def gone(acme, now):
    """Bob, who left traces everywhere and then Acme."""
    return live(acme, now=now).user


def refusal(person, **more):
    with pytest.raises(BusinessError) as refused:
        erase_person(person, **{"actor": COMMAND, "now": LATER, **more})
    return refused.value.code


def test_s17_no_text_of_any_table_names_an_erased_person(gone, client):
    client.force_login(gone)
    assert len(clean(naming(*WORDS))) > 25
    erasure, _touched = erase_person(gone, actor=COMMAND, now=LATER)
    assert clean(naming(*WORDS)) == {}
    assert erasure.name.startswith("Erased person ")
    assert erasure.email == f"removed-{erasure.code}@erased.invalid"
    assert client.get("/me/").status_code == 302  # the session ended


def test_s17_others_who_sound_alike_stay_as_they_are(gone):
    erase_person(gone, actor=COMMAND, now=LATER)
    labels = dict(UsageEvent.objects.values_list("event_id", "labels"))
    pseudonym = Erasure.objects.get().email
    assert labels["longer"] == {"x": "jim-bob@acme.example"}
    assert labels["about"] == {"asked_for": f"<{pseudonym}>", "project": "bobsled"}
    assert labels["labelled"]["project"] == "apollo"


def test_s17_the_books_stay_and_documents_print_with_the_pseudonym(gone):
    invoice = Invoice.objects.get()
    before = list(InvoiceLine.objects.values_list("pk", "exact_nanos", "amount_nanos"))
    erase_person(gone, actor=COMMAND, now=LATER)
    assert list(differences()) == []
    after = list(InvoiceLine.objects.values_list("pk", "exact_nanos", "amount_nanos"))
    assert after == before
    pages = PdfReader(io.BytesIO(pdf_of(printed_invoice(invoice)))).pages
    printed = " ".join(page.extract_text() for page in pages)
    assert Erasure.objects.get().name in " ".join(printed.split())
    assert "Feld" not in printed and "bob@" not in printed


def test_s17_a_rehearsal_says_what_an_erasure_does_and_changes_nothing(gone):
    before = texts()
    _pseudonym, told = rehearse_erasure(gone, actor=COMMAND, now=LATER)
    assert texts() == before and not Erasure.objects.exists()
    _pseudonym, done = erase_person(gone, actor=COMMAND, now=LATER)
    assert told == done
    assert {one.table for one in done} >= {
        "invoice lines",
        "audit entries",
        "invitations",
    }


def test_s17_the_audit_has_the_erasure_without_the_name(gone, acme, alice):
    erasure, _touched = erase_person(gone, actor=Actor.person(alice.user), now=LATER)
    entry = AuditEntry.objects.get(action="member.erase")
    assert (entry.organization, entry.subject) == (acme, erasure.name)
    assert entry.actor == alice.user


def test_s17_the_lost_mailbox_signs_in_nowhere_resets_nothing_and_gets_no_mail(
    gone, client, mailoutbox, time_machine
):
    erase_person(gone, actor=COMMAND, now=LATER)
    time_machine.move_to(LATER, tick=False)
    pseudonym = Erasure.objects.get().email
    for address in (BOB, BEFORE, pseudonym):
        sent = {"login": address, "password": PASSWORD}
        assert client.post("/accounts/login/", sent).status_code == 200, address
        client.post("/accounts/password/reset/", {"email": address})
    send_due_mails()
    assert len(mailoutbox) == 4  # the invoice and the credit note, to Alice and Acme
    for mail in mailoutbox:
        assert mail.to[0] in ("alice@acme.example", "billing@acme.example")
        assert "bob" not in f"{mail.subject} {mail.body}".lower()
    assert not Invitation.objects.pending(now=LATER).exists()
    assert not User.objects.get(pk=gone.pk).is_active


def test_s17_a_mail_that_comes_due_later_reaches_nobody(gone, acme, mailoutbox):
    erase_person(gone, actor=COMMAND, now=LATER)
    user = User.objects.get(pk=gone.pk)
    [pk] = queue_mails(
        acme,
        [QueuedMail(user, "request_answer", "late", {"request": 1})],
        now=timezone.now(),
        within=dt.timedelta(days=1),
    )
    assert deliver(pk) is False
    assert OutgoingMail.objects.get(pk=pk).dropped_at and mailoutbox == []


@pytest.mark.parametrize("address", [BOB, BEFORE, BOB.upper()])
def test_s17_usage_arriving_late_is_counted_and_brings_no_name_back(
    gone, acme, now, address
):
    erase_person(gone, actor=COMMAND, now=LATER)
    labels = {"user": f"x {address}", BOB: "1", "project": "apollo"}
    late = event(address, at=now, usd="2", id="late", labels=labels)
    for status in ("recorded", "duplicate"):
        [result] = record_usage([late], organization_id=acme.pk, now=LATER).results
        assert result.status == status
    kept = UsageEvent.objects.get(event_id="late")
    assert kept.membership.user_id == gone.pk
    assert kept.labels["project"] == "apollo"
    assert clean(naming(*WORDS)) == {}
    assert list(differences()) == []


def test_s17_a_check_by_the_former_address_is_refused_without_the_name(
    gone, acme, now, client
):
    erase_person(gone, actor=COMMAND, now=LATER)
    headers = {"Authorization": f"Bearer {make_api_key(acme, now=now)}"}
    body = {"member": BOB, "surface": "claude", "model": "claude-sonnet-5"}
    answer = client.post(
        "/api/v1/authorize", body, content_type="application/json", headers=headers
    )
    assert answer.json()["reason"] == "member_inactive"
    assert "feld" not in answer.content.decode().lower()
    member = client.get(f"/api/v1/members/{BOB}", headers=headers)
    assert "feld" not in member.content.decode().lower()


def test_s17_a_rotated_secret_key_still_finds_late_usage(gone, acme, now, settings):
    erase_person(gone, actor=COMMAND, now=LATER)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "x" * 50
    [result] = record_usage(
        [event(BOB, at=now)], organization_id=acme.pk, now=LATER
    ).results
    assert result.status == "recorded"


def test_s17_somebody_else_with_the_address_keeps_it(gone, acme, now):
    """An address is handed on: what names it elsewhere means its new owner."""
    User.objects.filter(pk=gone.pk).update(email="gone@acme.example")
    make_user(BOB, "Bobby Tables")
    erase_person(User.objects.get(pk=gone.pk), actor=COMMAND, now=LATER)
    labels = dict(UsageEvent.objects.values_list("event_id", "labels"))
    assert labels["about"]["asked_for"] == f"<{BOB}>"
    assert "bob" not in str(labels["labelled"]).lower()
    assert User.objects.filter(email=BOB).exists()


def test_s17_whoever_still_belongs_somewhere_is_not_erased(acme, alice, ada, bob, now):
    assert refusal(bob.user) == "member_active"
    assert refusal(alice.user) == "primary_owner_stays"
    remove_member(bob, by=alice, now=now)
    assert refusal(bob.user, actor=Actor.person(bob.user)) == "yourself"
    acme.billing_email = "Bob@acme.example"
    acme.save(update_fields=["billing_email"])
    assert refusal(bob.user) == "address_in_use"
    assert not Erasure.objects.exists()


def test_s17_the_only_operator_is_not_erased(db):
    operator = User.objects.create_superuser("op@host.example", name="Op")
    assert refusal(operator) == "last_operator"
    User.objects.create_superuser("op2@host.example", name="Op Two")
    erase_person(operator, actor=COMMAND, now=LATER)
    assert refusal(operator) == "already_erased"


def test_s17_an_erased_person_is_not_brought_back(gone, acme, alice):
    erase_person(gone, actor=COMMAND, now=LATER)
    member = Membership.objects.get(organization=acme, user=gone)
    with pytest.raises(BusinessError) as refused:
        bring_back(member, seat_tier=None, by=alice, now=LATER)
    assert refused.value.code == "erased"


def test_s17_whoever_comes_again_is_somebody_new(gone, acme, now):
    erase_person(gone, actor=COMMAND, now=LATER)
    again = make_user(BOB, "Bob Feld")
    make_organization("second", owner=again, now=LATER)
    assert again.pk != gone.pk
    assert not FormerAddress.objects.filter(email=BOB).exists()


def guarded(sql, params=()):
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, params)


LINE = "UPDATE billing_invoiceline SET member_name = %s WHERE member_name <> ''"


def test_s17_the_guards_take_a_pseudonym_while_somebody_is_erased_and_nothing_else(
    gone,
):
    """Break-in by SQL: nobody's name is changed without an erasure, or after it, nor
    anything but names within one.
    """
    guarded(LINE, ["Nobody"])
    guarded("UPDATE accounts_auditentry SET subject = %s", ["Nobody"])
    open_ = Erasure.objects.create(
        user=gone, code="c0de", name="E c0de", email="c0de@x.invalid", erased_at=LATER
    )
    guarded(LINE, ["Nobody"])
    guarded(LINE.replace("SET", "SET amount_nanos = 1,"), ["E c0de"])
    guarded("UPDATE billing_usageevent SET cost_nanos = 0")
    guarded("DELETE FROM accounts_auditentry")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LINE, ["E c0de"])
    open_.finished_at = LATER
    open_.save(update_fields=["finished_at"])
    guarded(LINE, ["E c0de once more"])
    guarded("UPDATE accounts_erasure SET finished_at = NULL")
    guarded("DELETE FROM accounts_erasure")


def told_by(*words, **options):
    out = io.StringIO()
    call_command("erase_person", *words, stdout=out, **options)
    return out.getvalue()


def test_s17_the_command_tells_first_and_erases_only_with_yes(gone):
    text = told_by(BOB)
    assert "to replace: invoice lines (person, e-mail)" in text
    assert "Nothing was changed" in text and User.objects.filter(email=BOB).exists()
    text = told_by("Bob@ACME.example", yes=True)
    assert "Erased. In the books they are “Erased person" in text
    assert not User.objects.filter(email=BOB).exists()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("nobody@acme.example", "Nobody signs in with “nobody@acme.example”."),
        ("alice@acme.example", "Hand over that role"),
    ],
)
def test_s17_the_command_refuses_in_one_sentence(acme, address, sentence):
    with pytest.raises(CommandError, match=sentence):
        told_by(address, yes=True)
