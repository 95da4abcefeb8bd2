"""A decision taken back: the request waits again, what it changed is as before, and its
answer is never mailed (R3, R4, C8).
"""

from __future__ import annotations

import json

import pytest
import time_machine
from django.core import mail
from django.test import Client

from accounts.actions.undoing import MAIL_WAITS
from accounts.models import AuditEntry, Membership, OutgoingMail, SeatTier
from accounts.tasks import send_due_mails
from billing.models import SpendCap
from config.kit.money import usd
from requests_inbox.actions.asking import send_request
from requests_inbox.models import UsageRequest
from requests_inbox.tasks import end_requests
from tests.conftest import NOW
from tests.factories.people import MembershipFactory
from tests.requests_inbox.conftest import block, send_answers

pytestmark = pytest.mark.django_db
REVIEW = "/o/acme/settings/usage/requests/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def as_ada(blocked_bob, ada) -> Client:
    """Ada's browser, with Bob's and Carol's requests waiting."""
    carol = MembershipFactory(
        organization=blocked_bob.organization, user__name="Carol Diaz"
    )
    for member in (blocked_bob, block(carol)):
        send_request(member, note="Please.", asked_nanos=usd("60"), now=NOW)
    client = Client()
    client.force_login(ada.user)
    return client


def words(response) -> str:
    return " ".join(response.content.decode().split())


def of_bob(bob) -> UsageRequest:
    return UsageRequest.objects.get(membership=bob)


def decide(client, request, what, **typed):
    """Decide in the row."""
    return client.post(f"{REVIEW}{request.pk}/{what}/", typed, headers=HTMX)


def toast(response) -> dict[str, str]:
    return json.loads(response["HX-Trigger"])["toast"]["items"][-1]


def undo(client, response) -> str:
    """Press Undo in the message of an answer; what is said then."""
    return toast(client.post(toast(response)["undo"], headers=HTMX))["text"]


@pytest.mark.parametrize(
    ("what", "typed"),
    [
        ("dismiss", {"note": "No."}),
        ("increase", {"amount": "60", "applies": "always"}),
        ("premium", {}),
    ],
)
def test_r4_it_waits_again_as_it_was_and_nothing_is_mailed(
    as_ada, blocked_bob, what, typed
):
    SeatTier.objects.filter(tier="premium").update(bought=9)
    before = UsageRequest.objects.filter(membership=blocked_bob).values().get()
    answer = decide(as_ada, of_bob(blocked_bob), what, **typed)
    assert of_bob(blocked_bob).status != "pending"
    assert undo(as_ada, answer) == "Undone. Everything is as it was before."
    assert UsageRequest.objects.filter(membership=blocked_bob).values().get() == before
    blocked_bob.refresh_from_db()
    assert blocked_bob.seat_tier == "standard"
    capped = SpendCap.objects.filter(membership=blocked_bob, amount_nanos__isnull=False)
    assert not capped.exists()
    send_answers()
    assert mail.outbox == []
    assert "Bob Feld" in words(as_ada.get(REVIEW, headers=HTMX))


def test_decided_anew_after_an_undo_it_is_mailed_once(as_ada, blocked_bob):
    undo(as_ada, decide(as_ada, of_bob(blocked_bob), "dismiss", note="No."))
    decide(as_ada, of_bob(blocked_bob), "increase", amount="60", applies="month")
    send_answers()
    assert [one.subject for one in mail.outbox] == [
        "Ada Okafor increased your limit to $60.00, this month only"
    ]


def test_r4_an_undo_pressed_again_takes_back_nobody_elses_decision(
    as_ada, blocked_bob, alice
):
    answer = decide(as_ada, of_bob(blocked_bob), "dismiss")
    undo(as_ada, answer)
    owner = Client()
    owner.force_login(alice.user)
    decide(owner, of_bob(blocked_bob), "increase", amount="60", applies="always")
    assert undo(as_ada, answer) == "This has been undone already."
    assert of_bob(blocked_bob).status == "approved"
    assert OutgoingMail.objects.filter(kind="request.answer").count() == 1


def test_r5_a_cap_undone_says_that_a_request_has_ended_meanwhile(
    blocked_bob, alice, client
):
    send_request(blocked_bob, note="", asked_nanos=None, now=NOW)
    client.force_login(alice.user)
    cap = f"/o/acme/settings/usage/caps/members/{blocked_bob.pk}/"
    answer = client.post(cap, {"amount": "90"}, headers=HTMX)
    end_requests()
    assert of_bob(blocked_bob).status == "resolved"
    assert "1 request that ended meanwhile stays ended" in undo(client, answer)


def test_once_the_mail_is_out_or_on_its_way_it_stays(as_ada, blocked_bob):
    answer = decide(as_ada, of_bob(blocked_bob), "dismiss", note="No.")
    OutgoingMail.objects.update(attempts=1)  # a worker has claimed it
    assert "already been told by e-mail" in undo(as_ada, answer)
    assert of_bob(blocked_bob).status == "dismissed"
    assert not AuditEntry.objects.filter(action="change.undo").exists()


def test_a_lost_worker_loses_no_mail_that_waited(as_ada, blocked_bob):
    decide(as_ada, of_bob(blocked_bob), "dismiss", note="No.")
    with time_machine.travel(NOW + MAIL_WAITS * 30, tick=False):
        send_due_mails()
    assert len(mail.outbox) == 1


def test_only_the_row_that_was_decided_is_drawn_anew(as_ada, blocked_bob):
    request = of_bob(blocked_bob)
    answer = decide(as_ada, request, "dismiss", note="")
    page = words(answer)
    assert answer["HX-Retarget"] == f"#request-{request.pk}"
    assert "The request from Bob Feld has been dismissed." in page
    assert "Carol" not in page and 'id="review-cost" hx-swap-oob="true"' in page


def test_an_opened_row_closes_by_the_same_press(as_ada, blocked_bob):
    request = of_bob(blocked_bob)
    row = words(as_ada.get(f"{REVIEW}{request.pk}/increase/", headers=HTMX))
    assert f'hx-get="{REVIEW}{request.pk}/"' in row
    assert f'hx-get="{REVIEW}{request.pk}/dismiss/"' in row


def test_premium_says_what_the_seat_brings_before_it_acts(as_ada, blocked_bob):
    SeatTier.objects.filter(tier="premium").update(bought=9)
    row = words(as_ada.get(f"{REVIEW}{of_bob(blocked_bob).pk}/premium/", headers=HTMX))
    assert "A Premium seat includes $" in row and "a week, instead of $" in row
    blocked_bob.refresh_from_db()
    assert blocked_bob.seat_tier == "standard"


def test_no_free_premium_seats_are_said_in_words(as_ada):
    acme = Membership.objects.filter(organization__slug="acme")
    taken = acme.filter(seat_tier="premium").count()
    SeatTier.objects.filter(tier="premium").update(bought=taken)
    page = words(as_ada.get(REVIEW, headers=HTMX))
    assert "Premium seat is assigned." in page or "Premium seats are assigned." in page
    assert "0 of" not in page


def test_several_the_sum_is_foreseen_and_what_is_typed_stays(as_ada, blocked_bob):
    ticked = {"ticked": list(UsageRequest.objects.values_list("pk", flat=True))}
    typed = ticked | {"amount": "60", "applies": "always"}
    foot = words(as_ada.get(f"{REVIEW}increase/", typed, headers=HTMX))
    assert 'value="60"' in foot and "$39.76 more for 2 people" in foot
    part = words(
        as_ada.get(f"{REVIEW}increase/", typed | {"preview": "1"}, headers=HTMX)
    )
    assert part.startswith('<p class="xu-small xu-group-preview"')
    assert "$39.76 more for 2 people" in part


def test_several_an_amount_too_small_names_everybody_concerned(as_ada):
    ticked = {"ticked": list(UsageRequest.objects.values_list("pk", flat=True))}
    typed = ticked | {"amount": "40", "applies": "month"}
    refused = as_ada.post(f"{REVIEW}increase/", typed, headers=HTMX)
    assert refused.status_code == 422
    assert "Bob Feld" in words(refused) and "Carol Diaz" in words(refused)
    assert UsageRequest.objects.pending().count() == 2


def test_several_are_dismissed_at_once(as_ada):
    ticked = {"ticked": list(UsageRequest.objects.values_list("pk", flat=True))}
    answer = as_ada.post(f"{REVIEW}increase/", ticked | {"dismiss": "1"}, headers=HTMX)
    assert toast(answer)["text"] == "2 requests have been dismissed."
    assert UsageRequest.objects.filter(status="dismissed").count() == 2
    none = as_ada.post(f"{REVIEW}increase/", {"dismiss": "1"}, headers=HTMX)
    assert toast(none)["text"] == "Select at least one person."


def test_dismissing_without_scripts_leads_back(as_ada, blocked_bob):
    one = {"ticked": [of_bob(blocked_bob).pk], "dismiss": "1"}
    answer = as_ada.post(f"{REVIEW}increase/", one)
    assert answer.status_code == 302 and answer["Location"] == REVIEW
