"""What all telemetry has in common as a reported event: who, when, where, labels."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from billing.metering.intake.otlp import Record

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
SOURCE = "telemetry"
# Whose request it was, the surest first. `user.id` may be no more than a device.
WHO = ("user.email", "extra_usage.member", "enduser.id", "user.id")
LABEL = "extra_usage.label."


def reported(
    record: Record,
    *,
    own: str,
    now: dt.datetime,
    id: str,
    request_id: str,
    model: str,
    surface: str,
    usage: dict[str, Any],
) -> dict[str, Any]:
    """An event as `POST /usage` takes it. `own` is the member whose personal token sent
    it, whoever the record names; `now` an aware UTC instant, for one without a time.
    """
    event: dict[str, Any] = {
        "id": id or _fingerprint(record),
        "member": own or record.text(*WHO),
        "surface": record.text("extra_usage.surface") or surface,
        "model": model,
        "occurred_at": _moment(record, now=now),
        "usage": usage,
        "source": SOURCE,
    }
    if request_id:
        event["request_id"] = request_id
    labels = {
        key.removeprefix(LABEL): value
        for attributes in (record.resource, record.attributes)
        for key, value in attributes.items()
        if key.startswith(LABEL)
    }
    return {**event, "labels": labels} if labels else event


def count_of(value: Any) -> Any:
    """A count, which some exporters write as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:20])
    return value


def _moment(record: Record, *, now: dt.datetime) -> str:
    if record.at_ns > 0:
        return (EPOCH + dt.timedelta(microseconds=record.at_ns // 1000)).isoformat()
    return record.text("event.timestamp") or now.isoformat()


def _fingerprint(record: Record) -> str:
    """An id for a record that has none: the same record again has the same."""
    content = [record.at_ns, sorted(record.attributes.items(), key=lambda one: one[0])]
    digest = hashlib.blake2b(json.dumps(content).encode(), digest_size=16)
    return f"otlp:{digest.hexdigest()}"
