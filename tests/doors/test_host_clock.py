"""A host whose clock is wrong, by Debian's `faketime`, beside a database that is right
(P1, P2, faults 1 and 20).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from billing.books import differences
from billing.models import BillingMonth, UsageEvent
from tests.factories.people import make_api_key, make_cast

ROOT = Path(__file__).resolve().parents[2]
# One process that does on its host what web and worker do there.
HOST = """
import json, os, sys
import django; django.setup()
from django.test import Client
from billing.documents import tasks
asked = json.loads(sys.stdin.read())
client = Client(headers={"Authorization": f"Bearer {asked['key']}"})
said = {}
for path, body in asked["calls"]:
    answer = client.post(f"/api/v1/{path}", body, content_type="application/json")
    said[path] = [answer.status_code, answer.headers.get("Retry-After"), answer.json()]
answer = client.get("/readyz")
said["readyz"] = [answer.status_code, None, answer.json()]
said["closed"] = tasks.close_months(asked["organization"])
print(json.dumps(said))
"""
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.faketime,
    pytest.mark.django_db(transaction=True),
]


def on_host(
    offset: str, folder: Path, asked: dict[str, Any]
) -> dict[str, tuple[int, str | None, Any]]:
    """What a host says whose clock is off by `offset`, as faketime writes it."""
    database = connection.settings_dict
    user = database["USER"] + (
        f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    )
    place = f"{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}"
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "true",
        "SECRET_KEY": "for-a-test-only",
        "VAR_DIR": str(folder),
        "REDIS_URL": "",
        "DATABASE_URL": f"postgres://{user}@{place}/{database['NAME']}",
        "SITE_URL": "http://127.0.0.1:8000",
        "ALLOWED_HOSTS": "testserver",
        # A clock that is set wrong leaves waits as long as they are.
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    done = subprocess.run(
        ["faketime", "-f", offset, sys.executable, "-c", HOST],
        cwd=ROOT,
        env=environ,
        input=json.dumps(asked),
        text=True,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.fixture
def asked() -> dict[str, Any]:
    """A check and an event of now, by the clock that is right."""
    now = timezone.now()
    acme = make_cast(now=now)
    who = {"member": "bob@acme.example", "surface": "claude"}
    event = {
        **who,
        "id": "req-1",
        "model": "claude-sonnet-5",
        "occurred_at": now.isoformat(),
        "usage": {"input_tokens": 1000},
    }
    return {
        "key": make_api_key(acme, scopes="meter", now=now),
        "organization": acme.pk,
        "calls": [["authorize", who], ["usage", {"events": [event]}]],
    }


@pytest.mark.parametrize("offset", ["-10m", "+10h", "+40d"])
def test_a_host_that_is_off_records_checks_and_closes_nothing_and_says_so(
    asked, tmp_path, offset
):
    said = on_host(offset, tmp_path, asked)
    for path in ("authorize", "usage"):
        status, retry_after, problem = said[path]
        assert (status, problem["code"]) == (503, "clock_off"), said
        assert retry_after and int(retry_after) > 0
    status, _retry, parts = said["readyz"]
    assert status == 503 and parts["clock"].startswith(f"off by {offset[0]}"), said
    assert said["closed"] == 0 and not BillingMonth.objects.exists()
    assert not UsageEvent.objects.exists()


def test_a_host_that_is_right_within_a_minute_does_all_of_it(asked, tmp_path):
    said = on_host("-20s", tmp_path, asked)
    assert said["authorize"][0] == said["usage"][0] == 200, said
    assert said["usage"][2]["recorded"] == 1 and said["readyz"][2]["clock"] == "ok"
    placed = UsageEvent.objects.get()
    month = Organization.objects.get(pk=asked["organization"]).calendar.month_at(
        placed.occurred_at
    )
    assert placed.month_on == month.first_on and list(differences()) == []
