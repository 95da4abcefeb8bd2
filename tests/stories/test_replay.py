"""A trace replayed over HTTP against a running server: figures agree everywhere, a
second replay changes nothing.
"""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from accounts.models import ApiKey
from billing.books import differences
from billing.models import OrganizationMonth, UsageEvent
from config.kit.money import to_decimal_text
from tests.factories.usage import enable_extra_usage

LINES = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
LINES += [
    f"2023-11-16 18:15:{n // 10:02d}.{n % 10}805900,{1000 + 37 * n},{5000 + n}"
    for n in range(120)
]


@pytest.fixture
def trace(tmp_path):
    """120 requests of about 5 cents each."""
    path = tmp_path / "trace.csv"
    path.write_text("\n".join(LINES) + "\n")
    return path


def replay(*words: object) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("replay", *map(str, words), stdout=out)
    return out.getvalue()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_replay_is_counted_everywhere_alike_and_again_changes_nothing(
    live_server, acme, trace
):
    enable_extra_usage(acme, cap="2")
    words = ("acme", trace, "--members", 3, "--no-wait", "--server", live_server.url)
    first = replay(*words)
    assert first.startswith("120 requests answered: ")
    assert "refused organization_cap_reached: " in first
    month = OrganizationMonth.objects.get(organization=acme)
    printed = dict(re.findall(r"charged now, (\w+): \$([0-9.]+)", first))
    assert printed == {
        "included": to_decimal_text(month.included_nanos),
        "extra_usage": to_decimal_text(month.extra_nanos),
    }
    events = UsageEvent.objects.aggregate(nanos=Sum("cost_nanos"), number=Count("pk"))
    assert events["nanos"] == month.included_nanos + month.extra_nanos
    assert f"recorded: {events['number']:,}\n" in first
    assert list(differences()) == []

    again = replay(*words)
    assert again.startswith("120 requests answered: ")
    assert (
        f"duplicate: {events['number']:,}\n" in again
        and "recorded: " not in again
        and "charged now" not in again
    )
    assert dict(re.findall(r"recorded before, (\w+): \$([0-9.]+)", again)) == printed
    assert UsageEvent.objects.count() == events["number"]
    assert not ApiKey.objects.filter(revoked_at=None).exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_s30_a_replay_that_is_faster_than_the_limit_waits_and_loses_nothing(
    live_server, acme, trace, settings
):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "hot": "20/second"}
    trace.write_text("\n".join(LINES[:31]) + "\n")
    enable_extra_usage(acme)
    words = ("acme", trace, "--members", 3, "--no-wait", "--server", live_server.url)
    assert replay(*words).startswith("30 requests answered: ")
    assert UsageEvent.objects.count() == 30


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("2023-11-16 18:15:00,12", "line 3"),
        ("yesterday,1,2", "line 3"),
        ("2023-11-16 18:15:00,-1,2", "line 3"),
        ("2023-11-16 18:15:00,1.5,2", "line 3"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_sent(acme, tmp_path, line, says):
    path = tmp_path / "bad.csv"
    path.write_text("\n".join([*LINES[:2], line]))
    with pytest.raises(CommandError, match=says):
        replay(
            "acme", path, "--members", 3, "--no-wait", "--server", "http://127.0.0.1:9"
        )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("nowhere", "x.csv"),
            "no organization “nowhere”. Known organizations: acme, umbrella",
        ),
        (("acme", "missing.csv", "--members", "3"), "missing.csv can't be read"),
        (("acme", "x.csv", "--members", "400"), "has 3 members with a seat"),
        (("acme", "x.csv", "--speed", "0"), "not above 0"),
    ],
)
def test_what_can_not_be_replayed_is_one_sentence(acme, words, says):
    with pytest.raises(CommandError, match=says):
        replay(*words)


def test_a_server_that_is_down_is_named(acme, trace, monkeypatch):
    monkeypatch.setattr("config.replay.time.sleep", lambda seconds: None)
    with pytest.raises(CommandError, match=r"127\.0\.0\.1:9 is not responding"):
        replay(
            "acme", trace, "--members", 3, "--no-wait", "--server", "http://127.0.0.1:9"
        )
    assert not ApiKey.objects.filter(revoked_at=None).exists()
