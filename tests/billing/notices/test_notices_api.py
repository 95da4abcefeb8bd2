"""`GET /notices`: who was told of which limit (api.md, scope `read`)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import OutgoingMail
from billing.models import DeliveryChannel, NoticeDelivery, NoticeKind
from tests.factories.notices import make_notice, tell_on_page
from tests.factories.people import make_api_key, make_token

URL = "/api/v1/notices"


@pytest.fixture
def call(client, acme, now):
    secret = make_api_key(acme, scopes="read", now=now)

    def get(query: str = "", secret: str = secret):
        headers = {"Authorization": f"Bearer {secret}"}
        return client.get(f"{URL}{query}", headers=headers)

    return get


def mail_to(notice, member, *, key, **extra) -> NoticeDelivery:
    at = notice.created_at
    mail = OutgoingMail.objects.create(
        organization=notice.organization,
        user=member.user,
        kind="notice",
        key=key,
        message_id=key,
        created_at=at,
        next_try_at=at,
        expires_at=at + dt.timedelta(days=3),
        **extra,
    )
    return NoticeDelivery.objects.create(
        notice=notice,
        channel=DeliveryChannel.MAIL,
        membership=member,
        mail=mail,
        created_at=at,
    )


def test_a_notice_has_exactly_the_shape_that_is_promised(call, acme, alice, now):
    notice = make_notice(acme, at=now)
    tell_on_page(notice, alice)
    sent_at = now + dt.timedelta(seconds=1)
    mail_to(notice, alice, key="a", attempts=1, sent_at=sent_at)
    assert call().json() == {
        "results": [
            {
                "id": notice.pk,
                "kind": "organization_cap",
                "percent": 75,
                "amount_usd": "1600.00",
                "subject": {"type": "organization", "id": "acme"},
                "month": "2026-11",
                "created_at": "2026-11-23T19:28:00Z",
                "overtaken_at": None,
                "deliveries": [
                    {
                        "channel": "page",
                        "to": "alice@acme.example",
                        "status": "sent",
                        "tries": 0,
                        "at": "2026-11-23T19:28:00Z",
                    },
                    {
                        "channel": "mail",
                        "to": "alice@acme.example",
                        "status": "sent",
                        "tries": 1,
                        "at": "2026-11-23T19:28:01Z",
                    },
                ],
            }
        ],
        "next_cursor": None,
    }


def test_a_delivery_says_what_became_of_it(call, acme, alice, ada, bob, now):
    notice = make_notice(acme, at=now)
    mail_to(notice, alice, key="waits")
    failed = {"attempts": 12, "dropped_at": now, "last_error": "550 no such user"}
    mail_to(notice, ada, key="failed", **failed)
    mail_to(notice, bob, key="dropped", dropped_at=now)
    [found] = call().json()["results"]
    assert [one["status"] for one in found["deliveries"]] == [
        "waiting",
        "failed",
        "overtaken",
    ]
    notice.overtaken_at = now
    notice.save(update_fields=["overtaken_at"])
    [found] = call().json()["results"]
    assert [one["status"] for one in found["deliveries"]] == [
        "overtaken",
        "failed",
        "overtaken",
    ]


def test_it_is_asked_by_month_and_kind(call, acme, bob, now):
    october = make_notice(acme, at=now - dt.timedelta(days=30))
    cap = make_notice(acme, at=now)
    own = make_notice(acme, at=now, kind=NoticeKind.MEMBER_CAP, member=bob)

    def ids(query: str) -> list[int]:
        return [one["id"] for one in call(query).json()["results"]]

    assert ids("") == [own.pk, cap.pk, october.pk]
    assert ids("?month=2026-10") == [october.pk]
    assert ids("?month=2026-11&kind=member_cap") == [own.pk]
    subject = call("?kind=member_cap").json()["results"][0]["subject"]
    assert subject == {"type": "member", "id": bob.pk}
    for odd in ("?month=november", "?month=2026-13", "?kind=x", "?cursor=x"):
        assert call(odd).status_code == 422, odd


def test_all_of_many_come_once_by_pages_in_as_many_queries_as_few(
    call, acme, alice, now
):
    def page(query=""):
        with CaptureQueriesContext(connection) as seen:
            body = call(query).json()
        return body, len(seen)

    tell_on_page(make_notice(acme, at=now, percent=1), alice)
    page()
    _body, few = page()
    for number in range(2, 250):  # of one moment, many
        tell_on_page(make_notice(acme, at=now, percent=number), alice)
    body, many = page()
    assert many == few and len(body["results"]) == 100
    seen = [one["percent"] for one in body["results"]]
    while body["next_cursor"]:
        body, _number = page(f"?cursor={body['next_cursor']}")
        seen += [one["percent"] for one in body["results"]]
    assert seen == list(range(249, 0, -1))


def test_a_strangers_key_sees_nothing_and_a_member_may_not(
    call, acme, bob, charlie, now
):
    make_notice(acme, at=now)
    theirs = make_api_key(charlie.organization, scopes="read", now=now)
    assert call(secret=theirs).json()["results"] == []
    assert call(secret=make_token(bob, now=now)).status_code == 403
    meter = make_api_key(acme, scopes="meter", now=now)
    assert call(secret=meter).status_code == 403
    assert call(secret="wrong").status_code == 401
