"""External authorization: what a proxy is answered for its client (X1, X2)."""

from __future__ import annotations

import pytest

from accounts.models import Membership
from billing.funding.promises import read_promise
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, UsageEvent
from tests.factories.people import make_api_key, make_token
from tests.factories.usage import enable_extra_usage, event

MEMBER = "x-extra-usage-member"
KEY = "x-extra-usage-key"
BOB = "bob@acme.example"


@pytest.fixture
def key(acme, now, time_machine):
    """A key of Acme that may meter."""
    time_machine.move_to(now, tick=False)
    return make_api_key(acme, scopes="meter", now=now)


@pytest.fixture
def ask(client, key):
    """A proxy's question, with its key in its own header."""

    def send(path="/v1/messages", method="POST", **headers):
        sent = {KEY: key, MEMBER: BOB, **headers}
        sent = {
            name.replace("_", "-"): value
            for name, value in sent.items()
            if value is not None
        }
        return client.generic(method, f"/doors/ext-authz{path}", headers=sent)

    return send


def use_up(member: Membership, *, now) -> None:
    """Bob's included usage is gone, and extra usage is off."""
    spent = event(member, usd="2.00", at=now)
    record_usage([spent], organization_id=member.organization_id, now=now)


def test_x1_who_may_go_on_passes_with_a_promise_and_what_is_left(acme, ask, bob, now):
    enable_extra_usage(acme, cap="50")
    answer = ask()
    assert (answer.status_code, answer.content) == (200, b"")
    # A dollar that the seat includes, then extra usage.
    assert answer["x-extra-usage-remaining"] == "51.000000000"
    promise = read_promise(answer["x-extra-usage-authorization"])
    assert promise is not None
    assert (promise.membership_id, promise.funding) == (bob.pk, "included")


def test_x1_without_any_limit_what_is_left_is_called_so(acme, ask):
    enable_extra_usage(acme, cap=None)
    assert ask()["x-extra-usage-remaining"] == "unlimited"


def test_a_promise_pays_for_the_event_that_presents_it(acme, ask, bob, now):
    token = ask()["x-extra-usage-authorization"]
    use_up(bob, now=now)
    kept = event(bob, id="kept", usd="0.10", at=now, authorization=token)
    record_usage([kept], organization_id=acme.pk, now=now)
    found = UsageEvent.objects.get(event_id="kept")
    assert (found.funding, found.funding_why) == ("included", "promised")


def test_a_member_who_may_not_is_stopped_as_clients_show_it_best(ask, bob, now):
    use_up(bob, now=now)
    answer = ask()
    assert answer.status_code == 402
    assert answer["content-type"] == "application/json"
    assert answer["x-should-retry"] == "false"
    body = answer.json()
    assert (body["type"], body["error"]["type"]) == ("error", "billing_error")
    assert "extra usage is off for Acme" in body["error"]["message"]
    assert "x-extra-usage-authorization" not in answer


def test_the_sentence_is_in_the_members_language(ask, bob, now):
    bob.user.language = "ja"
    bob.user.save(update_fields=["language"])
    use_up(bob, now=now)
    assert "追加使用" in ask().json()["error"]["message"]


@pytest.mark.parametrize(
    "path", ["", "/", "/v1/messages?beta=true", "//v1//messages", "/a%2Fb%00", "/日本"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_whatever_path_and_method_the_client_used(ask, path, method):
    assert ask(path, method).status_code == 200


def test_x2_somebody_unknown_is_stopped_with_a_sentence(ask):
    answer = ask(**{MEMBER: "nobody@acme.example"})
    assert answer.status_code == 402
    assert answer.json()["error"]["message"] == (
        "“nobody@acme.example” is no member of Acme. Ask an owner to invite you."
    )


@pytest.mark.parametrize("named", [None, "", "x" * 500])
def test_who_is_not_named_is_told_whose_mistake_it_is(ask, named):
    answer = ask(**{MEMBER: named})
    assert answer.status_code == 402
    assert "“x-extra-usage-member” is missing" in answer.json()["error"]["message"]


def test_members_are_named_by_id_and_in_any_case_too(ask, bob):
    assert ask(**{MEMBER: str(bob.pk)}).status_code == 200
    assert ask(**{MEMBER: "BOB@Acme.Example"}).status_code == 200


def test_what_a_client_adds_to_the_proxys_header_names_nobody(ask):
    """Servers join headers of one name."""
    assert ask(**{MEMBER: "alice@acme.example,bob@acme.example"}).status_code == 402


def test_names_of_headers_are_settings(ask, settings, now, bob):
    settings.DOOR_MEMBER_HEADER = "x-user-email"
    settings.DOOR_SURFACE_HEADER = "x-team-tool"
    use_up(bob, now=now)
    stopped = ask(**{MEMBER: "alice@acme.example", "x-user-email": BOB})
    assert stopped.status_code == 402
    passed = ask(**{"x-user-email": "alice@acme.example", "x-team-tool": "Cursor"})
    assert passed["x-extra-usage-surface"] == "cursor"


@pytest.mark.parametrize(
    "agent, surface",
    [("claude-cli/2.1.332 (external, cli)", "claude_code"), ("curl/8", "claude")],
)
def test_x4_without_a_header_the_client_tells_the_surface(ask, agent, surface):
    assert ask(user_agent=agent)["x-extra-usage-surface"] == surface


def test_the_clients_own_authorization_is_not_the_key(ask):
    assert ask(authorization="Bearer sk-ant-oat01-theirs").status_code == 200


def test_a_key_may_stand_in_authorization_where_there_is_no_other(ask, key):
    assert ask(**{KEY: None, "authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize("wrong", ["", "xu_nonsense", "Bearer xu_nonsense", None])
def test_a_wrong_key_is_the_gateways_fault(ask, wrong):
    answer = ask(**{KEY: wrong})
    assert answer.status_code == 401
    assert answer["content-type"] == "application/problem+json"


def test_the_own_header_for_the_key_opens_this_door_alone(client, key):
    headers = {KEY: key, MEMBER: BOB}
    assert (
        client.get("/doors/claude-code/statusline", headers=headers).status_code == 401
    )
    assert client.post("/api/v1/authorize", headers=headers).status_code == 401


def test_x3_a_personal_token_asks_for_whose_it_is_alone(ask, bob, ada, now):
    token = make_token(bob, now=now)
    assert ask(**{KEY: token, MEMBER: None}).status_code == 200
    assert ask(**{KEY: token, MEMBER: ada.user.email}).status_code == 403


def test_envoy_sends_on_the_name_its_client_called(ask, settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]  # SITE_URL's
    assert ask(host="ai.acme.example").status_code == 200


def test_nobody_keeps_an_answer(ask):
    assert ask()["cache-control"] == "private, no-store"


def test_a_member_who_asks_too_often_is_told_when_to_come_again(ask, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "member": "2/minute"}
    assert [ask().status_code for _ in range(3)] == [200, 200, 429]
    assert int(ask()["retry-after"]) >= 1


def test_n5_the_first_request_of_extra_usage_says_that_it_begins(acme, ask, bob, now):
    enable_extra_usage(acme, cap="50")
    assert not ask().has_header("x-extra-usage-changeover")
    use_up(bob, now=now)
    assert ask()["x-extra-usage-changeover"] == "true"
    first = event(bob, usd="0.10", at=now)
    record_usage([first], organization_id=acme.pk, now=now)
    assert not ask().has_header("x-extra-usage-changeover")


def test_n5_who_waits_for_their_own_yes_is_stopped_with_where_to_say_it(
    acme, ask, bob, now
):
    enable_extra_usage(acme, cap="50")
    BillingAccount.objects.update(confirmation_required=True)
    # Before it, nothing of extra usage counts as what may be spent.
    assert ask()["x-extra-usage-remaining"] == "1.000000000"
    use_up(bob, now=now)
    answer = ask()
    assert answer.status_code == 402
    sentence = answer.json()["error"]["message"]
    assert sentence.endswith(" http://127.0.0.1:8000/o/acme/usage/#continue")
