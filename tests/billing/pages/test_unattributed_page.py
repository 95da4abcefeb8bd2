"""The part of Settings › Connect about usage of somebody unknown (X2): shown to owners,
assigned after a preview, and nobody's line stands nowhere among people.
"""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actions.audit import Actor
from accounts.actions.unknown import set_own_domains
from accounts.models import Membership
from billing.metering.actions.recording import record_usage
from billing.metering.views.unattributed import unattributed_part
from billing.models import UnattributedName, UsageAdjustment, UsageEvent
from tests.factories.people import make_user
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


@pytest.fixture
def name(acme, now):
    """Bob's usage under an address that nobody has, with extra usage on."""
    enable_extra_usage(acme)
    sent = [event("bob@home.example", at=now, usd="0.97") for _number in range(2)]
    record_usage(sent, organization_id=acme.pk, now=now)
    return UnattributedName.objects.get()


@pytest.fixture
def owner(client, alice):
    """Alice's browser."""
    client.force_login(alice.user)
    return client


def assign_url(name):
    """The dialog of one name."""
    return reverse("unattributed_assign", args=["acme", name.pk])


def words_of(answer) -> str:
    """A page in one line."""
    return " ".join(answer.content.decode().split())


def test_without_such_usage_the_part_says_so(owner, acme):
    page = words_of(owner.get(reverse("unattributed", args=["acme"])))
    assert "All usage so far belongs to somebody here." in page
    assert "<table" not in page


def test_x2_owners_see_name_events_spend_and_who_it_may_be(owner, acme, name, bob, now):
    page = words_of(owner.get(reverse("unattributed", args=["acme"])))
    assert "<strong>$1.94</strong> by 1 name that is nobody here" in page
    assert "bob@home.example" in page and "Bob Feld" in page
    assert "member=bob%40acme.example" in page
    [row] = unattributed_part(acme, now)["unattributed_rows"]
    assert (row.name, row.proposed) == (name, bob)
    assert f'href="{reverse("member_page", args=["acme", bob.pk])}"' in page


def test_x2_a_preview_then_the_press(owner, name, bob):
    shown = words_of(owner.get(assign_url(name), {"member": "bob@acme.example"}))
    assert "2 events, $1.94: off unattributed usage, onto Bob Feld" in shown
    assert not UsageAdjustment.objects.exists()
    done = owner.post(assign_url(name), {"member": "bob@acme.example"}, follow=True)
    assert "are now Bob Feld&#x27;s" in words_of(done)
    assert UsageAdjustment.objects.filter(membership=bob).count() == 2
    again = owner.post(assign_url(name), {"member": "ada@acme.example"})
    assert again.status_code == 422
    assert "was assigned to Bob Feld already" in words_of(again)


def test_whom_nobody_knows_is_refused_at_the_field(owner, name):
    answer = owner.post(assign_url(name), {"member": "who@acme.example"})
    assert answer.status_code == 422
    assert "No member “who@acme.example”" in words_of(answer)


def test_with_htmx_the_dialog_closes_and_the_part_is_told(owner, name):
    answer = owner.post(
        assign_url(name),
        {"member": "bob@acme.example"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 204
    assert "unattributedChanged" in answer.headers["HX-Trigger"]


def test_a_name_that_is_nobodys_can_be_invited(owner, acme, now):
    record_usage([event("ci@acme.example", at=now)], organization_id=acme.pk, now=now)
    page = words_of(owner.get(reverse("unattributed", args=["acme"])))
    url = reverse("member_invite", args=["acme"]) + "?email=ci%40acme.example"
    assert url in page
    assert 'value="ci@acme.example"' in words_of(owner.get(url))


def test_x2_owners_choose_what_is_done_about_somebody_unknown(owner, acme, alice, now):
    url = reverse("unknown_people", args=["acme"])
    refused = owner.post(url, {"unknown_people": "create_without_seat"})
    assert refused.status_code == 422
    actor = Actor.person(alice.user)
    set_own_domains(acme, text="acme.example", actor=actor, now=now)
    saved = owner.post(url, {"unknown_people": "create_on_standard"}, follow=True)
    assert "The setting is saved." in words_of(saved)
    acme.refresh_from_db()
    assert acme.unknown_people == "create_on_standard"
    assert "selected>added on a Standard seat" in words_of(saved)


def test_d3_it_is_for_owners_alone(client, acme, ada, charlie, name):
    for person, status in ((ada, 403), (charlie, 404)):
        client.force_login(person.user)
        assert client.get(reverse("unattributed", args=["acme"])).status_code == status
        assert client.post(assign_url(name), {"member": "1"}).status_code == status
    assert not UsageAdjustment.objects.exists()


def test_d1_names_of_others_are_404(owner, charlie, now):
    record_usage([event("x", at=now)], organization_id=charlie.organization_id, now=now)
    theirs = UnattributedName.objects.get()
    assert owner.get(assign_url(theirs)).status_code == 404


def test_the_list_costs_the_same_for_3_names_and_for_30(owner, acme, now):
    counts = []
    for number in (3, 30):
        sent = [event(f"okta:{number}-{one}", at=now) for one in range(number)]
        record_usage(sent, organization_id=acme.pk, now=now)
        with CaptureQueriesContext(connection) as captured:
            owner.get(reverse("unattributed", args=["acme"]))
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_the_line_stands_on_no_page_of_people(owner, acme, name):
    line = Membership.with_nobody.get(status="nobody")
    pages = [
        reverse("usage_settings", args=["acme"]),
        reverse("usage_people", args=["acme"]),
        reverse("members", args=["acme"]),
        reverse("selected_members", args=["acme"]),
        reverse("security", args=["acme"]),
        reverse("api_keys", args=["acme"]),
    ]
    for url in pages:
        answer = owner.get(url, headers={"HX-Request": "true"})
        assert answer.status_code == 200, url
        assert "Unattributed" not in answer.content.decode(), url
    streamed = owner.get(reverse("usage_people_csv", args=["acme"]))
    assert b"nattributed" not in b"".join(streamed.streaming_content)
    for named in ("member_cap", "member_edit", "member_remove", "member_return"):
        assert owner.get(reverse(named, args=["acme", line.pk])).status_code == 404


def test_operators_find_no_such_person(client, acme, name):
    line = Membership.with_nobody.get(status="nobody")
    client.force_login(
        make_user("o@operators.example", "Olga", is_staff=True, is_superuser=True)
    )
    for table in ("accounts_user", "accounts_membership"):
        url = reverse(f"admin:{table}_changelist")
        page = client.get(url, {"q": "nattributed"}).content.decode()
        assert f"/{line.pk}/change/" not in page
        assert f"/{line.user_id}/change/" not in page
    event_url = reverse("admin:billing_usageevent_changelist")
    assert "unattributed" in client.get(event_url).content.decode()


def test_a_receipt_shows_both_sides(owner, name, bob):
    owner.post(assign_url(name), {"member": "bob@acme.example"})
    one = UsageEvent.objects.first()
    page = words_of(owner.get(reverse("own_receipt", args=["acme", one.pk])))
    assert "Assigned from unattributed usage." in page
    assert "taken off unattributed usage" in page
    assert "bob@home.example" in page
    call_command("audit_books")


def test_a_member_opens_the_receipt_of_what_was_assigned_to_them(
    client, owner, name, bob, ada
):
    owner.post(assign_url(name), {"member": "bob@acme.example"})
    url = reverse("own_receipt", args=["acme", UsageEvent.objects.first().pk])
    client.force_login(bob.user)
    assert client.get(url).status_code == 200
    own = client.get(reverse("own_usage", args=["acme"])).content.decode()
    assert url in own
    csv = client.get(reverse("own_receipts_csv", args=["acme"]))
    assert UsageEvent.objects.first().event_id in (
        b"".join(csv.streaming_content).decode()
    )
    client.force_login(ada.user)
    own = client.get(reverse("own_usage", args=["acme"])).content.decode()
    assert url not in own


def test_the_usage_page_says_what_is_in_no_row(owner, client, name, ada):
    url = reverse("usage_settings", args=["acme"])
    page = words_of(owner.get(url))
    assert "Another $1.94 this month is unattributed usage" in page
    assert reverse("unattributed", args=["acme"]) in page
    client.force_login(ada.user)  # an admin reads it, and assigns nothing
    assert reverse("unattributed", args=["acme"]) not in words_of(client.get(url))
