"""Personal tokens (X3): a member asks, reports and reads for themselves alone."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.actions.addresses import change_address
from accounts.actions.audit import Actor
from accounts.actions.erasing import erase_person
from accounts.actions.members import bring_back, remove_member
from accounts.actions.people import switch_person
from accounts.actions.tokens import MOST_TOKENS, create_token
from accounts.models import ApiKey, AuditEntry, OutgoingMail, SecurityEvent
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.models import UsageEvent
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.factories.people import (
    MembershipFactory,
    make_api_key,
    make_organization,
    make_token,
    make_user,
)
from tests.factories.usage import event

CHECK = {"surface": "claude"}
SPAN = "start=2026-11-01&end=2026-12-01"


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


@pytest.fixture
def call(client, bob, now):
    """Call the API with Bob's token, or another key."""
    token = make_token(bob, now=now)

    def send(method, path, body=None, *, key=token):
        return client.generic(
            method,
            f"/api/v1{path}",
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )

    return send


def report(*members, now):
    """A batch of an event each; None leaves the member out."""
    batch = []
    for number, member in enumerate(members):
        one = {
            "id": f"event {number}",
            "member": member,
            "surface": "claude",
            "model": "claude-sonnet-5",
            "occurred_at": now.isoformat(),
            "usage": {"input_tokens": 1},
        }
        batch.append(one if member else {k: v for k, v in one.items() if k != "member"})
    return {"events": batch}


# -- Asking and reporting ---------------------------------------------------------------


@pytest.mark.parametrize(
    "named", [None, "bob@acme.example", "BOB@acme.example", "{id}"]
)
def test_x3_a_token_asks_for_its_own_member(call, bob, named):
    body = CHECK if named is None else {**CHECK, "member": named.format(id=bob.pk)}
    answer = call("POST", "/authorize", body)
    assert answer.status_code == 200, answer.content
    assert answer.json()["authorization"].split(".")[2] == str(bob.pk)


@pytest.mark.parametrize(
    "named", ["ada@acme.example", "charlie@umbrella.example", "nobody@x.example", "1:2"]
)
def test_x3_a_token_asks_for_nobody_else(call, ada, named):
    answer = call("POST", "/authorize", {**CHECK, "member": named})
    assert answer.status_code == 403
    assert answer.json()["code"] == "other_member"


def test_x3_a_key_of_the_organization_has_to_name_somebody(call, acme, now):
    key = make_api_key(acme, now=now)
    answer = call("POST", "/authorize", CHECK, key=key)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"][-1] == "member"
    answer = call("POST", "/usage", report(None, "bob@acme.example", now=now), key=key)
    first, second = answer.json()["results"]
    assert (first["status"], second["status"]) == ("invalid", "recorded")
    assert first["errors"] == [{"loc": ["member"], "msg": "Field required"}]


def test_x3_a_token_reports_for_its_own_member_alone(call, ada, bob, now):
    sent = report(
        None, "bob@acme.example", "ada@acme.example", "who@x.example", now=now
    )
    results = call("POST", "/usage", sent).json()["results"]
    statuses = [result["status"] for result in results]
    assert statuses == ["recorded", "recorded", "invalid", "invalid"]
    for result in results[2:]:
        assert result["errors"][0]["loc"] == ["member"]
        assert "of bob@acme.example" in result["errors"][0]["msg"]
    assert set(UsageEvent.objects.values_list("membership_id", flat=True)) == {bob.pk}


def test_x4_a_tokens_word_holds_against_no_gateways(call, acme, bob, now):
    """Else whoever reports a request first, with small counts, would have it cheap."""
    small = {**report(None, now=now)["events"][0], "id": "one", "source": "gateway"}
    [first] = call("POST", "/usage", {"events": [small]}).json()["results"]
    assert first["status"] == "recorded"
    assert UsageEvent.objects.get(event_id="one").source == "telemetry"
    whole = event(bob, at=now, usd="3", id="gateways")
    whole = replace(whole, request_id="one")
    [result] = record_usage([whole], organization_id=acme.pk, now=now).results
    assert (result.status, result.cost_nanos) == ("duplicate", usd("3"))
    assert list(differences()) == []


@pytest.mark.parametrize(
    "members", [[None], ["bob@acme.example"], ["ada@acme.example"]]
)
def test_x3_one_event_is_held_to_it_as_a_batch_is(call, ada, bob, now, members):
    [result] = call("POST", "/usage", report(*members, now=now)).json()["results"]
    is_own = members != ["ada@acme.example"]
    assert result["status"] == ("recorded" if is_own else "invalid")


def test_x3_a_check_without_a_name_is_one_round_trip(
    bob, now, django_assert_num_queries
):
    from billing.funding.queries import standing_by_key

    digest = ApiKey.digest_of(make_token(bob, now=now, name="one trip"))
    with django_assert_num_queries(1):
        standings = standing_by_key(digest, member="", now=now)
    assert standings.key_membership_id == bob.pk
    assert standings.member("").membership_id == bob.pk


def test_x3_a_key_of_the_organization_is_nobodys(acme, bob, now):
    from billing.funding.queries import standing_by_key

    digest = ApiKey.digest_of(make_api_key(acme, now=now))
    standings = standing_by_key(digest, member="bob@acme.example", now=now)
    assert standings.key_membership_id is None
    assert standings.member("") is None


# -- Reading ----------------------------------------------------------------------------


def test_x3_a_token_reads_its_own_member(call, ada, bob):
    assert call("GET", "/members/bob@acme.example").json()["id"] == bob.pk
    assert call("GET", f"/members/{bob.pk}").json()["id"] == bob.pk
    for other in (ada.pk, "ada@acme.example", "nobody@x.example", 10**9):
        assert call("GET", f"/members/{other}").status_code == 403


@pytest.mark.parametrize(
    "group_by", ["member", "member,label:team", "member,model,day"]
)
def test_x3_a_token_reads_its_own_usage(call, acme, ada, bob, now, group_by):
    sent = [event(ada, at=now, usd="5"), event(bob, at=now, usd="3")]
    record_usage(sent, organization_id=acme.pk, now=now)
    rows = call("GET", f"/usage?{SPAN}&group_by={group_by}").json()["results"]
    assert [(row["member"], row["events"]) for row in rows] == [("bob@acme.example", 1)]
    assert rows[0]["included_usd"] == "3.000000000"


def test_x3_a_token_reads_its_own_receipts(call, acme, ada, bob, now):
    sent = [event(ada, at=now, id="hers"), event(bob, at=now, id="his")]
    record_usage(sent, organization_id=acme.pk, now=now)
    assert call("GET", "/events/his").status_code == 200
    assert call("GET", "/events/hers").status_code == 404


@pytest.mark.parametrize(
    "path", ["/organization", "/members", "/requests", "/invoices"]
)
def test_x3_a_token_reads_nothing_of_everybody(call, path):
    assert call("GET", path).status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/caps/members/bob@acme.example", {"amount_usd": None}),
        ("/external-ids/members/bob@acme.example", {"external_ids": []}),
        ("/extra-usage", {"enabled": False, "scope": "everyone"}),
    ],
)
def test_x3_a_token_manages_nothing(call, path, body):
    assert call("PUT", path, body).status_code == 403


# -- Its end ----------------------------------------------------------------------------


def calls(call):
    """What each door says."""
    return [
        call("POST", "/authorize", CHECK).status_code,
        call("POST", "/usage", {"events": [{"id": "x"}]}).status_code,
        call("GET", "/members/bob@acme.example").status_code,
    ]


def test_x3_a_token_ends_on_its_day(call, now, time_machine):
    assert calls(call) == [200, 200, 200]
    time_machine.move_to(now + dt.timedelta(days=90), tick=False)
    assert calls(call) == [401, 401, 401]
    detail = call("POST", "/authorize", CHECK).json()["detail"]
    assert "personal token expired" in detail


def test_x3_a_token_ends_with_the_membership(call, alice, bob, now):
    remove_member(bob, by=alice, now=now)
    assert calls(call) == [401, 401, 401]
    bob.refresh_from_db()
    bring_back(bob, seat_tier="standard", by=alice, now=now)
    assert calls(call) == [401, 401, 401], "who comes back makes a new one"
    assert AuditEntry.objects.filter(action="api_key.token_revoke").count() == 1


def test_x3_a_token_ends_with_the_account(call, bob, now):
    operator = Actor.person(make_user("op@x.example", "Olga", is_staff=True))
    switch_person(bob.user, on=False, actor=operator, now=now)
    assert calls(call) == [401, 401, 401]
    switch_person(bob.user, on=True, actor=operator, now=now)
    assert calls(call) == [401, 401, 401]


@pytest.mark.parametrize("table", ["membership", "user"])
def test_x3_whatever_ended_the_membership_ends_the_token(call, bob, table):
    # As a row is changed past the acts: nothing was revoked.
    if table == "membership":
        type(bob).objects.filter(pk=bob.pk).update(
            status="removed", removed_at=bob.joined_at, seat_tier=None
        )
    else:
        type(bob.user).objects.filter(pk=bob.user_id).update(is_active=False)
    assert calls(call) == [401, 401, 401]


def test_s4_a_token_ends_with_the_address_it_was_made_under(call, ada, bob, now):
    other = make_organization("bolt", owner=make_user("o@b.example", "O"), now=now)
    second = make_token(MembershipFactory(organization=other, user=bob.user), now=now)
    adas = make_token(ada, now=now)
    operator = make_user("op@x.example", "Olga", is_staff=True)
    assert 401 not in calls(call)
    change_address(
        bob.user, email="robert@acme.example", by=operator, now=now, reason="Asked"
    )
    assert calls(call) == [401, 401, 401]
    assert call("POST", "/authorize", CHECK, key=second).status_code == 401
    assert call("POST", "/authorize", CHECK, key=adas).status_code == 200
    ended = AuditEntry.objects.filter(action="api_key.token_revoke")
    assert {entry.organization.slug for entry in ended} == {"acme", "bolt"}
    for entry in ended:
        assert (entry.actor, entry.reason) == (operator, "Asked")
        assert entry.subject == "laptop (robert@acme.example)"


def test_x3_an_erasure_takes_tokens_away(call, alice, bob, now):
    remove_member(bob, by=alice, now=now)
    erase_person(bob.user, actor=Actor.person(alice.user), now=now)
    assert not ApiKey.objects.personal().exists()


def test_s17_what_the_token_of_somebody_erased_reported_stays_readable(
    call, client, admin_client, acme, alice, bob, now
):
    assert call("POST", "/usage", report(None, now=now)).status_code == 200
    sent = UsageEvent.objects.get()
    assert sent.api_key == bob.tokens.get()
    remove_member(bob, by=alice, now=now)
    erase_person(bob.user, actor=Actor.person(alice.user), now=now)
    assert UsageEvent.objects.get().api_key_id == sent.api_key_id
    assert list(differences()) == []
    key = make_api_key(acme, now=now)
    answer = call("GET", f"/events/{sent.event_id}", key=key)
    assert (answer.status_code, answer.json()["api_key"]) == (200, None)
    change = reverse("admin:billing_usageevent_change", args=[sent.pk])
    assert admin_client.get(change).status_code == 200
    listed = admin_client.get(reverse("admin:billing_usageevent_changelist"))
    assert listed.status_code == 200
    client.force_login(alice.user)
    page = client.get(reverse("own_receipt", args=["acme", sent.pk]))
    assert page.status_code == 200
    assert client.get(reverse("connect", args=["acme"])).status_code == 200


def test_x3_the_database_knows_no_token_without_member_or_end(acme, bob, now):
    values = {"organization": acme, "name": "x", "prefix": "x", "created_at": now}
    for number, wrong in enumerate(
        (
            {"scopes": "self"},
            {"scopes": "meter", "membership": bob},
            {"scopes": "self", "membership": bob},
        )
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiKey.objects.create(**values, digest=str(number), **wrong)


def test_x3_tokens_are_not_counted_as_keys_of_the_organization(acme, alice, bob, now):
    from accounts.actions.api_keys import MOST_KEYS, create_api_key

    for number in range(MOST_KEYS):
        make_token(bob, now=now, name=str(number))
    create_api_key(
        acme, name="gateway", scopes=["meter"], actor=Actor.person(alice.user), now=now
    )


def test_x3_a_key_of_the_organization_is_never_for_oneself(acme, alice, now):
    from accounts.actions.api_keys import create_api_key

    actor = Actor.person(alice.user)
    with pytest.raises(BusinessError) as refused:
        create_api_key(acme, name="x", scopes=["self"], actor=actor, now=now)
    assert refused.value.code == "unknown_scope"


# -- Your settings ----------------------------------------------------------------------


@pytest.fixture
def page(client, bob):
    """Your settings › Personal tokens as Bob posts it."""
    client.force_login(bob.user)

    def post(**typed):
        url = reverse("own_tokens")
        return client.post(url, typed) if typed else client.get(url)

    return post


def test_x3_one_makes_a_token_and_sees_it_once(
    client, page, call, bob, worker, mailoutbox
):
    with worker():
        made = page(name="laptop")
    assert made.status_code == 200
    secret = made.context["secret"]
    assert secret in made.content.decode()
    assert 'data-copy="new-token"' in made.content.decode()
    token = ApiKey.objects.personal().get(name="laptop", prefix=secret[:9])
    assert (token.membership_id, token.scopes) == (bob.pk, "self")
    # Through the last of 90 days of the organization's, which is in New York.
    assert token.expires_at == dt.datetime(2027, 2, 22, 5, 0, tzinfo=dt.UTC)
    assert call("POST", "/authorize", CHECK, key=secret).status_code == 200
    again = page().content.decode()
    assert secret not in again and token.prefix in again
    event = SecurityEvent.objects.get(kind="token_created")
    assert event.person_id == bob.user_id
    assert [mail.subject for mail in mailoutbox] == ["Personal token created"]
    assert OutgoingMail.objects.get().kind == "security_notice"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "x", "expires_on": "2026-11-22"}, "expires_on"),
        ({"name": "x", "expires_on": "2027-11-24"}, "expires_on"),
        ({"name": "x", "expires_on": "soon"}, "expires_on"),
    ],
)
def test_x3_what_is_wrong_is_told_at_its_field(page, bob, typed, field):
    answer = page(**typed)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not bob.tokens.exists()


def test_x3_a_year_is_the_longest(page, bob):
    assert page(name="x", expires_on="2027-11-23").status_code == 200
    assert bob.tokens.get().expires_at == dt.datetime(2027, 11, 24, 5, 0, tzinfo=dt.UTC)


def test_x3_one_has_ten_at_most(page, bob, now):
    for number in range(MOST_TOKENS):
        make_token(bob, now=now, name=str(number))
    assert page(name="one more").status_code == 422
    assert bob.tokens.count() == MOST_TOKENS
    bob.tokens.filter(name="3").update(revoked_at=now)
    assert page(name="one more").status_code == 200


def test_x3_who_belongs_to_two_organizations_chooses(page, bob, charlie):
    here = MembershipFactory(organization=charlie.organization, user=bob.user)
    assert list(page(name="x").context["form"].errors) == ["membership"]
    assert page(name="x", membership=charlie.pk).status_code == 422
    assert page(name="x", membership=here.pk).status_code == 200
    assert here.tokens.get().organization_id == charlie.organization_id
    assert "Umbrella" in page().content.decode()


def test_x3_who_belongs_nowhere_reads_no_form(client, db):
    client.force_login(make_user("alone@x.example", "Alone"))
    answer = client.get(reverse("own_tokens"))
    assert "Create a token" not in answer.content.decode()
    assert client.post(reverse("own_tokens"), {"name": "x"}).status_code == 422


def test_x3_where_two_factor_is_required_one_sets_it_up_first(page, acme, bob):
    acme.two_factor = "everybody"
    acme.save(update_fields=["two_factor"])
    answer = page(name="x")
    assert (answer.status_code, answer.url) == (302, reverse("mfa_activate_totp"))
    assert not bob.tokens.exists()


def test_x3_one_revokes_ones_own_alone(client, page, call, ada, bob, now):
    make_token(ada, now=now)
    theirs, own = ada.tokens.get(), bob.tokens.get()
    assert client.post(reverse("token_revoke", args=[theirs.pk])).status_code == 404
    assert client.post(reverse("token_revoke", args=[own.pk])).status_code == 302
    assert calls(call) == [401, 401, 401]
    assert SecurityEvent.objects.filter(kind="token_revoked").count() == 1
    client.post(reverse("token_revoke", args=[own.pk]))
    assert SecurityEvent.objects.filter(kind="token_revoked").count() == 1
    assert ada.tokens.live(now).exists()


# -- Owners and operators ---------------------------------------------------------------


def test_x3_owners_see_whose_tokens_there_are_and_revoke_them(client, call, alice, bob):
    client.force_login(alice.user)
    url = reverse("api_keys", args=["acme"])
    page = client.get(url).content.decode()
    assert "laptop" in page and "bob@acme.example" in page
    token = bob.tokens.get()
    revoke = reverse("api_key_revoke", args=["acme", token.pk])
    assert client.post(revoke).status_code == 302
    assert calls(call) == [401, 401, 401]
    assert f"{token.prefix}…" not in client.get(url).content.decode()
    entry = AuditEntry.objects.get(action="api_key.token_revoke")
    assert (entry.actor, entry.membership) == (alice.user, bob)
    assert entry.subject == "laptop (bob@acme.example)"
    activity = client.get(reverse("activity", args=["acme"])).content.decode()
    assert "Personal token revoked" in activity


def test_x3_the_activity_says_until_when_a_token_is_good(client, alice, bob, now):
    create_token(bob, name="laptop", now=now)
    client.force_login(alice.user)
    page = client.get(reverse("activity", args=["acme"])).content.decode()
    assert "Personal token created" in page and "until Sun 21 Feb 2027" in page


def test_x3_the_list_of_owners_takes_as_many_queries_for_thirty(
    client, acme, alice, now, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.force_login(alice.user)

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(reverse("api_keys", args=["acme"]))
        return len(captured)

    for number in range(3):
        member = MembershipFactory(organization=acme, seat_tier=None)
        make_token(member, now=now, name=str(number))
    queries()
    few = queries()
    for number in range(30):
        member = MembershipFactory(organization=acme, seat_tier=None)
        make_token(member, now=now, name=f"more {number}")
    assert queries() == few


def test_x3_operators_see_whose_a_token_is(admin_client, bob, now):
    make_token(bob, now=now)
    listed = admin_client.get(reverse("admin:accounts_apikey_changelist"))
    assert "bob@acme.example" in listed.content.decode()
