"""A day at Acme, where members are asked before extra usage begins (N5): used up, refused,
said yes, charged, reset, included again, used up, asked again; with clean books.
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client

from accounts.actions.audit import Actor
from billing.books import differences
from billing.caps.actions.confirmation import require_confirmation
from billing.models import MemberMonth, UsageEvent
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage
from tests.markup import flat

pytestmark = pytest.mark.django_db
PAGE = "/o/acme/usage/"
RESET = NOW + dt.timedelta(hours=5)
DOLLAR = {"output_tokens": 100_000}  # of claude-sonnet-5


class Gateway:
    """Asks before each request, and reports after it."""

    def __init__(self, key: str) -> None:
        self.client, self.headers = Client(), {"Authorization": f"Bearer {key}"}
        self.sent = 0

    def post(self, path: str, body: dict) -> dict:
        answer = self.client.post(
            f"/api/v1{path}",
            body,
            content_type="application/json",
            headers=self.headers,
        )
        assert answer.status_code == 200, answer.content
        return answer.json()

    def run(self) -> str:
        """One request that costs a dollar: who paid it, or why it was refused."""
        asked = {"member": "bob@acme.example", "surface": "claude_code"}
        answer = self.post("/authorize", asked)
        if not answer["allowed"]:
            return answer["reason"]
        self.sent += 1
        event = {
            **asked,
            "id": f"request {self.sent}",
            "model": "claude-sonnet-5",
            "occurred_at": dt.datetime.now(dt.UTC).isoformat(),
            "usage": DOLLAR,
            "authorization": answer["authorization"],
        }
        [result] = self.post("/usage", {"events": [event]})["results"]
        assert result["funding"] == answer["funding"]
        begins = " begins" if answer["changeover"] else ""
        return answer["funding"] + begins


def test_n5_a_day_on_which_going_on_is_a_choice(acme, alice, bob):
    enable_extra_usage(acme)
    owner, person = Actor.person(alice.user), Client()
    require_confirmation(acme, required=True, actor=owner, now=NOW)
    gateway = Gateway(make_api_key(acme, scopes="meter", now=NOW))
    person.force_login(bob.user)
    with time_machine.travel(NOW, tick=False):
        assert gateway.run() == "included"
        assert [gateway.run(), gateway.run()] == ["confirmation_needed"] * 2
        assert "Continue with extra usage?" in flat(person.get(PAGE))
        person.post(f"{PAGE}continue/", {"until": "window"})
        assert gateway.run() == "extra_usage begins"
    with time_machine.travel(RESET - dt.timedelta(seconds=1), tick=False):
        assert gateway.run() == "extra_usage"
        assert "Extra usage since 14:28 today" in flat(person.get(PAGE))
    with time_machine.travel(RESET, tick=False):
        assert "Extra usage since" not in flat(person.get(PAGE))
        assert gateway.run() == "included"
        assert gateway.run() == "confirmation_needed"
        require_confirmation(acme, required=False, actor=owner, now=RESET)
        assert [gateway.run(), gateway.run()] == ["extra_usage begins", "extra_usage"]
    paid = UsageEvent.objects.order_by("pk").values_list("funding", flat=True)
    assert list(paid) == [
        "included",
        "extra_usage",
        "extra_usage",
        "included",
        "extra_usage",
        "extra_usage",
    ]
    assert MemberMonth.objects.get(membership=bob).extra_nanos == usd("4")
    assert list(differences()) == []
