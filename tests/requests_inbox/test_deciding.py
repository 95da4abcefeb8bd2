"""Increase, Premium, dismiss: who may, what it changes, and that the first decision
wins (R3, R4).
"""

from __future__ import annotations

import pytest

from accounts.actions.mails import claim_mail
from accounts.actions.undoing import MAIL_WAITS
from accounts.models import AuditEntry, Membership, OutgoingMail, Role, SeatTier
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.models import BillingAccount, SelectedMember, SpendCap
from config.kit.money import usd
from requests_inbox.actions.asking import send_request
from requests_inbox.actions.deciding import (
    Reviewer,
    dismiss_request,
    increase_limit,
    increase_limits,
    move_to_premium,
)
from requests_inbox.models import UsageRequest
from requests_inbox.queries import pending_of
from tests.conftest import NOW
from tests.factories.people import MembershipFactory
from tests.requests_inbox.conftest import block
from tests.requests_inbox.test_asking import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of_bob(blocked_bob) -> UsageRequest:
    """Bob's request, pending."""
    return send_request(blocked_bob, now=NOW).request


def raise_to(
    request: UsageRequest, amount: str, *, by: Reviewer, month_only: bool = True
):
    """Increase the limit."""
    return increase_limit(
        request.organization,
        request_id=request.pk,
        amount_nanos=usd(amount),
        this_month_only=month_only,
        by=by,
        now=NOW,
    )


def allowed(member: Membership) -> bool:
    """What a check answers."""
    return decide(
        standing_of(member.pk, organization_id=member.organization_id, now=NOW)
    ).allowed


def test_r3_an_increase_is_the_pages_own_cap_change(
    request_of_bob, blocked_bob, ada, by_ada
):
    done = raise_to(request_of_bob, "60", by=by_ada)
    cap = SpendCap.objects.get(membership=blocked_bob)
    entry = AuditEntry.objects.get(action="cap.member")
    assert (cap.month_amount_nanos, cap.amount_nanos) == (usd("60"), None)
    assert (entry.actor, done.request.change_id) == (ada.user, entry.pk)
    assert (done.request.status, done.request.decided_by) == ("approved", ada.user)
    assert allowed(blocked_bob)


def test_r3_from_now_on_sets_the_cap_for_good(request_of_bob, blocked_bob, by_ada):
    raise_to(request_of_bob, "60", by=by_ada, month_only=False)
    assert SpendCap.objects.get(membership=blocked_bob).amount_nanos == usd("60")


def test_r3_the_amount_must_exceed_what_is_spent(request_of_bob, blocked_bob, by_ada):
    with refused("not_above_spent") as refusal:
        raise_to(request_of_bob, "40.12", by=by_ada)
    assert "$40.12" in refusal.error.message
    assert not SpendCap.objects.filter(membership=blocked_bob).exists()
    assert UsageRequest.objects.get().status == "pending"


def test_r3_an_increase_turns_extra_usage_on_for_the_member(
    request_of_bob, blocked_bob, ada, by_ada
):
    BillingAccount.objects.update(scope="selected")
    SelectedMember.objects.create(membership=ada)
    raise_to(request_of_bob, "60", by=by_ada)
    assert set(SelectedMember.objects.values_list("membership_id", flat=True)) == {
        ada.pk,
        blocked_bob.pk,
    }
    assert allowed(blocked_bob)


def test_r3_while_extra_usage_is_off_an_admin_hears_of_the_owner(
    request_of_bob, by_ada, by_alice
):
    BillingAccount.objects.update(extra_usage_enabled=False)
    with refused("extra_usage_off") as refusal:
        raise_to(request_of_bob, "60", by=by_ada)
    assert "Alice Nakamura" in refusal.error.message
    with refused("extra_usage_off") as refusal:
        raise_to(request_of_bob, "60", by=by_alice)
    assert "Enable it first" in refusal.error.message


def test_r3_premium_takes_a_free_seat(request_of_bob, blocked_bob, by_ada):
    done = move_to_premium(
        blocked_bob.organization, request_id=request_of_bob.pk, by=by_ada, now=NOW
    )
    blocked_bob.refresh_from_db()
    assert (blocked_bob.seat_tier, done.request.granted_tier) == ("premium", "premium")
    assert done.request.change.action == "member.seat"


def test_r3_premium_without_a_free_seat_changes_nothing(
    request_of_bob, blocked_bob, by_ada
):
    SeatTier.objects.filter(tier="premium").update(bought=1)
    with refused("no_free_seat"):
        move_to_premium(
            blocked_bob.organization, request_id=request_of_bob.pk, by=by_ada, now=NOW
        )
    assert UsageRequest.objects.get().status == "pending"


def test_r3_nobody_decides_their_own(ada, blocked_bob, by_ada, by_alice):
    block(ada)
    request = send_request(ada, now=NOW).request
    with refused("own_request") as refusal:
        raise_to(request, "60", by=by_ada)
    assert "Alice Nakamura" in refusal.error.message
    assert raise_to(request, "60", by=by_alice).request.status == "approved"


def test_r3_unless_they_are_the_only_one_who_may(alice, ada, blocked_bob, by_alice):
    Membership.objects.filter(pk=ada.pk).update(base_role=Role.MEMBER)
    Membership.objects.filter(pk=alice.pk).update(seat_tier="standard")
    block(alice)
    request = send_request(alice, now=NOW).request
    assert raise_to(request, "60", by=by_alice).request.status == "approved"


def test_r4_the_second_reviewer_hears_who_decided_what(
    request_of_bob, by_ada, by_alice
):
    raise_to(request_of_bob, "60", by=by_ada)
    for act in (
        lambda: raise_to(request_of_bob, "80", by=by_alice),
        lambda: move_to_premium(
            request_of_bob.organization,
            request_id=request_of_bob.pk,
            by=by_alice,
            now=NOW,
        ),
        lambda: dismiss_request(
            request_of_bob.organization,
            request_id=request_of_bob.pk,
            note="",
            by=by_alice,
            now=NOW,
        ),
    ):
        with refused("already_decided") as refusal:
            act()
        assert refusal.error.message == (
            "Ada Okafor increased the limit for Bob Feld to $60.00, this month only, "
            "at 14:28 today."
        )
    assert SpendCap.objects.get(level="member").month_amount_nanos == usd("60")
    assert OutgoingMail.objects.count() == 1


def test_r4_one_answer_mail_is_queued_with_the_decision(
    request_of_bob, blocked_bob, by_ada
):
    done = dismiss_request(
        blocked_bob.organization,
        request_id=request_of_bob.pk,
        note="No.",
        by=by_ada,
        now=NOW,
    )
    mail = OutgoingMail.objects.get()
    assert (done.mails, mail.user, mail.key) == (
        [mail.pk],
        blocked_bob.user,
        f"request.answer:{request_of_bob.pk}",
    )
    # It waits as long as the decision may be taken back.
    assert claim_mail(mail.pk, now=NOW) is None
    assert claim_mail(mail.pk, now=NOW + MAIL_WAITS) is not None
    assert claim_mail(mail.pk, now=NOW + MAIL_WAITS) is None


def test_r3_several_at_once_pass_over_those_decided_meanwhile(
    request_of_bob, blocked_bob, by_ada, by_alice
):
    carol = block(
        MembershipFactory(
            organization=blocked_bob.organization, user__name="Carol Diaz"
        )
    )
    second = send_request(carol, now=NOW).request
    dismiss_request(
        blocked_bob.organization,
        request_id=request_of_bob.pk,
        note="",
        by=by_alice,
        now=NOW,
    )
    done = increase_limits(
        blocked_bob.organization,
        request_ids=[request_of_bob.pk, second.pk],
        amount_nanos=usd("60"),
        this_month_only=False,
        by=by_ada,
        now=NOW,
    )
    assert [one.request.pk for one in done.decided] == [second.pk]
    assert done.passed_over == [
        "Alice Nakamura dismissed the request from Bob Feld at 14:28 today."
    ]


def test_r3_several_at_once_all_or_none_when_the_amount_is_too_small_for_one(
    request_of_bob, blocked_bob, by_ada
):
    carol = block(
        MembershipFactory(
            organization=blocked_bob.organization, user__name="Carol Diaz"
        ),
        amount="70",
    )
    second = send_request(carol, now=NOW).request
    with refused("not_above_spent") as refusal:
        increase_limits(
            blocked_bob.organization,
            request_ids=[request_of_bob.pk, second.pk],
            amount_nanos=usd("60"),
            this_month_only=False,
            by=by_ada,
            now=NOW,
        )
    assert "Carol Diaz has spent $70.00" in refusal.error.message
    assert len(pending_of(blocked_bob.organization_id, now=NOW).waiting) == 2
    assert not SpendCap.objects.filter(level="member").exists()


def test_d1_a_request_of_another_organization_is_not_there(request_of_bob, charlie):
    with refused("request_not_found"):
        dismiss_request(
            charlie.organization,
            request_id=request_of_bob.pk,
            note="",
            by=Reviewer.person(charlie),
            now=NOW,
        )
