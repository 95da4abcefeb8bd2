"""S15: who loses rights leaves no invitation behind, and no API key that nobody meant to
keep.
"""

from __future__ import annotations

import pytest

from accounts.actions.api_keys import create_api_key
from accounts.actions.audit import Actor
from accounts.actions.invitations import invite, open_invitation
from accounts.actions.members import change_role, edit_member, remove_member
from accounts.actions.organizations import hand_over_primary_owner
from accounts.models import ApiKey, AuditEntry, Membership, Role
from tests.markup import flat


@pytest.fixture
def owner2(acme, alice, ada, now):
    """Ada, an owner now."""
    change_role(ada, role=Role.OWNER, by=alice, now=now)
    return Membership.objects.select_related("organization", "user").get(pk=ada.pk)


@pytest.fixture
def token(acme, owner2, now):
    """Of an invitation that she sent."""
    return invite(
        acme,
        email="accomplice@evil.example",
        role="admin",
        seat_tier=None,
        by=owner2,
        now=now,
    )[1]


@pytest.fixture
def key(acme, owner2, now):
    """Made by her."""
    actor = Actor.person(owner2.user)
    return create_api_key(acme, name="Hers", scopes=["manage"], actor=actor, now=now)[0]


def is_good(key):
    return ApiKey.objects.get(pk=key.pk).revoked_at is None


@pytest.mark.parametrize(
    "act",
    [
        remove_member,
        lambda who, **rest: change_role(who, role="admin", **rest),
        lambda who, **rest: edit_member(who, seat_tier=None, role="member", **rest),
    ],
    ids=["removed", "demoted", "demoted with the seat"],
)
def test_s15_invitations_end_with_the_rights_and_the_chosen_keys(
    owner2, alice, token, key, now, act
):
    act(owner2, by=alice, now=now, keys=[key.pk])
    assert open_invitation(token, now=now) is None
    assert not is_good(key)
    actions = set(AuditEntry.objects.values_list("action", "subject", "actor__email"))
    mine = "alice@acme.example"
    assert ("invitation.revoke", "accomplice@evil.example", mine) in actions
    assert ("api_key.revoke", "Hers", mine) in actions


def test_s15_keys_that_were_not_chosen_go_on(owner2, alice, key, now):
    remove_member(owner2, by=alice, now=now)
    assert is_good(key)


def test_s15_only_their_own_keys_can_be_chosen(acme, owner2, alice, now):
    actor = Actor.person(alice.user)
    other = create_api_key(acme, name="Mine", scopes=["read"], actor=actor, now=now)[0]
    remove_member(owner2, by=alice, now=now, keys=[other.pk])
    assert is_good(other)


def test_s15_a_role_among_owners_takes_nothing(owner2, alice, token, key, now):
    change_role(owner2, role=Role.OWNER, by=alice, now=now, keys=[key.pk])
    assert open_invitation(token, now=now) and is_good(key)


def test_s15_who_hands_over_leaves_no_invitation_to_be_an_owner(
    acme, alice, owner2, now
):
    token = {
        role: invite(
            acme,
            email=f"{role}@x.example",
            role=role,
            seat_tier=None,
            by=alice,
            now=now,
        )[1]
        for role in ("owner", "admin")
    }
    hand_over_primary_owner(
        acme, membership=owner2, actor=Actor.person(alice.user), now=now
    )
    assert open_invitation(token["owner"], now=now) is None
    assert open_invitation(token["admin"], now=now)


@pytest.mark.parametrize("page", ["remove/", "edit/"])
def test_s15_the_dialogs_list_their_keys_ticked(client, owner2, alice, key, page):
    client.force_login(alice.user)
    html = flat(
        client.get(f"/o/acme/settings/members/{owner2.pk}/{page}").content.decode()
    )
    assert f"Hers ({key.prefix}…)" in html
    assert html.count("checked") == 1


def test_s15_what_is_unticked_stays(client, owner2, alice, key):
    client.force_login(alice.user)
    page = f"/o/acme/settings/members/{owner2.pk}/edit/"
    client.post(page, {"role": "member", "seat_tier": "standard", "keys": []})
    assert is_good(key)
    client.post(page, {"role": "owner", "seat_tier": "standard"})
    removal = f"/o/acme/settings/members/{owner2.pk}/remove/"
    client.post(removal, {"keys": [key.pk]})
    assert not is_good(key)


def test_s15_no_keys_no_field(client, bob, alice):
    client.force_login(alice.user)
    html = client.get(f"/o/acme/settings/members/{bob.pk}/remove/").content.decode()
    assert "API keys they made" not in html


def test_s15_the_keys_page_says_that_the_maker_is_gone(client, owner2, alice, key, now):
    client.force_login(alice.user)
    page = "/o/acme/settings/api-keys/"
    assert "No longer active here" not in client.get(page).content.decode()
    remove_member(owner2, by=alice, now=now)
    html = client.get(page).content.decode()
    assert "Ada Okafor" in html and "No longer active here" in html
