"""Prices: what each model costs, since when, and what seats include; for every member
(M2, M3a, I1).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace

import pytest
import time_machine

from billing.metering.actions.recording import record_usage
from billing.models import ModelPrice, PriceFactor, PriceSource, SeatAllowance
from billing.prices.actions.version import count_version_up
from config.kit.money import format_usd
from tests.conftest import NOW
from tests.factories.usage import enable_extra_usage, event
from tests.markup import flat

URL = "/o/acme/prices/"


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def reader(client, bob):
    enable_extra_usage(bob.organization)
    client.force_login(bob.user)
    return client


def use(member, *, model: str, id: str = "one") -> None:
    one = replace(event(member, at=NOW, id=id), model=model)
    [result] = record_usage(
        [one], organization_id=member.organization_id, now=NOW
    ).results
    assert result.status == "recorded"


def enter(model: str, *, starts_on: dt.date, input_nanos: int, above: int = 0) -> None:
    """A price as an operator enters it."""
    ModelPrice.objects.create(
        provider="anthropic",
        model=model,
        starts_on=starts_on,
        context_above=above,
        input_nanos=input_nanos,
        output_nanos=15_000_000_000,
        cache_write_5m_nanos=3_750_000_000,
        cache_write_1h_nanos=6_000_000_000,
        cache_read_nanos=300_000_000,
        web_search_nanos=10_000_000_000,
        source=PriceSource.OPERATOR,
        created_at=NOW,
    )
    count_version_up()


def test_m2_it_shows_what_was_used_here_at_the_rates_that_price_it(reader, bob):
    enter("house-model", starts_on=dt.date(2020, 1, 1), input_nanos=4_123_000_000)
    use(bob, model="house-model")
    page = flat(reader.get(URL))
    assert "house-model" in page
    assert "$4.123" in page


def test_m2_rates_that_start_later_are_announced_and_do_not_hold_yet(reader, bob):
    enter("house-model", starts_on=dt.date(2020, 1, 1), input_nanos=4_000_000_000)
    enter("house-model", starts_on=dt.date(2099, 5, 1), input_nanos=9_000_000_000)
    use(bob, model="house-model")
    page = flat(reader.get(URL))
    assert "new rates from" in page
    assert "$4.00" in page
    assert "$9.00" not in page


def test_m2_a_model_lists_every_rate_with_its_date_and_context(reader):
    enter("house-model", starts_on=dt.date(2020, 1, 1), input_nanos=4_000_000_000)
    enter(
        "house-model",
        starts_on=dt.date(2020, 1, 1),
        input_nanos=8_000_000_000,
        above=200_000,
    )
    enter("house-model", starts_on=dt.date(2019, 1, 1), input_nanos=3_000_000_000)
    page = flat(reader.get(f"{URL}anthropic/house-model/"))
    assert page.index("$4.00") < page.index("$8.00") < page.index("$3.00")
    assert "requests with over 200,000 tokens of input" in page
    assert page.count(">now<") == 2


def test_m3a_a_model_lists_the_factors_that_match_it_alone(reader):
    enter("house-model", starts_on=dt.date(2020, 1, 1), input_nanos=4_000_000_000)
    for pattern, times in (("anthropic/house-*", 1_700_000), ("openai/*", 1_900_000)):
        PriceFactor.objects.create(
            condition="speed",
            value="fast",
            pattern=pattern,
            millionths=times,
            source=PriceSource.OPERATOR,
            reference="Contract of May",
            created_at=NOW,
        )
    page = flat(reader.get(f"{URL}anthropic/house-model/"))
    assert "× 1.7" in page
    assert "Contract of May" in page
    assert "× 1.9" not in page


def test_m4_names_without_a_price_stand_under_the_fallback_rate(reader, bob):
    use(bob, model="nobody-knows-this-one")
    page = flat(reader.get(URL))
    assert "Names without a price" in page
    assert "nobody-knows-this-one" in page
    assert "estimated" in page


def test_i1_it_shows_what_each_seat_of_the_plan_includes_and_which_is_ones_own(
    reader, bob
):
    page = flat(reader.get(URL))
    allowances = SeatAllowance.objects.filter(plan=bob.organization.plan)
    assert allowances.exists()
    assert page.count("Your seat") == 1
    for allowance in allowances:
        assert format_usd(allowance.amount_nanos) in page


def test_search_finds_by_provider_and_name_and_says_what_it_found_nothing_for(reader):
    enter("house-model", starts_on=dt.date(2020, 1, 1), input_nanos=4_000_000_000)
    assert "house-model" in flat(reader.get(URL, {"q": "ANTHROPIC house"}))
    nothing = flat(reader.get(URL, {"q": "<b>none</b>"}))
    assert "&lt;b&gt;none" in nothing
    assert "house-model" not in nothing


def test_the_file_has_every_rate_as_a_number(reader, bob):
    enter("house-model", starts_on=dt.date(2020, 1, 1), input_nanos=4_123_000_000)
    answer = reader.get(URL, {"q": "house-model", "format": "csv"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert row["model"] == "house-model"
    assert row["starts_on"] == "2020-01-01"
    assert row["input_usd_per_million"] == "4.123000000"
    assert row["web_search_usd_per_thousand"] == "10.000000000"


@pytest.mark.parametrize("path", ["anthropic/no-such-model", "anthropic/%00", "%00/x"])
def test_a_model_without_a_price_is_not_found(path, reader):
    assert reader.get(f"{URL}{path}/").status_code == 404


def test_charlie_sees_no_prices_of_acme(client, charlie):
    client.force_login(charlie.user)
    assert client.get(URL).status_code == 404
    assert client.get(f"{URL}anthropic/claude-sonnet-5/").status_code == 404


def test_its_queries_do_not_grow_with_models(
    reader, bob, django_assert_max_num_queries
):
    for number in range(5):
        enter(f"m{number}", starts_on=dt.date(2020, 1, 1), input_nanos=10**9)
        use(bob, model=f"m{number}", id=f"one-{number}")
    reader.get(URL)
    with django_assert_max_num_queries(9):
        reader.get(URL)
