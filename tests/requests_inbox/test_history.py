"""R9: requests stay readable after they end, for reviewers and for who asked."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import pytest
import time_machine

from accounts.actions.audit import Actor
from billing.caps.actions.caps import set_member_cap
from config.kit.money import usd
from requests_inbox.actions.asking import add_details, send_request, withdraw_request
from requests_inbox.actions.deciding import dismiss_request, increase_limit
from requests_inbox.actions.ending import write_down_endings
from requests_inbox.models import UsageRequest
from tests.conftest import NOW
from tests.markup import flat
from tests.requests_inbox.conftest import block

PAGE = "/o/acme/settings/requests/"
DECIDED = f"{PAGE}?show=decided"
OWN = "/o/acme/usage/requests/"
LATER = NOW + dt.timedelta(minutes=41)


def ask(member, *, note: str = "", amount: str | None = None) -> UsageRequest:
    """A request with what is added to it."""
    sent = send_request(member, now=NOW)
    if note or amount:
        add_details(member, note=note, asked_nanos=amount and usd(amount), now=NOW)
    return UsageRequest.objects.get(pk=sent.request.pk)


@pytest.fixture
def increased(blocked_bob, by_ada) -> UsageRequest:
    """Bob asked for $60 and got it 41 minutes later, this month only."""
    request = ask(blocked_bob, note="Load tests till Monday", amount="60")
    increase_limit(
        blocked_bob.organization,
        request_id=request.pk,
        amount_nanos=usd("60"),
        this_month_only=True,
        by=by_ada,
        now=LATER,
    )
    return request


def test_r9_reviewers_read_who_asked_what_who_decided_and_how_long_it_took(
    client, alice, increased
):
    client.force_login(alice.user)
    page = flat(client.get(DECIDED))
    assert "Bob" in page
    assert "Load tests till Monday" in page
    assert "Asked for $60.00" in page
    assert "Increased to $60.00" in page
    assert "November only" in page
    assert "by Ada" in page
    assert "Half were decided within 41 min" in page
    assert re.search(r"raised caps by ?<strong>\$20\.00<", page)


def test_r9_one_who_asked_reads_their_own_and_nobody_elses(
    client, bob, increased, alice
):
    client.force_login(bob.user)
    page = flat(client.get(OWN))
    assert "Increased to $60.00" in page
    assert "Load tests till Monday" in page
    client.force_login(alice.user)
    assert "Load tests" not in flat(client.get(OWN))


def test_r9_a_dismissal_keeps_both_notes(client, alice, blocked_bob, by_ada):
    request = ask(blocked_bob, note="Why not")
    dismiss_request(
        blocked_bob.organization,
        request_id=request.pk,
        note="After the release",
        by=by_ada,
        now=LATER,
    )
    client.force_login(alice.user)
    page = flat(client.get(DECIDED))
    assert "Why not" in page
    assert "After the release" in page
    assert "raised caps" not in page


def test_r9_one_that_ended_by_itself_has_no_decider(client, alice, blocked_bob):
    ask(blocked_bob)
    withdraw_request(blocked_bob, now=LATER)
    client.force_login(alice.user)
    page = flat(client.get(f"{DECIDED}&outcome=itself"))
    assert "Withdrawn" in page
    assert "by itself" in page
    assert "Half were decided" not in page


def test_r9_filters_find_by_outcome_decider_words_and_time(
    client, alice, ada, increased
):
    client.force_login(alice.user)
    found = [
        "&outcome=increased",
        f"&by={ada.user_id}",
        "&q=load%20BOB",
        "&days=all",
    ]
    missed = [
        "&outcome=dismissed",
        f"&by={alice.user_id}",
        "&q=nothing",
        "&q=%00",
    ]
    for query in found:
        assert "Load tests" in flat(client.get(DECIDED + query)), query
    for query in missed[:3]:
        assert "Load tests" not in flat(client.get(DECIDED + query)), query
    assert client.get(DECIDED + missed[3]).status_code == 200
    with time_machine.travel(NOW + dt.timedelta(days=120), tick=False):
        client.force_login(alice.user)
        assert "Load tests" not in flat(client.get(DECIDED))
        assert "Load tests" in flat(client.get(f"{DECIDED}&days=365"))


def test_r9_the_file_has_every_line_the_filter_finds(client, alice, increased):
    client.force_login(alice.user)
    answer = client.get(f"{PAGE[:-1]}.csv?outcome=increased")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert row["Asked for (USD)"] == "60.00"
    assert row["New cap (USD)"] == "60.00"
    assert row["Note"] == "Load tests till Monday"
    assert dt.datetime.fromisoformat(row["Ended (UTC)"]) == LATER


def test_what_waits_stands_on_the_page_with_the_way_to_review_it(
    client, alice, blocked_bob
):
    ask(blocked_bob, note="Release", amount="90")
    client.force_login(alice.user)
    page = flat(client.get(PAGE))
    assert "Release" in page
    assert "$90.00" in page
    assert "Review requests" in page


def test_r5_one_that_lapsed_waits_no_more_and_is_decided_once_written_down(
    client, alice, blocked_bob
):
    ask(blocked_bob, note="Release")
    set_member_cap(
        blocked_bob.organization,
        membership=blocked_bob,
        amount_nanos=usd("90"),
        actor=Actor.person(alice.user),
        now=NOW,
    )
    client.force_login(alice.user)
    assert "Release" not in flat(client.get(PAGE))
    write_down_endings(blocked_bob.organization_id, now=LATER)
    page = flat(client.get(DECIDED))
    assert "Resolved" in page
    assert "could go on for another reason" in page


def test_members_and_charlie_see_no_requests_of_others(client, bob, charlie, increased):
    client.force_login(bob.user)
    assert client.get(PAGE).status_code == 403
    assert client.get(f"{PAGE[:-1]}.csv").status_code == 403
    client.force_login(charlie.user)
    for url in (PAGE, DECIDED, f"{PAGE[:-1]}.csv", OWN):
        assert client.get(url).status_code == 404


def test_a_plan_without_seats_has_no_requests_in_the_sidebar_and_no_page(client, alice):
    alice.organization.plan = "enterprise_usage"
    alice.organization.save(update_fields=["plan"])
    client.force_login(alice.user)
    assert client.get(PAGE).status_code == 404
    assert PAGE not in flat(client.get("/o/acme/settings/usage/"))


def test_its_queries_do_not_grow_with_requests(
    client, alice, increased, bob, by_ada, django_assert_max_num_queries
):
    for number in range(4):
        UsageRequest.objects.create(
            organization=bob.organization,
            membership=bob,
            status="dismissed",
            seat_tier="standard",
            reason="member_cap_reached",
            month_on=NOW.date().replace(day=1),
            spent_nanos=number,
            created_at=NOW - dt.timedelta(days=number),
            ended_at=NOW,
            decided_by=by_ada.membership.user,
        )
    block(bob)
    client.force_login(alice.user)
    client.get(DECIDED)
    with django_assert_max_num_queries(14):
        client.get(DECIDED)
