"""Every CSV: amounts are numbers, below zero as well, and no text is run by a spreadsheet
(bugs.md 13, 22).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from itertools import chain

import pytest
import time_machine
from django.test import Client
from django.urls import get_resolver

from accounts.actions.audit import Actor, record_change
from accounts.models import Membership, User
from billing.documents.closing import close_due
from billing.metering.actions.adjustments import adjust_event
from billing.models import Invoice, Statement, UsageEvent
from billing.payments.actions.credits import post_credit
from config.kit.csv_files import Amount, lines, plain
from config.kit.money import usd
from requests_inbox.models import UsageRequest
from tests.factories.balances import make_bolt, turn_on, use_up_included
from tests.factories.documents import CLOSES, close_november, use, use_november
from tests.factories.people import make_api_key

EVIL = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    " =1+1",
    "\u00a0=1+1",
    "\u3000=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    "\n=1+1",
    "\t=1+1",
    "\r=1+1",
    "\ttab",
    "\nline",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    "\u3000＝1+1",
    "﹢1",
]
HARMLESS = ["", "Ada", "O'Brien", "1", "a=b", "山田 太郎", "ada@acme.example", " Ada"]


@pytest.mark.parametrize("text", EVIL)
def test_a_text_that_a_spreadsheet_would_run_is_guarded_once(text):
    assert plain(text) == f"'{text}"
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_stay_as_they_are(text):
    assert plain(text) == text


def test_amounts_and_counts_are_numbers_texts_that_look_like_them_are_not():
    row = [Amount(-usd("1.02802375")), Amount(-usd("0.5"), places=2), -3, "-3", None]
    assert list(lines([row])) == ["-1.028023750,-0.50,-3,'-3,\r\n"]


def rows_of(client: Client, path: str, **headers: str) -> list[dict[str, str]]:
    """The rows of a CSV, streamed or not."""
    response = client.get(path, headers=headers)
    assert response.status_code == 200, (path, response)
    parts = response.streaming_content if response.streaming else [response.content]
    text = b"".join(parts).decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def signed_in(user: User) -> Client:
    """A browser of somebody."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def acme_doors(acme, now) -> dict[str, list[dict[str, str]]]:
    """Acme's CSVs: Bob is called like a formula, November closed and corrected below zero
    in December.
    """
    with time_machine.travel(now, tick=False):
        use_november(acme, at=now)
    bob = Membership.objects.get(organization=acme, user__email="bob@acme.example")
    User.objects.filter(pk=bob.user_id).update(name="＝cmd|'/c calc'!A1")
    close_november(acme)
    adjust_event(
        UsageEvent.objects.get(event_id="bob-code"),
        amount_nanos=-usd("1.02802375"),
        reason="+billed twice",
        operator=acme.primary_owner,
        now=CLOSES,
    )
    with time_machine.travel(CLOSES, tick=False):  # December is open
        people = rows_of(
            signed_in(acme.primary_owner), "/o/acme/settings/usage/people.csv"
        )
    close_due(acme.pk, now=CLOSES + dt.timedelta(days=31))
    record_change(
        acme,
        actor=Actor(label="reprice_events"),
        action="usage.repricing",
        subject="=1+1",
        now=CLOSES,
        to_value=-usd("789.5"),
    )
    number = Invoice.objects.get(organization=acme, month_on="2026-12-01").number
    home = "/o/acme/settings/billing/invoices"
    with time_machine.travel(CLOSES, tick=False):
        owner = signed_in(acme.primary_owner)
        usage = rows_of(
            Client(),
            "/api/v1/usage?start=2026-12-01&end=2027-01-01&group_by=day,member",
            authorization=f"Bearer {make_api_key(acme, now=now)}",
            accept="text/csv",
        )
        activity = rows_of(owner, "/o/acme/settings/activity.csv")
        reports = rows_of(owner, "/o/acme/settings/reports.csv?by=day&then=model")
    return {
        "reports_csv": reports,
        "requests_csv": _requests(acme, bob, now=now),
        "activity_csv": activity,
        "usage_people_csv": people,
        "api": usage,
        "own_receipts_csv": rows_of(signed_in(bob.user), "/o/acme/usage/receipts.csv"),
        "member_receipts_csv": rows_of(
            owner, f"/o/acme/settings/members/{bob.pk}/receipts.csv"
        ),
        "invoice_lines_csv": rows_of(owner, f"{home}/{number}/lines.csv"),
        "invoice_events_csv": rows_of(owner, f"{home}/{number}/events.csv"),
    }


def _requests(acme, bob, *, now) -> list[dict[str, str]]:
    """A request with notes that a spreadsheet would run."""
    UsageRequest.objects.create(
        organization=acme,
        membership=bob,
        status="dismissed",
        seat_tier="standard",
        reason="member_cap_reached",
        month_on=now.date().replace(day=1),
        spent_nanos=1,
        asked_nanos=usd("60"),
        note="=1+1",
        answer_note="@SUM(1)",
        created_at=now,
        ended_at=now,
    )
    owner = signed_in(acme.primary_owner)
    return rows_of(owner, "/o/acme/settings/requests.csv?days=all")


@pytest.fixture
def bolt_doors(db, now) -> dict[str, list[dict[str, str]]]:
    """Bolt's CSVs: a balance, usage, and money taken back."""
    bolt = make_bolt(now=now)
    with time_machine.travel(now, tick=False):
        turn_on(bolt, now=now)
        use_up_included(bolt)
        use(bolt, "mia", "12.34500", at=now)
    User.objects.filter(email="mia@bolt.example").update(name="\u00a0=HYPERLINK(1)")
    post_credit(
        bolt,
        amount_nanos=usd("5"),
        reason="\n=1+1",
        operator=bolt.primary_owner,
        now=now,
    )
    close_due(bolt.pk, now=CLOSES + dt.timedelta(days=1))
    statement = Statement.objects.get(organization=bolt)
    owner, home = signed_in(bolt.primary_owner), "/o/bolt/settings/billing"
    month = f"{statement.month_on:%Y-%m}"
    return {
        "ledger_csv": rows_of(owner, f"{home}/ledger.csv"),
        "statement_entries_csv": rows_of(
            owner, f"{home}/statements/{month}/entries.csv"
        ),
    }


def test_bugs_13_22_in_every_csv_amounts_are_numbers_and_texts_are_guarded(
    acme_doors, bolt_doors
):
    walked = acme_doors | bolt_doors
    routes = {name for name in get_resolver().reverse_dict if str(name).endswith("csv")}
    assert routes == set(walked) - {"api"}, "a CSV that this test does not walk"
    negative = set()
    for name, rows in walked.items():
        cells = [cell for row in rows for cell in row.items()]
        assert cells, name
        amounts = [
            Decimal(value) for head, value in cells if "usd" in head.lower() and value
        ]
        assert amounts, name
        if min(amounts) < 0:
            negative.add(name)
        for head, value in cells:
            if "usd" not in head.lower():
                assert plain(value) == value, (name, head, value)
    # nobody asks for less than nothing
    assert negative == set(walked) - {"requests_csv"}
    texts = set(chain.from_iterable(row.values() for row in acme_doors["api"]))
    assert "-1.028023750" in texts, texts
