"""Whom an address names: in a path, by a former address, in any spelling of its domain
(E6a, bugs rows 5, 16 and 32).
"""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django.urls import reverse

from accounts.actions.invitations import accept_invitation, invite
from accounts.actions.members import remove_member
from accounts.models import FormerAddress, Invitation, Membership, User
from billing.metering.actions.recording import record_usage
from billing.models import MemberMonth, UsageEvent
from config.kit.addresses import canonical_address
from tests.factories.people import (
    PASSWORD,
    MembershipFactory,
    make_user,
)
from tests.factories.usage import enable_extra_usage, event

UNICODE, ASCII = "bob@bücher.example", "bob@xn--bcher-kva.example"
ODD = [
    "a/b@acme.example",
    "a%b@acme.example",
    "a%2fb@acme.example",
    "a+b@acme.example",
    "o'neil@acme.example",
    "a&?b@acme.example",
    '"a b"@acme.example',
    "/a//b/@acme.example",
]


def change_address(member: Membership, email: str) -> None:
    """As an operator changes it."""
    member.user.email = email
    member.user.save(update_fields=["email"])


def promised_to(authorization: str | None) -> int | None:
    """The membership that an authorization is bound to."""
    return int(authorization.split(".")[2]) if authorization else None


def named(call, ref: str, now) -> dict[str, object]:
    """Whom `ref` names at each door: membership ids, None for nobody."""
    enable = {"enabled": True, "scope": "selected", "members": [ref]}
    checked = call("POST", "/authorize", {"member": ref, "surface": "claude"})
    sent = {
        "id": f"of {ref} {UsageEvent.objects.count()}",
        "member": ref,
        "surface": "claude",
        "model": "claude-sonnet-5",
        "occurred_at": now.isoformat(),
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    [result] = call("POST", "/usage", {"events": [sent]}).json()["results"]
    receipt = call("GET", f"/events/{quote(sent['id'], safe='')}").json()
    read = call("GET", f"/members/{quote(ref, safe='')}")
    capped = call("PUT", f"/caps/members/{quote(ref, safe='')}", {"amount_usd": "1.00"})
    return {
        "check": promised_to(checked.json().get("authorization")),
        "usage": receipt["member"] if result["status"] == "recorded" else result,
        "read": read.json().get("id"),
        "capped": capped.status_code == 200,
        "selected": call("PUT", "/extra-usage", enable).json().get("members"),
    }


def everywhere(member: Membership) -> dict[str, object]:
    """What `named` says where all doors name one member."""
    return {
        "check": member.pk,
        "usage": member.pk,
        "read": member.pk,
        "capped": True,
        "selected": [member.pk],
    }


def nowhere() -> dict[str, object]:
    """What `named` says of nobody."""
    return {
        "check": None,
        "usage": None,
        "read": None,
        "capped": False,
        "selected": None,
    }


@pytest.mark.parametrize("email", ODD)
def test_row_16_a_member_is_found_by_any_address(call, acme, now, email):
    member = MembershipFactory(organization=acme, user=make_user(email, "Odd"))
    assert named(call, email, now) == everywhere(member)
    assert named(call, email.upper(), now) == everywhere(member)


def test_row_16_who_is_not_there_is_told_as_a_problem(call, acme, now):
    assert named(call, "no/body@acme.example", now) == nowhere()
    response = call("GET", "/members/no%2Fbody@acme.example")
    assert response["Content-Type"] == "application/problem+json"
    assert "no/body@acme.example" in response.json()["detail"]


@pytest.mark.parametrize("kept", [UNICODE, ASCII, UNICODE.upper()])
def test_row_16_one_person_whatever_the_spelling_of_the_domain(call, acme, now, kept):
    member = MembershipFactory(organization=acme, user=make_user(kept, "Bob B."))
    assert member.user.email == ASCII
    for ref in (UNICODE, ASCII, "BOB@BÜCHER.EXAMPLE", "bob@bücher。example"):
        assert named(call, ref, now) == everywhere(member)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" Bob@Acme.Example ", "bob@acme.example"),
        ("BOB@Bücher.example", ASCII),
        ("bob@bu\u0308cher.example", ASCII),
        ("bob@faß.example", "bob@xn--fa-hia.example"),
        ("josé@acme.example", "josé@acme.example"),
        ("ü@bücher.example", "ü@xn--bcher-kva.example"),
        ("bob@日本語.example", "bob@xn--wgv71a119e.example"),
        ("no address ü", "no address ü"),
        ("bob@", "bob@"),
        ("ü@", "ü@"),
        ("bob@ü..example", "bob@ü..example"),
    ],
)
def test_row_16_an_address_has_one_spelling(text, kept):
    assert canonical_address(text) == kept
    assert canonical_address(kept) == kept


@pytest.mark.parametrize("url", ["members", "usage_settings"])
@pytest.mark.parametrize("q", [UNICODE, ASCII, "BÜCHER"])
def test_row_16_pages_find_people_by_any_spelling(client, acme, alice, url, q):
    MembershipFactory(organization=acme, user=make_user(ASCII, "Somebody Far Off"))
    enable_extra_usage(acme)
    client.force_login(alice.user)
    page = client.get(reverse(url, args=["acme"]), {"q": q}).content.decode()
    assert "Somebody Far Off" in page
    assert "Ada Okafor" not in page


def test_row_16_people_are_invited_and_sign_in_by_any_spelling(
    client, acme, alice, now
):
    arguments = {"role": "member", "seat_tier": None, "by": alice, "now": now}
    invite(acme, email=UNICODE, **arguments)
    _invitation, token = invite(acme, email=ASCII, **arguments)
    assert list(
        Invitation.objects.order_by("pk").values_list("email", "revoked_at")
    ) == [(ASCII, now), (ASCII, None)]
    member = accept_invitation(
        token, user=None, name="Bob B.", password=PASSWORD, now=now
    )
    assert member.user.email == ASCII
    assert User.objects.get_by_natural_key(UNICODE) == member.user
    for spelling in (UNICODE, ASCII):
        client.logout()
        form = {"login": spelling, "password": PASSWORD}
        assert client.post("/accounts/login/", form).status_code == 302


def test_e6a_a_former_address_still_names_the_member(call, acme, bob, now):
    change_address(bob, "robert@acme.example")
    assert named(call, "bob@acme.example", now) == everywhere(bob)
    assert named(call, "BOB@Acme.Example", now) == everywhere(bob)
    assert named(call, "robert@acme.example", now) == everywhere(bob)
    change_address(bob, "rob@acme.example")
    for email in ("bob@acme.example", "robert@acme.example", "rob@acme.example"):
        assert named(call, email, now) == everywhere(bob)


def test_e6a_one_that_names_somebody_again_is_theirs(call, acme, ada, bob, now):
    """Who has it now comes first, also when they were removed; then who had it last."""
    change_address(bob, "robert@acme.example")
    change_address(ada, "bob@acme.example")
    assert named(call, "bob@acme.example", now) == everywhere(ada)
    change_address(ada, "ada.o@acme.example")
    assert named(call, "bob@acme.example", now) == everywhere(ada)
    change_address(bob, "bob@acme.example")
    change_address(bob, "robert@acme.example")
    assert named(call, "bob@acme.example", now) == everywhere(bob)
    assert FormerAddress.objects.filter(email="bob@acme.example").count() == 2
    late = make_user("bob@acme.example", "Another Bob")
    newcomer = MembershipFactory(organization=acme, user=late)
    assert named(call, "bob@acme.example", now) == everywhere(newcomer)


def test_e6a_somebody_removed_who_has_it_now_comes_first(acme, alice, ada, bob, now):
    change_address(bob, "robert@acme.example")
    change_address(ada, "bob@acme.example")
    remove_member(ada, by=alice, now=now)
    sent = event("bob@acme.example", at=now)
    record_usage([sent], organization_id=acme.pk, now=now)
    assert UsageEvent.objects.get(event_id=sent.id).membership_id == ada.pk


def test_e6a_a_former_address_names_nobody_elsewhere(call, acme, bob, charlie, now):
    change_address(charlie, "charles@umbrella.example")
    assert named(call, "charlie@umbrella.example", now) == nowhere()
    change_address(bob, "robert@acme.example")
    change_address(
        charlie, "bob@acme.example"
    )  # at Umbrella; at Acme it is still Bob's
    assert named(call, "bob@acme.example", now) == everywhere(bob)


def test_e6a_both_addresses_in_a_batch_count_to_one_member(acme, ada, bob, now):
    enable_extra_usage(acme)
    change_address(bob, "robert@acme.example")
    batch = [
        event("robert@acme.example", at=now, usd="0.80"),
        event("bob@acme.example", at=now, usd="0.80"),
        event(str(bob.pk), at=now, usd="0.80"),
        event(ada, at=now, usd="0.80"),
        event("nobody@acme.example", at=now),
    ]
    recorded = record_usage(batch, organization_id=acme.pk, now=now)
    fundings = [result.funding for result in recorded.results]
    assert fundings == [
        "included",
        "included",
        "extra_usage",
        "included",
        "extra_usage",  # nobody's: on the unattributed line (X2)
    ]
    assert MemberMonth.objects.get(membership=bob).events == 3
    old = [event("bob@acme.example", at=now, usd="0.01"), event("x", at=now)]
    recorded = record_usage(old, organization_id=acme.pk, now=now)
    assert [result.status for result in recorded.results] == ["recorded", "recorded"]


def test_e6a_the_same_event_under_the_other_address_is_a_duplicate(acme, bob, now):
    record_usage([event(bob, id="e", at=now)], organization_id=acme.pk, now=now)
    change_address(bob, "robert@acme.example")
    again = [
        event("bob@acme.example", id="e", at=now),
        event("robert@acme.example", id="e", at=now),
    ]
    recorded = record_usage(again, organization_id=acme.pk, now=now)
    assert [result.status for result in recorded.results] == ["duplicate"] * 2


def test_e6a_whatever_changes_an_address_keeps_it(bob):
    """Rows in bulk, raw SQL; a change that is taken back leaves none."""
    users = User.objects.filter(pk=bob.user_id)
    users.update(email="b1@acme.example")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_user SET email = 'b2@acme.example' WHERE id = %s",
            [bob.user_id],
        )
    users.update(email="b2@acme.example", name="Bob")
    with pytest.raises(RuntimeError), transaction.atomic():
        users.update(email="b3@acme.example")
        raise RuntimeError
    kept = FormerAddress.objects.filter(user=bob.user).values_list("email", flat=True)
    assert list(kept) == ["bob@acme.example", "b1@acme.example"]
    assert all(row.until_at.tzinfo for row in FormerAddress.objects.all())


def test_row_5_an_address_proven_by_mail_keeps_the_one_before(acme, bob, now):
    from allauth.account.models import EmailAddress

    proven = EmailAddress.objects.create(
        user=bob.user, email="robert@acme.example", verified=True
    )
    proven.set_as_primary()
    sent = event("bob@acme.example", at=now)
    record_usage([sent], organization_id=acme.pk, now=now)
    assert UsageEvent.objects.get(event_id=sent.id).membership_id == bob.pk


def test_a_known_member_takes_one_statement(call, bob, django_assert_num_queries):
    body = {"member": "bob@acme.example", "surface": "claude"}
    call("POST", "/authorize", body)
    with django_assert_num_queries(1):
        call("POST", "/authorize", body)
    change_address(bob, "robert@acme.example")
    with django_assert_num_queries(2):
        call("POST", "/authorize", body)


@pytest.mark.parametrize("id", ["a\nb", "\n", "a\r\nb", "a\n/b\n", "/x", "a?b#c"])
def test_row_32_a_receipt_is_found_whatever_its_id(call, acme, bob, now, id):
    record_usage([event(bob, id=id, at=now)], organization_id=acme.pk, now=now)
    answer = call("GET", f"/events/{quote(id, safe='')}")
    assert (answer.status_code, answer.json()["id"]) == (200, id)
