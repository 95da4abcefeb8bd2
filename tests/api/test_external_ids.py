"""External ids (X2): other systems' names for members, everywhere the API takes one."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.actions.audit import Actor
from accounts.actions.erasing import erase_person
from accounts.actions.external_ids import MOST_IDS, set_external_ids
from accounts.actions.members import remove_member
from accounts.exporting import archive_of
from accounts.models import AuditEntry, ExternalId
from billing.metering.actions.recording import record_usage
from billing.models import UsageEvent
from config.kit.errors import BusinessError
from config.kit.external_names import is_external_name
from tests.api.test_members_named import everywhere, named, nowhere
from tests.factories.people import (
    MembershipFactory,
    make_external_id,
    make_user,
)
from tests.factories.usage import event

ISSUER, SUBJECT = "https://login.acme.example:8443/realm", "00u1Ab2c"
NAME = f"{ISSUER}:{SUBJECT}"
OBJECT = {"issuer": ISSUER, "subject": SUBJECT}
BY_SCRIPT = Actor(label="test")


@pytest.fixture
def okta(bob) -> ExternalId:
    """Bob's subject of a single sign-on whose issuer is an address with a port."""
    return make_external_id(bob, ISSUER, SUBJECT)


def put(call, member, ids):
    """The call that gives a member the whole list."""
    return call(
        "PUT",
        f"/external-ids/members/{quote(str(member), safe='')}",
        {"external_ids": ids},
    )


def test_x2_a_member_is_named_by_an_external_id_at_every_door(call, bob, okta, now):
    assert named(call, NAME, now) == everywhere(bob)


@pytest.mark.parametrize(
    "subject", ["u:42", "a/b%c", "alice@idp.example", "山田", "x y"]
)
def test_x2_any_subject_names_its_member(call, bob, now, subject):
    make_external_id(bob, "urn:acme", subject)
    assert named(call, f"urn:acme:{subject}", now) == everywhere(bob)


@pytest.mark.parametrize(
    "ref", [NAME.lower(), NAME + "x", "other:" + SUBJECT, ISSUER, ":" + NAME]
)
def test_x2_only_the_whole_text_names_a_member(call, okta, now, ref):
    assert named(call, ref, now) == nowhere()


def test_x2_a_body_takes_an_object_too(call, bob, okta, now):
    checked = call("POST", "/authorize", {"member": OBJECT, "surface": "claude"})
    assert checked.json()["allowed"] is True, checked.content
    sent = {
        "id": "one",
        "member": OBJECT,
        "surface": "claude",
        "model": "claude-sonnet-5",
        "occurred_at": now.isoformat(),
        "usage": {"input_tokens": 1},
    }
    [result] = call("POST", "/usage", {"events": [sent]}).json()["results"]
    assert result["status"] == "recorded"
    assert UsageEvent.objects.get().membership_id == bob.pk


@pytest.mark.parametrize(
    "member",
    [
        {"issuer": ISSUER},
        {"issuer": "", "subject": "x"},
        {"issuer": "x" * 201, "subject": "x"},
        {"issuer": 1, "subject": "x"},
        {"issuer": '"x', "subject": 'y"@acme.example'},
        {},
    ],
)
def test_x2_an_object_that_is_none_is_refused_at_its_field(call, okta, member):
    answer = call("POST", "/authorize", {"member": member, "surface": "claude"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"][-1] == "member"
    sent = {"events": [{"id": "one", "member": member}]}
    [result] = call("POST", "/usage", sent).json()["results"]
    assert ["member"] in [error["loc"] for error in result["errors"]]


def test_x2_a_batch_mixes_all_kinds(acme, alice, ada, bob, okta, now):
    make_external_id(ada, "ldap", "cn=ada")
    refs = [NAME, "ldap:cn=ada", "alice@acme.example", str(bob.pk), "no:body"]
    batch = [event(ref, at=now, id=ref) for ref in refs]
    results = record_usage(batch, organization_id=acme.pk, now=now).results
    assert [result.status for result in results] == ["recorded"] * 5
    assert "Nobody here is “no:body”" in results[4].notes[0]
    found = dict(UsageEvent.objects.values_list("event_id", "membership_id"))
    found.pop("no:body")
    expected = dict(zip(refs, [bob.pk, ada.pk, alice.pk, bob.pk], strict=False))
    assert found == expected


def test_x2_two_names_of_one_member_are_one_content(acme, bob, okta, now):
    for ref, status in ((NAME, "recorded"), ("bob@acme.example", "duplicate")):
        sent = event(ref, at=now, id="same")
        [result] = record_usage([sent], organization_id=acme.pk, now=now).results
        assert result.status == status


def test_x2_nothing_of_another_organization_is_named(call, charlie, now):
    make_external_id(charlie, ISSUER, SUBJECT)
    assert named(call, NAME, now) == nowhere()


def test_x2_who_was_removed_keeps_theirs_for_late_usage(acme, alice, bob, okta, now):
    remove_member(bob, by=alice, now=now)
    sent = event(NAME, at=now, id="late")
    [result] = record_usage([sent], organization_id=acme.pk, now=now).results
    assert result.status == "recorded"
    assert UsageEvent.objects.get().membership_id == bob.pk


@pytest.mark.parametrize("ref", ["bob@acme.example", "{id}", NAME])
def test_x2_a_check_is_one_round_trip_however_a_member_is_named(
    acme, bob, okta, now, ref, django_assert_num_queries
):
    from accounts.models import ApiKey
    from billing.funding.queries import standing_by_key
    from tests.factories.people import make_api_key

    digest = ApiKey.digest_of(make_api_key(acme, now=now))
    member = ref.format(id=bob.pk)
    with django_assert_num_queries(1):
        standings = standing_by_key(digest, member=member, now=now)
    assert standings.member(member).membership_id == bob.pk


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("okta:00u1", True),
        ("https://x.example:alice@acme.example", True),
        ("bob@acme.example", False),
        ("17", False),
        ('"a:b"@acme.example', False),
        ("bob@[2001:db8::1]", False),
        ("", False),
    ],
)
def test_x2_a_text_with_a_colon_is_an_external_id_unless_it_is_an_address(text, is_one):
    assert is_external_name(text) is is_one


def test_x2_an_address_with_a_colon_still_names_whoever_has_it(call, acme, now):
    person = make_user('"a:b"@acme.example', "Quoted")
    member = MembershipFactory(organization=acme, user=person)
    assert named(call, '"a:b"@acme.example', now) == everywhere(member)


# -- Attaching --------------------------------------------------------------------------


def test_x2_the_whole_list_is_put_and_read(call, bob, okta):
    ids = [OBJECT, {"issuer": "github", "subject": "bob-feld"}]
    assert put(call, bob.pk, ids).json() == {
        "id": bob.pk,
        "email": "bob@acme.example",
        "external_ids": ids,
    }
    assert okta.pk in ExternalId.objects.values_list("pk", flat=True), "kept as it was"
    assert call("GET", f"/members/{bob.pk}").json()["external_ids"] == ids
    listed = call("GET", "/members").json()["results"]
    assert {
        one["id"]: one["external_ids"] for one in listed if one["external_ids"]
    } == {bob.pk: ids}
    assert put(call, "github:bob-feld", []).json()["external_ids"] == []
    assert not ExternalId.objects.exists()


def test_x2_a_taken_one_says_whose_it_is(call, ada, bob, okta):
    answer = put(call, ada.pk, [{"issuer": "x", "subject": "y"}, OBJECT])
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["code"] == "external_id_taken"
    assert NAME in problem["detail"] and "bob@acme.example" in problem["detail"]
    assert not ada.external_ids.exists(), "all or nothing"


def test_x2_two_pairs_that_read_the_same_are_one(call, ada, bob):
    assert put(call, bob.pk, [{"issuer": "a", "subject": "b:c"}]).status_code == 200
    answer = put(call, ada.pk, [{"issuer": "a:b", "subject": "c"}])
    assert answer.status_code == 409


def test_x2_the_database_holds_what_an_id_names(acme, ada, okta):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_external_id(ada, ISSUER, SUBJECT)
    with pytest.raises(IntegrityError), transaction.atomic():
        ExternalId.objects.create(
            organization=acme, membership=ada, issuer="a", subject="b", name="c:d"
        )


@pytest.mark.parametrize(
    ("issuer", "subject"),
    [
        ("", "x"),
        ("x", " "),
        ("x" * 201, "y"),
        ("x", "y" * 201),
        ("two\nlines", "y"),
        ("x", "in\u200bvisible"),
        ('"x', "y"),
        ("x", "y@[z]"),
    ],
)
def test_x2_what_is_no_id_is_refused_at_the_field(call, bob, issuer, subject):
    answer = put(call, bob.pk, [{"issuer": issuer, "subject": subject}])
    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["loc"] == ["body", "external_ids"]
    assert not ExternalId.objects.exists()


def test_x2_a_member_has_twenty_at_most(call, bob):
    ids = [{"issuer": "x", "subject": str(number)} for number in range(MOST_IDS + 1)]
    assert put(call, bob.pk, ids).json()["code"] == "too_many_external_ids"
    assert put(call, bob.pk, [*ids[:-1], ids[0]]).status_code == 200
    assert put(call, bob.pk, ids * 5).status_code == 413


def test_x2_the_activity_says_from_which_issuer_and_never_the_subject(
    call, client, alice, bob
):
    put(call, bob.pk, [OBJECT])
    entry = AuditEntry.objects.get(action="member.external_ids")
    assert (entry.subject, entry.actor_label) == ("Bob Feld", "API key test")
    assert SUBJECT not in json.dumps([entry.from_value, entry.to_value])
    put(call, bob.pk, [OBJECT])
    assert AuditEntry.objects.filter(action="member.external_ids").count() == 1
    client.force_login(alice.user)
    page = client.get(reverse("activity", args=["acme"])).content.decode()
    assert "External ids" in page and f"{ISSUER} (1 new)" in page


# -- Privacy ----------------------------------------------------------------------------


def test_x2_an_export_has_them_and_an_erasure_takes_them(acme, alice, bob, okta, now):
    exported = b"".join(archive_of(bob.user, now=now))
    assert b"external_id.json" in exported
    remove_member(bob, by=alice, now=now)
    erase_person(bob.user, actor=Actor.person(alice.user), now=now)
    assert not ExternalId.objects.exists()
    with pytest.raises(BusinessError) as refused:
        set_external_ids(bob, [("a", "b")], actor=BY_SCRIPT, now=now)
    assert refused.value.code == "erased"


# -- The owners' page -------------------------------------------------------------------


@pytest.fixture
def modal(client, alice, now, time_machine):
    """The modal of one member as an owner posts it."""
    time_machine.move_to(now, tick=False)
    client.force_login(alice.user)

    def post(member, text=None):
        url = reverse("member_external_ids", args=["acme", member.pk])
        if text is None:
            return client.get(url)
        return client.post(url, {"external_ids": text})

    return post


def test_x2_owners_edit_them_a_line_each(modal, bob, okta):
    odd = make_external_id(bob, "urn", "acme:42")
    assert NAME in modal(bob).content.decode()
    text = f"{NAME}\r\n\r\n {odd.name} \r\ngithub:bob-feld"
    assert modal(bob, text).status_code == 302
    pairs = set(bob.external_ids.values_list("issuer", "subject"))
    assert pairs == {(ISSUER, SUBJECT), ("urn", "acme:42"), ("github", "bob-feld")}


@pytest.mark.parametrize("text", ["bob-feld", "github:", NAME])
def test_x2_what_owners_type_wrong_is_told_at_the_field(modal, ada, okta, text):
    answer = modal(ada, text)
    assert answer.status_code == 422
    assert "external_ids" in answer.context["form"].errors
    assert not ada.external_ids.exists()


def test_x2_owners_take_them_from_who_was_removed(modal, alice, ada, bob, okta, now):
    remove_member(bob, by=alice, now=now)
    assert "was removed" in modal(ada, NAME).content.decode()
    assert modal(bob, "").status_code == 302
    assert modal(ada, NAME).status_code == 302
    assert ada.external_ids.get().name == NAME


def test_x2_admins_may_not(client, ada, bob):
    client.force_login(ada.user)
    url = reverse("member_external_ids", args=["acme", bob.pk])
    assert client.get(url).status_code == 403
    assert client.post(url, {"external_ids": "a:b"}).status_code == 403
