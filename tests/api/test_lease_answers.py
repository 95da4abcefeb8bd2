"""X5: leases by the API and the owners' word about them."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import time_machine

from accounts.actions.audit import Actor
from accounts.actions.leases import set_leases
from accounts.models import AuditEntry, Organization, Plan
from billing.caps.actions.caps import set_organization_cap
from billing.metering.actions.recording import record_usage
from billing.models import UsageEvent
from config.kit.money import usd
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage, event

PAGE = "/o/acme/settings/api-keys/"
SWITCH = PAGE + "leases/"
BY = Actor(label="test")


@pytest.fixture
def post(client, acme, now, time_machine):
    """Post JSON with a key of Acme; the response."""
    time_machine.move_to(now, tick=False)
    key = make_api_key(acme, now=now)

    def send(path, body):
        return client.post(
            f"/api/v1{path}",
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )

    return send


@pytest.fixture
def ask(post):
    """What a check of Bob answers, who asks for a lease."""

    def send(**more):
        body = {
            "member": "bob@acme.example",
            "surface": "claude",
            "lease": True,
            **more,
        }
        return post("/authorize", body).json()

    return send


@pytest.fixture
def busy_bob(acme, bob, now):
    """Bob: $1 included, then 20 requests of 10 cents; $100 for the organization, of which
    leases are allowed.
    """
    enable_extra_usage(acme, cap="100")
    set_leases(acme, allowed=True, actor=BY, now=now)
    events = [event(bob, at=now, usd="1.00")]
    events += [event(bob, at=now, usd="0.10") for _number in range(20)]
    record_usage(events, organization_id=acme.pk, now=now)
    return bob


def test_x5_a_lease_is_5_percent_of_what_is_left_for_30_seconds(ask, busy_bob):
    answer = ask()
    assert answer["remaining_usd"] == "98.000000000"
    assert answer["lease"] == {"usd": "4.900000000", "seconds": 30}


def test_x5_none_unless_asked_for(ask, busy_bob):
    assert ask(lease=False)["lease"] is None


def test_x5_owners_forbid_it_for_the_next_check(ask, acme, busy_bob, now):
    set_leases(acme, allowed=False, actor=BY, now=now)
    answer = ask()
    assert (answer["allowed"], answer["lease"]) == (True, None)


def test_x5_off_unless_owners_allow_it(ask, acme, bob, now):
    assert not Organization.objects.get(pk=acme.pk).leases_allowed
    enable_extra_usage(acme, cap="100")
    events = [event(bob, at=now, usd="0.10") for _number in range(30)]
    record_usage(events, organization_id=acme.pk, now=now)
    assert ask()["lease"] is None


def test_x5_a_changed_cap_works_on_the_next_check(ask, acme, busy_bob, now):
    set_organization_cap(acme, amount_nanos=usd("10"), actor=BY, now=now)
    assert ask()["lease"] is None  # $8 are less than 100 typical requests
    set_organization_cap(acme, amount_nanos=usd("2"), actor=BY, now=now)
    answer = ask()
    assert (answer["allowed"], answer["lease"]) == (False, None)


def test_x5_the_setting_says_for_how_long(ask, busy_bob, settings):
    settings.LEASE_SECONDS = 5
    assert ask()["lease"]["seconds"] == 5


@pytest.mark.parametrize(
    ("before", "seconds"), [("31", 30), ("12.5", 12), ("1", 1), ("0.9", None)]
)
def test_x5_no_lease_leads_into_the_next_month(ask, busy_bob, before, seconds):
    Organization.objects.update(
        plan=Plan.ENTERPRISE_USAGE
    )  # without windows that reset
    month_ends = dt.datetime(2026, 12, 1, 5, tzinfo=dt.UTC)
    moment = month_ends - dt.timedelta(seconds=float(before))
    with time_machine.travel(moment, tick=False):
        lease = ask()["lease"]
    assert (lease and lease["seconds"]) == seconds


def test_x5_still_one_query_that_only_reads(ask, busy_bob, django_assert_num_queries):
    ask()
    with django_assert_num_queries(1) as captured:
        assert ask()["lease"]
    assert captured.captured_queries[0]["sql"].startswith("SELECT ")


@pytest.mark.parametrize("word", [1, "yes", None])
def test_x5_yes_or_no(post, bob, word):
    body = {"member": "bob@acme.example", "surface": "claude", "lease": word}
    response = post("/authorize", body)
    assert response.status_code == 422
    assert "lease" in json.dumps(response.json()["errors"])


def test_e5_events_under_a_lease_are_funded_like_events_without_a_promise(
    ask, post, acme, busy_bob, now
):
    """One answer, three events with its authorization: one is promised, the others are
    looked at by themselves, also after extra usage was turned off.
    """
    authorization = ask()["authorization"]
    sent = {
        "member": "bob@acme.example",
        "surface": "claude",
        "model": "claude-sonnet-5",
        "occurred_at": "2026-11-23T19:28:00Z",
        "usage": {"output_tokens": 10_000},
        "authorization": authorization,
    }
    first = post("/usage", {"events": [{**sent, "id": "one"}]}).json()
    set_organization_cap(acme, amount_nanos=0, actor=BY, now=now)
    second = post("/usage", {"events": [{**sent, "id": "two"}]}).json()
    acme.billing_account.extra_usage_enabled = False
    acme.billing_account.save(update_fields=["extra_usage_enabled"])
    third = post("/usage", {"events": [{**sent, "id": "three"}]}).json()
    assert [one["results"][0]["funding"] for one in (first, second, third)] == [
        "extra_usage",
        "extra_usage",
        "unbilled",
    ]
    whys = UsageEvent.objects.filter(event_id__in=["one", "two", "three"])
    assert list(whys.order_by("pk").values_list("funding_why", flat=True)) == [
        "promised",
        "refused",
        "refused",
    ]


class TestTheOwnersWord:
    """Settings › API keys."""

    def test_an_owner_allows_and_forbids_it_and_the_audit_says_so(
        self, client, acme, alice
    ):
        client.force_login(alice.user)
        assert "Leases are off" in client.get(PAGE).content.decode()
        answer = client.post(SWITCH, {"allowed": "1"}, follow=True)
        html = answer.content.decode()
        assert answer.redirect_chain == [(PAGE, 302)]
        assert "Leases are on." in html and "Gateways may now get leases." in html
        assert Organization.objects.get(pk=acme.pk).leases_allowed
        client.post(SWITCH, {"allowed": "1"})
        html = client.post(SWITCH, {"allowed": "0"}, follow=True).content.decode()
        assert "Those in use end within 30 seconds." in html
        assert not Organization.objects.get(pk=acme.pk).leases_allowed
        entries = AuditEntry.objects.filter(action="organization.leases")
        values = entries.order_by("pk").values_list("from_value", "to_value")
        assert list(values) == [(False, True), (True, False)]
        activity = client.get("/o/acme/settings/activity/").content.decode()
        assert "Leases for gateways" in activity and "Not allowed" in activity

    def test_admins_dont_decide_it(self, client, acme, ada):
        client.force_login(ada.user)
        assert client.post(SWITCH, {"allowed": "1"}).status_code in (403, 404)
        assert not Organization.objects.get(pk=acme.pk).leases_allowed

    def test_the_api_says_whether_it_is_allowed(self, client, acme, now):
        key = make_api_key(acme, now=now)
        headers = {"Authorization": f"Bearer {key}"}
        set_leases(acme, allowed=True, actor=BY, now=now)
        answer = client.get("/api/v1/organization", headers=headers).json()
        assert answer["leases_allowed"] is True
