"""Text that no database stores, and numbers of any size: a trifle in a label, an invalid
event elsewhere, and never the loss of the other events of the call (E5a).
"""

from __future__ import annotations

import json

import pytest

from billing.models import UsageEvent
from tests.factories.people import make_api_key

GOOD = {
    "id": "good",
    "member": "bob@acme.example",
    "surface": "claude",
    "model": "claude-sonnet-5",
    "occurred_at": "2026-11-23T19:28:00Z",
    "usage": {"input_tokens": 1000},
}


@pytest.fixture
def post(client, acme, now):
    """Report a JSON text."""
    key = make_api_key(acme, now=now)

    def act(text):
        return client.post(
            "/api/v1/usage",
            text,
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )

    return act


def body(odd_part: str) -> str:
    """A good event, and one with a part that is JSON as written."""
    odd = json.dumps({**GOOD, "id": "odd"})
    return f'{{"events": [{json.dumps(GOOD)}, {odd[:-1]}, {odd_part}}}]}}'


@pytest.mark.parametrize(
    ("labels", "kept"),
    [
        (r'{"p": "cut \ud83d"}', {"p": "cut"}),
        (r'{"p": "a\u0000b"}', {"p": "ab"}),
        (r'{"p\u0000": "x"}', {"p": "x"}),
        (r'{"p": {"deep": "\ud83d"}, "q": "y"}', {"q": "y"}),
        ('{"p": 18446744073709551615}', {"p": "18446744073709551615"}),
        ('{"p": 1e999, "q": "y"}', {"q": "y"}),
    ],
)
def test_e5a_an_odd_label_is_kept_as_far_as_it_can_be(post, labels, kept):
    answer = post(body(f'"labels": {labels}')).json()
    assert (answer["recorded"], answer["invalid"]) == (2, 0)
    assert UsageEvent.objects.get(event_id="odd").labels == kept


@pytest.mark.parametrize(
    ("part", "place"),
    [
        (r'"model": "claude\u0000"', ["model"]),
        (r'"member": "bob\ud83d@acme.example"', ["member"]),
        (r'"usage": {"input_tokens": 1, "speed": "fast\u0000"}', ["usage"]),
        ('"usage": {"input_tokens": 18446744073709551616}', ["usage", "input_tokens"]),
        ('"usage": {"input_tokens": 1e999}', ["usage", "input_tokens"]),
    ],
)
def test_e5a_an_event_that_is_odd_elsewhere_stops_no_other(post, part, place):
    # without the ordinary part of that name, which would stand there twice
    name = part.split('"')[1]
    odd = {key: value for key, value in {**GOOD, "id": "odd"}.items() if key != name}
    text = f'{{"events": [{json.dumps(GOOD)}, {json.dumps(odd)[:-1]}, {part}}}]}}'
    answer = post(text).json()
    assert [result["status"] for result in answer["results"]] == ["recorded", "invalid"]
    assert answer["results"][1]["errors"][0]["loc"] == place


def test_e5a_an_event_whose_id_cannot_be_stored_is_answered_without_it(post):
    odd = json.dumps({**GOOD, "id": "X"}).replace('"X"', r'"req\ud83d"')
    answer = post(f'{{"events": [{json.dumps(GOOD)}, {odd}]}}').json()
    assert [result["id"] for result in answer["results"]] == ["good", None]
    assert answer["results"][1]["status"] == "invalid"


def test_outside_of_events_such_text_is_no_report(post):
    text = f'{{"events": [{json.dumps(GOOD)}], "note": "\\u0000"}}'
    assert post(text).status_code == 422
    assert UsageEvent.objects.count() == 0


def test_row_17_a_check_takes_names_as_long_as_a_report_does(client, acme, bob, now):
    key = make_api_key(acme, now=now)
    path = f"projects/{'p' * 300}/models/claude-opus-4-8"
    asked = {"member": "bob@acme.example", "surface": "claude", "model": path}
    answer = client.post(
        "/api/v1/authorize",
        asked,
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 200
