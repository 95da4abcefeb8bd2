"""A report sent again is known again, whatever version read it first (E6)."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json

import pytest

from billing.metering.actions import batch
from billing.metering.actions.recording import record_usage
from billing.metering.api.events import read_events
from billing.metering.rules.events import content_digest
from billing.models import UsageEvent

RAW = {
    "id": "req-1",
    "member": "bob@acme.example",
    "surface": "claude",
    "model": "claude-opus-4-8",
    "occurred_at": "2026-11-20T12:00:00Z",
    "usage": {"input_tokens": 1_000, "output_tokens": 200},
}
COUNTS = [1_000, 200, 0, 0, 0, 0]


def answer(acme, now, **changes) -> str:
    """What a report is answered."""
    [event] = read_events([{**RAW, **changes}]).events
    [result] = record_usage([event], organization_id=acme.pk, now=now).results
    return result.status


@pytest.fixture
def recorded_once(acme, bob, now, monkeypatch):
    """Record RAW with the digest of the version before parts, factors and providers."""

    def record(counts=COUNTS, kept=(), **changes) -> None:
        moment = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp()
        content = [bob.pk, "claude", RAW["model"], moment, 0, *counts, list(kept)]
        digest = hashlib.blake2b(json.dumps(content).encode(), digest_size=16)
        with monkeypatch.context() as patch:
            patch.setattr(batch, "content_digest", lambda *_, **__: digest.hexdigest())
            assert answer(acme, now, **changes) == "recorded"

    return record


ITERATED = {
    **RAW["usage"],
    "speed": "fast",
    "iterations": [
        {"type": "compaction", "input_tokens": 90_000, "output_tokens": 5},
        {"type": "message", **RAW["usage"]},
    ],
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"provider": "bedrock"},
        {"usage": {**RAW["usage"], "service_tier": "batch"}},
        {"usage": {**RAW["usage"], "inference_geo": "us"}},
        {"usage": ITERATED, "provider": "anthropic"},
    ],
)
def test_e6_a_retry_across_the_upgrade_is_a_duplicate(
    recorded_once, acme, now, changes
):
    recorded_once()
    assert answer(acme, now, **changes) == "duplicate"


def test_e6_a_retry_across_the_upgrade_with_other_content_is_a_conflict(
    recorded_once, acme, now
):
    recorded_once()
    for changes in (
        {"usage": {"input_tokens": 1_000, "output_tokens": 201, "speed": "fast"}},
        {"model": "claude-opus-5", "provider": "anthropic"},
        {"occurred_at": "2026-11-20T12:05:01Z"},
    ):
        assert answer(acme, now, **changes) == "conflict"


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": {"project": "x"}},
        {"labels": {"project": "x"}, "provider": "anthropic"},
        {"occurred_at": "2026-11-20T11:55:00Z"},
        {"occurred_at": "2026-11-20T12:05:00Z", "usage": ITERATED},
        {"source": "telemetry", "request_id": "req_9"},
        {"id": "log-9", "source": "telemetry", "request_id": "req-1"},
    ],
)
def test_x4_e6_labels_time_and_source_are_no_content_of_what_was_recorded_before_either(
    recorded_once, acme, now, changes
):
    recorded_once(kept=[("team", "y")], labels={"team": "y"})
    assert answer(acme, now, **changes) == "duplicate"
    assert answer(acme, now, labels={"team": "y"}) == "duplicate"


def test_x4_e6_what_is_kept_of_the_content_is_what_the_previous_release_compares(
    acme, bob, now
):
    """Its web answers `duplicate` to what a web of this one recorded."""
    labels = {"team": "y"}
    assert answer(acme, now, labels=labels, request_id="r") == "recorded"
    moment = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp()
    content = [bob.pk, "claude", RAW["model"], moment, 0, *COUNTS, [("team", "y")]]
    content += ["", [], []]
    digest = hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()
    assert UsageEvent.objects.get().content_digest == digest


def test_e6_a_retry_across_the_upgrade_of_what_is_read_otherwise_now_is_a_duplicate(
    recorded_once, acme, now
):
    """Writes beyond the only lifetime named, other shapes, and spaces around labels."""
    writes = {
        "input_tokens": 5,
        "cache_creation_input_tokens": 100,
        "cache_creation": {"ephemeral_1h_input_tokens": 60},
    }
    recorded_once([5, 0, 40, 60, 0, 0], usage=writes)
    assert answer(acme, now, usage=writes) == "duplicate"
    chat = {"prompt_tokens": 9, "completion_tokens": 9, "cache_creation": "odd"}
    recorded_once([0] * 6, id="req-2", usage=RAW["usage"])
    assert answer(acme, now, id="req-2", usage={"prompt_tokens": 9}) == "duplicate"
    assert answer(acme, now, id="req-2", usage=chat | {"cache_creation": None}) == (
        "duplicate"
    )
    recorded_once(kept=[("project", " x ")], id="req-3", labels={"project": " x "})
    assert answer(acme, now, id="req-3", labels={"project": " x "}) == "duplicate"


def test_e6_what_is_recorded_now_with_another_provider_is_a_conflict(acme, now):
    assert answer(acme, now) == "recorded"
    assert answer(acme, now) == "duplicate"
    assert answer(acme, now, provider="bedrock") == "conflict"
    fast = {**RAW["usage"], "speed": "fast"}
    assert answer(acme, now, usage=fast) == "conflict"


def test_e6_labels_in_another_order_are_the_same_content(acme, now):
    labels = {f"key-{number:02}": str(number) for number in range(12)}
    assert answer(acme, now, labels=labels) == "recorded"
    backwards = dict(reversed(labels.items()))
    assert answer(acme, now, labels=backwards) == "duplicate"


def test_e5a_keys_of_labels_that_become_alike_are_told_and_kept_alike():
    labels = {"k" * 60 + "a": "1", "k" * 60 + "b": "2", " team": "3", "team": "4"}
    kept = set()
    for order in itertools.permutations(labels):
        raw = {**RAW, "labels": {key: labels[key] for key in order}}
        [event] = read_events([raw]).events
        kept.add((content_digest(event, membership_id=1), event.notes))
        assert event.labels == {"team": "4", "k" * 60: "1"}
    [(_digest, notes)] = kept
    assert sum("Another label is kept as" in note for note in notes) == 2
