"""T4, T5, N1: auto-reload through the sweeps, with the clock moved by hand; what owners
are told, each once.
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db.models import F

from accounts.models import AuditEntry, OutgoingMail
from billing.books import differences
from billing.caps.actions.caps import set_organization_cap
from billing.caps.actions.switch import set_extra_usage
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, Notice, Payment, PaymentCard, SandboxPayment
from billing.payments import processing, tasks
from billing.payments.actions.credits import post_credit
from billing.payments.actions.refunds import settle_refund, start_refund
from billing.payments.actions.reload_settings import set_auto_reload
from billing.payments.actions.reloads import start_reload_if_due
from billing.payments.gateways.base import RefundFailed
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.factories.balances import (
    balance,
    bea_of,
    buy,
    give_card,
    make_bolt,
    set_reload,
    turn_on,
    use_up_included,
)
from tests.factories.people import make_organization, make_user
from tests.factories.usage import event

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def use(bolt, amount, *, at):
    """Mia's extra usage."""
    record_usage(
        [event("mia@bolt.example", at=at, usd=amount)], organization_id=bolt.pk, now=at
    )


def sweep(at):
    """Every sweep that looks after balances, twice, with the clock at `at`."""
    with time_machine.travel(at, tick=False):
        for _time in range(2):
            tasks.settle_unknown()
            tasks.reload_due_balances()


def reloads(**wanted):
    """Amounts of the reloads, in USD, oldest first."""
    found = Payment.objects.filter(purpose="reload", **wanted).order_by("pk")
    return [one.amount_nanos // 10**9 for one in found]


def mails(kind=None):
    """Kinds of the mails queued, oldest first."""
    found = OutgoingMail.objects.filter(organization__slug="bolt").order_by("pk")
    kinds = [mail.kind.removeprefix("balance.") for mail in found]
    return kinds if kind is None else kinds.count(kind)


@pytest.fixture
def olga(db):
    """An operator."""
    return make_user("olga@example.com", "Olga Operator")


@pytest.fixture
def reloading(bolt, now):
    """Bolt with $100, auto-reload of $50 at $25, at most $200 a month, cap $1,000."""
    use_up_included(bolt)
    turn_on(bolt, reload=("25", "50"), limit="200", now=now)
    OutgoingMail.objects.all().delete()
    return bolt


def test_t4_the_sweep_reloads_once_when_the_threshold_is_reached(reloading, now):
    use(reloading, "74.99", at=now)
    sweep(now)
    assert reloads() == []
    use(reloading, "0.01", at=now)
    sweep(now)
    assert reloads() == [50] and balance(reloading) == usd(75)
    assert mails() == ["paid"]


def test_t4_one_larger_purchase_instead_of_a_burst(reloading, now):
    use(reloading, "180", at=now)
    sweep(now)
    assert reloads() == [150] and balance(reloading) == usd(70)


def test_t4_runaway_usage_stops_at_the_monthly_limit_with_mails_and_nothing_repeats(
    reloading, now
):
    """$25 threshold, $50 reload, $200 a month: purchases stop at $200, then people are
    refused.
    """
    mia = reloading.memberships.get(user__email="mia@bolt.example")
    at, refused = now, None
    for _request in range(60):
        decision = decide(standing_of(mia.pk, organization_id=reloading.pk, now=at))
        if not decision.allowed:
            refused = decision
            break
        use(reloading, "7.50", at=at)
        sweep(at)
        at += dt.timedelta(minutes=1)
    assert refused.reason == "balance_exhausted"
    assert sum(reloads()) == 200 and usd(-8) < balance(reloading) <= 0
    for _later in range(20):
        at += HOUR / 3
        sweep(at)
    assert sum(reloads()) == 200
    assert (mails("paid"), mails("reload_limit")) == (4, 1)
    assert len(mails()) == 5
    assert noticed()[-1] == "balance_exhausted"
    assert list(differences()) == []


def test_t4_at_most_five_a_day_and_again_the_next(bolt, now):
    use_up_included(bolt)
    turn_on(bolt, reload=("25", "50"), now=now)
    for _time in range(8):
        use(bolt, "76" if not reloads() else "51", at=now)
        sweep(now)
    assert len(reloads()) == 5 and mails("reload_limit") == 1
    sweep(now + DAY)
    assert len(reloads()) == 6


def test_t4_the_limit_defaults_to_the_organizations_cap_and_starts_anew_each_month(
    bolt, now
):
    use_up_included(bolt)
    turn_on(bolt, cap="160", reload=("25", "50"), now=now)
    for _time in range(3):
        use(bolt, "50", at=now)
        sweep(now)
    assert reloads() == [50, 50] and balance(bolt) == usd(50)  # spent 150 of 160
    use(bolt, "40", at=now)
    sweep(now)
    assert reloads() == [
        50,
        50,
    ]  # the cap is reached, so there is nothing to reload for
    sweep(now + 9 * DAY)
    assert reloads() == [50, 50, 50]


def test_t4_none_while_extra_usage_is_off_or_the_cap_is_reached(reloading, now):
    use(reloading, "80", at=now)
    set_extra_usage(reloading, enabled=False, actor=bea_of(reloading), now=now)
    sweep(now)
    assert reloads() == []
    set_extra_usage(reloading, enabled=True, actor=bea_of(reloading), now=now)
    set_organization_cap(
        reloading, amount_nanos=usd(80), actor=bea_of(reloading), now=now
    )
    sweep(now)
    assert reloads() == []
    set_organization_cap(
        reloading, amount_nanos=usd(81), actor=bea_of(reloading), now=now
    )
    sweep(now)
    assert reloads() == [50]


def test_t5_a_declined_card_is_tried_again_after_1_6_and_24_hours_and_then_auto_reload_goes_off(
    reloading, now
):
    give_card(reloading, "declines", now=now)
    use(reloading, "80", at=now)
    assert tries(now, 30) == [0, 1, 6, 24]
    assert SandboxPayment.objects.exclude(status="succeeded").count() == 4
    account = BillingAccount.objects.get(organization=reloading)
    assert not account.auto_reload_enabled and account.reload_ended_at is not None
    assert (mails("declined"), mails("reload_off"), mails("low")) == (3, 1, 0)
    assert (
        AuditEntry.objects.filter(
            action="balance.auto_reload", actor_label="auto-reload"
        ).count()
        == 1
    )


def test_t5_another_card_ends_the_series_and_is_charged_at_once(reloading, now):
    give_card(reloading, "declines", now=now)
    use(reloading, "80", at=now)
    sweep(now)
    sweep(now + HOUR / 2)
    assert reloads(status="declined") == [50]
    give_card(reloading, "works", now=now + HOUR / 2)
    sweep(now + HOUR / 2)
    assert reloads(status="succeeded") == [50] and balance(reloading) == usd(70)
    assert BillingAccount.objects.get(organization=reloading).reload_declines == 0


def test_t5_a_reload_that_needs_the_bank_counts_as_declined(reloading, now):
    give_card(reloading, "action", now=now)
    use(reloading, "80", at=now)
    sweep(now)
    assert (
        Payment.objects.filter(purpose="reload").get().decline_code
        == "authentication_required"
    )
    assert mails() == ["declined"]


def test_t4_t5_no_second_reload_while_the_first_is_not_known(reloading, now):
    give_card(reloading, "timeout_paid", now=now)
    use(reloading, "80", at=now)
    sweep(now)
    use(reloading, "10", at=now)
    sweep(now + dt.timedelta(seconds=30))
    assert (
        processing.reload_if_due(reloading.pk, now=now + dt.timedelta(seconds=40))
        is None
    )  # held back, not refused by the database
    assert reloads() == [50] and balance(reloading) == usd(10)
    sweep(now + dt.timedelta(minutes=2))
    # Settled, and since $60 is above the threshold nothing more is bought.
    assert reloads(status="succeeded") == [50] and balance(reloading) == usd(60)


def tries(start, hours):
    """When auto-reload tried, in whole hours after `start`, while the sweeps run every
    20 minutes.
    """
    tried, before = [], len(reloads())
    for minutes in range(0, 60 * hours, 20):
        # An answer takes a moment, so the next try is due a moment after the full hour.
        sweep(start + dt.timedelta(minutes=minutes, seconds=30 if minutes else 0))
        while len(tried) < len(reloads()) - before:
            tried.append(minutes / 60)
    return tried


@pytest.mark.parametrize(
    "lifted_by", ["credit", "refund that failed", "adjustment of usage"]
)
def test_t5_whatever_lifts_the_balance_above_the_threshold_ends_the_series(
    reloading, now, olga, lifted_by
):
    purchase = Payment.objects.get()
    give_card(reloading, "declines", now=now)
    use(reloading, "20", at=now)
    refund, _is_new = start_refund(
        purchase, amount_nanos=usd(30), reason="x", operator=olga, now=now
    )
    use(reloading, "30", at=now)
    sweep(now)
    assert BillingAccount.objects.get(organization=reloading).reload_declines == 1
    if lifted_by == "credit":
        post_credit(
            reloading,
            amount_nanos=usd(30),
            reason="Sorry",
            operator=olga,
            now=now + HOUR / 2,
        )
    elif (
        lifted_by == "adjustment of usage"
    ):  # a corrected price; the next sweep sees it
        BillingAccount.objects.filter(organization=reloading).update(
            pending_nanos=F("pending_nanos") - usd(30)
        )
        sweep(now + HOUR / 2)
    else:
        settle_refund(
            refund.pk, RefundFailed("The card is closed."), now=now + HOUR / 2
        )
    account = BillingAccount.objects.get(organization=reloading)
    assert (
        account.reload_declines,
        account.reload_declined_at,
        account.reload_retry_at,
    ) == (0, None, None)
    later = now + 5 * DAY
    use(reloading, "40", at=later)
    assert tries(later, 26) == [0, 1, 6, 24]


def test_t5_a_series_interrupted_for_days_is_not_run_through_in_a_hurry(reloading, now):
    give_card(reloading, "declines", now=now)
    use(reloading, "80", at=now)
    sweep(now)
    set_extra_usage(reloading, enabled=False, actor=bea_of(reloading), now=now)
    later = now + 5 * DAY
    set_extra_usage(reloading, enabled=True, actor=bea_of(reloading), now=later)
    assert [int(hour) for hour in tries(later, 26)] == [
        0,
        5,
        23,
    ]  # the second, third and last
    assert not BillingAccount.objects.get(organization=reloading).auto_reload_enabled


def test_t5_a_decline_of_the_card_of_before_is_not_held_against_the_new_one(
    reloading, now
):
    give_card(reloading, "declines", now=now)
    use(reloading, "80", at=now)
    assert start_reload_if_due(reloading.pk, now=now).payment  # whoever started it dies
    give_card(reloading, "works", now=now)
    sweep(now + dt.timedelta(minutes=3))
    assert reloads(status="declined") == [50] and reloads(status="succeeded") == [50]
    assert BillingAccount.objects.get(
        organization=reloading
    ).reload_declines == 0 and mails() == ["paid"]


@pytest.mark.parametrize("switched_off", ["extra usage", "auto-reload"])
def test_c7_a_reload_whose_starter_died_before_asking_is_not_bought_once_nobody_wants_it(
    reloading, now, switched_off
):
    use(reloading, "80", at=now)
    assert start_reload_if_due(reloading.pk, now=now).payment
    if switched_off == "extra usage":
        set_extra_usage(reloading, enabled=False, actor=bea_of(reloading), now=now)
    else:
        set_auto_reload(reloading, enabled=False, actor=bea_of(reloading), now=now)
    sweep(now + dt.timedelta(minutes=3))
    assert reloads(status="canceled") == [50] and balance(reloading) == usd(20)
    assert (
        "declined" not in mails()
        and SandboxPayment.objects.filter(amount_cents=5000).count() == 0
    )
    account = BillingAccount.objects.get(organization=reloading)
    assert account.reload_declines == 0 and account.reload_retry_at is None


def test_c7_a_reload_that_was_asked_before_it_was_switched_off_counts_where_money_was_taken(
    reloading, now
):
    give_card(reloading, "timeout_paid", now=now)
    use(reloading, "80", at=now)
    sweep(now)
    set_auto_reload(reloading, enabled=False, actor=bea_of(reloading), now=now)
    sweep(now + dt.timedelta(minutes=3))
    assert reloads(status="succeeded") == [50] and balance(reloading) == usd(70)


def test_t4_no_reload_is_larger_than_the_largest_purchase(bolt, now):
    use_up_included(bolt)
    turn_on(bolt, cap=None, reload=("90000", "5"), now=now)
    BillingAccount.objects.filter(organization=bolt).update(pending_nanos=usd(50_000))
    sweep(now)
    assert reloads() == [100_000, 39_905] and balance(bolt) == usd(90_005)


def test_t4_organizations_that_stay_below_the_threshold_for_ever_hide_nobody(
    reloading, now, monkeypatch
):
    monkeypatch.setattr(tasks, "SWEEP_LIMIT", 1)
    set_auto_reload(reloading, enabled=False, actor=bea_of(reloading), now=now)
    use(reloading, "100", at=now)
    zoe = make_organization(
        "zoe", owner=make_user("zoe@zoe.example", "Zoe"), now=now, plan="team"
    )
    give_card(zoe, "works", now=now)
    turn_on(zoe, reload=("125", "50"), now=now)
    sweep(now)
    assert reloads() == [50]


def test_n1_a_low_balance_is_told_also_where_auto_reload_is_on_without_a_card(
    reloading, now
):
    PaymentCard.objects.filter(organization=reloading).update(card_id="")
    use(reloading, "80", at=now)
    sweep(now)
    assert mails() == ["low"]
    assert OutgoingMail.objects.get().facts["has_no_card"] is True


def noticed() -> list[str]:
    """The kinds of what was reached, in order."""
    return list(Notice.objects.order_by("pk").values_list("kind", flat=True))


def test_n1a_a_balance_that_is_low_or_gone_is_told_once_and_again_after_a_purchase(
    bolt, now
):
    use_up_included(bolt)
    turn_on(bolt, now=now)
    OutgoingMail.objects.all().delete()
    use(bolt, "89", at=now)
    sweep(now)
    assert noticed() == []
    use(bolt, "1", at=now)  # $10 left: the setting's mark, since there is no threshold
    sweep(now)
    use(bolt, "10", at=now)
    sweep(now)
    sweep(now + HOUR)
    assert noticed() == ["balance_low", "balance_exhausted"]
    buy(bolt, "20", now=now)
    use(bolt, "20", at=now)
    sweep(now)
    sweep(now + HOUR)
    # N1a: the purchase had lifted the balance, so that it is gone is news again
    assert noticed() == ["balance_low", "balance_exhausted", "balance_exhausted"]
    # the notices' mails tell it, and no other mail does
    assert (mails("low"), mails("exhausted")) == (0, 0)


def test_e7_a_prepaid_organization_whose_owner_never_bought_hears_nothing(now, acme):
    make_bolt(now=now)
    sweep(now)
    assert mails() == []


@pytest.mark.parametrize(
    ("threshold", "amount", "limit", "field"),
    [
        ("25", "4", None, "amount"),
        ("25", "50", "40", "limit"),
        ("1000001", "50", None, "threshold"),
        ("25.001", "50", None, "threshold"),
        ("250000", "5", None, "threshold"),
    ],
)
def test_bad_amounts_of_auto_reload_are_refused_at_their_field(
    bolt, now, threshold, amount, limit, field
):
    with pytest.raises(BusinessError) as refused:
        set_reload(bolt, threshold, amount, limit=limit, now=now)
    assert (
        refused.value.field == field
        and not BillingAccount.objects.get(organization=bolt).auto_reload_enabled
    )


def test_c8_changes_of_auto_reload_are_kept_from_and_to(bolt, now):
    set_reload(bolt, "25", "50", now=now)
    set_reload(bolt, "25", "50", now=now)
    entry = AuditEntry.objects.get(action="balance.auto_reload")
    assert entry.from_value == {"auto_reload": False}
    assert entry.to_value["reload_nanos"] == usd(50)
