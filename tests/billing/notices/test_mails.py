"""What a mail about a notice says, as things are when it goes out (N1, N2, N4)."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.conf import settings

from accounts.actions.audit import Actor
from accounts.models import Membership, OutgoingMail
from accounts.tasks import send_due_mails
from billing.caps.actions.caps import set_organization_cap, set_seat_tier_cap
from billing.metering.actions.recording import record_usage
from billing.models import (
    BillingAccount,
    IncludedWindow,
    Notice,
    NoticeChoice,
    NoticeKind,
    NoticeRecipient,
    SeatAllowance,
)
from billing.notices.actions.telling import tell
from config.kit.money import usd
from tests.billing.notices.conftest import make_notice
from tests.conftest import NOW
from tests.factories.usage import enable_extra_usage, event

CAP = usd("1600")


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


def spend(member: Membership, *amounts: str, at: dt.datetime = NOW) -> None:
    """Events of these costs; where a seat includes usage, $1 uses up a session."""
    at -= dt.timedelta(minutes=5)
    events = [event(member, at=at, usd=amount) for amount in amounts]
    record_usage(events, organization_id=member.organization_id, now=NOW)


def cap_of(acme, amount: str | None) -> None:
    set_organization_cap(
        acme,
        amount_nanos=None if amount is None else usd(amount),
        actor=Actor.person(acme.primary_owner),
        now=NOW,
    )


@pytest.fixture
def sent(mailoutbox, worker):
    """`sent(notice)`: the mails that go out for it now."""

    def send(notice: Notice, *, between=lambda: None):
        mailoutbox.clear()
        tell(notice.pk, now=NOW)
        between()
        with worker():
            send_due_mails()
        return list(mailoutbox)

    return send


@pytest.fixture
def spending(acme, alice, bob):
    """$50 a day for ten days, Alice most; then Bob. Their seats include nothing."""
    SeatAllowance.objects.update(amount_nanos=0)
    enable_extra_usage(acme, cap="1600")
    for days in range(1, 11):
        spend(alice, "40", at=NOW - dt.timedelta(days=days))
        spend(bob, "10", at=NOW - dt.timedelta(days=days))
    return acme


def html(mail) -> str:
    return str(mail.alternatives[0].content)


def row_of(notice: Notice) -> OutgoingMail:
    return OutgoingMail.objects.get(kind="notice", facts__notice=notice.pk)


def test_n1_the_number_comes_first_and_is_that_of_the_moment_of_sending(
    spending, sent, alice
):
    notice = make_notice(spending, percent=25)
    [mail] = sent(notice, between=lambda: spend(alice, "100"))
    assert mail.subject == "Acme has used 37 % of $1,600.00"  # $600.00 by now
    assert mail.subject in mail.body and mail.subject in html(mail)
    assert "$600.00" in mail.body


def test_n1_while_the_pace_fits_the_button_shows_usage(spending, sent):
    [mail] = sent(make_notice(spending, percent=25))
    assert "under the cap: nobody needs to stop" in mail.body
    buttons = re.findall(r'class="x-button"[^>]*>([^<]+)<', html(mail))
    assert buttons == ["Show usage"]
    assert "/settings/usage/caps/organization/" in mail.body


def test_n1_when_it_does_not_the_button_adjusts_to_the_amount_that_would_last(
    spending, sent, client, alice
):
    cap_of(spending, "600")
    [mail] = sent(make_notice(spending, percent=75))
    assert "At this pace the cap is reached on" in mail.body
    [link, label] = re.findall(
        r'href="([^"]+)" class="x-button"[^>]*>([^<]+)<', html(mail)
    )[0]
    assert label == "Adjust limit to $910"
    client.force_login(alice.user)
    page = client.get(link.removeprefix(settings.SITE_URL)).content.decode()
    assert 'value="910.00"' in page


def test_n1_at_100_it_says_until_when_everybody_waits(spending, sent):
    cap_of(spending, "400")
    [mail] = sent(make_notice(spending, percent=100))
    assert mail.subject == "Acme has used 125 % of $400.00"
    assert "paused for everyone until Tue 1 Dec" in mail.body
    assert "Adjust limit to" in mail.body


@pytest.mark.parametrize("cap", ["1600", "600", "400"])
def test_n1_four_facts_at_most(spending, sent, cap):
    cap_of(spending, cap)
    [mail] = sent(make_notice(spending))
    assert html(mail).count('class="x-label"') == 4
    assert "Alice Nakamura, $400.00" in mail.body


def test_d3_an_address_outside_and_a_member_read_nobodys_spending(
    spending, sent, alice, bob
):
    rows = NoticeRecipient.objects
    rows.create(
        organization=spending, address="f@x.example", added_at=NOW, agreed_at=NOW
    )
    rows.create(organization=spending, membership=bob, added_at=NOW)
    mails = {mail.to[0]: mail for mail in sent(make_notice(spending))}
    assert set(mails) == {alice.user.email, bob.user.email, "f@x.example"}
    for address in (bob.user.email, "f@x.example"):
        assert "Alice" not in html(mails[address]) + mails[address].body
    assert "/o/acme/" not in html(mails["f@x.example"])


def test_n1a_a_mail_whose_notice_was_overtaken_is_dropped_with_the_reason(
    spending, sent
):
    notice = make_notice(spending)

    def raise_cap() -> None:
        Notice.objects.update(overtaken_at=NOW)

    assert sent(notice, between=raise_cap) == []
    row = row_of(notice)
    assert (row.dropped_at, row.last_error) == (NOW, "overtaken")
    assert not OutgoingMail.objects.given_up().exists()  # no operator need look


def test_n4_who_chose_otherwise_or_left_meanwhile_gets_no_mail(spending, sent, alice):
    def choose() -> None:
        NoticeChoice.objects.create(
            membership=alice, kind="organization_cap", told_by="page"
        )

    assert sent(make_notice(spending), between=choose) == []


def test_n4_a_recipient_taken_off_meanwhile_gets_no_mail(spending, sent, alice):
    NoticeRecipient.objects.create(
        organization=spending, address="f@x.example", added_at=NOW, agreed_at=NOW
    )
    mails = sent(
        make_notice(spending), between=lambda: NoticeRecipient.objects.all().delete()
    )
    assert [mail.to for mail in mails] == [[alice.user.email]]


def test_n4_every_mail_says_why_and_stops_at_one_click(spending, sent, client):
    [mail] = sent(make_notice(spending))
    assert "because your role at Acme is Primary Owner" in mail.body
    assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = mail.extra_headers["List-Unsubscribe"].strip("<>")
    assert url in mail.body and url in html(mail)
    assert client.post(url.removeprefix(settings.SITE_URL)).status_code == 200
    assert NoticeChoice.objects.get().told_by == "page"


def test_n3_it_comes_from_the_organizations_name_and_our_address(spending, sent):
    [mail] = sent(make_notice(spending))
    assert mail.from_email == "Acme via Extra usage <usage@localhost>"


def test_it_is_in_the_readers_language(spending, sent, alice):
    alice.user.language = "ja"
    alice.user.save(update_fields=["language"])
    [mail] = sent(make_notice(spending))
    assert '<html lang="ja">' in html(mail)
    assert "11月" in mail.body


def test_n1_late_usage_of_a_month_that_is_over_is_told_as_such(spending, sent):
    notice = make_notice(
        spending, percent=100, month_on=dt.date(2026, 10, 1), spent_nanos=CAP
    )
    [mail] = sent(notice)
    assert mail.subject == "Acme used 100 % of $1,600.00 in October"
    assert "since 1 November everything counts from zero" in mail.body


@pytest.fixture
def capped_bob(acme, bob):
    """A cap of $40 for standard seats, $30.12 spent."""
    enable_extra_usage(acme)
    set_seat_tier_cap(
        acme,
        tier="standard",
        amount_nanos=usd("40"),
        actor=Actor.person(acme.primary_owner),
        now=NOW,
    )
    spend(bob, "1", "30.12")
    return bob


def test_n2_a_member_reads_what_stops_until_when_and_what_then(capped_bob, sent):
    spend(capped_bob, "10")
    acme = capped_bob.organization
    [mail] = sent(make_notice(acme, "seat_tier_cap", member=capped_bob, percent=100))
    assert mail.to == [capped_bob.user.email]
    assert mail.subject == "You have used 100 % of your $40.00"
    assert "reached the cap for Standard seats: $40.12 of $40.00" in mail.body
    assert "You can continue" in mail.body
    assert "Request more usage" in mail.body
    assert "finished and charged whole" in mail.body


def test_n1_before_it_stops_a_member_reads_what_will(capped_bob, sent):
    acme = capped_bob.organization
    [mail] = sent(make_notice(acme, "seat_tier_cap", member=capped_bob))
    assert mail.subject == "You have used 75 % of your $40.00"
    assert "extra usage pauses for you until Tue 1 Dec" in mail.body
    assert "Request more usage" not in mail.body


def of_window(bob, kind: str, percent: int) -> Notice:
    window = IncludedWindow.objects.get(membership=bob, name="session", is_latest=True)
    return make_notice(
        bob.organization,
        kind,
        member=bob,
        percent=percent,
        window="session",
        resets_at=window.resets_at,
    )


def mailed(member: Membership, kind: str) -> None:
    NoticeChoice.objects.create(membership=member, kind=kind, told_by="mail")


def test_n5_a_member_who_wants_mails_reads_that_extra_usage_began(capped_bob, sent):
    mailed(capped_bob, "changeover")
    [mail] = sent(of_window(capped_bob, NoticeKind.CHANGEOVER, 100))
    assert mail.subject == "You go on with extra usage"
    assert "Acme pays for it at API rates" in mail.body


def test_n1_included_usage_says_when_it_resets(capped_bob, sent):
    mailed(capped_bob, "included_usage")
    [mail] = sent(of_window(capped_bob, NoticeKind.INCLUDED_USAGE, 80))
    assert "included usage" in mail.subject
    assert "resets" in mail.body


def test_n1_a_window_that_reset_meanwhile_is_old_news(capped_bob, sent):
    mailed(capped_bob, "included_usage")
    notice = of_window(capped_bob, NoticeKind.INCLUDED_USAGE, 80)

    def much_later() -> None:
        IncludedWindow.objects.update(resets_at=NOW)

    assert sent(notice, between=much_later) == []
    assert row_of(notice).last_error == "overtaken"


def test_n1_a_soft_limit_says_that_it_stops_nothing(capped_bob, sent, alice):
    notice = make_notice(
        capped_bob.organization,
        "soft_limit",
        member=capped_bob,
        percent=None,
        limit_nanos=usd("30"),
        spent_nanos=usd("30.12"),
    )
    [mail] = sent(notice)
    assert mail.to == [alice.user.email]
    assert mail.subject == ("$30.12 spent by Bob Feld: past your soft limit of $30.00")
    assert "stops nothing" in mail.body


@pytest.fixture
def prepaid(spending):
    """Acme prepays: $100 left."""
    spending.settlement = "prepaid"
    spending.save(update_fields=["settlement"])
    account = BillingAccount.objects.get(organization=spending)
    BillingAccount.objects.filter(pk=account.pk).update(
        ledger_nanos=account.pending_nanos + usd("100")
    )
    return spending


def test_n1_a_low_balance_says_how_long_it_lasts_and_buys_at_one_press(prepaid, sent):
    notice = make_notice(prepaid, "balance_low", percent=None, limit_nanos=usd("100"))
    [mail] = sent(notice)
    assert mail.subject == "$100.00 left: the balance of Acme is low"
    assert "At this pace it is used up on" in mail.body
    assert "/settings/billing/buy/" in html(mail)


@pytest.mark.parametrize("kind", ["balance_low", "balance_exhausted"])
def test_n1a_a_purchase_overtakes_a_mail_about_the_balance(prepaid, sent, kind):
    notice = make_notice(prepaid, kind, percent=None, limit_nanos=usd("50"))
    assert sent(notice) == []
    assert row_of(notice).last_error == "overtaken"


def test_n1_a_balance_that_would_not_last_says_until_when(prepaid, sent):
    [mail] = sent(make_notice(prepaid, "balance_short", percent=None))
    assert "the balance of Acme lasts until" in mail.subject


def test_n3_a_paused_channel_is_told_with_its_last_answer(spending, sent):
    notice = make_notice(
        spending,
        "channel_paused",
        percent=None,
        facts={"channel": "Ops", "answer": "503 after 0.2 s", "tries": 9},
    )
    [mail] = sent(notice)
    assert mail.subject == "“Ops” of Acme was paused"
    assert "Last answer: 503 after 0.2 s" in mail.body


@pytest.mark.parametrize("name", ["a@bank.example", "www.bank.example", ""])
def test_s21_no_name_passes_for_an_address(name):
    from config.kit.mailer import _from

    assert _from(name) == settings.DEFAULT_FROM_EMAIL
