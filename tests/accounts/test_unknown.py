"""Somebody unknown (X2): what owners want done, made members by it once, and the line that
is no person and stands nowhere among people.
"""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions.audit import Actor
from accounts.actions.erasing import rehearse_erasure
from accounts.actions.invitations import invite
from accounts.actions.members import remove_member
from accounts.actions.people import switch_person
from accounts.actions.unknown import (
    MOST_ADDED,
    MOST_ADDED_WITHIN,
    add_unknown,
    make_nobody,
    set_own_domains,
    set_unknown_people,
)
from accounts.audit import audit_row
from accounts.models import AuditEntry, Membership, SeatTier, User
from accounts.queries import (
    member_by_ref,
    members,
    seat_counts,
    unknown_policy,
    without_second_factor,
)
from config.kit.errors import BusinessError
from tests.factories.people import MembershipFactory, make_user

KEY = Actor(label="API key LiteLLM")


@pytest.fixture
def owned(acme, now):
    """Acme has a domain of its own."""
    return set_own_domains(acme, text="acme.example", actor=KEY, now=now)


def choose(acme, choice, now):
    """As an owner chooses."""
    return set_unknown_people(
        acme, choice=choice, actor=Actor.person(acme.primary_owner), now=now
    )


def add(acme, address, now):
    """As a check or a report does."""
    return add_unknown(acme.pk, address=address, actor=KEY, now=now)


def test_x2_nobody_is_added_unless_owners_want_it(owned, now):
    assert add(owned, "emil@acme.example", now) is None
    assert not User.objects.filter(email="emil@acme.example").exists()


@pytest.mark.parametrize(
    ("choice", "seat"),
    [
        ("create_without_seat", None),
        ("create_on_standard", "standard"),
        ("create_on_premium", "premium"),
    ],
)
def test_x2_somebody_of_an_own_domain_is_added_with_the_seat_that_owners_chose(
    owned, now, choice, seat
):
    choose(owned, choice, now)
    emil = add(owned, "Emil.Janssen@ACME.example", now)
    assert (emil.user.email, emil.user.name) == (
        "emil.janssen@acme.example",
        "emil.janssen",
    )
    assert (emil.seat_tier, emil.base_role, emil.is_enabled) == (seat, "member", True)
    assert not emil.user.has_usable_password()
    row = audit_row(AuditEntry.objects.get(action="member.add"))
    assert (row.action, row.who) == ("Member added by usage", "API key LiteLLM")
    assert add(owned, "emil.janssen@acme.example", now) == emil


@pytest.mark.parametrize(
    "address",
    [
        "emil@umbrella.example",
        "emil@sub.acme.example",
        "emil@acme.example.evil.example",
        "acme.example",
        "@acme.example",
        "a b@acme.example",
        "okta:emil@acme.example",
        "4711",
    ],
)
def test_x2_nobody_of_another_domain_is_added(owned, now, address):
    choose(owned, "create_without_seat", now)
    before = User.objects.count()
    assert add(owned, address, now) is None
    assert User.objects.count() == before


@pytest.mark.parametrize(
    "name", ["ldap:emil@acme.example", "acme.example", "@acme.example"]
)
def test_x2_what_is_no_address_is_looked_into_no_further(owned, now, name):
    choose(owned, "create_on_standard", now)
    assert not unknown_policy(owned.pk).adds(name)
    assert unknown_policy(owned.pk).adds("emil@acme.example")


def test_d4_no_more_than_the_seats_that_are_free(owned, now):
    SeatTier.objects.filter(organization=owned, tier="premium").update(bought=2)
    choose(owned, "create_on_premium", now)
    assert add(owned, "a@acme.example", now) is not None  # Alice has the other
    assert add(owned, "b@acme.example", now) is None
    assert not User.objects.filter(email="b@acme.example").exists()


def test_x2_who_was_removed_or_switched_off_is_not_made_again(owned, alice, bob, now):
    choose(owned, "create_without_seat", now)
    remove_member(bob, by=alice, now=now)
    assert add(owned, "bob@acme.example", now) is None
    off = make_user("off@acme.example", "Off")
    switch_person(off, on=False, actor=KEY, now=now)
    assert add(owned, "off@acme.example", now) is None
    bob.refresh_from_db()
    assert not bob.is_active


def test_e6a_a_former_address_makes_nobody_new(owned, bob, now):
    choose(owned, "create_without_seat", now)
    User.objects.filter(pk=bob.user_id).update(email="robert@acme.example")
    assert add(owned, "bob@acme.example", now) == bob


def test_people_are_added_only_with_a_domain_that_is_the_customers_alone(acme, now):
    with pytest.raises(BusinessError) as refused:
        choose(acme, "create_without_seat", now)
    assert refused.value.code == "no_own_domain"
    with pytest.raises(BusinessError) as refused:
        choose(acme, "always", now)
    assert refused.value.code == "unknown_choice"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("gmail.com", "public_domain"),
        ("acme.example, Yahoo.co.jp", "public_domain"),
        ("acme", "not_a_domain"),
        ("me@acme.example", "not_a_domain"),
        ("erased.invalid", "not_a_domain"),
        ("-a.example", "not_a_domain"),
        (" ".join(f"a{number}.example" for number in range(51)), "too_many_domains"),
    ],
)
def test_domains_that_are_nobodys_alone_are_refused(acme, now, text, code):
    with pytest.raises(BusinessError) as refused:
        set_own_domains(acme, text=text, actor=KEY, now=now)
    assert (refused.value.code, refused.value.field) == (code, "domains")


def test_domains_are_kept_in_one_spelling_and_audited(acme, now):
    text = "ACME.example\n@bücher.example acme.example."
    set_own_domains(acme, text=text, actor=KEY, now=now)
    acme.refresh_from_db()
    assert acme.own_domains == "acme.example xn--bcher-kva.example"
    assert acme.owns_address("x@xn--bcher-kva.example")
    row = audit_row(AuditEntry.objects.get(action="organization.own_domains"))
    assert (row.action, row.after) == (
        "Own mail domains",
        "acme.example, xn--bcher-kva.example",
    )


# -- No person ---------------------------------------------------------------------------


@pytest.fixture
def line(acme, now) -> Membership:
    """Acme's unattributed line."""
    return make_nobody(acme.pk, now=now)


def test_the_line_is_made_once(acme, line, now):
    assert make_nobody(acme.pk, now=now) == line
    assert (line.is_nobody, line.is_active, line.is_enabled) == (True, False, False)


def test_the_line_stands_nowhere_among_people(acme, line, now):
    people = {"alice@acme.example", "ada@acme.example", "bob@acme.example"}
    everybody = acme.memberships.all()
    assert {one.user.email for one in everybody} == people
    assert line not in Membership.objects.all()
    for status in ("active", "removed", "nobody"):
        assert line not in list(members(acme, status=status))
    assert line not in list(without_second_factor(acme))
    assert sum(count.assigned for count in seat_counts(acme)) == 3
    for ref in (str(line.pk), "unattributed", "Unattributed"):
        with pytest.raises(BusinessError) as refused:
            member_by_ref(acme, ref)
        assert refused.value.code == "member_not_found"


def test_the_line_can_not_sign_in_be_erased_or_be_invited(acme, alice, line, client):
    assert not client.login(email="unattributed", password="")
    assert not line.user.has_usable_password()
    with pytest.raises(BusinessError) as refused:
        rehearse_erasure(line.user, actor=KEY, now=line.joined_at)
    assert refused.value.code == "nobody"


def test_the_database_refuses_a_line_with_a_seat_or_a_role(line):
    from django.db import IntegrityError, transaction

    for change in ({"seat_tier": "standard"}, {"base_role": "owner"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.with_nobody.filter(pk=line.pk).update(**change)


def test_whoever_was_invited_comes_by_their_link(owned, alice, now):
    choose(owned, "create_without_seat", now)
    invite(
        owned,
        email="emil@acme.example",
        role="member",
        seat_tier=None,
        by=alice,
        now=now,
    )
    assert add(owned, "emil@acme.example", now) is None
    assert not User.objects.filter(email="emil@acme.example").exists()


def test_whoever_has_an_account_and_belongs_nowhere_is_added_with_it(owned, now):
    choose(owned, "create_without_seat", now)
    known = make_user("emil@acme.example", "Emil Janssen")
    added = add(owned, "emil@acme.example", now)
    assert (added.user, added.organization) == (known, owned)


@pytest.mark.parametrize("status", ["active", "removed"])
def test_whoever_belongs_elsewhere_comes_by_an_invitation_alone(
    owned, charlie, alice, now, status
):
    """A domain that two customers have, or a company that was bought."""
    choose(owned, "create_without_seat", now)
    known = make_user("emil@acme.example", "Emil Janssen")
    elsewhere = MembershipFactory(organization=charlie.organization, user=known)
    if status == "removed":
        remove_member(elsewhere, by=charlie, now=now)
    assert add(owned, "emil@acme.example", now) is None
    assert list(known.memberships.all()) == [elsewhere]
    assert not AuditEntry.objects.filter(action="member.add").exists()
    sent = {"email": known.email, "role": "member", "seat_tier": None}
    assert invite(owned, **sent, by=alice, now=now)


def test_x2_usage_makes_fifty_people_a_day_in_an_organization(owned, charlie, now):
    assert (50, dt.timedelta(days=1)) == (MOST_ADDED, MOST_ADDED_WITHIN)
    choose(owned, "create_without_seat", now)
    made = [add(owned, f"p{number}@acme.example", now) for number in range(50)]
    assert None not in made
    assert add(owned, "late@acme.example", now) is None
    assert not User.objects.filter(email="late@acme.example").exists()
    assert add(owned, "p7@acme.example", now) == made[7], "who is there stays"
    umbrella = set_own_domains(
        charlie.organization, text="umbrella.example", actor=KEY, now=now
    )
    choose(umbrella, "create_without_seat", now)
    assert add(umbrella, "emil@umbrella.example", now) is not None
    day = dt.timedelta(days=1)
    almost = now + day - dt.timedelta(seconds=1)
    assert add(owned, "late@acme.example", almost) is None
    assert add(owned, "late@acme.example", now + day) is not None
