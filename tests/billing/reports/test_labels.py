"""Grouping by labels, whatever their keys look like."""

from __future__ import annotations

import csv
import io
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.metering.actions.recording import record_usage
from billing.reports.rules.grouping import BadGroup, grouped_keys
from tests.factories.people import make_api_key
from tests.factories.usage import event

KEYS = [
    "4711",
    "0",
    "-1",
    'a"b',
    '"',
    "ünï-キー",
    "cost,center",
    "two words",
    " ",
    "it's",
    "back\\slash",
    "[0]",
    "$",
    "#-1",
    "😀",
    "100%",
    "line\nbreak",
]


def quoted(key: str) -> str:
    """A key as `group_by` takes any."""
    return 'label:"{}"'.format(key.replace('"', '""'))


@pytest.fixture
def read(client, acme, now):
    """Read usage by a group as JSON or CSV."""
    secret = make_api_key(acme, now=now)

    def get(group_by: str, accept: str = "application/json"):
        return client.get(
            f"/api/v1/usage?start=2026-11-01&end=2026-12-01&group_by={quote(group_by)}",
            headers={"Authorization": f"Bearer {secret}", "Accept": accept},
        )

    return get


@pytest.fixture
def labelled(acme, bob, now):
    """For every key an event of its own, and one with none; each costs more."""
    events = [
        event(bob, at=now, usd=f"0.0{number:02}", labels={key: f"value {number}"})
        for number, key in enumerate(KEYS, start=1)
    ]
    bare = event(bob, at=now, usd="0.099")
    record_usage([*events, bare], organization_id=acme.pk, now=now)
    return {key: f"value {number}" for number, key in enumerate(KEYS, start=1)}


@pytest.mark.parametrize("key", KEYS)
def test_row_12_a_label_of_any_key_groups_right(read, labelled, key):
    rows = read(quoted(key)).json()["results"]
    counts = {row[f"label:{key}"]: row["events"] for row in rows}
    assert counts == {"": len(KEYS), labelled[key]: 1}
    paid = {row[f"label:{key}"]: row["included_usd"] for row in rows}
    assert paid[labelled[key]] == f"0.0{KEYS.index(key) + 1:02}000000"


@pytest.mark.parametrize(
    "key", [key for key in KEYS if key not in ('"', "cost,center")]
)
def test_row_12_without_a_comma_a_key_needs_no_quotation_marks(read, labelled, key):
    assert read(f"label:{key}").json() == read(quoted(key)).json()


@pytest.mark.parametrize("key", KEYS)
def test_row_12_csv_says_the_same(read, labelled, key):
    text = read(quoted(key), "text/csv").getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    counts = {row[f"label:{key}"]: row["events"] for row in rows}
    assert counts == {"": str(len(KEYS)), labelled[key]: "1"}


def test_row_12_several_labels_and_other_groups_go_together(read, labelled):
    rows = read('label:"cost,center",member,label:4711').json()["results"]
    assert [(row["label:cost,center"], row["label:4711"]) for row in rows] == [
        ("", ""),
        ("", "value 1"),
        ("value 7", ""),
    ]
    assert {row["member"] for row in rows} == {"bob@acme.example"}


@pytest.mark.parametrize(
    "group_by",
    [
        'label:"cost,center',
        'label:""',
        "label:",
        "day,",
        ",day",
        "shoe",
        'label:"a"b',
        ",".join(f"label:{n}" for n in range(6)),
    ],
)
def test_what_is_no_group_is_said(read, group_by):
    response = read(group_by)
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"


@given(
    st.lists(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=9))
)
def test_row_12_every_key_can_be_asked_for(keys):
    unique = list(dict.fromkeys(keys))[:5]
    text = ",".join(map(quoted, unique))
    assert grouped_keys(text) == [f"label:{key}" for key in unique]


@given(st.text('day,label:"x', max_size=30))
def test_group_by_is_read_whole_or_refused(text):
    try:
        keys = grouped_keys(text)
    except BadGroup:
        return
    assert keys or not text
