"""Claude Code's hooks and its status line."""

from __future__ import annotations

import io
import json

import pytest
from django.core.handlers.wsgi import WSGIRequest

from billing.funding.doors.claude_code import _event_named
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, SpendCap
from config.kit.money import usd
from tests.factories.people import make_api_key, make_token
from tests.factories.usage import enable_extra_usage, event

HOOK, LINE = "/doors/claude-code/hook", "/doors/claude-code/statusline"


@pytest.fixture
def token(bob, now, time_machine):
    """Bob's own."""
    time_machine.move_to(now, tick=False)
    return make_token(bob, now=now)


@pytest.fixture
def hook(client, token):
    """What Claude Code posts before an event, as Bob."""

    def send(body, key=token, **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.post(
            HOOK,
            raw,
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}", **headers},
        )

    return send


def prompt(text="Write a sonnet"):
    """As Claude Code 2.1 sends it."""
    return {
        "session_id": "0b9e",
        "transcript_path": "/home/bob/.claude/projects/x.jsonl",
        "cwd": "/home/bob/project",
        "permission_mode": "default",
        "hook_event_name": "UserPromptSubmit",
        "prompt": text,
    }


def tool(**input):
    """The same before a tool."""
    return {
        **prompt(),
        "hook_event_name": "PreToolUse",
        "tool_name": "Write",
        "tool_input": input,
    }


@pytest.fixture
def stopped(bob, now):
    """Bob has used up what is included, and extra usage is off."""
    spent = event(bob, usd="2.00", at=now)
    record_usage([spent], organization_id=bob.organization_id, now=now)


def test_who_may_go_on_is_not_held_up(hook):
    for body in (prompt(), tool(content="x")):
        answer = hook(body)
        assert (answer.status_code, answer.json()) == (200, {})


def test_a_prompt_is_blocked_with_the_sentence(hook, stopped):
    answer = hook(prompt()).json()
    assert answer.keys() == {"decision", "reason"}
    assert answer["decision"] == "block"
    assert "extra usage is off for Acme" in answer["reason"]


def test_between_two_calls_of_a_tool_the_turn_ends(hook, stopped):
    answer = hook(tool(content="x")).json()
    assert answer.keys() == {"continue", "stopReason"}
    assert answer["continue"] is False
    assert "extra usage is off for Acme" in answer["stopReason"]


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b"\xff\x00" * 50, b"{}"])
def test_an_event_that_nobody_names_ends_the_turn_too(hook, stopped, body):
    assert hook(body).json()["continue"] is False


def test_a_prompt_cannot_name_another_event(hook, stopped):
    body = prompt('say "hook_event_name": "PreToolUse" to me')
    quoted = {"prompt": body.pop("prompt"), **body}  # the prompt before the name
    assert hook(quoted).json()["decision"] == "block"


def test_a_body_of_any_length_is_answered(hook, stopped):
    assert hook(prompt("x" * 3_000_000)).json()["decision"] == "block"


def test_no_more_than_the_beginning_of_a_body_is_read_and_that_once():
    body = json.dumps(prompt("x" * 100_000)).encode()
    request = WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": HOOK,
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
    )
    assert _event_named(request) == "UserPromptSubmit"
    assert not request.POST  # not on a page of an error either


def test_a_key_of_the_organization_says_for_whom(hook, acme, now, stopped):
    key = make_api_key(acme, scopes="meter", now=now)
    named = hook(prompt(), key, **{"x-extra-usage-member": "bob@acme.example"})
    assert named.json()["decision"] == "block"
    other = hook(prompt(), key, **{"x-extra-usage-member": "alice@acme.example"})
    assert other.json() == {}
    unknown = hook(prompt(), key, **{"x-extra-usage-member": "x@acme.example"})
    assert "no member of Acme" in unknown.json()["reason"]


def test_without_a_good_key_nothing_is_said(hook):
    assert hook(prompt(), "xu_nonsense").status_code == 401


@pytest.fixture
def line(client, token):
    """Bob's status line."""

    def read():
        answer = client.get(LINE, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        assert answer["content-type"] == "text/plain; charset=utf-8"
        text = answer.content.decode()
        assert text.endswith("\n")
        assert len(text.strip()) <= 60 and "\n" not in text.strip()
        return text.strip()

    return read


def test_the_status_line_shows_spent_of_cap(line, acme, bob, now):
    enable_extra_usage(acme)
    SpendCap.objects.create(
        organization=acme, membership=bob, level="member", amount_nanos=usd("50")
    )
    events = [event(bob, usd=spent, at=now) for spent in ("2.00", "12.30")]
    record_usage(events, organization_id=acme.pk, now=now)
    assert "$12.30 of $50.00" in line()


def test_the_status_line_says_what_stops_and_until_when(line, stopped):
    assert line().startswith("Included usage used up. Continue")


def test_the_status_line_is_in_the_members_language(line, bob, stopped):
    bob.user.language = "ja"
    bob.user.save(update_fields=["language"])
    assert not line().isascii()


def test_the_status_line_of_nobody_is_404_and_one_line(client, acme, now, token):
    key = make_api_key(acme, scopes="meter", now=now)
    headers = {"Authorization": f"Bearer {key}", "x-extra-usage-member": "x@y.example"}
    answer = client.get(LINE, headers=headers)
    assert (answer.status_code, answer["content-type"][:10]) == (404, "text/plain")
    assert len(answer.content.decode().removesuffix("\n")) <= 60


@pytest.fixture
def asked(bob, now):
    """Bob has used up what is included, and members are asked before extra usage."""
    enable_extra_usage(bob.organization, cap="50")
    BillingAccount.objects.update(confirmation_required=True)
    spent = event(bob, usd="2.00", at=now)
    record_usage([spent], organization_id=bob.organization_id, now=now)


def test_n5_who_waits_for_their_own_yes_reads_where_to_say_it(hook, asked):
    reason = hook(prompt()).json()["reason"]
    assert "Press “Continue with extra usage” on your usage page" in reason
    assert reason.endswith(" http://127.0.0.1:8000/o/acme/usage/#continue")


def test_n5_the_status_line_names_the_confirmation(client, token, asked):
    line = client.get(LINE, headers={"Authorization": f"Bearer {token}"})
    assert line.content.decode() == "Confirm extra usage, or continue 19:28 EST today\n"


def test_n5_a_prompt_with_which_extra_usage_begins_is_told_so(hook, asked, bob, now):
    BillingAccount.objects.update(confirmation_required=False)
    answer = hook(prompt())
    assert answer.json() == {
        "systemMessage": "Your included usage is used up. Extra usage begins with this"
        " request: $50.00 left."
    }
    assert hook(tool(content="x")).json() == {}
    first = event(bob, usd="0.10", at=now)
    record_usage([first], organization_id=bob.organization_id, now=now)
    assert hook(prompt()).json() == {}
