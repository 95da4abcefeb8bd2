"""Settings › Connect: a way with its key, the lines to copy, and the first event that
this key reported, from a real call; nobody else's.
"""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
import time_machine
from django.test import Client

from accounts.actions.api_keys import MOST_KEYS, create_api_key, revoke_api_key
from accounts.actions.audit import Actor
from accounts.key_use import forget_uses, note_refused
from accounts.models import ApiKey, AuditEntry
from accounts.tasks import write_down_key_use
from billing.models import UsageEvent
from billing.pages.ways import WAYS
from billing.reports.queries.keys import _of_members
from config.kit.sql import is_postgresql, run
from tests.conftest import NOW
from tests.factories.people import MembershipFactory, make_user
from tests.factories.usage import enable_extra_usage
from tests.markup import flat

PAGE = "/o/acme/settings/connect/"
FIRST = f"{PAGE}first-event/"
BY = Actor(label="test")
SECRET = re.compile(r"xu_[A-Za-z0-9_-]{43}")
KEYED = [way for way in WAYS.values() if not way.is_personal]


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def owner(client, alice):
    enable_extra_usage(alice.organization)
    client.force_login(alice.user)
    return client


def make_key(owner: Client, way: str = "litellm", name: str = "LiteLLM") -> str:
    """The secret of a key made on the page."""
    page = owner.post(f"{PAGE}?way={way}", {"name": name})
    assert page.status_code == 200
    return SECRET.search(page.content.decode())[0]


def call(path: str, secret: str, body: dict, at: dt.datetime = NOW) -> dict:
    """What a gateway does."""
    with time_machine.travel(at, tick=False):
        return (
            Client()
            .post(
                f"/api/v1/{path}",
                json.dumps(body),
                content_type="application/json",
                headers={"Authorization": f"Bearer {secret}"},
            )
            .json()
        )


def sent(id: str = "req-1", member: str = "bob@acme.example", **more) -> dict:
    one = {
        "id": id,
        "member": member,
        "surface": "claude",
        "model": "claude-sonnet-5",
        "occurred_at": NOW.isoformat(),
        "usage": {"input_tokens": 1000, "output_tokens": 100},
    }
    return {"events": [{**one, **more}]}


def ask(secret: str, at: dt.datetime = NOW) -> dict:
    body = {"member": "bob@acme.example", "surface": "claude"}
    return call("authorize", secret, body, at)


def shown(owner: Client, url: str = PAGE, at: dt.datetime = NOW) -> str:
    with time_machine.travel(at, tick=False):
        page = owner.get(url)
    assert page.status_code == 200
    return flat(page)


# -- The key ---------------------------------------------------------------------------


def test_a_key_of_the_way_meters_alone_and_is_shown_once(owner, acme):
    secret = make_key(owner)
    key = ApiKey.objects.get()
    assert (key.organization, key.scopes, key.way, key.name) == (
        acme,
        "meter",
        "litellm",
        "LiteLLM",
    )
    assert key.digest == ApiKey.digest_of(secret)
    page = shown(owner)
    assert secret not in page and not SECRET.search(page)
    assert f"<code>{key.prefix}…</code>" in page and "Make another" in page
    entry = AuditEntry.objects.get(action="api_key.create")
    assert (entry.subject, entry.actor) == ("LiteLLM", acme.primary_owner)


@pytest.mark.parametrize("way", KEYED, ids=[way.slug for way in KEYED])
def test_the_lines_hold_address_and_key_shortened_to_read_whole_to_copy(
    owner, way, settings
):
    settings.SITE_URL = "https://usage.acme.example"
    page = owner.post(f"{PAGE}?way={way.slug}", {"name": "x"}).content.decode()
    secret = SECRET.search(page)[0]
    lines = "".join(re.findall(r"<pre.*?</pre>", page, re.S))
    assert "usage.acme.example" in lines
    assert f'<span data-whole="{secret}">{secret[:9]}…{secret[-4:]}</span>' in lines
    assert "no-store" in owner.get(PAGE)["Cache-Control"]


def test_a_name_that_is_none_is_refused_at_its_field_and_makes_nothing(owner, acme):
    for name in ("", "x" * 81, "two\nlines"):
        page = owner.post(f"{PAGE}?way=litellm", {"name": name})
        assert page.status_code == 422 and 'role="alert"' in page.content.decode()
    assert not ApiKey.objects.exists()


def test_more_keys_than_there_can_be_are_refused_with_the_way_out(owner, acme):
    for number in range(MOST_KEYS):
        create_api_key(acme, name=f"k{number}", scopes=["read"], actor=BY, now=NOW)
    page = owner.post(f"{PAGE}?way=litellm", {"name": "one more"})
    assert page.status_code == 422 and "Revoke one first" in page.content.decode()


def test_the_next_key_of_a_way_has_a_name_of_its_own(owner):
    assert 'value="LiteLLM"' in shown(owner)
    make_key(owner)
    assert 'value="LiteLLM 2"' in shown(owner, f"{PAGE}?way=litellm&another")


def test_people_make_their_own_tokens_so_claude_code_takes_no_key(owner):
    page = owner.post(f"{PAGE}?way=claude-code", {"name": "x"})
    assert page.status_code == 200 and not ApiKey.objects.exists()
    assert "/me/" in page.content.decode()


@pytest.mark.parametrize("way", [*WAYS, "", "nonsense", "\0"])
def test_the_address_keeps_the_way_and_an_unknown_one_is_the_first(owner, way):
    page = shown(owner, f"{PAGE}?way={way}")
    slug = way if way in WAYS else "litellm"
    assert f'?way={slug}" aria-current="page"' in page
    for heading in ("Lines to copy", "What we see", "How far past a cap"):
        assert heading in page


# -- The first event -------------------------------------------------------------------


def test_it_waits_tells_what_it_saw_and_stops_with_the_first_event(owner):
    secret = make_key(owner)
    part = shown(owner, f"{FIRST}?way=litellm")
    assert "Waiting for the first event" in part and "not been used yet" in part
    assert 'hx-trigger="every 3s"' in part
    ask(secret, NOW + dt.timedelta(seconds=5))
    part = shown(owner, f"{FIRST}?way=litellm")
    assert "The key was used at 14:28:05 to ask, nothing was reported yet." in part
    assert call("usage", secret, sent())["recorded"] == 1
    answer = owner.get(f"{FIRST}?way=litellm")
    part = flat(answer)
    assert "First event 14:28:00, $0.003, by bob@acme.example" in part
    assert "claude-sonnet-5, 1,000 tokens in, 100 out." in part
    event = UsageEvent.objects.get()
    assert f"/o/acme/usage/receipts/{event.pk}/" in part
    assert "hx-trigger" not in part
    assert answer["HX-Trigger"] == '{"firstEvent": true}'


def test_a_part_that_reads_the_same_is_not_sent_again(owner):
    make_key(owner)
    part = owner.get(f"{FIRST}?way=litellm").content.decode()
    seen = re.search(r"seen=(\w+)", part)[1]
    assert owner.get(f"{FIRST}?way=litellm&seen={seen}").status_code == 204


def test_the_first_event_is_this_keys_and_stays_the_first(owner, acme):
    other = make_key(owner, "code", "Other")
    assert call("usage", other, sent("other"))["recorded"] == 1
    secret = make_key(owner)
    assert "Waiting" in shown(owner, f"{FIRST}?way=litellm")
    for number in (1, 2):
        forget_uses()  # as another process
        call("usage", secret, sent(f"req-{number}", labels={"n": str(number)}))
    write_down_key_use()
    forget_uses()
    call("usage", secret, sent("req-3"))
    write_down_key_use()
    key = ApiKey.objects.get(way="litellm")
    assert key.first_event_id == "req-1"
    assert UsageEvent.objects.get(event_id="req-1").api_key == key
    part = shown(owner, f"{FIRST}?way=litellm")
    first = UsageEvent.objects.get(event_id="req-1")
    assert f"/receipts/{first.pk}/" in part


def test_it_is_known_from_the_row_when_the_cache_forgot_it(owner):
    from django.core.cache import cache

    secret = make_key(owner)
    ask(secret)
    call("usage", secret, sent())
    assert write_down_key_use() == 1
    assert write_down_key_use() == 0
    cache.clear()
    assert "First event" in shown(owner, f"{FIRST}?way=litellm")
    key = ApiKey.objects.get()
    assert (key.last_asked_at, key.last_reported_at, key.last_used_at) == (NOW,) * 3


def test_a_report_of_which_nothing_was_recorded_is_no_first_event(owner):
    secret = make_key(owner)
    call("usage", secret, sent(member="nobody@else.example", surface="?"))
    part = shown(owner, f"{FIRST}?way=litellm")
    assert "to report, but nothing could be recorded" in part
    call("usage", secret, sent())
    assert "First event" in shown(owner, f"{FIRST}?way=litellm")


def test_after_a_minute_it_names_the_usual_reasons(owner):
    make_key(owner)
    minute = dt.timedelta(minutes=1)
    almost = shown(owner, f"{FIRST}?way=litellm", NOW + minute - minute / 60)
    assert "usual reasons" not in almost
    late = shown(owner, f"{FIRST}?way=litellm", NOW + minute)
    assert "Four usual reasons" in late
    patient = shown(owner, f"{FIRST}?way=litellm", NOW + 10 * minute)
    assert 'hx-trigger="every 30s"' in patient


def test_a_key_that_was_copied_in_part_is_told_by_its_last_letters(owner):
    secret = make_key(owner)
    assert call("usage", secret[:20], sent())["status"] == 401
    part = shown(owner, f"{FIRST}?way=litellm")
    assert f"A key that ends in {secret[16:20]} was refused at 14:28:00" in part
    ask(secret, NOW + dt.timedelta(seconds=1))
    assert "was refused" not in shown(owner, f"{FIRST}?way=litellm")


def test_a_wrong_key_that_begins_otherwise_tells_nobody_anything(owner):
    make_key(owner)
    call("usage", "xu_" + "z" * 43, sent())
    assert "was refused" not in shown(owner, f"{FIRST}?way=litellm")


def test_keys_of_strangers_fill_no_cache(owner, acme, monkeypatch):
    secret = make_key(owner)
    noted = []
    monkeypatch.setattr(
        "accounts.key_use.cache.set", lambda name, *_, **__: noted.append(name)
    )
    note_refused("xu_" + "z" * 43)
    assert noted == []
    note_refused(secret[:20])
    assert noted == [f"api-key-refused:{ApiKey.objects.get().prefix}"]
    key = ApiKey.objects.get()
    revoke_api_key(key, actor=BY, now=NOW)
    note_refused(secret[:20])
    assert len(noted) == 1


def test_a_proxy_reports_nothing_so_its_first_question_is_the_proof(owner):
    secret = make_key(owner, "envoy", "Envoy")
    assert "Waiting for the first question" in shown(owner, f"{FIRST}?way=envoy")
    ask(secret)
    part = shown(owner, f"{FIRST}?way=envoy")
    assert "It asks: the key was used at 14:28:00" in part
    assert "hx-trigger" not in part


def test_two_organizations_never_see_each_others_keys_and_events(
    owner, acme, alice, charlie
):
    secret = make_key(owner)
    call("usage", secret, sent())
    stranger = Client()
    stranger.force_login(charlie.user)
    there = "/o/umbrella/settings/connect/"
    for url in (there, f"{there}first-event/?way=litellm", f"{there}connected/"):
        page = shown(stranger, url)
        assert "bob@acme.example" not in page and secret[:9] not in page
        assert "event today" not in page
    assert stranger.get(PAGE).status_code == 404
    # the same id over there is another event
    made = stranger.post(f"{there}?way=litellm", {"name": "x"}).content.decode()
    call("usage", SECRET.search(made)[0], sent(member="charlie@umbrella.example"))
    part = shown(stranger, f"{there}first-event/?way=litellm")
    assert "by charlie@umbrella.example" in part
    assert "by bob@acme.example" in shown(owner, f"{FIRST}?way=litellm")


# -- What is connected -----------------------------------------------------------------


def row(page: str, name: str) -> list[str]:
    """The cells of the row of that name, without markup."""
    rows = re.findall(r"<tr>(.*?)</tr>", page.split("</thead>")[1], re.S)
    [found] = [one for one in rows if f">{name}<" in one]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", found, re.S)
    return [re.sub(r"<[^>]+>", " ", cell).strip() for cell in cells]


def test_the_table_counts_what_each_key_reported_today(owner, bob):
    both, quiet = make_key(owner), make_key(owner, "code", "Batch")
    make_key(owner, "opentelemetry", "New")
    ask(both)
    for number in range(3):
        call("usage", both, sent(f"a-{number}"))
    call("usage", quiet, sent("b-1"))
    yesterday = NOW - dt.timedelta(days=1)
    call("usage", quiet, sent("b-0", occurred_at=yesterday.isoformat()))
    page = shown(owner)
    assert row(page, "LiteLLM")[2:] == ["3", "$0.01", "14:28:00", "Asks and reports"]
    batch = ["1", "&lt;$0.01", "14:28:00", "Reports, does not ask"]
    assert row(page, "Batch")[2:] == batch
    assert row(page, "New")[2:] == ["0", "$0.00", "–", "Not used yet"]
    assert "4 events today" in page
    assert page.count(">connected<") == 2


def test_a_key_that_fell_silent_says_for_how_long(owner):
    secret = make_key(owner, "code", "Old proxy")
    call("usage", secret, sent())
    write_down_key_use()
    later = NOW + dt.timedelta(days=75)
    with time_machine.travel(later, tick=False):
        owner.force_login(ApiKey.objects.get().organization.primary_owner)
    cells = row(shown(owner, at=later), "Old proxy")
    assert cells[2:] == ["0", "$0.00", "Mon 23 Nov, 14:28", "Silent for 75 days"]


def test_a_key_that_was_revoked_today_keeps_its_events_in_the_sum(owner, acme):
    secret = make_key(owner)
    call("usage", secret, sent())
    revoke_api_key(ApiKey.objects.get(), actor=BY, now=NOW)
    page = shown(owner)
    assert row(page, "LiteLLM")[2] == "1" and row(page, "LiteLLM")[5] == "Revoked"
    assert "1 event today" in page


def test_the_page_reads_as_little_for_many_members_and_events_as_for_few(
    owner, acme, django_assert_num_queries
):
    secret = make_key(owner)
    call("usage", secret, sent())
    with django_assert_num_queries(17):
        owner.get(PAGE)
    for number in range(20):
        MembershipFactory(
            organization=acme, user=make_user(f"p{number}@acme.example", "P")
        )
        call("usage", secret, sent(f"m-{number}", member=f"p{number}@acme.example"))
        if number % 5 == 0:
            create_api_key(acme, name=f"k{number}", scopes=["meter"], actor=BY, now=NOW)
    with django_assert_num_queries(17):
        owner.get(PAGE)


def test_todays_sums_look_into_the_index_for_each_member(acme):
    if is_postgresql():
        pytest.skip("PostgreSQL reads so small a table whole.")
    plan = "EXPLAIN QUERY PLAN " + _of_members(False)
    steps = [step[3] for step in run(plan, ["2026", "2027", acme.pk]).rows()]
    assert any("events_of_member (membership_id=? AND occurred" in one for one in steps)
    assert not any("SCAN e" in one for one in steps)


# -- Receipts, words -------------------------------------------------------------------


def test_receipts_say_which_key_reported_it_to_owners_alone(owner, ada, bob):
    secret = make_key(owner, name="Production")
    call("usage", secret, sent())
    receipt = f"/o/acme/usage/receipts/{UsageEvent.objects.get().pk}/"
    assert "Production" in shown(owner, receipt)
    for member in (ada, bob):
        reader = Client()
        reader.force_login(member.user)
        assert "Production" not in shown(reader, receipt)


def test_everything_is_in_japanese_too(owner):
    make_key(owner)
    owner.cookies["django_language"] = "ja"
    page = owner.get(PAGE)
    assert page["Content-Language"] == "ja"
