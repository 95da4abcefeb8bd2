"""Settings › Notices: thresholds, soft limits, recipients, and what became of everything
that was told in a month (N1, N3, N4).
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, OutgoingMail
from billing.metering.actions.recording import record_usage
from billing.models import (
    NoticeRecipient,
    NoticeSettings,
    SeatAllowance,
    SoftLimit,
)
from billing.notices.actions.telling import tell
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.notices import make_notice, tell_on_page
from tests.factories.usage import enable_extra_usage, event
from tests.markup import flat

URL = "/o/acme/settings/notices/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def as_alice(client, alice):
    client.force_login(alice.user)
    return client


def text(response) -> str:
    return flat(response.content.decode())


def test_only_owners_open_it_and_it_stands_after_billing(
    client, alice, ada, bob, charlie
):
    for reader, status in ((alice, 200), (ada, 403), (bob, 403), (charlie, 404)):
        client.force_login(reader.user)
        assert client.get(URL).status_code == status, reader
    client.force_login(alice.user)
    nav = client.get(URL).content.decode().split('class="xu-nav"')[1].split("</nav>")[0]
    places = [URL.replace("notices", place) for place in ("billing", "notices")]
    assert 0 < nav.index(places[0]) < nav.index(places[1]) < nav.index("connect/")
    client.force_login(ada.user)
    assert URL not in client.get("/o/acme/settings/usage/").content.decode()


def test_the_thresholds_of_one_kind_change_and_the_others_stay(as_alice, acme):
    url = f"{URL}percents/organization/"
    assert 'value="75"' in as_alice.get(url).content.decode()
    typed = {"percent_1": "50", "percent_2": "95", "percent_3": "95"}
    answer = as_alice.post(url, typed, headers=HTMX)
    assert answer.status_code == 204 and "noticesChanged" in answer["HX-Trigger"]
    kept = NoticeSettings.objects.get(organization=acme)
    assert kept.organization_percents == "50,95"
    assert kept.member_percents == "75,90,100" and kept.included_percents == "80,100"
    assert kept.edges["organization"] == [50, 95], "what the recorder reads"
    assert AuditEntry.objects.filter(action="notices.percents").count() == 1
    assert as_alice.post(url, {}, headers=HTMX).status_code == 204
    assert "nobody is told" in text(as_alice.get(URL))


@pytest.mark.parametrize("odd", ["0", "101", "-5", "x", "7.5"])
def test_what_is_no_percentage_is_refused_at_its_field(as_alice, odd):
    answer = as_alice.post(f"{URL}percents/member/", {"percent_1": odd}, headers=HTMX)
    assert answer.status_code == 422 and "xu-error" in answer.content.decode()
    assert as_alice.get(f"{URL}percents/everything/").status_code == 404


def test_a_soft_limit_is_added_changed_and_removed(as_alice, acme, bob):
    add = f"{URL}soft-limits/add/"
    for typed in (
        {"target": "organization", "amount": "1,000"},
        {"target": "premium", "amount": "100"},
        {"target": "member", "member": "bob@acme.example", "amount": "20.50"},
    ):
        assert as_alice.post(add, typed, headers=HTMX).status_code == 204, typed
    shown = text(as_alice.get(URL))
    assert "$1,000.00" in shown and "$100.00" in shown and "$20.50" in shown
    assert "each person; 0 of 1 reached" in shown and "Bob Feld" in shown
    own = SoftLimit.objects.get(membership=bob)
    as_alice.post(f"{URL}soft-limits/{own.pk}/", {"amount": "30"})
    assert SoftLimit.objects.get(membership=bob).amount_nanos == usd(30)
    own = SoftLimit.objects.get(membership=bob)
    as_alice.post(f"{URL}soft-limits/{own.pk}/", {"remove": "1"})
    assert not SoftLimit.objects.filter(membership=bob).exists()


@pytest.mark.parametrize(
    "typed",
    [
        {"target": "member", "amount": "20"},
        {"target": "member", "member": "charlie@umbrella.example", "amount": "20"},
        {"target": "organization", "amount": "0"},
        {"target": "organization", "amount": "1.005"},
        {"target": "group", "amount": "20"},
    ],
)
def test_a_soft_limit_of_nobody_or_of_no_amount_is_refused(as_alice, typed):
    answer = as_alice.post(f"{URL}soft-limits/add/", typed, headers=HTMX)
    assert answer.status_code == 422 or "xu-error" in answer.content.decode()
    assert not SoftLimit.objects.exists()


def test_a_soft_limit_says_how_far_it_is_reached(as_alice, acme, alice, bob):
    SeatAllowance.objects.all().delete()
    enable_extra_usage(acme)
    add = f"{URL}soft-limits/add/"
    as_alice.post(add, {"target": "organization", "amount": "10"})
    as_alice.post(add, {"target": "standard", "amount": "10"})
    as_alice.post(add, {"target": "organization", "amount": "500"})
    friday = NOW - dt.timedelta(days=3)
    record_usage([event(bob, at=friday, usd="12")], organization_id=acme.pk, now=friday)
    shown = text(as_alice.get(URL))
    assert "reached Fri 20 Nov" in shown
    assert "each person; 1 of 2 reached" in shown
    assert "$12.00 so far" in shown


def test_recipients_are_added_asked_again_and_removed(as_alice, acme, ada):
    add = f"{URL}recipients/add/"
    as_alice.post(add, {"address": "ada@acme.example"}, headers=HTMX)
    as_alice.post(add, {"address": "finance@acme.example"}, headers=HTMX)
    assert NoticeRecipient.objects.get(membership=ada)
    outside = NoticeRecipient.objects.get(address="finance@acme.example")
    asked = OutgoingMail.objects.filter(address="finance@acme.example")
    assert asked.count() == 1
    shown = text(as_alice.get(URL))
    assert "asked on Mon 23 Nov, not agreed yet" in shown and "Ada Okafor" in shown
    again = as_alice.post(f"{URL}recipients/{outside.pk}/ask/", follow=True)
    assert "was asked within the last 24 hours" in text(again)
    NoticeRecipient.objects.filter(pk=outside.pk).update(agreed_at=NOW)
    assert "agreed by link on Mon 23 Nov" in text(as_alice.get(URL))
    as_alice.post(f"{URL}recipients/{outside.pk}/remove/")
    assert not NoticeRecipient.objects.filter(pk=outside.pk).exists()


def test_another_organizations_limits_and_recipients_are_not_there(
    client, acme, alice, charlie
):
    client.force_login(charlie.user)
    limit = SoftLimit.objects.create(
        organization=acme, level="organization", amount_nanos=usd(5), created_at=NOW
    )
    recipient = NoticeRecipient.objects.create(
        organization=acme, address="finance@acme.example", added_at=NOW
    )
    for organization, status in (("acme", 404), ("umbrella", 404)):
        for path in (
            f"soft-limits/{limit.pk}/",
            f"recipients/{recipient.pk}/remove/",
            f"recipients/{recipient.pk}/ask/",
        ):
            url = f"/o/{organization}/settings/notices/{path}"
            assert client.post(url, {"remove": "1"}).status_code == status, url
    assert SoftLimit.objects.exists() and NoticeRecipient.objects.exists()


def test_each_notice_of_the_month_says_what_its_deliveries_did(as_alice, acme, alice):
    told = make_notice(acme, at=NOW, told_at=None)
    tell(told.pk, now=NOW)
    overtaken = make_notice(acme, at=NOW, percent=90, overtaken_at=NOW)
    shown = text(as_alice.get(URL))
    assert "Acme has used 75 % of $1,600.00" in shown.replace("\xa0", " ")
    assert "alice@acme.example" in shown and "Not read yet" in shown
    assert "Not sent: no longer true" in shown
    mail = OutgoingMail.objects.get(kind="notice")
    OutgoingMail.objects.filter(pk=mail.pk).update(
        attempts=2, last_error="451 try later", next_try_at=NOW + dt.timedelta(hours=1)
    )
    waiting = text(as_alice.get(f"{URL}?state=waiting"))
    assert "451 try later; next try 15:28 today" in waiting
    assert "Not sent: no longer true" not in waiting
    OutgoingMail.objects.filter(pk=mail.pk).update(dropped_at=NOW)
    failed = text(as_alice.get(f"{URL}?state=failed"))
    assert "451 try later; not tried again" in failed and "Not read yet" not in failed
    OutgoingMail.objects.filter(pk=mail.pk).update(dropped_at=None, sent_at=NOW)
    assert "Taken, not at the first try" in text(as_alice.get(URL))
    assert overtaken.pk != told.pk


def test_past_months_are_read_and_the_future_is_not_offered(as_alice, acme, alice):
    acme.created_at = NOW - dt.timedelta(days=100)
    acme.save(update_fields=["created_at"])
    october = make_notice(acme, at=NOW - dt.timedelta(days=30))
    tell_on_page(october, alice)
    shown = text(as_alice.get(URL))
    assert "Nobody had to be told anything in November 2026" in shown
    assert "month=2026-10" in shown and "month=2026-12" not in shown
    past = text(as_alice.get(f"{URL}?month=2026-10"))
    assert "has used" in past and "Back to this month" in past
    assert "Thresholds" not in past, "what holds now is not shown as what held then"
    for odd in ("2026-12", "1999-01", "x", "2026-13"):
        assert "November 2026" in text(as_alice.get(f"{URL}?month={odd}"))


def test_fifty_rows_a_page_in_as_many_queries_as_for_few(as_alice, acme, alice, bob):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            as_alice.get(URL)
        return len(seen)

    tell_on_page(make_notice(acme, at=NOW, percent=1), alice)
    queries()
    few = queries()
    for number in range(2, 60):
        tell_on_page(make_notice(acme, at=NOW, percent=number), alice)
    assert queries() == few
    assert "1–50 of 59" in text(as_alice.get(URL))
    assert "51–59 of 59" in text(as_alice.get(f"{URL}?page=2"))


def test_the_page_is_written_in_japanese_too(client, alice, acme):
    alice.user.language = "ja"
    alice.user.save(update_fields=["language"])
    client.force_login(alice.user)
    client.cookies["django_language"] = "ja"
    tell_on_page(make_notice(acme, at=NOW), alice)
    assert client.get(URL).status_code == 200
    assert client.get("/o/acme/notices/newest/").status_code == 200
