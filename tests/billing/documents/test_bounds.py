"""S18, S30: a document has an end in rows, time and memory, is typeset once, and two at
a time.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace

import pytest
import time_machine
from django.core import mail
from django.core.cache import caches

from accounts.models import OutgoingMail, User
from accounts.tasks import send_due_mails
from billing.documents.print import documents, kept, typst
from billing.documents.print.kept import kept_pdf
from billing.documents.print.layout import Line, PrintedDocument, pdf_of
from billing.documents.print.typst import BeyondBounds, Bounds, typeset
from billing.metering.actions.recording import record_usage
from billing.models import Invoice
from tests.factories.documents import CLOSES, close_november, use_november
from tests.factories.people import make_user
from tests.factories.usage import event

SMALL = PrintedDocument(
    *("en", "Invoice", "A-1", "", "", (), "", (), (), ("Item", "Amount")),
    lines=(Line(("Grace", "$2")),),
    totals=(),
    notes=(),
)
BILLING = "/o/acme/settings/billing/"


@pytest.fixture(autouse=True)
def _nothing_kept():
    caches["documents"].clear()


@pytest.fixture
def invoice(acme, now) -> Invoice:
    use_november(acme, at=now)
    return close_november(acme)


@pytest.fixture
def owner(client, alice):
    client.force_login(alice.user)
    return client


@pytest.fixture
def typeset_count(monkeypatch) -> list[PrintedDocument]:
    """The documents that were really typeset."""
    made: list[PrintedDocument] = []

    def noted(document: PrintedDocument) -> bytes:
        made.append(document)
        return pdf_of(document)

    monkeypatch.setattr(kept, "pdf_of", noted)
    return made


def test_s18_an_invoice_of_8000_models_is_bounded_in_rows_time_and_memory(
    acme, now, owner, monkeypatch
):
    """As a gateway makes it that puts the id of each request into `model`."""
    use_november(acme, at=now)
    used = event("bob@acme.example", at=now, usd="0.01")
    for start in range(0, 8_000, 1_000):
        made_up = [
            replace(used, id=f"r-{number}", model=f"request-{number}-{'x' * 100}")
            for number in range(start, start + 1_000)
        ]
        record_usage(made_up, organization_id=acme.pk, now=now)
    invoice = close_november(acme)
    assert invoice.lines.count() > 8_000
    assert len(documents.printed_invoice(invoice).lines) <= documents.PRINTED_MODELS + 2
    tight = Bounds(seconds=30, cpu_seconds=10, memory=600_000_000)
    monkeypatch.setattr(typst, "BOUNDS", tight)
    answer = owner.get(f"{BILLING}invoices/ACME-0001.pdf")
    assert answer.status_code == 200 and answer.content.startswith(b"%PDF")


def test_s18_the_longest_document_by_person_is_far_inside_the_bounds(monkeypatch):
    """A thousand people of one line each have a heading row each."""
    monkeypatch.setattr(typst, "BOUNDS", Bounds(cpu_seconds=15, memory=700_000_000))
    assert pdf_of(long(documents.PRINTED_LINES * 2)).startswith(b"%PDF")


def long(rows: int) -> PrintedDocument:
    name = "Maximiliane Freifrau von Hohenstein (maximiliane@acme.example)"
    lines = (Line((f"{name} {number}", "$12.00")) for number in range(rows))
    return replace(SMALL, lines=tuple(lines))


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(memory=450_000_000),
        Bounds(cpu_seconds=1),
        Bounds(seconds=1),
    ],
    ids=["memory", "processor", "clock"],
)
def test_s18_what_is_beyond_a_bound_ends_and_says_so(monkeypatch, bounds):
    monkeypatch.setattr(typst, "BOUNDS", bounds)
    started = time.monotonic()
    with pytest.raises(BeyondBounds):
        pdf_of(long(4_900))
    assert time.monotonic() - started < 60, "it would never end"


def test_s18_what_has_more_rows_than_any_document_is_not_even_tried(typeset_count):
    with pytest.raises(BeyondBounds, match="5,001 lines"):
        pdf_of(long(5_001))


def test_s30_a_document_is_typeset_once_and_again_when_it_changed(
    owner, invoice, typeset_count
):
    path = f"{BILLING}invoices/ACME-0001.pdf"
    first, again = owner.get(path), owner.get(path)
    assert first.content == again.content and len(typeset_count) == 1
    User.objects.update(language="ja")
    assert owner.get(path).content != first.content
    User.objects.update(language="en")
    Invoice.objects.filter(pk=invoice.pk).update(
        status=Invoice.Status.PAID, settled_at=CLOSES
    )
    assert owner.get(path).content != first.content
    assert len(typeset_count) == 3


def test_s30_another_template_is_another_document(monkeypatch, tmp_path, typeset_count):
    first = kept_pdf(SMALL)
    changed = tmp_path / "document.typ"
    changed.write_text(kept.TEMPLATE.read_text() + "\n// new")
    monkeypatch.setattr(kept, "TEMPLATE", changed)
    kept._engine.cache_clear()
    assert kept_pdf(SMALL) == first and len(typeset_count) == 2
    kept._engine.cache_clear()


def test_what_can_not_be_kept_is_made_anew(typeset_count, monkeypatch):
    def refuse(*args, **options):
        raise OSError("read-only")

    monkeypatch.setattr(caches["documents"], "set", refuse)
    monkeypatch.setattr(caches["documents"], "get", refuse)
    assert kept_pdf(SMALL) == kept_pdf(SMALL) and len(typeset_count) == 2


def test_s18_what_was_beyond_its_bounds_is_not_tried_at_every_press(
    owner, invoice, monkeypatch
):
    tries = []

    def fails(document):
        tries.append(document)
        raise BeyondBounds("too long")

    monkeypatch.setattr(kept, "pdf_of", fails)
    for _press in range(3):
        answer = owner.get(f"{BILLING}invoices/ACME-0001.pdf")
        assert (answer.status_code, answer["Retry-After"]) == (503, "300")
        assert "too long for a PDF" in answer.content.decode()
    assert len(tries) == 1


def test_s30_when_two_are_being_printed_the_third_is_asked_to_wait(
    owner, invoice, monkeypatch
):
    monkeypatch.setattr(typst, "WAIT_SECONDS", 0.1)
    for _each in range(2):
        assert typst.AT_ONCE.acquire(blocking=False)
    try:
        started = time.monotonic()
        answer = owner.get(f"{BILLING}invoices/ACME-0001.pdf")
        assert time.monotonic() - started < 2
    finally:
        typst.AT_ONCE.release(2)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Wait 5 seconds" in answer.content.decode()
    assert owner.get(f"{BILLING}invoices/ACME-0001.pdf").status_code == 200


def test_s30_a_printer_is_free_again_after_a_failure(tmp_path):
    (tmp_path / "bad.typ").write_text("#panic()")
    for _try in range(3):
        with pytest.raises(typst.TypesettingError):
            typeset("{}", template=tmp_path / "bad.typ", fonts=[], timestamp=0)


def deliver(at: dt.datetime) -> list[mail.EmailMessage]:
    with time_machine.travel(at, tick=False):
        send_due_mails()
    sent, mail.outbox = mail.outbox, []
    return sent


def test_s18_a_mail_whose_pdf_fails_goes_out_with_the_link_and_operators_know(
    invoice, monkeypatch
):
    make_user("operator@example.com", "Op", is_staff=True, is_superuser=True)

    def fails(document):
        raise BeyondBounds("too long")

    monkeypatch.setattr("billing.documents.mails.documents.kept_pdf", fails)
    at = CLOSES + dt.timedelta(seconds=1)
    assert deliver(at) == deliver(at + dt.timedelta(minutes=2)) == []
    sent = deliver(at + dt.timedelta(minutes=10))
    assert {message.to[0] for message in sent} == {
        "alice@acme.example",
        "billing@acme.example",
    }
    for message in sent:
        assert message.attachments == []
        assert "ACME-0001 is due on 31 December 2026." in message.body
        assert "attached" not in message.body
        assert "/o/acme/settings/billing/invoices/ACME-0001/" in message.body
    [told] = deliver(at + dt.timedelta(minutes=20))
    assert told.to == ["operator@example.com"]
    assert told.subject == "ACME-0001 of Acme was sent without its PDF"
    assert "/admin/accounts/organization/" in told.body
    assert deliver(at + dt.timedelta(days=1)) == []
    assert not OutgoingMail.objects.waiting().exists()
