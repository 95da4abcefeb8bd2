"""A quarter of Acme with a compaction, an advisor, a price that comes in late and a person
who leaves with usage outstanding (M3, M4, E5, P2); each month closes with clean books.
The quarter with disputes is `test_disputes`.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from accounts.actions.audit import Actor
from accounts.actions.members import remove_member
from accounts.models import AuditEntry, Membership
from billing.books import differences
from billing.documents.closing import close_due
from billing.metering.actions.recording import record_usage
from billing.metering.actions.repricing import reprice_events
from billing.metering.api.events import read_events
from billing.models import Invoice, OrganizationMonth, UsageEvent
from billing.prices.actions import map_name
from billing.prices.rules import PricedModel
from config.kit.money import usd
from tests.factories.people import make_cast
from tests.factories.usage import enable_extra_usage, event

pytestmark = pytest.mark.django_db
RECORDED = json.loads((Path(__file__).parents[1] / "data" / "usages.json").read_text())
BOB = "bob@acme.example"


def at(text: str) -> dt.datetime:
    """An instant by UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def recorded_usage(kind: str) -> tuple[str, dict]:
    """The model and usage of a real response with an iteration of this kind."""
    for one in RECORDED:
        if kind in [part["type"] for part in one["usage"].get("iterations") or ()]:
            return one["model"], one["usage"]
    raise LookupError(kind)


def report(acme, name: str, model: str, usage: dict, *, when: str, sent: str = ""):
    """Bob's gateway reports a request; what became of it."""
    raw = {
        "id": name,
        "member": BOB,
        "surface": "claude_code",
        "model": model,
        "occurred_at": f"{when}:00Z",
        "usage": usage,
    }
    read = read_events([raw])
    assert not read.unreadable, read.unreadable
    now = at(sent or when)
    [result] = record_usage(read.events, organization_id=acme.pk, now=now).results
    return result


def closes(acme, month: str, *, on: str) -> Invoice | None:
    """The month's invoice; the books are clean after it."""
    close_due(acme.pk, now=at(on))
    assert list(differences()) == []
    invoice = Invoice.objects.filter(organization=acme, month_on=f"{month}-01").first()
    counted = OrganizationMonth.objects.filter(
        organization=acme, month_on=f"{month}-01"
    ).first()
    billed = sum(
        line.exact_nanos
        for line in (invoice.lines.all() if invoice else ())
        if line.kind in ("usage", "correction")
    )
    assert billed == (counted.extra_nanos if counted else 0)
    return invoice


def test_a_quarter_with_parts_a_late_price_and_somebody_who_leaves():
    acme = make_cast(now=at("2026-10-01T12:00"))
    enable_extra_usage(acme)
    bob = Membership.objects.select_related("user").get(user__email=BOB)
    alice = Membership.objects.get(user__email="alice@acme.example")

    # October: his included usage is used up, then real responses run as extra usage.
    used_up = event(bob, usd="500", at=at("2026-10-12T14:00"))
    record_usage([used_up], organization_id=acme.pk, now=at("2026-10-12T14:00"))
    costs = []
    for kind in ("compaction", "advisor_message"):
        model, usage = recorded_usage(kind)
        result = report(acme, kind, model, usage, when="2026-10-12T15:00")
        assert (result.status, result.funding) == ("recorded", "extra_usage")
        costs.append(result.cost_nanos)
    assert costs == [usd("0.388510"), usd("0.175686")]
    ours = {"input_tokens": 1_000_000, "output_tokens": 0}
    unknown = report(acme, "ours", "acme/best-v1:0", ours, when="2026-10-12T16:00")
    assert (unknown.cost_nanos, unknown.estimated) == (usd(15), True)
    october = closes(acme, "2026-10", on="2026-11-02T12:00")
    by_model = {line.model: line.exact_nanos for line in october.lines.all()}
    assert by_model["acme/best-v1:0"] == usd(15)
    assert by_model["claude-opus-4-7"] == 2_728 * 5_000 + 3_880 * 25_000
    assert sum(by_model.values()) == sum(costs) + usd(15)

    # November: the name is told, and what October was charged too much comes back.
    map_name(
        "acme/best-v1:0",
        same_as=PricedModel("anthropic", "claude-sonnet-5"),
        actor=Actor(label="operator"),
        now=at("2026-11-05T12:00"),
    )
    dry = reprice_events(now=at("2026-11-05T12:00"), dry_run=True)
    assert (dry.adjusted, dry.nanos, dry.by_organization) == (
        1,
        usd(-13),
        {"acme": (1, usd(-13))},
    )
    assert reprice_events(now=at("2026-11-05T12:00")).nanos == usd(-13)
    assert AuditEntry.objects.get(action="usage.repricing").organization == acme
    # Bob leaves at 18:00 with a request of 15:00 that his gateway reports the next day.
    again = event(bob, usd="500", at=at("2026-11-16T14:00"), id="again")
    record_usage([again], organization_id=acme.pk, now=at("2026-11-16T14:00"))
    remove_member(bob, by=alice, now=at("2026-11-16T18:00"))
    late = report(
        acme,
        "late",
        "claude-opus-5",
        {"input_tokens": 2_000_000, "output_tokens": 400_000},
        when="2026-11-16T15:00",
        sent="2026-11-17T06:00",
    )
    assert (late.funding, late.cost_nanos) == ("extra_usage", usd(20))
    november = closes(acme, "2026-11", on="2026-12-02T12:00")
    lines = november.lines.filter(kind__in=("usage", "correction"))
    assert sum(line.exact_nanos for line in lines) == usd(20) - usd(13)

    # December: nothing more is used, so there is nothing to bill.
    assert closes(acme, "2026-12", on="2027-01-02T12:00") is None
    assert UsageEvent.objects.filter(organization=acme, estimated=True).count() == 1
