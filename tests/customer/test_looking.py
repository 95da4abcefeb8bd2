"""An operator sees what the owner sees: to read, for half an hour, kept and told."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail as outbox

from accounts.delivery import deliver
from accounts.models import AuditEntry, Membership, OutgoingMail, Role
from tests.customer.conftest import page_url, text_of
from tests.factories.notices import make_notice, tell_on_page
from tests.factories.people import MembershipFactory, make_user
from tests.factories.usage import enable_extra_usage

USAGE = "/o/acme/settings/usage/"


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)
    return time_machine


def look_url(organization) -> str:
    return page_url(organization).replace("/change/", "/look/")


@pytest.fixture
def looking(support, acme):
    """Support looks at Acme as Alice."""
    enable_extra_usage(acme)
    answer = support.post(look_url(acme), {"reason": "Ticket 8841"})
    assert answer.url == USAGE
    return support


def test_the_operator_reads_the_owners_page_under_a_bar_that_says_so(looking, acme):
    page = text_of(looking.get(USAGE))
    assert "Read-only, as Alice Nakamura. Owners are told." in page
    assert "Spend caps by user" in page and "Bob Feld" in page
    for part in ("month/", "caps/", "people/"):
        answer = looking.get(USAGE + part, headers={"HX-Request": "true"})
        assert answer.status_code == 200


def test_the_operator_reads_no_notices_of_the_owner(looking, acme, alice, now):
    tell_on_page(make_notice(acme, at=now), alice)
    assert "data-bell" not in looking.get(USAGE).content.decode()
    part = looking.get(f"{USAGE}caps/", headers={"HX-Request": "true"})
    assert part.status_code == 200 and "HX-Trigger" not in part.headers
    assert looking.get("/o/acme/notices/").status_code == 403
    assert looking.get("/o/acme/settings/notices/").status_code == 403


def test_it_is_kept_and_every_owner_is_told_who_and_why(looking, acme, client, alice):
    entry = AuditEntry.objects.get(action="organization.look")
    assert (entry.actor.name, entry.reason) == ("Support", "Ticket 8841")
    [mail] = OutgoingMail.objects.filter(kind="operator_looked")
    assert deliver(mail.pk)
    letter = outbox.outbox[-1]
    assert letter.to == ["alice@acme.example"]
    assert "Support" in letter.body and "Ticket 8841" in letter.body
    client.force_login(alice.user)
    shown = text_of(client.get("/o/acme/settings/activity/"))
    assert "An operator looked as the owner" in shown


def test_nobody_looks_without_a_reason(support, acme):
    assert support.post(look_url(acme), {"reason": " "}).status_code == 422
    assert support.get(USAGE).status_code == 404
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "usage/caps/organization/",
        "usage/turn-off/",
        "usage/for-whom/",
        "usage/selected-members/",
        "usage/enable/",
        "members/invite/",
        "api-keys/",
        "billing/buy/",
        "usage/requests/increase/",
    ],
)
def test_no_act_is_possible(looking, acme, path):
    before = AuditEntry.objects.count()
    answer = looking.post(f"/o/acme/settings/{path}", {"amount": "1"})
    assert answer.status_code in (403, 404, 405)
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("path", ["", "month/", "caps/", "people/"])
def test_a_post_to_a_page_that_is_shown_is_refused_with_a_sentence(looking, acme, path):
    answer = looking.post(USAGE + path)
    assert answer.status_code == 403
    assert "read-only: nothing can be changed" in text_of(answer)


@pytest.mark.parametrize("path", ["members/", "api-keys/", "activity/", "billing/"])
def test_other_pages_of_the_owner_stay_theirs(looking, acme, path):
    answer = looking.get(f"/o/acme/settings/{path}")
    assert answer.status_code == 403
    assert "this page is not shown to operators" in text_of(answer)


def test_other_organizations_stay_closed(looking, acme):
    assert looking.get("/o/umbrella/settings/usage/").status_code == 404


def test_it_ends_by_leaving_and_for_how_long_is_kept(looking, acme, _at, now):
    _at.move_to(now + dt.timedelta(minutes=6), tick=False)
    end = look_url(acme) + "end/"
    assert looking.get(end).status_code == 405
    assert looking.post(end).url == page_url(acme)
    assert looking.get(USAGE).status_code == 404
    entry = AuditEntry.objects.get(action="organization.look_end")
    assert entry.to_value == {"minutes": 6}
    looking.post(end)  # once more says nothing
    assert AuditEntry.objects.filter(action="organization.look_end").count() == 1


def test_it_ends_by_itself_after_half_an_hour(looking, acme, _at, now):
    _at.move_to(now + dt.timedelta(minutes=29), tick=False)
    assert looking.get(USAGE).status_code == 200
    _at.move_to(now + dt.timedelta(minutes=30), tick=False)
    assert looking.get(USAGE).status_code == 404


def test_it_ends_when_the_operator_is_none_any_more(looking, acme):
    person = make_user("x@y.example", "X")
    operator = type(person).objects.get(email="support@operators.example")
    operator.groups.clear()
    assert looking.get(USAGE).status_code == 404


def test_a_member_with_a_forged_session_sees_nothing(client, acme, bob, charlie, now):
    client.force_login(charlie.user)
    session = client.session
    session["looks_as_owner"] = {"organization": acme.pk, "at": now.isoformat()}
    session.save()
    assert client.get(USAGE).status_code == 404


def test_two_factor_that_is_required_of_operators_is_required_here(
    looking, acme, settings
):
    settings.REQUIRE_OPERATOR_2FA = True
    assert looking.get(USAGE).status_code == 404


def test_every_owner_is_told(support, acme):
    olga = make_user("olga@acme.example", "Olga")
    MembershipFactory(organization=acme, user=olga, base_role=Role.OWNER)
    assert Membership.objects.owners().filter(organization=acme).count() == 2
    support.post(look_url(acme), {"reason": "Ticket"})
    assert OutgoingMail.objects.filter(kind="operator_looked").count() == 2
