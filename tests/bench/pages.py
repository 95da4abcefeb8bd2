"""Pages of an organization of 10,000 members after 13 months: queries, time, bytes as they
are sent.
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from tests.bench.server import say, served
from tests.run import ROOT

TIMES = 12
MOST_MS = 150  # the aim


@dataclass(frozen=True)
class Taken:
    """What one page took: its queries, the middle and slowest time in ms, bytes sent."""

    status: int
    queries: int
    middle: float
    slowest: float
    sent: int


def addresses(year: dict[str, Any]) -> dict[str, str]:
    """The pages, by what they are called."""
    home, before = f"/o/{year['slug']}", dt.date.today().replace(day=1)
    month = (before - dt.timedelta(days=1)).strftime("%Y-%m")
    long_ago = before.replace(year=before.year - 1).isoformat()
    reports = f"{home}/settings/reports/"
    return {
        "Your usage": f"{home}/usage/",
        "Settings › Usage": f"{home}/settings/usage/",
        "Settings › Usage, last month": f"{home}/settings/usage/?month={month}",
        "Reports, this month by person": reports,
        "Reports, by person and model": f"{reports}?by=person&then=model",
        "Reports, last 90 days by model": f"{reports}?range=90-days&by=model",
        "Reports, 13 months by surface": (
            f"{reports}?range={long_ago}..{dt.date.today()}&by=surface"
        ),
        "Requests": f"{home}/settings/requests/",
        "Members": f"{home}/settings/members/",
        "One person": f"{home}/settings/members/{year['person']}/",
        "Billing": f"{home}/settings/billing/",
        "Notices": f"{home}/settings/notices/",
        "Activity": f"{home}/settings/activity/",
    }


def report_year(environ: dict[str, str]) -> None:
    """Fill, open each page again and again, print."""
    say("10,000 members and 13 months are written")
    command = [sys.executable, "-m", "tests.bench.year"]
    year = json.loads(subprocess.check_output(command, cwd=ROOT, env=environ))
    with served(environ) as (_process, port):
        found = {
            title: opened(address, port=port, cookie=year["cookie"])
            for title, address in addresses(year).items()
        }
    say("")
    print(f"\nPages of 10,000 members after 13 months ({year['days']:,} day counters)")
    print(f"{'':34}{'queries':>8}{'p50 ms':>8}{'slowest':>8}{'bytes':>10}")
    for title, one in found.items():
        missed = "" if one.middle <= MOST_MS else f"  (aim {MOST_MS} ms, MISSED)"
        odd = "" if one.status == 200 else f"  status {one.status}"
        print(
            f"{title:34}{one.queries:>8}{one.middle:>8.0f}{one.slowest:>8.0f}"
            f"{one.sent:>10,}{missed}{odd}"
        )


def opened(address: str, *, port: int, cookie: str) -> Taken:
    """One person opens a page again and again; the first time does not count."""
    say(address)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken, queries, sent, status = [], 0, 0, 0
    for turn in range(TIMES + 1):
        headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}
        began = time.perf_counter()
        connection.request("GET", address, headers=headers | {"X-Count": "1"})
        response = connection.getresponse()
        body = response.read()
        if turn:
            taken.append((time.perf_counter() - began) * 1e3)
        queries = int(response.headers.get("X-Queries") or queries)
        sent, status = len(body), response.status
    taken.sort()
    return Taken(status, queries, taken[len(taken) // 2], taken[-1], sent)
