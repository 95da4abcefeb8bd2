"""Channels on their page and by API (N3): owners alone, secrets once."""

from __future__ import annotations

import json

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Channel, ChannelDelivery, EventType
from billing.notices.actions.publishing import publish
from tests.billing.notices.receiver import answers, receiving
from tests.conftest import NOW
from tests.factories.people import make_api_key


@pytest.fixture
def receiver(settings):
    """A receiver inside, which the setting allows, at a time that stands."""
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    with time_machine.travel(NOW, tick=False), receiving() as found:
        yield found


@pytest.fixture
def call(client, acme):
    """`call("post", "/webhooks", {…}, scopes="manage")`: status and JSON."""

    keys: dict[tuple[int, str], str] = {}

    def answer(method, path, body=None, *, scopes="manage", organization=acme):
        holder = (organization.pk, scopes)
        if holder not in keys:
            keys[holder] = make_api_key(organization, scopes=scopes, now=NOW)
        key = keys[holder]
        response = getattr(client, method)(
            "/api/v1" + path,
            data=json.dumps(body) if body is not None else None,
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        return response, json.loads(response.content or b"null")

    return answer


def made(call, receiver, **extra) -> dict:
    response, body = call("post", "/webhooks", {"url": receiver.url, **extra})
    assert response.status_code == 201, body
    return body


# -- API -----------------------------------------------------------------------------------


def test_n3_the_secret_is_in_the_answer_that_makes_it_and_in_no_other(call, receiver):
    body = made(call, receiver, name="Usage")
    assert body["secret"].startswith("whsec_")
    assert (body["host"], body["url_end"]) == (f"127.0.0.1:{receiver.port}", "k9Xy")
    path = f"/webhooks/{body['id']}"
    for method, there, sent, scopes in (
        ("get", "/webhooks", None, "read"),
        ("patch", path, {"name": "Ops", "events": ["invoice.paid"]}, "manage"),
        ("patch", path, {"paused": True}, "manage"),
        ("patch", path, {"paused": False}, "manage"),
        ("post", f"{path}/test", {}, "manage"),
    ):
        response, _body = call(method, there, sent, scopes=scopes)
        assert response.status_code == 200
        text = response.content.decode()
        assert "whsec_" not in text and "hooks/usage" not in text
    response, rotated = call("post", f"{path}/rotate", {})
    assert rotated["secret"] != body["secret"]


def test_n3_a_patch_changes_what_it_names_alone(call, receiver):
    body = made(call, receiver, name="Usage", events=["invoice.paid"])
    path = f"/webhooks/{body['id']}"
    _response, body = call("patch", path, {"name": "Ops"})
    assert (body["name"], body["events"], body["paused"]) == (
        "Ops",
        ["invoice.paid"],
        False,
    )
    _response, body = call("patch", path, {"paused": True})
    assert (body["paused"], body["paused_why"]) == (True, "owner")
    _response, body = call("patch", path, {"events": []})
    assert (body["events"], body["name"]) == ([], "Ops")


def test_n3_a_test_by_api_answers_what_came_back(call, receiver):
    body = made(call, receiver)
    receiver.answer = answers(403, "no")
    _response, told = call("post", f"/webhooks/{body['id']}/test", {})
    assert (told["arrived"], told["status"], told["answer"]) == (False, 403, "no")
    for _ in range(9):
        call("post", f"/webhooks/{body['id']}/test", {})
    response, problem = call("post", f"/webhooks/{body['id']}/test", {})
    assert (response.status_code, response["Retry-After"]) == (429, "60")
    assert problem["code"] == "too_many_calls"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "https://10.0.0.1/"}, "bad_address"),
        ({"url": "https://x.example/", "kind": "slack"}, "not_slack"),
        ({"url": "https://x.example/", "events": ["nothing"]}, "unknown_event"),
    ],
)
def test_n3_what_is_wrong_is_a_problem_with_a_code(call, body, code):
    response, problem = call("post", "/webhooks", body)
    assert (response.status_code, problem["code"]) == (422, code)
    assert response["Content-Type"] == "application/problem+json"


def test_n3_removed_it_is_gone(call, receiver):
    body = made(call, receiver)
    path = f"/webhooks/{body['id']}"
    assert call("delete", path)[0].status_code == 204
    assert call("delete", path)[0].status_code == 404
    assert call("get", "/webhooks", scopes="read")[1]["results"] == []


def test_d1_another_organizations_channel_is_not_there(call, receiver, charlie):
    body = made(call, receiver)
    path, other = f"/webhooks/{body['id']}", charlie.organization
    assert (
        call("get", "/webhooks", scopes="read", organization=other)[1]["results"] == []
    )
    for method, there in (
        ("patch", path),
        ("delete", path),
        ("post", f"{path}/rotate"),
        ("post", f"{path}/test"),
    ):
        response, _body = call(method, there, {}, organization=other)
        assert response.status_code == 404
    assert receiver.taken == []


# -- Page ----------------------------------------------------------------------------------


@pytest.fixture
def owner(client, alice):
    """Alice's browser."""
    client.force_login(alice.user)
    return client


@pytest.fixture
def channel(acme, owner, receiver) -> Channel:
    """A webhook that Alice adds on the page."""
    url = reverse("channel_add", args=[acme.slug, "webhook"])
    page = owner.post(url, {"url": receiver.url, "name": "Usage hook"}).content.decode()
    assert "whsec_" in page
    return Channel.objects.get()


def test_n3_an_owner_adds_a_webhook_and_sees_its_secret_once(acme, owner, channel):
    page = owner.get(reverse("channels", args=[acme.slug])).content.decode()
    assert "Usage hook" in page and "/…k9Xy" in page
    assert "whsec_" not in page and "hooks/usage" not in page


def test_n3_in_a_dialog_the_secret_is_shown_and_the_page_behind_it_told(
    acme, owner, receiver
):
    url = reverse("channel_add", args=[acme.slug, "webhook"])
    answer = owner.post(
        url, {"url": receiver.url, "name": "Usage"}, headers={"HX-Request": "true"}
    )
    assert "whsec_" in answer.content.decode()
    assert json.loads(answer["HX-Trigger"])["channelsChanged"] is True
    assert answer["Cache-Control"] == "private, no-store"


def test_n3_a_wrong_address_stays_in_the_form_with_a_sentence(acme, owner):
    url = reverse("channel_add", args=[acme.slug, "webhook"])
    answer = owner.post(url, {"url": "https://169.254.169.254/", "name": ""})
    assert answer.status_code == 422
    assert "private network" in answer.content.decode()


def test_n3_a_test_is_answered_in_the_buttons_place(acme, owner, channel, receiver):
    url = reverse("channel_test", args=[acme.slug, channel.pk])
    said = owner.post(url, headers={"HX-Request": "true"}).content.decode()
    assert "Test arrived, 0." in said and "xu-status--paused" not in said
    receiver.answer = answers(403, "no")
    said = owner.post(url, headers={"HX-Request": "true"}).content.decode()
    assert "403 after 0." in said and "xu-status--paused" in said
    # Without scripts it is said on the page.
    page = owner.post(url, follow=True).content.decode()
    assert "403 after 0." in page


def test_n3_a_stopped_channel_is_a_banner_until_it_is_resumed(
    acme, owner, channel, receiver, worker
):
    receiver.answer = answers(410, "gone")
    with worker():
        owner.post(reverse("channel_pause", args=[acme.slug, channel.pk]))
    publish(acme, EventType.SWITCHED, key="a", data=SWITCHED, now=NOW)
    with worker():
        owner.post(reverse("channel_resume", args=[acme.slug, channel.pk]))
    page = owner.get(reverse("channels", args=[acme.slug])).content.decode()
    assert "1 channel has stopped." in page
    assert "410 Gone, not tried again" in page
    receiver.answer = answers(200)
    with worker():
        owner.post(reverse("channel_resume", args=[acme.slug, channel.pk]))
    page = owner.get(reverse("channels", args=[acme.slug])).content.decode()
    assert "has stopped" not in page


SWITCHED = {"enabled": False, "scope": "everyone"}


def test_n3_a_delivery_is_sent_again_from_the_page(
    acme, owner, channel, receiver, worker
):
    publish(acme, EventType.SWITCHED, key="a", data=SWITCHED, now=NOW)
    delivery = ChannelDelivery.objects.get()
    ChannelDelivery.objects.update(failed_at=NOW, status_code=500, tried_at=NOW)
    page = owner.get(reverse("channels", args=[acme.slug]) + "?which=failed")
    assert "500 Internal Server Error, not tried again" in page.content.decode()
    with worker():
        owner.post(reverse("delivery_resend", args=[acme.slug, delivery.pk]))
    assert receiver.taken[-1].headers["webhook-id"] == delivery.message_id
    page = owner.get(reverse("channels", args=[acme.slug])).content.decode()
    assert "200 in 0." in page and "Extra usage was turned off" in page


def test_d1_charlie_bob_and_ada_neither_see_nor_add_channels(
    acme, channel, client, charlie, bob, ada, receiver
):
    for person, status in ((charlie, 404), (bob, 403), (ada, 403)):
        client.force_login(person.user)
        for name, args in (
            ("channels", []),
            ("channel_deliveries", []),
            ("channel_add", ["webhook"]),
            ("channel", [channel.pk]),
            ("channel_test", [channel.pk]),
            ("channel_rotate", [channel.pk]),
            ("channel_remove", [channel.pk]),
        ):
            url = reverse(name, args=[acme.slug, *args])
            assert client.post(url, {"url": receiver.url}).status_code == status
    # Nor under the slug of one's own.
    client.force_login(charlie.user)
    url = reverse("channel_test", args=[charlie.organization.slug, channel.pk])
    assert client.post(url).status_code == 404
    assert Channel.objects.count() == 1
    assert receiver.taken == []


def test_n3_lists_take_as_many_queries_for_thirty_deliveries_as_for_three(
    acme, owner, channel
):
    counts = []
    for number in (3, 30):
        for key in range(number):
            publish(
                acme, EventType.SWITCHED, key=f"{number}:{key}", data=SWITCHED, now=NOW
            )
        with CaptureQueriesContext(
            connection,
        ) as queries:
            owner.get(reverse("channels", args=[acme.slug]))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_s13_operators_see_channels_without_addresses(acme, channel, admin_client):
    for name, pk in (
        ("admin:billing_channel_changelist", None),
        ("admin:billing_channel_change", channel.pk),
    ):
        answer = admin_client.get(reverse(name, args=[pk] if pk else []))
        if answer.status_code == 302:
            pytest.skip("operators set up two-factor first")
        text = answer.content.decode()
        assert "127.0.0.1" in text
        assert "hooks/usage" not in text and channel.sealed_url not in text
        assert channel.sealed_secret not in text
