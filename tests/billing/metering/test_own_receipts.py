"""Receipts: tokens × price = cost, who paid, what was booked later; on the page, alone,
and as CSV.
"""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
import time_machine

from accounts.models import Membership, Organization
from billing.documents.closing import close_due
from billing.metering.actions.recording import record_usage
from billing.metering.receipts import ReceiptLine, receipt_of
from billing.metering.rules.events import ReportedEvent
from billing.models import UsageAdjustment, UsageEvent
from billing.prices.rules import TOKEN_CLASSES, Usage
from tests.conftest import NOW
from tests.factories.usage import enable_extra_usage, event
from tests.markup import flat

URL = "/o/acme/usage/"
CSV = f"{URL}receipts.csv"


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


def report(
    member: Membership,
    *,
    id: str = "req-1",
    model: str = "claude-sonnet-5",
    at: dt.datetime = NOW,
    **tokens: int,
) -> UsageEvent:
    """Record one event and find it again."""
    one = ReportedEvent(
        id, member.user.email, "claude_code", model, at, Usage(**tokens)
    )
    [result] = record_usage(
        [one], organization_id=member.organization_id, now=NOW
    ).results
    assert result.status == "recorded"
    return UsageEvent.objects.get(event_id=id)


def adjust(found: UsageEvent, nanos: int) -> None:
    """Book a difference as a corrected price does."""
    UsageAdjustment.objects.create(
        organization_id=found.organization_id,
        membership_id=found.membership_id,
        event=found,
        amount_nanos=nanos,
        price=found.price,
        reason="Price corrected",
        created_at=NOW,
        month_on=found.month_on,
        day_on=found.day_on,
    )


def text(response) -> str:
    """Its text with white space folded."""
    return " ".join(response.content.decode().split())


def test_a_receipt_shows_each_token_class_with_its_rate(client, bob):
    found = report(
        bob,
        input_tokens=212_080,
        output_tokens=9_116,
        cache_read_tokens=40,
        web_searches=1,
    )
    client.force_login(bob.user)
    row = text(client.get(URL))
    for line in (
        "212,080 in × $2.00 / M",
        "9,116 out × $10.00 / M",
        "40 cache read × $0.20 / M",
        "1 search × $10.00 / K",
    ):
        assert line in row
    alone = text(client.get(f"{URL}receipts/{found.pk}/"))
    assert "$0.424160000" in alone
    assert "$0.525328000" in alone  # 0.42416 + 0.09116 + 0.000008 + 0.01
    assert "A check at that moment would have decided the same." in alone
    assert "Included" in alone


def test_a_lines_cost_is_not_rounded(client, bob):
    costs = {
        line.kind: line.cost_usd
        for line in receipt_of(report(bob, cache_read_tokens=1, output_tokens=3)).lines
    }
    assert costs == {"cache_read_tokens": "0.000000200", "output_tokens": "0.000030000"}
    assert ReceiptLine(TOKEN_CLASSES[4], 7, 25_000_001).cost_usd == "0.000000175000007"


def test_a_later_difference_is_shown_beside_the_cost_it_corrects(client, bob):
    found = report(bob, output_tokens=100_000)
    adjust(found, -200_000_000)
    client.force_login(bob.user)
    row = flat(client.get(URL))
    assert '$0.80<br><span class="xu-meta">adjusted' in row
    alone = text(client.get(f"{URL}receipts/{found.pk}/"))
    assert "$1.000000000" in alone
    assert "-$0.200000000" in alone
    assert "Price corrected" in alone


def test_an_unknown_models_cost_is_marked_as_estimated(client, bob):
    report(bob, model="claude-next", output_tokens=10)
    client.force_login(bob.user)
    assert "estimated" in text(client.get(URL))


@pytest.mark.parametrize(
    ("at", "counted"),
    [
        # 23:59 on 31 October there
        (dt.datetime(2026, 11, 1, 3, 59, tzinfo=dt.UTC), "late, counted in November"),
        (dt.datetime(2026, 11, 1, 4, 0, tzinfo=dt.UTC), None),
    ],
)
def test_only_an_event_of_an_earlier_month_says_where_it_counts(
    client, bob, at, counted
):
    Organization.objects.update(created_at=dt.datetime(2026, 10, 5, tzinfo=dt.UTC))
    close_due(bob.organization_id, now=NOW)
    report(bob, at=at, output_tokens=10)
    client.force_login(bob.user)
    page = text(client.get(URL))
    assert counted in page if counted else "late, counted" not in page


def test_members_open_their_own_receipts_and_admins_everybodys(
    client, bob, ada, alice, charlie
):
    of_bob, of_alice = (
        report(bob, output_tokens=1),
        report(alice, id="req-2", output_tokens=1),
    )
    answers = {}
    for reader in (bob, ada, charlie):
        client.force_login(reader.user)
        answers[reader.user.name] = [
            client.get(f"{URL}receipts/{one.pk}/").status_code
            for one in (of_bob, of_alice)
        ]
    assert answers == {
        "Bob Feld": [200, 404],
        "Ada Okafor": [200, 200],
        "Charlie Stranger": [404, 404],
    }


def test_another_organizations_receipt_is_not_found_under_ones_own_address(
    client, bob, charlie
):
    found = report(charlie, output_tokens=1)
    client.force_login(bob.user)
    assert client.get(f"{URL}receipts/{found.pk}/").status_code == 404


def test_receipts_come_in_pages_the_newest_first(client, bob):
    enable_extra_usage(bob.organization)
    events = [
        event(bob, at=NOW - dt.timedelta(minutes=minute), id=f"req-{minute:02}")
        for minute in range(30)
    ]
    record_usage(events, organization_id=bob.organization_id, now=NOW)
    client.force_login(bob.user)
    first, second = client.get(URL), client.get(f"{URL}?page=2")
    assert [one.event.event_id for one in first.context["receipts"]] == [
        f"req-{minute:02}" for minute in range(25)
    ]
    assert [one.event.event_id for one in second.context["receipts"]] == [
        f"req-{minute:02}" for minute in range(25, 30)
    ]
    assert client.get(f"{URL}?page=nonsense").status_code == 200


def test_the_csv_has_every_event_of_the_reader_and_nobody_elses(client, bob, alice):
    found = report(bob, id="=cmd", output_tokens=1_234)
    adjust(found, 5)
    report(alice, id="req-2", output_tokens=1)
    client.force_login(bob.user)
    response = client.get(CSV)
    body = b"".join(response.streaming_content).decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(body))
    assert row["Event"] == "'=cmd", "a spreadsheet must not run it"
    assert row["Time (New York)"] == "2026-11-23 14:28:00"
    assert (row["Output"], row["Cost (USD)"], row["Corrections (USD)"]) == (
        "1234",
        "0.012340000",
        "0.000000005",
    )
    assert (row["Paid by"], row["Estimated"], row["Billing month"]) == (
        "Included",
        "",
        "2026-11",
    )
    assert 'filename="acme-receipts.csv"' in response["Content-Disposition"]
