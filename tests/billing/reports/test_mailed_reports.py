"""A report by mail each month: to admins and addresses that agreed, after the close, once,
with the figures of its page; stopped by whoever gets it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from decimal import Decimal
from urllib.parse import urlencode, urlsplit

import pytest
import time_machine

from accounts.actions.members import remove_member
from accounts.models import AuditEntry, Membership, OutgoingMail, Role
from accounts.tasks import send_due_mails
from billing.models import NoticeRecipient, ReportMail, ReportMailRecipient
from billing.reports import mails
from billing.reports.actions.mailing import queue_report, set_report_mail
from billing.reports.links import stop_url
from billing.reports.queries.mailed import due_reports
from billing.reports.tasks import mail_reports
from config.kit.errors import BusinessError
from tests.conftest import NOW
from tests.factories.documents import CLOSES, close_november, use_november
from tests.markup import flat

PAGE = "/o/acme/settings/reports/"
MAIL = f"{PAGE}mail/"
HTMX = {"HX-Request": "true"}
HOUR = dt.timedelta(hours=1)
FINANCE = "finance@books.example"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def as_ada(client, ada):
    client.force_login(ada.user)
    return client


@pytest.fixture
def finance(acme):
    return NoticeRecipient.objects.create(
        organization=acme, address=FINANCE, language="ja", added_at=NOW, agreed_at=NOW
    )


@pytest.fixture
def used(acme):
    use_november(acme, at=NOW)
    return acme


def agreed_address(acme) -> str:
    """An address outside that agreed."""
    NoticeRecipient.objects.create(
        organization=acme, address=FINANCE, added_at=NOW, agreed_at=NOW
    )
    return FINANCE


def mailed(acme, by: Membership, *addresses: str, query: str = "") -> ReportMail:
    return set_report_mail(acme, query=query, addresses=addresses, by=by, now=NOW)


def test_admins_have_a_report_mailed_by_its_address(as_ada, acme, ada, alice, finance):
    response = as_ada.get(f"{MAIL}?by=model&then=person&range=2026-10&page=2")
    assert "By Model, then Person; paid by: Extra usage" in flat(
        response.content.decode()
    )
    typed = f"{alice.user.email}, {ada.user.email.upper()}\n{FINANCE};"
    response = as_ada.post(
        f"{MAIL}?by=model&then=person", {"addresses": typed}, headers=HTMX
    )
    assert response.status_code == 204
    [kept] = ReportMail.objects.all()
    assert kept.query == "by=model&then=person" and kept.created_by == ada
    people = {ada.user.email, alice.user.email, FINANCE}
    assert {one.address for one in kept.recipients.all()} == people
    entry = AuditEntry.objects.get(action="report_mail.change")
    assert set(entry.to_value["addresses"]) == people
    page = flat(as_ada.get(PAGE).content.decode())
    assert "Mailed monthly" in page and FINANCE in page
    as_ada.post(
        f"{MAIL}?by=model&then=person", {"addresses": ada.user.email}, headers=HTMX
    )
    assert [one.address for one in kept.recipients.all()] == [ada.user.email]
    as_ada.post(f"{MAIL}{kept.pk}/stop/")
    assert not ReportMail.objects.exists()


@pytest.mark.parametrize("who", ["bob", "stranger", "asked", "switched off"])
def test_reports_go_to_nobody_who_may_not_see_them(who, as_ada, acme, bob, alice):
    address = {"bob": bob.user.email, "switched off": alice.user.email}.get(
        who, f"{who.split()[0]}@books.example"
    )
    NoticeRecipient.objects.create(
        organization=acme, address="asked@books.example", added_at=NOW
    )
    if who == "switched off":
        alice.user.is_active = False
        alice.user.save(update_fields=["is_active"])
    response = as_ada.post(MAIL, {"addresses": address}, headers=HTMX)
    assert response.status_code == 422 and address in response.content.decode()
    assert not ReportMail.objects.exists()


@pytest.mark.parametrize(
    "typed, code",
    [
        (" ,; ", "no_address"),
        (" ".join(f"{n}@x.example" for n in range(51)), "too_many_recipients"),
    ],
)
def test_what_cannot_be_is_told_at_the_field(typed, code, as_ada, acme, ada):
    assert as_ada.post(MAIL, {"addresses": typed}, headers=HTMX).status_code == 422
    with pytest.raises(BusinessError) as refused:
        mailed(acme, ada, *typed.replace(",", " ").replace(";", " ").split())
    assert refused.value.code == code


def test_a_report_of_too_long_an_address_is_refused(as_ada, acme, ada):
    query = urlencode({"label": "team=" + "ä" * 290, "model": "ö" * 290})
    response = as_ada.post(
        f"{MAIL}?{query}", {"addresses": ada.user.email}, headers=HTMX
    )
    assert response.status_code == 422 and not ReportMail.objects.exists()


def test_it_is_mailed_once_two_hours_after_the_close(
    used, ada, alice, finance, clock, mailoutbox, worker
):
    report = mailed(used, ada, alice.user.email, FINANCE)
    clock.move_to(CLOSES)
    close_november(used)
    assert mail_reports() == 0
    clock.move_to(CLOSES + 2 * HOUR)
    assert mail_reports() == 1 and mail_reports() == 0
    send_due_mails()
    sent = [one for one in mailoutbox if "CSV" in one.body or "Bob Feld" in one.body]
    assert {one.to[0] for one in sent} == {alice.user.email, FINANCE}
    english = next(one for one in sent if one.to == [alice.user.email])
    assert english.subject == "$44.34 in November 2026: Acme"
    assert "Ada Okafor: $30.00" in english.body and "Bob Feld: $14.34" in english.body
    assert "range=2026-11" in english.body
    [file] = english.attachments
    assert file[0] == "acme-2026-11-01-2026-11-30.csv"
    rows = list(csv.DictReader(io.StringIO(file[1].removeprefix("\ufeff"))))
    assert sum(Decimal(row["extra_usage_usd"]) for row in rows) == Decimal("44.345")
    other = next(one for one in sent if one.to == [FINANCE])
    assert "range=2026-11" not in other.body  # they have no account to open it with
    report.refresh_from_db()
    assert report.mailed_month_on == dt.date(2026, 11, 1)
    assert queue_report(report.pk, month_on=dt.date(2026, 11, 1), now=CLOSES) == []


def test_of_a_month_that_ended_before_it_was_asked_for_nothing_is_mailed(
    used, ada, clock
):
    clock.move_to(CLOSES)
    close_november(used)
    set_report_mail(used, query="", addresses=[ada.user.email], by=ada, now=CLOSES)
    assert due_reports(now=CLOSES + 24 * HOUR) == []


def test_who_is_no_admin_any_more_gets_none(
    used, ada, alice, clock, mailoutbox, worker
):
    mailed(used, alice, ada.user.email)
    clock.move_to(CLOSES)
    close_november(used)
    clock.move_to(CLOSES + 2 * HOUR)
    assert mail_reports() == 1
    remove_member(ada, by=alice, now=CLOSES + 2 * HOUR)
    OutgoingMail.objects.exclude(kind="billing.report").delete()
    mailoutbox.clear()
    send_due_mails()
    assert mailoutbox == []
    assert OutgoingMail.objects.get(kind="billing.report").dropped_at is not None


def test_whoever_gets_it_stops_it_by_one_press(
    client, used, ada, alice, clock, mailoutbox, worker
):
    mailed(used, ada, ada.user.email, alice.user.email)
    clock.move_to(CLOSES + 2 * HOUR)
    close_november(used)
    mail_reports()
    send_due_mails()
    [mail] = [
        one
        for one in mailoutbox
        if one.to == [ada.user.email]
        and one.attachments
        and one.attachments[0][0].endswith(".csv")
    ]
    header = mail.extra_headers["List-Unsubscribe"]
    path = re.search(r"(/reports/stop/[^>]+)>", header)[1]
    assert "Stop this monthly report of Acme?" in client.get(path).content.decode()
    assert ReportMailRecipient.objects.count() == 2
    assert client.post(path).status_code == 200
    assert [one.address for one in ReportMailRecipient.objects.all()] == [
        alice.user.email
    ]
    assert "You get no more" in client.get(path).content.decode()
    assert client.get("/reports/stop/forged/").status_code == 404
    entry = AuditEntry.objects.filter(action="report_mail.change").first()
    assert entry.to_value == {"addresses": [alice.user.email]}


def test_n4_a_list_saved_again_leaves_the_links_of_who_stays(client, used, ada, alice):
    report = mailed(used, ada, ada.user.email, alice.user.email)
    kept = report.recipients.get(membership=alice)
    mailed(used, ada, alice.user.email, agreed_address(used))
    assert report.recipients.get(membership=alice).pk == kept.pk
    assert client.post(urlsplit(stop_url(kept.pk)).path).status_code == 200
    assert not report.recipients.filter(membership=alice).exists()


def test_d3_who_is_no_admin_any_more_gets_none_that_waited(
    as_ada, used, ada, mailoutbox, worker
):
    as_ada.post(MAIL, {"now": "1"}, headers=HTMX)
    Membership.objects.filter(pk=ada.pk).update(base_role=Role.MEMBER)
    send_due_mails()
    assert mailoutbox == []


def test_the_month_so_far_comes_at_once_to_who_asks(as_ada, used, mailoutbox, worker):
    response = as_ada.post(f"{MAIL}?by=model", {"now": "1"}, headers=HTMX)
    assert response.status_code == 204
    send_due_mails()
    [mail] = mailoutbox
    assert mail.subject.startswith("$44.34 in 1–23 Nov 2026")
    assert "You asked for this report on its page." in mail.body
    assert "List-Unsubscribe" not in mail.extra_headers


def test_a_report_too_long_to_attach_is_a_link(
    as_ada, used, mailoutbox, worker, monkeypatch
):
    monkeypatch.setattr(mails, "MOST_BYTES", 100)
    as_ada.post(MAIL, {"now": "1"}, headers=HTMX)
    send_due_mails()
    [mail] = mailoutbox
    assert mail.attachments == [] and "too long to attach" in mail.body


def test_reports_of_another_organization_are_nobodys_here(client, used, ada, charlie):
    report = mailed(used, ada, ada.user.email)
    client.force_login(charlie.user)
    slug = charlie.organization.slug
    path = f"/o/{slug}/settings/reports/mail/{report.pk}/stop/"
    assert client.post(path).status_code in (403, 404)
    assert ReportMail.objects.filter(pk=report.pk).exists()
