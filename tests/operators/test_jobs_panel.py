"""Jobs on the start page: what ran, what is late, what failed, what comes next."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from accounts.actions.jobs import job_failed, job_started, job_succeeded
from config.operations.panel import jobs_panel
from config.schedule import SCHEDULE
from tests.factories.people import make_user


@pytest.fixture
def all_ran(db, now):
    for name in SCHEDULE:
        job_started(name, now=now)
        job_succeeded(name, took_ms=1500, result=0, now=now)


def rows(now):
    panel = jobs_panel(None, now)
    return {row.label: row for row in [*panel["rows"], *panel["more"]]}


def test_a_job_in_time_says_when_it_ran_and_when_it_comes(all_ran, now):
    mails = rows(now)["Mails"]
    assert (mails.late, mails.failed) == ("", "")
    assert mails.facts == "ran 19:28 today in 1.5 s, next 19:28 today"
    proof = rows(now)["Proof of the books"]
    assert proof.facts == "ran 19:28 today in 1.5 s, next Tue 24 Nov, 02:35"


def test_a_late_job_comes_first_with_its_lateness_in_words(all_ran, now):
    later = now + dt.timedelta(minutes=25)
    for name in SCHEDULE:
        if name != "close-months":
            job_succeeded(name, took_ms=5, result=0, now=later)
    panel = jobs_panel(None, later)
    assert panel["late"] == 1
    assert panel["rows"][0].label == "Closing of months"
    assert panel["rows"][0].late == "10 min late"


def test_a_failure_is_told_until_the_next_success(all_ran, now):
    later = now + dt.timedelta(seconds=30)
    job_failed("sync-prices", took_ms=5, now=later)
    assert "failed 19:28 today" in rows(later)["Published prices"].failed
    job_succeeded("sync-prices", took_ms=5, result=0, now=later)
    assert rows(later)["Published prices"].failed == ""


def test_where_no_worker_ever_ran_the_page_says_so(client, db):
    person = make_user("op@example.com", "Olga", is_staff=True, is_superuser=True)
    client.force_login(person)
    page = client.get(reverse("admin:index")).content.decode()
    assert "No worker has run yet" in page
