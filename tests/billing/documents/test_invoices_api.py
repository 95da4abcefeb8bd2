"""Invoices by API (api.md): the list, one with its lines, money as strings, whose they are."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from billing.documents import api
from billing.documents.actions.credit_notes import issue_credit_note
from billing.documents.closing import close_due
from config.kit.money import usd
from tests.factories.documents import CLOSES, close_november, use, use_november
from tests.factories.people import make_api_key


@pytest.fixture
def call(client, acme, now):
    """GET with a key of Acme."""
    key = make_api_key(acme, scopes="read", now=now)

    def get(path, key=key):
        with time_machine.travel(CLOSES, tick=False):
            return client.get(
                f"/api/v1{path}", headers={"Authorization": f"Bearer {key}"}
            )

    return get


@pytest.fixture
def invoice(acme, now):
    use_november(acme, at=now)
    return close_november(acme)


def test_the_list_and_one_with_its_lines(call, invoice, alice):
    issue_credit_note(
        invoice, subtotal_nanos=usd(4), reason="Outage", operator=alice.user, now=CLOSES
    )
    answer = call("/invoices").json()
    [one] = answer["results"]
    assert answer["next_cursor"] is None
    assert one == {
        "number": "ACME-0001",
        "status": "open",
        "currency": "USD",
        "month": {"start": "2026-11-01T04:00:00Z", "end": "2026-12-01T05:00:00Z"},
        "subtotal_usd": "44.340000000",
        "tax_usd": "0.000000000",
        "total_usd": "44.340000000",
        "credited_usd": "4.000000000",
        "owed_usd": "40.340000000",
        "exact_usd": "44.345000000",
        "carried_in_usd": "0.000000000",
        "carried_out_usd": "0.005000000",
        "issued_at": "2026-12-01T11:00:00Z",
        "due_on": "2026-12-31",
        "paid_at": None,
        "credit_notes": [
            {
                "number": "ACME-CN-0001",
                "total_usd": "4.000000000",
                "reason": "Outage",
                "issued_at": "2026-12-01T11:00:00Z",
            }
        ],
    }
    whole = call("/invoices/ACME-0001").json()
    lines = whole.pop("lines")
    assert whole.pop("next_cursor") is None and whole == one
    assert lines[2] | {"member": None} == {
        "position": 3,
        "kind": "usage",
        "member": None,
        "email": "bob@acme.example",
        "surface": "claude_code",
        "model": "claude-sonnet-5",
        "events": 1,
        "exact_usd": "12.345000000",
        "amount_usd": "12.340000000",
        "about": None,
        "reason": None,
    }


def test_both_are_paged(call, acme, invoice, monkeypatch):
    monkeypatch.setattr(api, "PAGE", 1)
    monkeypatch.setattr(api, "LINES", 2)
    use(acme, "bob", "1", at=CLOSES)
    close_due(acme.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    first = call("/invoices").json()
    second = call(f"/invoices?cursor={first['next_cursor']}").json()
    assert [one["number"] for one in first["results"] + second["results"]] == [
        "ACME-0002",
        "ACME-0001",
    ]
    assert second["next_cursor"] is None
    lines = call("/invoices/ACME-0001").json()
    rest = call(f"/invoices/ACME-0001?cursor={lines['next_cursor']}").json()
    assert [one["position"] for one in lines["lines"] + rest["lines"]] == [
        1,
        2,
        3,
    ] and rest["next_cursor"] is None


def test_strangers_and_wrong_numbers_get_404_and_a_metering_key_403(
    call, invoice, charlie, acme, now
):
    assert call("/invoices/ACME-9999").status_code == 404
    assert (
        call(
            "/invoices/ACME-0001", key=make_api_key(charlie.organization, now=now)
        ).status_code
        == 404
    )
    assert (
        call(
            "/invoices", key=make_api_key(charlie.organization, scopes="read", now=now)
        ).json()["results"]
        == []
    )
    assert (
        call("/invoices", key=make_api_key(acme, scopes="meter", now=now)).status_code
        == 403
    )
    assert call("/invoices?cursor=x").status_code == 422
