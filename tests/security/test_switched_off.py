"""S6: a person whose account an operator switched off is worth as much as a removed one,
at the next check.
"""

from __future__ import annotations

import json

import pytest
from django.core import mail as outbox

from accounts.actions.audit import Actor
from accounts.actions.invitations import invite
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.members import change_role
from accounts.actions.organizations import hand_over_primary_owner
from accounts.actions.people import switch_person
from accounts.delivery import deliver
from accounts.models import ApiKey, AuditEntry, Invitation, Membership, Role, User
from billing.funding.queries import standing_of
from billing.metering.actions.recording import record_usage
from billing.models import UsageEvent
from billing.reports.queries.members import MemberFilter, member_counts, member_rows
from config.kit.errors import BusinessError
from requests_inbox.queries import deciders_for, may_decide, reviewers
from tests.factories.people import make_api_key, make_user
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture
def operator(db):
    return Actor.person(
        make_user("op@example.com", "Olga", is_staff=True, is_superuser=True)
    )


@pytest.fixture
def off(bob, operator, now):
    """Bob, switched off."""
    switch_person(bob.user, on=False, actor=operator, now=now)
    return Membership.objects.select_related("organization", "user").get(pk=bob.pk)


def call(client, acme, now, method, path, body=None):
    answer = client.generic(
        method,
        f"/api/v1{path}",
        "" if body is None else json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {make_api_key(acme, now=now)}"},
    )
    return answer.json()


def test_s6_the_next_check_refuses_somebody_switched_off(
    client, acme, off, now, time_machine
):
    time_machine.move_to(now, tick=False)
    enable_extra_usage(acme)
    body = {"member": "bob@acme.example", "surface": "claude"}
    said = call(client, acme, now, "POST", "/authorize", body)
    assert (said["allowed"], said["reason"]) == (False, "member_inactive")
    assert said["message"] == (
        "Your account has been switched off. Ask an owner of Acme why."
    )


def test_s6_whoever_is_switched_on_again_goes_on(acme, off, operator, now):
    switch_person(off.user, on=True, actor=operator, now=now)
    standing = standing_of(off.pk, organization_id=acme.pk, now=now)
    assert standing.is_active and not standing.is_switched_off


def test_s6_the_api_lists_them_as_switched_off(client, acme, off, now, time_machine):
    time_machine.move_to(now, tick=False)
    rows = call(client, acme, now, "GET", "/members")["results"]
    states = {row["email"]: row["status"] for row in rows}
    assert states["bob@acme.example"] == "switched_off"
    assert states["ada@acme.example"] == "active"


def test_s6_the_pages_say_so(client, acme, alice, off):
    enable_extra_usage(acme)
    client.force_login(alice.user)
    for page in ("members", "usage"):
        html = client.get(f"/o/acme/settings/{page}/").content.decode()
        assert html.count("Account switched off") == 1, page


def test_s6_the_table_counts_them_as_without_extra_usage_with_and_without_names(
    acme, off, now
):
    enable_extra_usage(acme)
    standing = standing_of(off.pk, organization_id=acme.pk, now=now).organization
    for filters in (MemberFilter(), MemberFilter(words=("bob",))):
        assert member_counts(standing, filters).off == 1
    [row] = member_rows(standing, MemberFilter(state="off"))
    assert (row.email, row.reason) == ("bob@acme.example", "member_inactive")


def test_s6_usage_of_before_the_switch_counts_as_it_was(acme, bob, operator, now):
    """E5: late, but they had a seat when it ran."""
    later = now.replace(hour=20)
    switch_person(bob.user, on=False, actor=operator, now=later)
    record_usage(
        [
            event("bob@acme.example", at=now, usd="0.10", id="before"),
            event(
                "bob@acme.example", at=later.replace(minute=45), usd="0.10", id="aft"
            ),
        ],
        organization_id=acme.pk,
        now=later.replace(minute=50),
    )
    rows = dict(UsageEvent.objects.values_list("event_id", "funding"))
    assert rows["before"] == "included" and rows["aft"] != "included"


def test_s6_they_cant_be_the_primary_owner(acme, alice, off, now):
    with pytest.raises(BusinessError, match="is switched off") as error:
        hand_over_primary_owner(
            acme, membership=off, actor=Actor.person(alice.user), now=now
        )
    assert error.value.code == "not_active"


def test_s6_a_reviewer_who_is_off_does_not_keep_the_last_one_from_deciding(
    acme, alice, ada, operator, now
):
    assert not may_decide(alice, request_membership_id=alice.pk)
    switch_person(ada.user, on=False, actor=operator, now=now)
    assert list(reviewers(acme)) == [alice]
    assert may_decide(alice, request_membership_id=alice.pk)
    assert deciders_for(alice.pk, organization=acme) == [alice]


def test_s6_owners_who_are_off_are_nobody_to_ask(acme, alice, ada, operator, now):
    change_role(ada, role=Role.OWNER, by=alice, now=now)
    switch_person(ada.user, on=False, actor=operator, now=now)
    assert list(acme.memberships.owners()) == [alice]


def test_s6_they_get_no_mail_whatever_its_kind(acme, bob, operator, now):
    [waiting] = queue_mails(
        acme,
        [QueuedMail(bob.user, "two_factor_reset", "k")],
        now=now,
        within=now - now,
    )
    switch_person(bob.user, on=False, actor=operator, now=now)
    assert deliver(waiting) is False
    assert outbox.outbox == []


def test_s6_their_invitations_end_and_the_audit_has_it(acme, ada, operator, now):
    invite(acme, email="x@acme.example", role="member", seat_tier=None, by=ada, now=now)
    switch_person(ada.user, on=False, actor=operator, now=now)
    assert Invitation.objects.get().revoked_at == now
    assert list(AuditEntry.objects.values_list("action", flat=True))[:2] == [
        "invitation.revoke",
        "member.switch_off",
    ]
    switch_person(ada.user, on=False, actor=operator, now=now)
    assert AuditEntry.objects.filter(action="member.switch_off").count() == 1


def test_s6_the_admin_switches_by_the_act_and_says_what_stays(
    client, acme, ada, operator, now
):
    make_api_key(acme, now=now)
    ApiKey.objects.update(created_by=ada.user)
    client.force_login(operator.user)
    page = f"/admin/accounts/user/{ada.user_id}/change/"
    fields = {"email": ada.user.email, "name": "Ada Okafor", "language": "en"}
    answer = client.post(page, fields, follow=True).content.decode()
    assert not User.objects.get(pk=ada.user_id).is_active
    assert "which they made, still works." in answer
    assert AuditEntry.objects.filter(action="member.switch_off").count() == 1


def test_s6_the_admin_does_not_switch_off_a_primary_owner(
    client, acme, alice, operator
):
    client.force_login(operator.user)
    page = f"/admin/accounts/user/{alice.user_id}/change/"
    fields = {"email": alice.user.email, "name": "Alice Nakamura", "language": "en"}
    answer = client.post(page, fields, follow=True).content.decode()
    assert "Hand over the primary owner first, then switch them off." in answer
    assert User.objects.get(pk=alice.user_id).is_active
