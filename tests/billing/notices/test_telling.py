"""Who is told of a notice, by which channel, and once (N1a, N4)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction

from accounts.models import Membership, OutgoingMail
from billing.models import (
    IncludedWindow,
    NoticeChoice,
    NoticeDelivery,
    NoticeKind,
    NoticeRecipient,
    WindowName,
)
from billing.notices import tasks
from billing.notices.actions import telling
from billing.notices.actions.telling import tell
from tests.billing.notices.conftest import make_notice
from tests.conftest import NOW

OWN_KINDS = ["member_cap", "seat_tier_cap", "group_cap", "included_usage", "changeover"]


def told() -> set[tuple[str, str]]:
    """Who has which delivery."""
    rows = NoticeDelivery.objects.select_related("membership__user")
    return {
        (one.membership.user.email if one.membership else one.address, one.channel)
        for one in rows
    }


def by(member: Membership) -> set[tuple[str, str]]:
    """Page and mail of one person."""
    return {(member.user.email, "page"), (member.user.email, "mail")}


def choose(member: Membership, kind: str, told_by: str) -> None:
    NoticeChoice.objects.create(membership=member, kind=kind, told_by=told_by)


@pytest.mark.parametrize(
    "kind",
    [
        "organization_cap",
        "balance_low",
        "balance_exhausted",
        "balance_short",
        "channel_paused",
        "soft_limit",
    ],
)
def test_n1_owners_are_told_of_the_organization_and_nobody_else_is(
    acme, alice, ada, bob, kind
):
    tell(make_notice(acme, kind).pk, now=NOW)
    assert told() == by(alice)


@pytest.mark.parametrize("kind", ["member_cap", "seat_tier_cap", "group_cap"])
def test_n1_a_member_is_told_of_their_own_cap_and_their_owner_is_not(
    acme, alice, bob, kind
):
    tell(make_notice(acme, kind, member=bob).pk, now=NOW)
    assert told() == by(bob)


def test_n1_a_soft_limit_of_a_member_is_told_to_those_who_asked_for_it(
    acme, alice, bob
):
    tell(make_notice(acme, "soft_limit", member=bob, percent=None).pk, now=NOW)
    assert told() == by(alice)


def test_n4_recipients_that_owners_named_get_it_and_an_address_only_once_it_agreed(
    acme, alice, ada
):
    rows = NoticeRecipient.objects
    rows.create(organization=acme, membership=ada, added_at=NOW)
    rows.create(
        organization=acme,
        address="finance@books.example",
        language="ja",
        added_at=NOW,
        agreed_at=NOW,
    )
    rows.create(organization=acme, address="silent@books.example", added_at=NOW)
    tell(make_notice(acme).pk, now=NOW)
    assert told() == by(alice) | by(ada) | {("finance@books.example", "mail")}
    outside = OutgoingMail.objects.get(address="finance@books.example")
    assert outside.reads == "ja"
    assert "@" not in outside.key  # a key outlives whoever is erased


def test_n4_somebody_who_is_owner_and_recipient_and_address_is_told_once(acme, alice):
    rows = NoticeRecipient.objects
    rows.create(organization=acme, membership=alice, added_at=NOW)
    rows.create(
        organization=acme, address=alice.user.email, added_at=NOW, agreed_at=NOW
    )
    tell(make_notice(acme).pk, now=NOW)
    assert told() == by(alice)
    assert OutgoingMail.objects.count() == 1


def test_n4_the_other_organizations_people_are_told_nothing(acme, alice, charlie):
    NoticeRecipient.objects.create(
        organization=charlie.organization,
        address="c@books.example",
        added_at=NOW,
        agreed_at=NOW,
    )
    tell(make_notice(acme).pk, now=NOW)
    assert told() == by(alice)


def test_n4_nobody_who_left_or_is_switched_off_is_told(acme, alice, ada, bob):
    for member in (ada, bob):
        NoticeRecipient.objects.create(
            organization=acme, membership=member, added_at=NOW
        )
    ada.user.is_active = False
    ada.user.save(update_fields=["is_active"])
    Membership.objects.filter(pk=bob.pk).update(
        status="removed", removed_at=NOW, seat_tier=None
    )
    tell(make_notice(acme).pk, now=NOW)
    tell(make_notice(acme, "member_cap", member=bob).pk, now=NOW)
    assert told() == by(alice)


def test_n4_each_chooses_per_kind(acme, alice, ada):
    NoticeRecipient.objects.create(organization=acme, membership=ada, added_at=NOW)
    choose(alice, "organization_cap", "page")
    choose(ada, "organization_cap", "nothing")
    choose(ada, "balance_low", "page")
    tell(make_notice(acme).pk, now=NOW)
    assert told() == {(alice.user.email, "page")}


@pytest.mark.parametrize("kind", OWN_KINDS)
def test_n4_what_stops_somebody_stays_on_their_page_whatever_they_chose(
    acme, bob, kind
):
    choose(bob, kind, "nothing")
    tell(make_notice(acme, kind, member=bob, percent=100).pk, now=NOW)
    assert told() == {(bob.user.email, "page")}


def test_n4_what_does_not_stop_them_yet_can_be_switched_off(acme, bob):
    choose(bob, "member_cap", "nothing")
    tell(make_notice(acme, "member_cap", member=bob, percent=90).pk, now=NOW)
    assert told() == set()


@pytest.mark.parametrize(
    ("name", "lasts", "channels"),
    [
        (WindowName.SESSION, dt.timedelta(hours=5), {"page"}),
        (WindowName.WEEK, dt.timedelta(days=7), {"page", "mail"}),
        # lengths are data: a session of two days is worth a mail
        (WindowName.SESSION, dt.timedelta(days=2), {"page", "mail"}),
        (WindowName.WEEK, dt.timedelta(hours=12), {"page"}),
    ],
)
def test_n4_included_usage_is_mailed_where_its_window_lasts_a_day(
    acme, bob, name, lasts, channels
):
    IncludedWindow.objects.create(
        membership=bob, name=name, opened_at=NOW, resets_at=NOW + lasts
    )
    notice = make_notice(
        acme,
        NoticeKind.INCLUDED_USAGE,
        member=bob,
        percent=80,
        window=name,
        resets_at=NOW + lasts,
    )
    tell(notice.pk, now=NOW)
    assert {channel for _who, channel in told()} == channels


def test_n5_the_changeover_is_on_the_page(acme, bob):
    notice = make_notice(acme, NoticeKind.CHANGEOVER, member=bob, percent=None)
    tell(notice.pk, now=NOW)
    assert told() == {(bob.user.email, "page")}


def test_n1a_a_notice_is_told_once(acme, alice):
    notice = make_notice(acme)
    mails = tell(notice.pk, now=NOW)
    assert tell(notice.pk, now=NOW) == []
    assert OutgoingMail.objects.count() == len(mails) == 1
    [delivery] = NoticeDelivery.objects.filter(channel="mail")
    assert delivery.mail_id == mails[0]
    notice.refresh_from_db()
    assert notice.told_at == NOW


def test_n1a_one_that_was_overtaken_before_it_was_told_is_not_told(acme, alice):
    notice = make_notice(acme, overtaken_at=NOW)
    assert tell(notice.pk, now=NOW) == []
    notice.refresh_from_db()
    assert notice.told_at == NOW
    assert told() == set()


def test_n1a_telling_that_fails_half_way_leaves_it_to_the_next_sweep(
    acme, alice, monkeypatch
):
    notice = make_notice(acme)

    def die(*args: object, **options: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(telling, "queue_mails", die)
        with pytest.raises(RuntimeError), transaction.atomic():
            tell(notice.pk, now=NOW)
    assert told() == set()
    assert len(tell(notice.pk, now=NOW)) == 1
    assert told() == by(alice)


def test_n1a_the_sweep_finds_what_nobody_was_told_of(acme, alice, bob, worker):
    make_notice(acme)
    make_notice(acme, "member_cap", member=bob)
    with worker():
        assert tasks.tell_notices() == 2
    assert told() == by(alice) | by(bob)
    with worker():
        assert tasks.tell_notices() == 0


def test_a_poke_tells_of_one_organization_after_the_commit(
    acme, alice, charlie, worker
):
    make_notice(acme)
    make_notice(charlie.organization)
    with worker():
        tasks.tell_soon(acme.pk)
        assert told() == set()
    assert told() == by(alice)
