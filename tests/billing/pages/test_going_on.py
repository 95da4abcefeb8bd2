"""N5 on the pages: the member reads that extra usage has begun, or says yes to it; owners
choose whether members are asked.
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client

from accounts.models import AuditEntry, Membership, Organization, Plan
from billing.funding.queries import organization_standing
from billing.metering.actions.recording import record_usage
from billing.models import (
    BillingAccount,
    ExtraUsageConfirmation,
    SeatAllowance,
    SpendCap,
)
from billing.reports.queries.members import MemberFilter, member_rows
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.usage import enable_extra_usage, event
from tests.markup import flat

PAGE, CONTINUE = "/o/acme/usage/", "/o/acme/usage/continue/"
SETTING = "/o/acme/settings/usage/ask-first/"
HALF_AN_HOUR_AGO = NOW - dt.timedelta(minutes=30)
WINDOW, MONTH = {"until": "window"}, {"until": "month"}


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def asks(acme) -> Organization:
    """Acme with extra usage on; members are asked first."""
    enable_extra_usage(acme)
    BillingAccount.objects.update(confirmation_required=True)
    return acme


def signed_in(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def use(member: Membership, *amounts: str, at: dt.datetime = HALF_AN_HOUR_AGO) -> None:
    """Record events of these costs; the first dollar uses up a standard seat's session."""
    events = [event(member, at=at, usd=amount) for amount in amounts]
    record_usage(events, organization_id=member.organization_id, now=NOW)


def cap(member: Membership, amount: str) -> None:
    SpendCap.objects.create(
        organization=member.organization,
        level="member",
        membership=member,
        amount_nanos=usd(amount),
    )


def words(member: Membership) -> str:
    return flat(signed_in(member).get(PAGE))


# -- Extra usage has begun --------------------------------------------------------------


def test_h17_who_uses_extra_usage_reads_since_when_and_what_is_left(acme, bob):
    enable_extra_usage(acme)
    cap(bob, "80")
    use(bob, "1")
    use(bob, "40.89", at=NOW - dt.timedelta(minutes=12))
    text = words(bob)
    assert "Extra usage since 14:16 today: $39.11 of $80.00 left" in text
    assert "Your included usage resets at 18:58 today." in text
    assert "You confirmed this" not in text


def test_n5_the_change_over_is_told_before_anything_is_spent(acme, bob):
    enable_extra_usage(acme)
    assert "Extra usage begins" not in words(bob)
    use(bob, "1")
    text = words(bob)
    assert "Extra usage begins with your next request: $12,000.00 left" in text


def test_h17_without_any_limit_it_says_what_was_spent(acme, bob):
    enable_extra_usage(acme, cap=None)
    use(bob, "1", "2.50")
    assert "Extra usage since 13:58 today: $2.50 spent this month, no cap" in words(bob)


def test_h17_where_more_than_the_own_cap_limits_only_what_is_left_is_told(acme, bob):
    enable_extra_usage(acme, cap="5")
    cap(bob, "80")
    use(bob, "1", "2.50")
    assert "Extra usage since 13:58 today: $2.50 left" in words(bob)


def test_d2_on_a_usage_based_plan_nothing_begins(acme, bob):
    enable_extra_usage(acme)
    Organization.objects.filter(pk=acme.pk).update(plan=Plan.ENTERPRISE_USAGE)
    use(bob, "1", "2")
    assert "Extra usage since" not in words(bob)


# -- The yes ----------------------------------------------------------------------------


def test_n5_who_is_asked_reads_what_it_costs_and_has_two_choices(asks, bob):
    cap(bob, "80")
    BillingAccount.objects.update(confirmation_required=False)
    use(bob, "1", *["0.20"] * 10)
    BillingAccount.objects.update(confirmation_required=True)
    response = signed_in(bob).get(PAGE)
    text = flat(response)
    assert "Your included usage is used up. Continue with extra usage?" in text
    assert "$78.00 of $80.00 left" in text
    assert "Your requests this month cost $0.27 on average." in text
    assert "Until my included usage resets (18:58 today)" in text
    assert "Until the month ends (Tue 1 Dec, 00:00)" in text
    assert "Or wait: your included usage resets at 18:58 today." in text
    assert "Request more usage" not in text
    assert "can change this" not in text
    assert 'id="continue"' in response.content.decode()
    assert text.count("Blocking you") == 1
    assert text.count("Your confirmation") == 1


def test_n5_one_press_goes_on_and_says_until_when(asks, bob):
    use(bob, "1")
    answer = signed_in(bob).post(CONTINUE, WINDOW, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    text = flat(answer)
    assert "You can continue with extra usage. Until: 18:58 today." in text
    assert "Extra usage begins with your next request" in text
    assert "your confirmation ends at 18:58 today" in text
    kept = ExtraUsageConfirmation.objects.get()
    assert (kept.membership, kept.door) == (bob, "page")
    assert AuditEntry.objects.get(action="extra_usage.confirmed").actor == bob.user


def test_n5_a_double_click_and_two_tabs_make_one_yes(asks, bob):
    use(bob, "1")
    first, second = signed_in(bob), signed_in(bob)
    for tab in (first, first, second):
        assert tab.post(CONTINUE, MONTH).status_code == 302
    assert ExtraUsageConfirmation.objects.count() == 1
    # The other tab still shows both choices: the shorter one shortens nothing.
    text = flat(second.post(CONTINUE, WINDOW, follow=True))
    assert "Until: Tue 1 Dec, 00:00." in text
    assert ExtraUsageConfirmation.objects.count() == 1


@pytest.mark.parametrize("body", [{}, {"until": ""}, {"until": "ever"}])
def test_n5_a_press_without_a_choice_is_told_so(asks, bob, body):
    use(bob, "1")
    text = flat(signed_in(bob).post(CONTINUE, body, follow=True))
    assert "Choose how long to continue with extra usage." in text
    assert not ExtraUsageConfirmation.objects.exists()


def test_n5_a_press_after_the_reset_says_there_is_nothing_to_confirm(asks, bob):
    use(bob, "1")
    tab = signed_in(bob)
    with time_machine.travel(NOW + dt.timedelta(hours=5), tick=False):
        text = flat(tab.post(CONTINUE, WINDOW, follow=True))
    assert "There is nothing to confirm: you can continue." in text
    assert not ExtraUsageConfirmation.objects.exists()


def test_n5_who_has_no_included_usage_chooses_the_month(asks, bob):
    SeatAllowance.objects.filter(seat_tier="standard").update(amount_nanos=0)
    text = words(bob)
    assert "Until my included usage resets" not in text
    assert "Until the month ends (Tue 1 Dec, 00:00)" in text
    assert "Or wait" not in text


def test_n5_what_is_chosen_stays_while_the_part_refreshes(asks, bob):
    use(bob, "1")
    live = signed_in(bob).get(f"{PAGE}?live=1", headers={"HX-Request": "true"})
    assert 'id="continue-choices" hx-preserve="true"' in flat(live)


def test_charlie_says_yes_for_nobody_at_acme(asks, bob, charlie):
    use(bob, "1")
    assert signed_in(charlie).post(CONTINUE, WINDOW).status_code == 404
    assert Client().post(CONTINUE, WINDOW).status_code == 302
    assert signed_in(bob).get(CONTINUE).status_code == 405
    assert not ExtraUsageConfirmation.objects.exists()


# -- The setting ------------------------------------------------------------------------


def test_n5_an_owner_has_members_asked_and_stops_it(acme, alice, bob):
    enable_extra_usage(acme)
    owner = signed_in(alice)
    settings = flat(owner.get("/o/acme/settings/usage/"))
    assert "Ask before extra usage begins" in settings
    assert "Off; extra usage begins by itself" in settings
    asked = owner.get(SETTING)
    assert "also to members who are using extra usage now" in flat(asked)
    answer = owner.post(SETTING, {"required": "True"}, follow=True)
    assert "Members are now asked before extra usage begins." in flat(answer)
    assert "On; members confirm" in flat(answer)
    assert BillingAccount.objects.get().confirmation_required
    use(bob, "1")
    assert "Continue with extra usage?" in words(bob)
    assert "can continue at once" in flat(owner.get(SETTING))
    owner.post(SETTING, {"required": "False"})
    assert not BillingAccount.objects.get().confirmation_required
    assert "Extra usage begins with your next request" in words(bob)
    activity = flat(owner.get("/o/acme/settings/activity/"))
    assert "Members are asked first" in activity
    assert "Begins without asking" in activity


def test_c8_owners_read_who_said_yes_until_when(asks, alice, bob):
    use(bob, "1")
    signed_in(bob).post(CONTINUE, WINDOW)
    activity = flat(signed_in(alice).get("/o/acme/settings/activity/"))
    assert "Continued with extra usage" in activity
    assert "Until Mon 23 Nov 2026, 18:58 (America/New_York)" in activity


@pytest.mark.parametrize("who", ["ada", "bob", "charlie"])
def test_d3_only_owners_change_it(acme, who, request):
    enable_extra_usage(acme)
    client = signed_in(request.getfixturevalue(who))
    refused = 404 if who == "charlie" else 403
    assert client.get(SETTING).status_code == refused
    assert client.post(SETTING, {"required": "True"}).status_code == refused
    assert not BillingAccount.objects.get().confirmation_required


def test_d2_a_usage_based_plan_has_no_such_setting(acme, alice):
    enable_extra_usage(acme)
    Organization.objects.filter(pk=acme.pk).update(plan=Plan.ENTERPRISE_USAGE)
    owner = signed_in(alice)
    assert "Ask before extra usage" not in flat(owner.get("/o/acme/settings/usage/"))
    answer = owner.post(SETTING, {"required": "True"})
    assert "On usage-based plans nobody is asked" in flat(answer)
    assert not BillingAccount.objects.get().confirmation_required


def test_admins_read_who_waits_for_their_own_yes(asks, ada, bob):
    use(bob, "1")
    people = flat(signed_in(ada).get("/o/acme/settings/usage/?status=paused"))
    assert "Paused: waits for own confirmation" in people
    standing = organization_standing(asks.pk, now=NOW)
    rows = member_rows(standing, MemberFilter(), page=None)
    assert {row.email: row.state for row in rows if row.state != "active"} == {
        bob.user.email: "paused"
    }
    signed_in(bob).post(CONTINUE, WINDOW)
    rows = member_rows(standing, MemberFilter(), page=None)
    assert {row.state for row in rows} == {"active"}
