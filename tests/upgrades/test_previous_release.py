"""An upgrade without downtime: a web of the previous release goes on serving on the new
schema, beside a web of this one; each reads what the other writes, and the books of both
are clean.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from django.conf import settings

from tests.doors.server import environment, found, started
from tests.factories.people import PASSWORD
from tests.upgrades.previous import ROOT, export, manage

pytestmark = pytest.mark.postgres
BOB, ADA = "bob@acme.example", "ada@acme.example"


@pytest.fixture
def database() -> Iterator[str]:
    """The address of an empty database beside that of the tests."""
    here = settings.DATABASES["default"]
    name = f"{here['NAME'].removeprefix('test_')}_upgrade"
    secret = f":{here['PASSWORD']}" if here["PASSWORD"] else ""
    place = f"{here['HOST'] or '127.0.0.1'}:{here['PORT'] or 5432}"
    server = f"postgres://{here['USER']}{secret}@{place}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
        yield f"{server}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class Web:
    """A web process, as gateways and people use it."""

    def __init__(self, port: int, key: str, *, began_at: str) -> None:
        # The same bytes again are a duplicate, at whichever web they come in.
        self.began_at = began_at
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"Authorization": f"Bearer {key}"}

    def call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """The answer to one call of the API, which has to be 200."""
        answer = requests.request(
            method,
            f"{self.url}/api/v1{path}",
            json=body or None,
            headers=self.headers,
            timeout=60,
        )
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        told: dict[str, Any] = answer.json()
        return told

    def report(self, number: int, member: str) -> dict[str, Any]:
        """One event of $2.50; its result."""
        event = {
            "id": f"event-{number}",
            "member": member,
            "surface": "claude_code",
            "model": "claude-sonnet-5",
            "occurred_at": self.began_at,
            "usage": {"output_tokens": 250_000},
        }
        result: dict[str, Any]
        [result] = self.call("POST", "/usage", events=[event])["results"]
        return result

    def pages(self) -> None:
        """Alice signs in and looks at the pages with figures."""
        with requests.Session() as browser:
            form = browser.get(f"{self.url}/accounts/login/", timeout=60)
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
            assert token is not None
            sent = {
                "login": "alice@acme.example",
                "password": PASSWORD,
                "csrfmiddlewaretoken": token[1],
            }
            browser.post(f"{self.url}/accounts/login/", data=sent, timeout=60)
            for path in ("settings/usage/", "settings/billing/", "settings/activity/"):
                page = browser.get(
                    f"{self.url}/o/acme/{path}", timeout=60, allow_redirects=False
                )
                assert page.status_code == 200, path


def a_day(web: Web, number: int, who: str) -> None:
    """Somebody reaches what their seat includes, asks, and goes on with extra usage."""
    web.call("PUT", "/extra-usage", enabled=False, scope="everyone")
    assert web.report(number, who)["status"] == "recorded"
    stopped = web.call("POST", "/authorize", member=who, surface="claude_code")
    assert stopped["allowed"] is False
    asked = web.call("POST", "/requests", member=who, note=f"For project {number}")
    dismissed = web.call("POST", f"/requests/{asked['id']}/dismiss", note="Not now")
    assert dismissed["status"] == "dismissed"
    web.call("PUT", "/extra-usage", enabled=True, scope="everyone")
    cap = web.call("PUT", "/caps/organization", amount_usd=f"{100 + number}.00")
    assert cap["amount_usd"] == f"{100 + number}.00"
    checked = web.call("POST", "/authorize", member=who, surface="claude_code")
    assert checked["allowed"] is True
    assert web.report(number + 1, who)["status"] == "recorded"
    web.pages()


def test_the_previous_release_serves_on_the_new_schema_beside_this_one(
    database: str, tmp_path: Path
):
    tree, var = export(tmp_path), tmp_path / "var"
    var.mkdir()
    environ = environment(var, database)
    key = found(var, database, tree=ROOT)
    with (
        started(var, database, tree=tree, WEB_WORKERS="1") as (_old, old_port),
        started(var, database, tree=ROOT, WEB_WORKERS="1") as (_new, new_port),
    ):
        began_at = dt.datetime.now(dt.UTC).isoformat()
        old, new = (Web(port, key, began_at=began_at) for port in (old_port, new_port))
        for web in (old, new):
            ready = requests.get(f"{web.url}/readyz", timeout=60).json()
            assert ready["database"] == "ok"
        a_day(old, 1, BOB)
        a_day(new, 11, ADA)
        # Each knows what the other recorded, goes on from there, and counts it once.
        assert old.report(11, ADA)["status"] == "duplicate"
        assert new.report(1, BOB)["status"] == "duplicate"
        assert old.report(21, ADA)["status"] == "recorded"
        assert new.report(31, BOB)["status"] == "recorded"
        spent = {
            web.call("GET", "/organization")["mtd_spend_usd"] for web in (old, new)
        }
        assert len(spent) == 1 and spent != {"0.000000000"}
        for who in (BOB, ADA):
            told, told_now = (web.call("GET", f"/members/{who}") for web in (old, new))
            assert told_now == {**told_now, **told}, "fields may be added"
    for code in (ROOT, tree):
        manage(code, environ, "audit_books")
