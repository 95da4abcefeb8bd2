"""Connect beside the other doors: telemetry and personal tokens arrive there too, proxies
ask there, and usage of somebody unknown is shown as it was sent.
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client

from tests.billing.metering.telemetry import Exporter, logs, request_log
from tests.billing.pages.test_connect import (
    FIRST,
    NOW,
    PAGE,
    call,
    make_key,
    row,
    sent,
    shown,
)
from tests.factories.people import make_token
from tests.factories.usage import enable_extra_usage

AT = NOW - dt.timedelta(seconds=60)


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def owner(client, alice):
    enable_extra_usage(alice.organization)
    client.force_login(alice.user)
    return client


def test_telemetry_arrives_as_the_first_event_of_its_key(owner, bob):
    secret = make_key(owner, "opentelemetry", "Collector")
    assert "Waiting" in shown(owner, f"{FIRST}?way=opentelemetry")
    assert Exporter(Client(), secret).send(logs(request_log(at=AT))) == (0, "")
    part = shown(owner, f"{FIRST}?way=opentelemetry")
    assert "First event 14:27:00" in part and "by bob@acme.example" in part
    assert row(shown(owner), "Collector")[2] == "1"


def test_a_persons_token_that_reports_is_what_claude_code_waits_for(owner, bob, ada):
    assert "Nobody has a token yet" in shown(owner, f"{FIRST}?way=claude-code")
    make_token(ada, now=NOW)
    secret = make_token(bob, now=NOW)
    assert "Waiting" in shown(owner, f"{FIRST}?way=claude-code")
    Exporter(Client(), secret).send(logs(request_log(at=AT)))
    part = shown(owner, f"{FIRST}?way=claude-code")
    assert "First event 14:27:00" in part and "by bob@acme.example" in part
    page = shown(owner, f"{PAGE}?way=claude-code")
    assert row(page, "Personal tokens")[2] == "1"
    assert page.count(">connected<") == 1


def test_a_key_in_a_proxys_own_header_asks_and_a_part_of_it_is_told(owner, bob):
    secret = make_key(owner, "envoy", "Envoy")
    asked = {"x-extra-usage-member": "bob@acme.example"}
    part = {"x-extra-usage-key": secret[:20]}
    assert Client().get("/doors/ext-authz/v1", headers=asked | part).status_code == 401
    page = shown(owner, f"{FIRST}?way=envoy")
    assert f"A key that ends in {secret[16:20]} was refused" in page
    whole = {"x-extra-usage-key": secret}
    with time_machine.travel(NOW + dt.timedelta(seconds=1), tick=False):
        answer = Client().get("/doors/ext-authz/v1", headers=asked | whole)
    assert answer.status_code == 200
    assert "It asks: the key was used at 14:28:01" in shown(owner, f"{FIRST}?way=envoy")


def test_usage_of_somebody_unknown_is_shown_as_it_was_sent(owner, alice):
    secret = make_key(owner)
    call("usage", secret, sent(member="okta:00u8xk2p9d"))
    assert "by okta:00u8xk2p9d" in shown(owner, f"{FIRST}?way=litellm")
    page = shown(owner)
    assert "Unattributed usage" in page and "okta:00u8xk2p9d" in page
