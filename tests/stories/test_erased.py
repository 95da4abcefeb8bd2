"""Somebody leaves Acme, is erased, and their mailbox is lost to a stranger: it opens
nothing, gets nothing, and what their gateway reports late brings no name back, while each
month closes with clean books (S17, E6a).
"""

from __future__ import annotations

import datetime as dt
import io
import re

import pytest
from django.core.management import call_command
from pypdf import PdfReader

from accounts.actions.invitations import accept_invitation, invite
from accounts.actions.members import remove_member
from accounts.models import Erasure, Membership, User
from accounts.tasks import end_what_is_kept, send_due_mails
from billing.books import differences
from billing.documents.closing import close_due
from billing.documents.print.documents import printed_invoice
from billing.documents.print.layout import pdf_of
from billing.metering.actions.recording import record_usage
from billing.models import Invoice, SeatAllowance, UsageEvent
from config.kit.money import usd
from tests.factories.people import PASSWORD, make_cast
from tests.factories.usage import enable_extra_usage, event
from tests.privacy.bob import naming

pytestmark = pytest.mark.django_db
BOB = "bob@acme.example"


def at(text: str) -> dt.datetime:
    """An instant by UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def printed(invoice: Invoice) -> str:
    pages = PdfReader(io.BytesIO(pdf_of(printed_invoice(invoice)))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def closes(acme, month: str, *, on: str) -> Invoice:
    """The month's invoice; the books are clean after it."""
    close_due(acme.pk, now=at(on))
    assert list(differences()) == []
    return Invoice.objects.get(organization=acme, month_on=f"{month}-01")


def test_a_lost_mailbox_after_its_person_was_erased(
    client, mailoutbox, time_machine, settings
):
    settings.CLOSE_GRACE_HOURS = 6
    time_machine.move_to(at("2026-10-05T12:00"), tick=False)
    acme = make_cast(now=at("2026-10-01T12:00"))
    SeatAllowance.objects.filter(plan=acme.plan).delete()
    enable_extra_usage(acme)
    bob = Membership.objects.select_related("user", "organization").get(user__email=BOB)
    alice = Membership.objects.select_related("user", "organization").get(
        user__email="alice@acme.example"
    )

    # October is used, billed, and printed with his name; a reset link waits in his mailbox.
    used = event(bob, usd="12", at=at("2026-10-12T14:00"), labels={"user": BOB})
    record_usage([used], organization_id=acme.pk, now=at("2026-10-12T14:00"))
    time_machine.move_to(at("2026-11-02T12:00"), tick=False)
    october = closes(acme, "2026-10", on="2026-11-02T12:00")
    assert "Bob Feld" in printed(october)
    client.post("/accounts/password/reset/", {"email": BOB})
    send_due_mails()
    [reset] = [mail for mail in mailoutbox if mail.to == [BOB]]
    link = re.search(r"/accounts/password/reset/key/\S+", reset.body)
    assert link is not None

    # He leaves with a request outstanding, and is erased.
    time_machine.move_to(at("2026-11-10T12:00"), tick=False)
    remove_member(bob, by=alice, now=at("2026-11-10T12:00"))
    call_command("erase_person", BOB, yes=True, stdout=io.StringIO())
    pseudonym = Erasure.objects.get()
    mailoutbox.clear()

    # Whoever has the mailbox now: no sign-in, no old link, no new one, no mail.
    for address in (BOB, pseudonym.email):
        sent = {"login": address, "password": PASSWORD}
        assert client.post("/accounts/login/", sent).status_code == 200
        client.post("/accounts/password/reset/", {"email": address})
    page = client.get(link[0], follow=True)
    assert b"password1" not in page.content
    assert "_auth_user_id" not in client.session
    send_due_mails()
    assert [
        mail for mail in mailoutbox if mail.to not in (["alice@acme.example"],)
    ] == []

    # Their gateway reports what ran before he left, by the address it knows.
    late = event(BOB, usd="7", at=at("2026-11-09T10:00"), id="l", labels={"who": BOB})
    [result] = record_usage(
        [late], organization_id=acme.pk, now=at("2026-11-12T09:00")
    ).results
    assert (result.status, result.cost_nanos) == ("recorded", usd(7))
    kept = UsageEvent.objects.get(event_id="l")
    assert kept.membership_id == bob.pk and kept.labels == {"who": pseudonym.email}

    # Both invoices print with the pseudonym; no row says who it was.
    november = closes(acme, "2026-11", on="2026-12-02T12:00")
    assert november.exact_nanos == usd(7)
    for invoice in (october, november):
        assert pseudonym.name in printed(invoice) and "Feld" not in printed(invoice)
    assert naming("feld", "bob@") == {}

    # The stranger is invited, and is somebody new, with nothing of the old.
    time_machine.move_to(at("2026-12-05T12:00"), tick=False)
    _sent, token = invite(
        acme,
        email=BOB,
        role="member",
        seat_tier=None,
        by=alice,
        now=at("2026-12-05T12:00"),
    )
    joined = accept_invitation(
        token,
        user=None,
        name="Bo Next",
        password="some-other-password",
        now=at("2026-12-05T13:00"),
    )
    assert joined.user_id != bob.user_id and joined.pk != bob.pk
    assert not UsageEvent.objects.filter(membership=joined).exists()

    # After the time for late usage, the hash is gone as well.
    time_machine.move_to(at("2027-03-01T12:00"), tick=False)
    assert end_what_is_kept() >= 1
    assert User.objects.get(pk=bob.user_id).former_addresses.count() == 0
    assert list(differences()) == []
