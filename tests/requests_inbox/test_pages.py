"""The pages of requests: the member's part, the review modal, the banner and count, the
settings (R1-R5, N2).
"""

from __future__ import annotations

import json

import pytest
from django.core import mail

from accounts.models import AuditEntry, Organization, Plan, SeatTier
from billing.models import BillingAccount, SpendCap
from config.kit.money import usd
from requests_inbox.actions.asking import send_request
from requests_inbox.actions.deciding import dismiss_request
from requests_inbox.models import UsageRequest
from tests.conftest import NOW
from tests.factories.people import MembershipFactory
from tests.requests_inbox.conftest import block, send_answers

pytestmark = pytest.mark.django_db
OWN = "/o/acme/usage/"
SETTINGS = "/o/acme/settings/usage/"
REVIEW = f"{SETTINGS}requests/"
HTMX = {"HX-Request": "true"}


def words(response) -> str:
    """Its text with white space folded."""
    return " ".join(response.content.decode().split())


@pytest.fixture
def as_bob(client, blocked_bob):
    """Bob's browser."""
    client.force_login(blocked_bob.user)
    return client


@pytest.fixture
def as_ada(client, blocked_bob, ada):
    """Ada's browser, with Bob's request waiting."""
    send_request(blocked_bob, note="Until <Thursday>.", asked_nanos=usd("60"), now=NOW)
    client.force_login(ada.user)
    return client


def url(request: UsageRequest, what: str) -> str:
    """A page of one request."""
    return f"{REVIEW}{request.pk}/{what}/"


class TestTheMembersPart:
    def test_r1_n2_the_link_then_request_sent_with_the_time_and_who_decides(
        self, as_bob
    ):
        page = words(as_bob.get(OWN))
        assert "Request more usage" in page and "as soon as an admin approves" in page
        assert as_bob.post(f"{OWN}request/").status_code == 302
        page = words(as_bob.get(OWN))
        assert (
            "Request sent to your admins" in page and "Request more usage" not in page
        )
        assert "14:28 today. Ada Okafor or Alice Nakamura will decide" in page

    def test_r1_a_double_click_makes_one(self, as_bob):
        for _click in range(2):
            assert "Request sent" in words(as_bob.post(f"{OWN}request/", headers=HTMX))
        assert UsageRequest.objects.count() == 1

    def test_r4a_note_and_amount_and_a_wrong_amount_at_its_field(self, as_bob):
        as_bob.post(f"{OWN}request/")
        wrong = as_bob.post(
            f"{OWN}request/details/", {"note": "n", "amount": "40"}, headers=HTMX
        )
        assert (
            wrong.status_code == 422
            and "You have already spent $40.12 this month" in words(wrong)
        )
        assert 'id="request-amount-error"' in words(wrong)
        right = as_bob.post(
            f"{OWN}request/details/", {"note": "n", "amount": "1,060.00"}, headers=HTMX
        )
        assert right.status_code == 200 and 'value="1,060.00"' in words(right)
        assert UsageRequest.objects.get().asked_nanos == usd("1060")

    def test_r4a_requests_switched_off_the_page_says_whom_to_ask(self, as_bob):
        Organization.objects.update(requests_enabled=False)
        page = words(as_bob.get(OWN))
        assert (
            "Request more usage" not in page
            and "Alice Nakamura can change this." in page
        )

    @pytest.mark.parametrize("plan", [Plan.TEAM, Plan.ENTERPRISE_USAGE])
    def test_r1_other_plans_say_whom_to_ask(self, as_bob, plan):
        Organization.objects.filter(slug="acme").update(plan=plan)
        SpendCap.objects.filter(level="organization").update(amount_nanos=0)
        page = words(as_bob.get(OWN))
        assert (
            "Paused" in page
            and "Request more usage" not in page
            and "Alice Nakamura can change this." in page
        )

    def test_r4_the_answer_is_on_the_page_and_after_a_dismissal_when_to_ask_again(
        self, as_bob, blocked_bob, by_ada
    ):
        request = send_request(blocked_bob, now=NOW).request
        dismiss_request(
            blocked_bob.organization,
            request_id=request.pk,
            note="Wait, it is <soon>.",
            by=by_ada,
            now=NOW,
        )
        page = words(as_bob.get(OWN))
        assert (
            "Ada Okafor dismissed your request" in page
            and "Wait, it is &lt;soon&gt;." in page
        )
        assert (
            "You can ask again on Tue 24 Nov at 14:28." in page
            and "Request more usage" not in page
        )

    def test_r5_taking_it_back_brings_the_link_back(self, as_bob):
        as_bob.post(f"{OWN}request/")
        assert "Request more usage" in words(
            as_bob.post(f"{OWN}request/withdraw/", headers=HTMX)
        )

    def test_e1_the_api_tells_a_gateway_where_to_ask(self, client, blocked_bob, now):
        from tests.factories.people import make_api_key

        key = make_api_key(blocked_bob.organization, now=now)
        asked = {"member": "bob@acme.example", "surface": "claude"}
        answer = client.post(
            "/api/v1/authorize",
            asked,
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        ).json()
        assert answer["request_url"] == "http://127.0.0.1:8000/o/acme/usage/"


class TestReviewing:
    def test_r3_the_number_in_navigation_and_banner(self, as_ada, bob):
        page = words(as_ada.get(SETTINGS))
        assert (
            "<b>1 request</b> for more usage, from Mon 23 Nov" in page
            and "1 request waiting" in page
        )
        assert (
            as_ada.get("/o/acme/settings/members/")
            .content.decode()
            .count("1 request waiting")
            == 1
        )
        as_ada.force_login(bob.user)
        assert "request waiting" not in words(as_ada.get(OWN))

    def test_r3_the_modal_has_everything_a_decision_needs(self, as_ada):
        page = words(as_ada.get(REVIEW, headers=HTMX))
        for what in (
            "Bob Feld",
            "Standard",
            "asked 14:28 today",
            "$40.12",
            "of $40.00",
            "reached seat cap",
            "$60.00",
            "Until &lt;Thursday&gt;.",
            "Increase limit",
            "Move to Premium",
            "Dismiss",
            "9 of 10 Premium seats are free",
        ):
            assert what in page, what
        assert page.startswith("<dialog")
        whole = words(as_ada.get(REVIEW))
        assert "<dialog" not in whole[whole.index("<main") : whole.index("</main>")]

    def test_r3_increase_opens_with_what_was_asked_and_its_effect(self, as_ada):
        request = UsageRequest.objects.get()
        row = words(as_ada.get(url(request, "increase"), headers=HTMX))
        assert (
            'value="60.00"' in row
            and "Increase to $60.00" in row
            and "At $60.00, Bob can continue right away." in row
        )
        preview = words(
            as_ada.get(
                url(request, "increase/preview"), {"amount": "40.12"}, headers=HTMX
            )
        )
        assert "Increase to $40.12" in preview and "Bob stays paused" in preview

    def test_r3_increase_mails_closes_and_tells(self, as_ada, worker):
        request = UsageRequest.objects.get()
        with worker():
            response = as_ada.post(
                url(request, "increase"),
                {"amount": "60", "applies": "month"},
                headers=HTMX,
            )
        assert mail.outbox == []  # it may still be taken back
        send_answers()
        events = json.loads(response["HX-Trigger"])
        assert response.status_code == 204 and {
            "closeModal",
            "capChanged",
            "requestsChanged",
        } <= set(events)
        assert "The limit for Bob Feld is now $60.00, this month only." in json.dumps(
            events
        )
        [sent] = mail.outbox
        assert (sent.to, sent.subject) == (
            ["bob@acme.example"],
            "Ada Okafor increased your limit to $60.00, this month only",
        )
        assert "You can continue now." in sent.body and "Mon 30 Nov" in sent.body

    def test_r3_an_amount_too_small_stays_in_the_row_with_its_message(self, as_ada):
        request = UsageRequest.objects.get()
        for typed, sentence in (
            ("40.12", "must be higher than that"),
            ("abc", "abc"),
            ("", "New limit"),
        ):
            response = as_ada.post(
                url(request, "increase"),
                {"amount": typed, "applies": "month"},
                headers=HTMX,
            )
            assert response.status_code == 422 and sentence in words(response), typed
        assert UsageRequest.objects.get().status == "pending"

    def test_r4_the_second_reviewer_is_told_and_gets_the_present_list(
        self, as_ada, by_alice
    ):
        request = UsageRequest.objects.get()
        dismiss_request(
            request.organization, request_id=request.pk, note="", by=by_alice, now=NOW
        )
        response = as_ada.post(
            url(request, "increase"), {"amount": "60", "applies": "month"}, headers=HTMX
        )
        assert (
            "Alice Nakamura dismissed the request from Bob Feld"
            in response["HX-Trigger"]
        )
        assert not SpendCap.objects.filter(level="member").exists()

    def test_r3_premium_and_no_free_seat(self, as_ada, bob):
        request = UsageRequest.objects.get()
        SeatTier.objects.filter(tier="premium").update(bought=1)
        assert "Move to Premium" not in words(as_ada.get(REVIEW, headers=HTMX))
        assert (
            "All 1 Premium seats are assigned"
            in as_ada.post(url(request, "premium"), headers=HTMX)["HX-Trigger"]
        )
        SeatTier.objects.filter(tier="premium").update(bought=2)
        assert as_ada.post(url(request, "premium"), headers=HTMX).status_code == 204
        bob.refresh_from_db()
        assert bob.seat_tier == "premium"

    def test_r3_dismiss_with_a_note(self, as_ada):
        request = UsageRequest.objects.get()
        assert "Note to the member" in words(
            as_ada.get(url(request, "dismiss"), headers=HTMX)
        )
        as_ada.post(url(request, "dismiss"), {"note": "Next week."}, headers=HTMX)
        send_answers()
        assert (
            "Next week." in mail.outbox[0].body
            and mail.outbox[0].subject == "Ada Okafor dismissed your request"
        )

    def test_r3_several_ticked_in_one_amount(self, as_ada, blocked_bob):
        carol = block(
            MembershipFactory(
                organization=blocked_bob.organization, user__name="Carol Diaz"
            )
        )
        send_request(carol, now=NOW)
        ticked = [str(pk) for pk in UsageRequest.objects.values_list("pk", flat=True)]
        foot = words(as_ada.get(f"{REVIEW}increase/", {"ticked": ticked}, headers=HTMX))
        assert "Increase 2 limits" in foot
        typed = {"ticked": ticked, "amount": "41", "applies": "always"}
        assert (
            as_ada.post(
                f"{REVIEW}increase/", {**typed, "amount": "40"}, headers=HTMX
            ).status_code
            == 422
        )
        assert as_ada.post(f"{REVIEW}increase/", typed, headers=HTMX).status_code == 204
        assert (
            SpendCap.objects.filter(level="member", amount_nanos=usd("41")).count() == 2
        )
        assert AuditEntry.objects.filter(action="cap.member").count() == 2

    def test_r3_own_requests_are_for_others(self, as_ada, ada):
        block(ada)
        own = send_request(ada, now=NOW).request
        assert "Your own request: someone else decides." in words(
            as_ada.get(REVIEW, headers=HTMX)
        )
        assert (
            "You can't decide your own request"
            in as_ada.post(url(own, "dismiss"), headers=HTMX)["HX-Trigger"]
        )

    def test_r3_extra_usage_off_an_admin_hears_of_the_owner_an_owner_gets_the_link(
        self, as_ada, alice
    ):
        BillingAccount.objects.update(extra_usage_enabled=False)
        page = words(as_ada.get(REVIEW))
        assert (
            "An owner, such as Alice Nakamura, must enable it" in page
            and "Increase limit" not in page
        )
        as_ada.force_login(alice.user)
        assert f'<a href="{SETTINGS}">Enable extra usage</a>' in words(
            as_ada.get(REVIEW)
        )

    def test_without_javascript_every_press_is_a_page(self, as_ada):
        request = UsageRequest.objects.get()
        assert "New limit" in words(as_ada.get(url(request, "increase")))
        saved = as_ada.post(
            url(request, "increase"), {"amount": "60", "applies": "month"}
        )
        assert (saved.status_code, saved["Location"]) == (302, SETTINGS)

    def test_the_number_of_queries_does_not_grow_with_the_requests(
        self, as_ada, blocked_bob, django_assert_max_num_queries
    ):
        for _number in range(12):
            send_request(
                block(MembershipFactory(organization=blocked_bob.organization)), now=NOW
            )
        with django_assert_max_num_queries(12):
            as_ada.get(REVIEW, headers=HTMX)
        with django_assert_max_num_queries(15):
            as_ada.get(SETTINGS)


class TestSettings:
    def test_r4a_owners_switch_requests_and_set_the_hour_with_audit(
        self, client, blocked_bob, alice
    ):
        client.force_login(alice.user)
        response = client.post(f"{REVIEW}settings/", {"digest_hour": "7"}, headers=HTMX)
        assert response.status_code == 204
        acme = Organization.objects.get(slug="acme")
        assert (acme.requests_enabled, acme.digest_hour) == (False, 7)
        entry = AuditEntry.objects.get(action="organization.requests")
        assert (entry.from_value, entry.to_value) == (
            {"requests": True, "digest_hour": 9},
            {"requests": False, "digest_hour": 7},
        )
        assert "Off, digest at 07:00" in words(client.get("/o/acme/settings/activity/"))
        assert (
            client.post(
                f"{REVIEW}settings/", {"digest_hour": "24"}, headers=HTMX
            ).status_code
            == 422
        )

    def test_admins_may_not_but_stop_their_own_digest(self, as_ada, ada):
        assert (
            as_ada.post(f"{REVIEW}settings/", {"digest_hour": "7"}).status_code == 403
        )
        as_ada.post(f"{REVIEW}digest/", {"wanted": "0"})
        assert "You don't get it." in words(as_ada.get(SETTINGS))
        as_ada.post(f"{REVIEW}digest/", {"wanted": "1"})
        assert "You get it when requests are waiting." in words(as_ada.get(SETTINGS))


@pytest.mark.parametrize("request_id", [0, 2**31, 2**63 - 1, 2**63, 10**30])
def test_ids_nobody_has_answer_like_a_request_that_is_gone(as_ada, request_id):
    for what in ("", "increase/", "increase/preview/", "dismiss/"):
        assert as_ada.get(f"{REVIEW}{request_id}/{what}", headers=HTMX).status_code in (
            200,
            204,
        ), what
    for what, typed in (
        ("increase/", {"amount": "60", "applies": "month"}),
        ("premium/", {}),
        ("dismiss/", {}),
    ):
        answer = as_ada.post(f"{REVIEW}{request_id}/{what}", typed, headers=HTMX)
        assert (
            answer.status_code == 200
            and "There is no such request." in answer["HX-Trigger"]
        ), what
    typed = {
        "ticked": [str(request_id), "x", "-1", "٣"],
        "amount": "60",
        "applies": "month",
    }
    assert as_ada.post(f"{REVIEW}increase/", typed, headers=HTMX).status_code in (
        200,
        422,
    )
    assert UsageRequest.objects.get().status == "pending"


def test_hostile_words_in_forms_stay_words(as_bob):
    as_bob.post(f"{OWN}request/")
    for note, amount in (
        ("\0<script>", "60"),
        ("x" * 501, "60"),
        ("ok", "9" * 400),
        ("ok", "NaN"),
    ):
        answer = as_bob.post(
            f"{OWN}request/details/", {"note": note, "amount": amount}, headers=HTMX
        )
        assert answer.status_code in (200, 422)
        assert "<script>" not in answer.content.decode()
    assert UsageRequest.objects.get().asked_nanos == usd("60")


def test_r4_who_opens_a_row_that_was_decided_meanwhile_reads_who_decided_what(
    client, blocked_bob, alice, by_ada
):
    waiting = send_request(blocked_bob, now=NOW).request
    dismiss_request(
        blocked_bob.organization, request_id=waiting.pk, note="", by=by_ada, now=NOW
    )
    client.force_login(alice.user)
    for act in ("increase", "dismiss"):
        path = f"/o/acme/settings/usage/requests/{waiting.pk}/{act}/"
        answer = client.get(path, headers={"HX-Request": "true"})
        assert "Ada Okafor dismissed the request from Bob Feld" in answer["HX-Trigger"]
        assert client.get(path).status_code == 302, "no dead end without scripts"
