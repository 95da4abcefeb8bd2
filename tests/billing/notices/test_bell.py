"""The bell: what is new to a person, and when it no longer is (N3)."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import NoticeDelivery, NoticeKind
from billing.notices.queries.bell import unread_count
from tests.factories.notices import make_notice, tell_on_page

HTMX = {"HX-Request": "true"}
BELL = "/o/acme/notices/newest/"
SEEN = "/o/acme/notices/seen/"
LIST = "/o/acme/notices/"


@pytest.fixture
def at() -> dt.datetime:
    return timezone.now()


@pytest.fixture
def as_alice(client, alice):
    client.force_login(alice.user)
    return client


def tell(member, at, percent=75, **extra):
    notice = make_notice(member.organization, at=at, percent=percent, **extra)
    return tell_on_page(notice, member)


def test_the_bell_of_every_page_of_an_organization_counts_what_is_new(
    as_alice, alice, at
):
    for path in ("/o/acme/usage/", "/o/acme/settings/members/", LIST):
        html = as_alice.get(path).content.decode()
        assert html.count('data-bell="/o/acme/notices/newest/"') == 2, path
        assert "Notices, 1 new" not in html
    tell(alice, at)
    html = as_alice.get("/o/acme/usage/").content.decode()
    assert html.count('aria-label="Notices, 1 new"') == 2
    assert "data-bell" not in as_alice.get("/me/").content.decode()


def test_the_bell_says_9_plus_above_nine(as_alice, alice, at):
    for percent in range(1, 13):
        tell(alice, at, percent=percent)
    assert unread_count(alice, at) == 10
    assert "Notices, 9+ new" in as_alice.get("/o/acme/usage/").content.decode()


def test_what_was_overtaken_is_no_longer_new_and_not_in_the_bell(as_alice, alice, at):
    told = tell(alice, at)
    told.notice.overtaken_at = at
    told.notice.save(update_fields=["overtaken_at"])
    assert unread_count(alice, at) == 0
    assert "has used" not in as_alice.get(BELL, headers=HTMX).content.decode()
    listed = as_alice.get(LIST).content.decode()
    assert "Acme has used 75" in listed and "no longer true" in listed


def test_opening_the_bell_marks_nothing_as_read_and_leaving_it_what_was_shown(
    as_alice, alice, at
):
    first, second = tell(alice, at, 75), tell(alice, at, 90)
    html = as_alice.get(BELL, headers=HTMX).content.decode()
    assert "2 new" in html and unread_count(alice, at) == 2
    later = tell(alice, at, 100)  # came while the bell was open
    answer = as_alice.post(
        SEEN, {"since": first.pk, "through": second.pk}, headers=HTMX
    )
    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"])["noticesUnread"] == {"count": 1}
    assert NoticeDelivery.objects.get(seen_at=None) == later


def test_without_scripts_mark_as_read_comes_back_to_the_list(as_alice, alice, at):
    told = tell(alice, at)
    answer = as_alice.post(SEEN, {"through": told.pk})
    assert answer.status_code == 302 and answer["Location"] == LIST
    assert unread_count(alice, at) == 0


@pytest.mark.parametrize("odd", ["", "-1", "x", "9" * 30, "１"])
def test_an_odd_number_marks_nothing_as_read(as_alice, alice, at, odd):
    tell(alice, at)
    as_alice.post(SEEN, {"through": odd})
    assert unread_count(alice, at) == 1


def test_each_part_that_refreshes_tells_the_bell(as_alice, alice, at):
    tell(alice, at)
    answer = as_alice.get("/o/acme/settings/usage/caps/", headers=HTMX)
    assert json.loads(answer["HX-Trigger"])["noticesUnread"] == {"count": 1}
    seen = answer.content.decode().split("?seen=")[1].split('"')[0]
    answer = as_alice.get(f"/o/acme/settings/usage/caps/?seen={seen}", headers=HTMX)
    assert answer.status_code == 204, "also while nothing else changed"
    assert json.loads(answer["HX-Trigger"])["noticesUnread"] == {"count": 1}
    assert "HX-Trigger" not in as_alice.get("/o/acme/usage/").headers


def test_nobody_reads_or_marks_the_notices_of_somebody_else(
    client, alice, bob, charlie, at
):
    told = tell(alice, at)
    client.force_login(bob.user)
    assert "has used" not in client.get(LIST).content.decode()
    client.post(SEEN, {"through": told.pk})
    assert unread_count(alice, at) == 1
    client.force_login(charlie.user)
    for path in (LIST, BELL):
        assert client.get(path).status_code == 404
    assert client.post(SEEN, {"through": told.pk}).status_code == 404
    assert unread_count(alice, at) == 1


def test_the_bell_costs_one_query_however_much_there_is(
    client, bob, at, django_assert_num_queries
):
    client.force_login(bob.user)
    with django_assert_num_queries(1):
        unread_count(bob, at)

    def queries(path, **headers):
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path, **headers).status_code == 200
        return len(seen)

    queries("/o/acme/usage/")  # what is read once
    few = [queries(path) for path in ("/o/acme/usage/", LIST, BELL)]
    for number in range(30):
        notice = make_notice(
            bob.organization,
            at=at - dt.timedelta(hours=number),
            percent=number + 1,
            member=bob,
            kind=NoticeKind.MEMBER_CAP,
        )
        tell_on_page(notice, bob)
    assert queries("/o/acme/usage/") == few[0]
    assert queries(BELL) <= few[2]
    assert queries(LIST) <= few[1] + 1, "the page of the list itself"


def test_the_helping_press_is_on_the_newest_that_still_holds(as_alice, alice, at):
    last_month = dt.date(2026, 1, 1)
    tell(alice, at, 75)
    html = as_alice.get(BELL, headers=HTMX).content.decode()
    assert "Adjust limit" in html and "/settings/usage/caps/organization/" in html
    NoticeDelivery.objects.all().delete()
    tell(alice, at, 90, month_on=last_month)
    html = as_alice.get(BELL, headers=HTMX).content.decode()
    assert "has used 90" in html and "Adjust limit" not in html


def test_the_bell_without_anything_says_since_when(as_alice, alice, at):
    assert "Nothing new. What is reached" in as_alice.get(BELL).content.decode()
    told = tell(alice, at)
    told.notice.overtaken_at = at
    told.notice.save(update_fields=["overtaken_at"])
    assert "Nothing new since" in as_alice.get(BELL).content.decode()
