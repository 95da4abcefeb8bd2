"""Every event that an act publishes is what docs/webhooks.schema.json says (N3), is told
once, and reads as a sentence.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import translation
from jsonschema import Draft202012Validator, ValidationError

from accounts.actions.audit import Actor
from billing.caps.actions.caps import (
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from billing.caps.actions.switch import set_extra_usage
from billing.documents.actions.settling import mark_paid
from billing.models import (
    Channel,
    ChannelDelivery,
    ChannelEvent,
    EventType,
    Invoice,
    NoticeKind,
)
from billing.notices.actions.publishing import publish_notice
from billing.notices.actions.publishing import test_event as make_test_event
from billing.notices.queries.channels import people_of
from billing.notices.words.events import event_line, event_title
from billing.notices.words.messages import slack_body, webhook_body
from billing.payments.processing import reload_if_due
from requests_inbox.actions.asking import send_request, withdraw_request
from requests_inbox.actions.deciding import (
    Reviewer,
    dismiss_request,
    increase_limit,
)
from tests.billing.notices.conftest import make_notice
from tests.conftest import NOW
from tests.factories.balances import give_card, make_bolt, turn_on, use_up_included
from tests.factories.documents import CLOSES, close_november, use, use_november
from tests.factories.usage import enable_extra_usage
from tests.requests_inbox.conftest import block

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "docs/webhooks.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
ALICE = Actor(label="alice")
USD = 10**9


@pytest.fixture
def channel(acme) -> Channel:
    """A channel for everything, to which nothing is sent here."""
    return Channel.objects.create(
        organization=acme, kind="webhook", name="Usage", host="x", created_at=NOW
    )


def body_of(event: ChannelEvent) -> dict:
    return json.loads(webhook_body(event, people_of([event])))


def checked(event_type: EventType, count: int = 1) -> list[dict]:
    """The events of a type: valid, each with a delivery, readable in both languages."""
    events = list(ChannelEvent.objects.filter(type=event_type).order_by("pk"))
    assert len(events) == count
    for event in events:
        VALIDATOR.validate(body_of(event))
        assert ChannelDelivery.objects.filter(event=event).count() == 1
        people = people_of([event])
        for language in ("en", "ja"):
            with translation.override(language):
                title = event_title(event, people) + event_line(event, people)
            assert title and "None" not in title and "%(" not in title
            json.loads(slack_body(event, people, language=language))
    return [body_of(event)["data"] for event in events]


def test_n3_the_schema_is_a_schema_and_knows_every_type():
    Draft202012Validator.check_schema(SCHEMA)
    known = set(
        re.findall(r'"(?:const|enum)": (\[[^]]*\]|"[^"]*")', json.dumps(SCHEMA))
    )
    told = " ".join(known)
    for event_type in EventType:
        assert f'"{event_type.value}"' in told, event_type
    documented = (ROOT / "docs/webhooks.md").read_text()
    assert [one for one in EventType if f"`{one.value}`" not in documented] == []


def test_n3_the_schema_refuses_an_amount_that_is_a_number(acme, channel):
    set_organization_cap(acme, amount_nanos=50 * USD, actor=ALICE, now=NOW)
    body = body_of(ChannelEvent.objects.get())
    VALIDATOR.validate(body)
    body["data"]["amount_usd"] = 50.0
    with pytest.raises(ValidationError):
        VALIDATOR.validate(body)


def test_n3_caps_and_the_switch(acme, bob, channel):
    set_organization_cap(acme, amount_nanos=50 * USD, actor=ALICE, now=NOW)
    set_organization_cap(acme, amount_nanos=50 * USD, actor=ALICE, now=NOW)
    set_member_cap(
        acme,
        membership=bob,
        amount_nanos=25 * USD,
        this_month_only=True,
        actor=ALICE,
        now=NOW,
    )
    first, second = checked(EventType.CAP_CHANGED, 2)
    assert (first["level"], first["from_amount_usd"], first["amount_usd"]) == (
        "organization",
        None,
        "50.00",
    )
    assert second["member"]["email"] == "bob@acme.example"
    assert second["this_month_only"] is True
    set_extra_usage(acme, enabled=True, scope="everyone", actor=ALICE, now=NOW)
    set_extra_usage(acme, enabled=True, scope="everyone", actor=ALICE, now=NOW)
    assert checked(EventType.SWITCHED) == [{"enabled": True, "scope": "everyone"}]


NOTICES = [
    (NoticeKind.ORGANIZATION_CAP, EventType.CAP_THRESHOLD, False),
    (NoticeKind.SEAT_TIER_CAP, EventType.CAP_THRESHOLD, True),
    (NoticeKind.MEMBER_CAP, EventType.CAP_THRESHOLD, True),
    (NoticeKind.GROUP_CAP, EventType.CAP_THRESHOLD, True),
    (NoticeKind.INCLUDED_USAGE, EventType.INCLUDED_THRESHOLD, True),
    (NoticeKind.CHANGEOVER, EventType.CHANGEOVER, True),
    (NoticeKind.SOFT_LIMIT, EventType.SOFT_LIMIT, False),
    (NoticeKind.BALANCE_LOW, EventType.BALANCE_LOW, False),
    (NoticeKind.BALANCE_EXHAUSTED, EventType.BALANCE_EXHAUSTED, False),
    (NoticeKind.BALANCE_SHORT, EventType.BALANCE_SHORT, False),
]


@pytest.mark.parametrize(("kind", "event_type", "is_of_person"), NOTICES)
def test_n1_each_kind_of_notice_is_an_event_once(
    kind, event_type, is_of_person, acme, bob, channel
):
    notice = make_notice(
        acme,
        kind,
        member=bob if is_of_person else None,
        window="week" if "usage" in kind or kind == "changeover" else "",
        resets_at=NOW + dt.timedelta(days=2),
    )
    assert len(publish_notice(notice, now=NOW)) == 1
    publish_notice(notice, now=NOW)
    [data] = checked(event_type)
    assert bool(data.get("member")) is is_of_person


def test_n1a_an_overtaken_notice_is_no_event(acme, channel):
    publish_notice(make_notice(acme, overtaken_at=NOW), now=NOW)
    assert not ChannelEvent.objects.exists()


def test_n3_that_a_channel_was_paused_is_told_to_people_alone(acme, channel):
    publish_notice(make_notice(acme, NoticeKind.CHANNEL_PAUSED), now=NOW)
    assert not ChannelEvent.objects.exists()


def test_n3_a_test(acme, channel):
    VALIDATOR.validate(body_of(make_test_event(acme, now=NOW)))


def test_n3_somebody_erased_is_a_number(acme, bob, channel):
    set_member_cap(acme, membership=bob, amount_nanos=USD, actor=ALICE, now=NOW)
    event = ChannelEvent.objects.get()
    body = json.loads(webhook_body(event, {}))
    VALIDATOR.validate(body)
    assert body["data"]["member"] == {"id": bob.pk, "email": None, "name": None}


# -- Money, months and requests ------------------------------------------------------------


def channel_of(organization) -> None:
    Channel.objects.create(
        organization=organization, kind="slack", name="S", host="x", created_at=NOW
    )


def test_n3_purchases_and_reloads(db):
    bolt = make_bolt(now=NOW)
    channel_of(bolt)
    use_up_included(bolt)
    turn_on(bolt, balance="30", reload=("20", "50"), now=NOW)
    [data] = checked(EventType.PURCHASE_SUCCEEDED)
    assert data == {"amount_usd": "30.000000000", "balance_usd": "30.000000000"}
    use(bolt, "mia", "15", at=NOW)
    reload_if_due(bolt.pk, now=NOW)
    [data] = checked(EventType.RELOAD_SUCCEEDED)
    assert data == {"amount_usd": "50.000000000", "balance_usd": "65.000000000"}
    give_card(bolt, "declines", now=NOW)
    use(bolt, "mia", "50", at=NOW)
    reload_if_due(bolt.pk, now=NOW)
    [data] = checked(EventType.RELOAD_DECLINED)
    assert data["code"] == "card_declined"
    assert data["retry_at"].startswith("2026-11-23T20:28:00")


def test_n3_a_month_its_invoice_and_that_it_was_paid(acme, channel):
    use_november(acme, at=NOW)
    invoice = close_november(acme)
    [month] = checked(EventType.MONTH_CLOSED)
    assert month == {"month": "2026-11", "edition": 1, "invoice": invoice.number}
    [issued] = checked(EventType.INVOICE_ISSUED)
    assert issued["total_usd"].startswith("44.3")
    close_november(acme)
    assert ChannelEvent.objects.filter(type=EventType.MONTH_CLOSED).count() == 1
    for _ in range(2):
        mark_paid(invoice, note="", operator=None, now=CLOSES)
    [paid] = checked(EventType.INVOICE_PAID)
    assert paid["number"] == invoice.number
    assert Invoice.objects.get(pk=invoice.pk).status == "paid"


@pytest.fixture
def asked(acme, bob, channel):
    """Bob's request, blocked by the cap of $40."""
    enable_extra_usage(acme)
    set_seat_tier_cap(
        acme, tier="standard", amount_nanos=40 * USD, actor=ALICE, now=NOW
    )
    block(bob)
    return send_request(bob, now=NOW).request


def test_n3_a_request_that_is_decided(acme, ada, bob, asked):
    [created] = checked(EventType.REQUEST_CREATED)
    assert (created["cap_usd"], created["spent_usd"]) == ("40.00", "40.120000000")
    increase_limit(
        acme,
        request_id=asked.pk,
        amount_nanos=60 * USD,
        this_month_only=True,
        by=Reviewer.person(ada),
        now=NOW,
    )
    [decided] = checked(EventType.REQUEST_DECIDED)
    assert (decided["status"], decided["amount_usd"]) == ("approved", "60.00")
    assert decided["member"]["id"] == bob.pk
    assert not ChannelEvent.objects.filter(type=EventType.REQUEST_ENDED).exists()


def test_n3_a_request_that_is_dismissed(acme, ada, asked):
    dismiss_request(
        acme, request_id=asked.pk, note="", by=Reviewer.person(ada), now=NOW
    )
    [decided] = checked(EventType.REQUEST_DECIDED)
    assert (decided["status"], decided["amount_usd"]) == ("dismissed", None)


def test_n3_a_request_that_is_taken_back(bob, asked):
    withdraw_request(bob, now=NOW)
    [ended] = checked(EventType.REQUEST_ENDED)
    assert ended["status"] == "withdrawn"


def test_n3_what_was_rolled_back_is_not_told(acme, channel):
    class Undone(Exception):
        pass

    with pytest.raises(Undone), transaction.atomic():
        set_organization_cap(acme, amount_nanos=USD, actor=ALICE, now=NOW)
        raise Undone
    assert not ChannelEvent.objects.exists()
