"""People: seats, roles, invitations, removal and return, keys, the audit (D3, D4, C8)."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from accounts.actions.audit import Actor
from accounts.actions.invitations import accept_invitation, invite
from accounts.actions.members import bring_back, change_role, edit_member, remove_member
from accounts.actions.seats import assign_seat, set_bought_seats
from accounts.models import (
    ApiKey,
    AuditEntry,
    Invitation,
    Membership,
    Role,
    SeatTier,
    User,
)
from config.kit.errors import BusinessError
from tests.factories.people import PASSWORD, MembershipFactory


def code_of(error) -> str:
    return error.value.code


def test_d4_assigned_never_exceeds_bought(acme, bob, alice, now):
    SeatTier.objects.filter(organization=acme, tier="premium").update(bought=1)
    with pytest.raises(BusinessError, match="All 1 Premium seats are assigned"):
        assign_seat(bob, tier="premium", actor=Actor.person(alice.user), now=now)
    assert Membership.objects.get(pk=bob.pk).seat_tier == "standard"


def test_d4_no_fewer_seats_than_assigned(acme, alice, now):
    with pytest.raises(
        BusinessError, match="2 Standard seats are assigned; 1 would be too few"
    ):
        set_bought_seats(
            acme, tier="standard", bought=1, actor=Actor.person(alice.user), now=now
        )


def test_d3_only_the_primary_owner_makes_owners(acme, alice, ada, bob, now):
    change_role(ada, role=Role.OWNER, by=alice, now=now)
    owner = Membership.objects.select_related("organization", "user").get(pk=ada.pk)
    with pytest.raises(BusinessError) as error:
        change_role(bob, role=Role.OWNER, by=owner, now=now)
    assert code_of(error) == "primary_owner_only"
    with pytest.raises(BusinessError) as error:
        invite(
            acme,
            email="new@acme.example",
            role=Role.OWNER,
            seat_tier=None,
            by=owner,
            now=now,
        )
    assert code_of(error) == "primary_owner_only"
    assert change_role(bob, role=Role.ADMIN, by=owner, now=now).base_role == Role.ADMIN


@pytest.mark.parametrize(
    "act",
    [
        lambda who, by, now: remove_member(who, by=by, now=now),
        lambda who, by, now: change_role(who, role=Role.MEMBER, by=by, now=now),
    ],
)
def test_d3_the_primary_owner_stays(alice, now, act):
    with pytest.raises(BusinessError) as error:
        act(alice, alice, now)
    assert code_of(error) == "primary_owner_stays"


def test_role_and_seat_are_saved_both_or_neither(acme, ada, bob, alice, now):
    change_role(ada, role=Role.OWNER, by=alice, now=now)
    owner = Membership.objects.select_related("organization", "user").get(pk=ada.pk)
    with pytest.raises(BusinessError):
        edit_member(bob, seat_tier=None, role=Role.OWNER, by=owner, now=now)
    assert Membership.objects.get(pk=bob.pk).seat_tier == "standard"


def test_removal_frees_the_seat_and_keeps_the_member_for_return(acme, alice, bob, now):
    remove_member(bob, by=alice, now=now)
    gone = Membership.objects.get(pk=bob.pk)
    assert (gone.status, gone.seat_tier, gone.removed_at) == ("removed", None, now)
    back = bring_back(gone, seat_tier="premium", by=alice, now=now)
    assert (back.status, back.seat_tier) == ("active", "premium")
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["member.remove", "member.return"]


def test_an_invitation_lets_one_address_join_once(acme, alice, now):
    invitation, token = invite(
        acme,
        email="New@Acme.example",
        role=Role.ADMIN,
        seat_tier="standard",
        by=alice,
        now=now,
    )
    assert (
        invitation.email == "new@acme.example" and token not in invitation.token_digest
    )
    joined = accept_invitation(
        token, user=None, name="New One", password="an-uncommon-phrase", now=now
    )
    assert (joined.base_role, joined.seat_tier, joined.user.name) == (
        Role.ADMIN,
        "standard",
        "New One",
    )
    with pytest.raises(BusinessError) as error:
        accept_invitation(token, user=joined.user, now=now)
    assert code_of(error) == "invitation_gone"


def test_an_invitation_expires_and_is_for_its_address_alone(acme, alice, charlie, now):
    _invitation, token = invite(
        acme,
        email="new@acme.example",
        role=Role.MEMBER,
        seat_tier=None,
        by=alice,
        now=now,
    )
    with pytest.raises(BusinessError) as error:
        accept_invitation(token, user=charlie.user, now=now)
    assert code_of(error) == "other_address"
    with pytest.raises(BusinessError) as error:
        accept_invitation(
            token,
            user=None,
            name="N",
            password="an-uncommon-phrase",
            now=now + dt.timedelta(days=8),
        )
    assert code_of(error) == "invitation_gone"
    assert not User.objects.filter(email="new@acme.example").exists()


def test_a_new_invitation_replaces_the_open_one(acme, alice, now):
    _first, old = invite(
        acme,
        email="new@acme.example",
        role=Role.MEMBER,
        seat_tier=None,
        by=alice,
        now=now,
    )
    invite(
        acme,
        email="new@acme.example",
        role=Role.MEMBER,
        seat_tier=None,
        by=alice,
        now=now,
    )
    assert Invitation.objects.filter(revoked_at=None).count() == 1
    with pytest.raises(BusinessError):
        accept_invitation(
            old, user=None, name="N", password="an-uncommon-phrase", now=now
        )


def test_inviting_by_the_page_mails_a_link_that_works(
    client, acme, alice, mailoutbox, worker
):
    client.force_login(alice.user)
    data = {"email": "new@acme.example", "role": "member", "seat_tier": "standard"}
    with worker():
        response = client.post(
            "/o/acme/settings/members/invite/", data, headers={"HX-Request": "true"}
        )
    assert response.status_code == 204 and "closeModal" in response["HX-Trigger"]
    [mail] = mailoutbox
    assert (mail.subject, mail.to) == (
        "“Alice Nakamura” invited you to “Acme”",
        ["new@acme.example"],
    )
    link = re.search(r"http://127.0.0.1:8000(/invitations/\S+)", mail.body)[1]
    client.logout()
    assert "Join Acme" in client.get(link).content.decode()
    weak = client.post(link, {"name": "New", "password": "password"})
    assert weak.status_code == 422 and "too short" in weak.content.decode()
    assert (
        client.post(link, {"name": "New", "password": "an-uncommon-phrase"}).status_code
        == 302
    )
    assert (
        Membership.objects.get(user__email="new@acme.example").seat_tier == "standard"
    )
    assert client.get(link).status_code == 410


def test_a_modal_keeps_what_is_wrong_at_its_field(client, acme, alice):
    client.force_login(alice.user)
    data = {"email": "bob@acme.example", "role": "member", "seat_tier": ""}
    response = client.post(
        "/o/acme/settings/members/invite/", data, headers={"HX-Request": "true"}
    )
    assert response.status_code == 422
    assert "bob@acme.example is already a member" in response.content.decode()


def test_a_key_is_shown_once_and_stored_hashed(client, acme, alice):
    client.force_login(alice.user)
    page = client.post(
        "/o/acme/settings/api-keys/", {"name": "gateway", "scopes": ["meter"]}
    ).content.decode()
    secret = re.search(r"xu_[\w-]{43}", page)[0]
    key = ApiKey.objects.get()
    assert key.digest == ApiKey.digest_of(secret) and secret not in str(vars(key))
    assert secret not in client.get("/o/acme/settings/api-keys/").content.decode()
    assert client.post(f"/o/acme/settings/api-keys/{key.pk}/revoke/").status_code == 302
    key.refresh_from_db()
    assert key.revoked_at


def test_c8_the_activity_page_says_who_changed_what_from_and_to(
    client, acme, alice, bob, now
):
    change_role(bob, role=Role.ADMIN, by=alice, now=now)
    client.force_login(alice.user)
    page = client.get("/o/acme/settings/activity/").content.decode()
    assert all(
        word in page
        for word in ("Alice Nakamura", "Bob Feld", "Role", ">Member<", ">Admin<")
    )


@pytest.mark.parametrize("path", ["members/", "activity/", "api-keys/"])
def test_lists_take_the_same_queries_at_3_and_30_rows(
    client, acme, alice, now, path, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.force_login(alice.user)

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/o/acme/settings/{path}").status_code == 200
        return len(queries)

    def more(number):
        for member in MembershipFactory.create_batch(number, organization=acme):
            AuditEntry.objects.create(
                organization=acme,
                at=now,
                actor=member.user,
                action="member.role",
                subject="x",
            )
            ApiKey.objects.create(
                organization=acme,
                name="n",
                prefix="p",
                digest=f"d{member.pk}",
                scopes="read",
                created_at=now,
                created_by=member.user,
            )

    more(3)
    few = count()
    more(27)
    assert count() == few


def test_wrong_passwords_are_slowed_down(client, bob):
    for _attempt in range(5):
        client.post("/accounts/login/", {"login": bob.user.email, "password": "wrong"})
    page = client.post(
        "/accounts/login/", {"login": bob.user.email, "password": PASSWORD}
    )
    assert page.status_code == 200, "refused even with the right password"
    assert "Too many failed login attempts" in page.content.decode()


def test_sign_in_leads_to_ones_own_usage(client, bob):
    response = client.post(
        "/accounts/login/", {"login": bob.user.email, "password": PASSWORD}, follow=True
    )
    assert response.redirect_chain[-1][0] == "/o/acme/usage/"
