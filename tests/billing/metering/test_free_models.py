"""What is free of charge by its list costs nothing and says so, from the answer to the
receipt (M4).
"""

from __future__ import annotations

import pytest

from billing.metering.actions.recording import record_usage
from billing.metering.api.events import read_events
from billing.models import OrganizationMonth, UsageEvent
from tests.factories.people import make_api_key
from tests.markup import flat

FREE = "deepseek/deepseek-r1:free"


def report(acme, now, **changes):
    """What a report of a million tokens is answered."""
    raw = {
        "id": "e",
        "member": "bob@acme.example",
        "surface": "claude",
        "model": FREE,
        "occurred_at": now.isoformat(),
        "usage": {"input_tokens": 1_000_000, "output_tokens": 1_000},
        **changes,
    }
    [event] = read_events([raw]).events
    [result] = record_usage([event], organization_id=acme.pk, now=now).results
    return result


def test_m4_a_free_model_costs_nothing_and_its_answer_says_so(acme, now):
    result = report(acme, now)
    assert (result.status, result.cost_nanos, result.estimated) == (
        "recorded",
        0,
        False,
    )
    assert result.notes == (f"“{FREE}” is free of charge by its list.",)
    month = OrganizationMonth.objects.get()
    assert (month.events, month.included_nanos, month.extra_nanos) == (1, 0, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "claude-opus-5", "usage": {"input_tokens": 0, "output_tokens": 0}},
        {"model": "acme/nothing:free"},
        {"model": "claude-opus-5"},
    ],
)
def test_m4_nothing_else_says_that_it_is_free(acme, now, changes):
    assert report(acme, now, **changes).notes == ()


def test_m4_the_receipt_of_a_free_model_says_so(acme, bob, now, client, time_machine):
    time_machine.move_to(now, tick=False)
    report(acme, now)
    key = make_api_key(acme, scopes="read", now=now)
    headers = {"Authorization": f"Bearer {key}"}
    receipt = client.get("/api/v1/events/e", headers=headers).json()
    assert (receipt["cost_usd"], receipt["estimated"]) == ("0.000000000", False)
    assert [part["free_of_charge"] for part in receipt["parts"]] == [True]
    client.force_login(bob.user)
    page = f"/o/acme/usage/receipts/{UsageEvent.objects.get().pk}/"
    assert "free of charge by its price list" in flat(client.get(page))
    assert (
        '<span class="xu-flag">free</span>'
        in client.get("/o/acme/usage/").content.decode()
    )
