"""The alert rules and the dashboard name series that /metrics really has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import JobRun
from config.front.application import Front
from config.operations.exposition import forget_measures
from config.schedule import SCHEDULE
from tests.factories.people import make_api_key
from tests.house.layers import ROOT

FOLDER = ROOT / "docs" / "operations"
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
ALERTS = [rule for group in RULES for rule in group["rules"]]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
PAGE = (FOLDER / "monitoring.md").read_text()
# Of Prometheus itself: whether a scrape was answered.
ITS_OWN = "up"


def queries() -> list[str]:
    """Every expression of both files."""
    panels = [one["expr"] for panel in DASHBOARD["panels"] for one in panel["targets"]]
    shown = [one.replace("$__rate_interval", "5m") for one in panels]
    return [rule["expr"] for rule in ALERTS] + shown


def selectors(node: Any) -> Iterator[Any]:
    """Every place in an expression that names a series."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("lhs", "rhs", "expr", "vector_selector", "args"):
        inner = getattr(node, name, None)
        for one in inner if isinstance(inner, list) else [inner]:
            if one is not None:
                yield from selectors(one)


@pytest.fixture
def exported(client, acme, now) -> dict[str, list[dict[str, str]]]:
    """The labels of every series, by its name, of a product in which something happened."""
    for name in SCHEDULE:
        JobRun.objects.create(
            name=name,
            created_at=now,
            started_at=now,
            succeeded_at=now,
            failed_at=now,
            took_ms=7,
            result=0,
        )
    key = {"Authorization": f"Bearer {make_api_key(acme, now=now)}"}
    for path in ("authorize", "usage"):
        client.post(
            f"/api/v1/{path}", b"{}", content_type="application/json", headers=key
        )
    Front(lambda environ, start: [], threads=1)
    forget_measures()
    found: dict[str, list[dict[str, str]]] = {}
    text = client.get("/metrics").content.decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(dict(sample.labels))
    return found


def fits(matcher: Any, labels: dict[str, str]) -> bool:
    """Whether a series has the label, with a value that can match."""
    value = labels.get(matcher.name)
    if value is None or matcher.name == "status":  # what happens rarely
        return value is not None
    if str(matcher.op).endswith("Re"):
        return re.fullmatch(matcher.value, value) is not None
    return value == matcher.value


def test_every_series_of_the_alerts_and_the_dashboard_is_exported(exported):
    assert len(queries()) > 40
    for query in queries():
        for one in selectors(promql_parser.parse(query)):
            if one.name == ITS_OWN:
                continue
            assert one.name in exported, query
            matchers = one.matchers.matchers
            assert any(
                all(fits(matcher, labels) for matcher in matchers)
                for labels in exported[one.name]
            ), query


def test_every_series_of_ours_is_on_the_page_and_on_the_dashboard(exported):
    ours = {name for name in exported if name.startswith("extra_usage_")}
    ours = {name for name in ours if not name.endswith("_created")}
    shown = {
        one.name for query in queries() for one in selectors(promql_parser.parse(query))
    }
    assert len(ours) > 25
    assert ours - shown == set()
    assert {name for name in ours if f"`{name}`" not in PAGE} == set()


def test_every_alert_says_how_bad_it_is_and_the_page_says_what_to_do():
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("critical", "warning"), rule
        assert rule["annotations"]["summary"].endswith("."), rule
        assert f"`{rule['alert']}`" in PAGE, rule
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS) > 15


def test_the_page_names_no_alert_that_is_gone():
    named = set(re.findall(r"`(ExtraUsage\w+)`", PAGE))
    assert named == {rule["alert"] for rule in ALERTS}
