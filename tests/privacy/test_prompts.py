"""What doors are sent may hold a prompt: it is in no log, no table, no cache, on no page."""

from __future__ import annotations

import json

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection

from billing.funding.doors import claude_code
from billing.metering.actions.recording import record_usage
from billing.metering.doors import taking
from billing.models import UsageEvent
from tests.billing.metering.telemetry import (
    JSON,
    PROTOBUF,
    Exporter,
    log,
    logs,
    request_log,
    span,
    spans,
)
from tests.factories.people import make_token
from tests.factories.usage import event
from tests.privacy.test_logs import logged  # noqa: F401

CANARY = "kumquat-canary-4711"
HOOK = {
    "session_id": "s",
    "hook_event_name": "UserPromptSubmit",
    "prompt": f"My secret is {CANARY}",
    "cwd": f"/home/{CANARY}",
}


@pytest.fixture
def token(bob, now, time_machine):
    """Bob's own."""
    time_machine.move_to(now, tick=False)
    return make_token(bob, now=now)


@pytest.fixture
def is_kept(logged):  # noqa: F811
    """Whether the canary is in a log, in a table or in the cache."""

    def look() -> list[str]:
        places = [] if CANARY not in logged() else ["log"]
        if CANARY in repr(getattr(cache, "_cache", {})):
            places.append("cache")
        for model in apps.get_models():
            rows = model._base_manager.values_list()
            if any(CANARY in repr(row) for row in rows):
                places.append(model._meta.label)
        return places

    return look


def hook(client, token, body, kind="application/json"):
    """Post a hook's body."""
    headers = {"Authorization": f"Bearer {token}"}
    return client.post("/doors/claude-code/hook", body, kind, headers=headers)


@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_hooks_prompt_is_kept_nowhere(
    client, token, bob, now, is_stopped, is_kept, settings
):
    if is_stopped:
        spent = event(bob, usd="2.00", at=now)
        record_usage([spent], organization_id=bob.organization_id, now=now)
    settings.DEBUG = True
    connection.force_debug_cursor = True
    answer = hook(client, token, json.dumps(HOOK))
    assert ("decision" in answer.json()) is is_stopped
    assert CANARY not in answer.content.decode()
    assert not any(CANARY in query["sql"] for query in connection.queries)
    assert is_kept() == []


@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "text/plain"]
)
@pytest.mark.parametrize("debug", [False, True])
def test_nor_where_answering_it_fails(
    client, token, monkeypatch, is_kept, settings, kind, debug
):
    def fails(request):
        raise RuntimeError("a fault of ours")

    settings.DEBUG = debug
    client.raise_request_exception = False
    monkeypatch.setattr(claude_code, "ask", fails)
    body = json.dumps(HOOK) if "json" in kind else f"prompt={CANARY}"
    answer = hook(client, token, body, kind)
    assert answer.status_code == 500
    assert CANARY not in answer.content.decode()
    assert is_kept() == []


def test_nor_with_a_wrong_key(client, token, is_kept):
    assert hook(client, "xu_nonsense", json.dumps(HOOK)).status_code == 401
    assert is_kept() == []


def test_what_a_proxy_sends_on_is_kept_nowhere(client, token, is_kept):
    answer = client.post(
        f"/doors/ext-authz/v1/{CANARY}?q={CANARY}",
        json.dumps({"messages": [CANARY]}),
        "application/json",
        headers={"x-extra-usage-key": token, "authorization": f"Bearer {CANARY}"},
    )
    assert answer.status_code == 200
    assert is_kept() == []


@pytest.mark.parametrize("encoding", [JSON, PROTOBUF])
@pytest.mark.parametrize("fails", [False, True])
def test_prompts_in_telemetry_are_kept_nowhere(
    client, token, bob, now, is_kept, encoding, fails, monkeypatch
):
    exporter = Exporter(client, token, encoding=encoding)
    client.raise_request_exception = False
    prompt = log({"prompt": CANARY}, at=now, body="claude_code.user_prompt")
    record = request_log(at=now, prompt=CANARY, response=CANARY)
    call = {
        "gen_ai.request.model": "claude-sonnet-5",
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.input.messages": CANARY,
    }
    if fails:
        monkeypatch.setattr(taking, "read_events", None)
    for export in (logs(prompt, record), spans(span(call, at=now))):
        signal = "logs" if "resourceLogs" in export else "traces"
        answer = exporter.post(signal, exporter.body_of(export))
        assert answer.status_code == (500 if fails else 200)
    assert UsageEvent.objects.count() == (0 if fails else 2)
    assert is_kept() == []


def test_the_look_finds_what_is_kept(client, token, bob, now, is_kept):
    """The control: a canary that is meant to be kept."""
    record = request_log(at=now, **{"extra_usage.label.project": CANARY})
    Exporter(client, token).send(logs(record))
    assert "billing.UsageEvent" in is_kept()
