"""G4, P1, P3: the receipts behind a report's row, an invoice line and a ledger entry add
up to it to the nano-dollar, whatever came late, was corrected, or whoever left.
"""

from __future__ import annotations

import datetime as dt
import random

import pytest
import time_machine
from django.http import QueryDict
from django.urls import reverse

from accounts.models import Membership
from billing.documents.queries.usage_behind import events_behind
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.recording import record_usage
from billing.models import InvoiceLine, SeatAllowance, UsageEvent
from billing.reports.filters import receipts_filter
from billing.reports.queries.groups import Narrowed
from billing.reports.queries.receipts import (
    ReceiptsAsked,
    counted_nanos,
    receipts_asked,
    sum_asked,
)
from billing.reports.queries.report import Asked, Report
from billing.reports.rules.ranges import range_of
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.documents import CLOSES, close_november
from tests.factories.usage import enable_extra_usage, event

PAID = ("extra", "included", "unbilled", "all")
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def november(acme, bob, ada, alice):
    """A month of three people: two surfaces, labels, late events, corrections, and Bob
    who left.
    """
    enable_extra_usage(acme)
    SeatAllowance.objects.filter(plan=acme.plan).update(amount_nanos=usd("5"))
    chance = random.Random(7)
    for number in range(60):
        ran = NOW - chance.randrange(1, 400) * HOUR
        sent = event(
            chance.choice([bob, ada, alice]),
            at=ran,
            usd=chance.choice(["0.00001", "0.37", "4.12"]),
            id=f"req-{number}",
            surface=chance.choice(["claude_code", "claude"]),
            labels=chance.choice([{}, {"project": "checkout"}, {"project": "a=b"}]),
        )
        late = ran + chance.choice([0, 0, 30]) * HOUR
        record_usage([sent], organization_id=acme.pk, now=max(late, ran))
    extra = UsageEvent.objects.filter(funding="extra_usage", cost_nanos__gt=0)
    for found in extra.order_by("pk")[2:40:3]:
        adjust_event(
            found,
            amount_nanos=-(found.cost_nanos // 3),
            reason="agreed",
            operator=acme.primary_owner,
            now=NOW + chance.randrange(1, 60) * HOUR,
        )
    Membership.objects.filter(pk=bob.pk).update(
        status="removed", removed_at=NOW + 70 * HOUR, seat_tier=None
    )
    return acme


def by_hand(asked: ReceiptsAsked) -> int:
    """The amounts of the list's rows, added up one by one."""
    return sum(counted_nanos(asked, list(receipts_asked(asked))).values())


@pytest.mark.parametrize("by", ["model", "surface", "day", "label:project"])
@pytest.mark.parametrize("paid", PAID)
def test_g4_the_receipts_of_a_row_add_up_to_it(november, bob, ada, by, paid):
    span = range_of("2026-11", today=(NOW + 80 * HOUR).date())
    for person in (bob, ada):
        narrowed = Narrowed(membership_id=person.pk)
        report = Report(november.pk, Asked(span, by, "", paid, narrowed))
        found = 0
        for row in report.rows:
            query = QueryDict(mutable=True)
            query["range"], query["paid"] = "2026-11", paid
            if by == "day":
                query["range"] = f"{row.key}..{row.key}"
            elif by == "label:project":
                query["label"] = f"project={row.key}"
            else:
                query[by] = row.key
            chosen = receipts_filter(
                query, membership_id=person.pk, today=(NOW + 80 * HOUR).date()
            )
            assert sum_asked(chosen.asked) == by_hand(chosen.asked) == row.total_nanos
            found += row.total_nanos
        assert sum_asked(ReceiptsAsked(narrowed, span, paid)) == found


def test_p3_an_invoice_line_is_the_sum_of_receipts_that_link_to_it(
    client, november, bob, alice
):
    invoice = close_november(november)
    with time_machine.travel(CLOSES, tick=False):
        client.force_login(alice.user)
    lines = invoice.lines.filter(kind=InvoiceLine.Kind.USAGE, membership=bob)
    assert lines
    for line in lines:
        url = reverse("invoice_line", args=["acme", invoice.number, line.position])
        with time_machine.travel(CLOSES, tick=False):
            page = client.get(url).content.decode()
            events = list(events_behind(line))
            assert sum(one.line_nanos for one in events) == line.exact_nanos
            receipt = reverse("member_receipt", args=["acme", bob.pk, events[0].pk])
            assert receipt in page
            assert url in client.get(receipt).content.decode()


def test_the_row_of_a_persons_report_leads_to_its_receipts(client, november, ada, bob):
    client.force_login(ada.user)
    with time_machine.travel(NOW + 80 * HOUR, tick=False):
        page = client.get(
            f"/o/acme/settings/reports/?range=2026-11&by=surface&person={bob.pk}"
        )
        [first, *_rest] = page.context["rows"]
        listed = client.get(first["link"])
    assert listed.context["total_nanos"] == first["total_nanos"]
    assert "Removed" in listed.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "range=nonsense",
        "page=x",
        "model=nobody",
        "label=",
        "paid=?",
        "seat=",
        "start=1",
    ],
)
def test_what_an_address_cant_mean_is_passed_over(client, november, ada, query):
    client.force_login(ada.user)
    for url in (
        reverse("own_receipts", args=["acme"]),
        reverse("member_receipts", args=["acme", ada.pk]),
    ):
        response = client.get(f"{url}?{query}")
        assert response.status_code == 200
        told = "is not a range of days" in response.content.decode()
        assert told == (query == "range=nonsense")


def test_others_lists_are_for_admins_of_the_same_organization(
    client, november, bob, ada, charlie
):
    found = UsageEvent.objects.filter(membership=ada).first()
    assert found is not None
    paths = [
        reverse("member_receipts", args=["acme", ada.pk]),
        reverse("member_receipts_csv", args=["acme", ada.pk]),
        reverse("member_receipt", args=["acme", ada.pk, found.pk]),
    ]
    Membership.objects.filter(pk=bob.pk).update(status="active", removed_at=None)
    member = Membership.objects.get(pk=bob.pk)
    codes = {}
    for reader in (ada, member, charlie):
        client.force_login(reader.user)
        codes[reader.pk] = {client.get(path).status_code for path in paths}
    assert codes == {ada.pk: {200}, member.pk: {403}, charlie.pk: {404}}
    client.force_login(ada.user)
    elsewhere = [
        reverse("member_receipts", args=["acme", charlie.pk]),
        reverse("member_receipt", args=["acme", bob.pk, found.pk]),
        reverse("member_receipt", args=["acme", ada.pk, 2**63]),
    ]
    assert {client.get(path).status_code for path in elsewhere} == {404}


def test_previous_and_next_keep_the_filter(client, november, ada):
    client.force_login(ada.user)
    query = "range=2026-11&surface=claude"
    url = reverse("own_receipts", args=["acme"])
    with time_machine.travel(NOW + 80 * HOUR, tick=False):
        rows = client.get(f"{url}?{query}").context["rows"]
        ids = [receipt.event.pk for receipt, _counted in rows]
        page = client.get(f"{url}{ids[1]}/?{query}").context
    encoded = "?range=2026-11&surface=claude"
    assert page["newer_url"] == f"{url}{ids[0]}/{encoded}"
    assert page["older_url"] == f"{url}{ids[2]}/{encoded}"
    assert page["list_url"] == f"{url}{encoded}"


def test_the_list_asks_as_often_at_three_rows_as_at_thirty(
    client, acme, ada, django_assert_max_num_queries
):
    enable_extra_usage(acme)
    client.force_login(ada.user)
    url = reverse("own_receipts", args=["acme"])
    for number in range(30):
        sent = event(ada, at=NOW, usd="0.10", id=f"one-{number}")
        record_usage([sent], organization_id=acme.pk, now=NOW)
    with django_assert_max_num_queries(20):
        assert len(client.get(f"{url}?paid=all").context["rows"]) == 25


def test_x2_unattributed_usage_has_a_list_of_receipts_too(client, acme, ada):
    enable_extra_usage(acme)
    sent = event("nobody@elsewhere.example", at=NOW, usd="0.40")
    record_usage([sent], organization_id=acme.pk, now=NOW)
    found = UsageEvent.objects.get()
    client.force_login(ada.user)
    listed = client.get(reverse("member_receipts", args=["acme", found.membership_id]))
    assert "Unattributed" in listed.content.decode()
    page = reverse("member_receipt", args=["acme", found.membership_id, found.pk])
    assert "It came under a name of nobody here" in client.get(page).content.decode()
