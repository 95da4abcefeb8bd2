"""S30: how often an API key, a member and a stranger may call."""

from __future__ import annotations

import json

import pytest

from accounts.actions.api_keys import revoke_api_key
from accounts.actions.audit import Actor
from accounts.models import ApiKey
from config.kit import limits
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage


@pytest.fixture
def key(acme, now) -> str:
    enable_extra_usage(acme)
    return make_api_key(acme, now=now)


def post(client, path: str, body: object, *, key: str = "", **more: str):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return client.post(
        f"/api/v1{path}",
        json.dumps(body),
        content_type="application/json",
        headers=headers,
        **more,
    )


def check(client, key: str, member: str = "bob@acme.example", **more: str):
    asked = {"member": member, "surface": "claude_code", "model": "m"}
    return post(client, "/authorize", asked, key=key, **more)


def read(client, path: str, key: str):
    return client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {key}"})


def limited(settings, **rates: str) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, **rates}


def assert_too_many(response) -> None:
    assert response.status_code == 429, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"]) == (429, "too_many_calls")
    assert 1 <= int(response["Retry-After"]) <= 60
    assert f"in {response['Retry-After']} seconds" in problem["detail"]


def test_s30_wrong_keys_from_one_address_are_refused_after_sixty_a_minute(client, key):
    answers = [check(client, f"xu_wrong_{n}").status_code for n in range(62)]
    assert answers == [401] * 60 + [429] * 2
    assert_too_many(check(client, "xu_wrong"))
    assert_too_many(post(client, "/usage", {"events": [{}]}, key="xu_wrong"))
    assert_too_many(read(client, "/organization", "xu_wrong"))
    assert check(client, "xu_wrong", REMOTE_ADDR="203.0.113.5").status_code == 401


def test_s30_calls_without_a_key_count_as_wrong_ones(client, key, settings):
    limited(settings, wrong_keys="2/minute")
    answers = [check(client, "").status_code for _ in range(3)]
    assert answers == [401, 401, 429]


HOT_PATHS = pytest.mark.parametrize("path", ["/authorize", "/usage"])


@HOT_PATHS
@pytest.mark.parametrize("body", [{}, {"events": 5}, ["x"]])
def test_s30_wrong_keys_count_whatever_body_they_come_with(
    client, key, settings, monkeypatch, path, body
):
    """N6: a wrong key is answered before its body is parsed, and counted once."""
    limited(settings, wrong_keys="2/minute")
    parsed = []
    monkeypatch.setattr("config.api.loads", lambda *args, **_: parsed.append(args))
    wrong = [post(client, path, body, key=f"xu_wrong_{n}") for n in range(4)]
    assert [answer.status_code for answer in wrong] == [401, 401, 429, 429]
    assert_too_many(wrong[-1])
    assert parsed == []


@HOT_PATHS
def test_s30_a_good_key_is_told_what_its_body_lacks_and_counts_as_no_wrong_one(
    client, key, settings, path
):
    """N6: also before this process let it in for the first time."""
    limited(settings, wrong_keys="2/minute")
    answers = [post(client, path, {}, key=key).status_code for _ in range(4)]
    assert answers == [422] * 4


@HOT_PATHS
def test_s30_a_revoked_key_with_an_unfit_body_is_a_wrong_one(client, key, now, path):
    """N6."""
    revoke_api_key(ApiKey.objects.get(), actor=Actor(label="test"), now=now)
    assert post(client, path, {}, key=key).status_code == 401


@HOT_PATHS
def test_s30_a_key_past_its_end_is_told_so_and_only_once_the_clock_is_trusted(
    client, key, now, path
):
    """N6: before the body is read only the key's being there is looked at."""
    ApiKey.objects.update(expires_at=now)
    assert post(client, path, {}, key=key).status_code == 422
    fit = {"member": "bob@acme.example", "surface": "claude_code", "model": "m"}
    body = fit if path == "/authorize" else {"events": [{"id": "x"}]}
    answer = post(client, path, body, key=key)
    assert answer.status_code == 401
    assert "expired at" in answer.json()["detail"]


def test_s30_the_key_is_looked_for_apart_only_until_it_was_let_in(
    client, key, django_assert_num_queries
):
    """N6: the hot path costs one statement more once per key and process."""
    with django_assert_num_queries(2):
        assert check(client, key).status_code == 200
    with django_assert_num_queries(1):
        assert check(client, key).status_code == 200


@pytest.mark.parametrize("is_known", [True, False])
def test_s30_a_good_key_is_never_refused_for_its_neighbours(
    client, key, settings, is_known
):
    limited(settings, wrong_keys="2/minute")
    if is_known:
        assert check(client, key).status_code == 200
    for _ in range(5):
        check(client, "xu_wrong")
    assert check(client, key).status_code == 200
    assert read(client, "/organization", key).status_code == 200


def test_s30_a_key_that_was_revoked_is_a_wrong_one_at_once(client, key, settings, now):
    limited(settings, wrong_keys="2/minute")
    assert check(client, key).status_code == 200
    revoke_api_key(ApiKey.objects.get(), actor=Actor(label="test"), now=now)
    answers = [check(client, key).status_code for _ in range(4)]
    assert answers == [401, 401, 429, 429]


def test_s30_an_address_is_what_the_proxy_says_and_not_what_the_client_says(
    client, key, settings
):
    limited(settings, wrong_keys="1/minute")
    forged = {"HTTP_X_FORWARDED_FOR": "198.51.100.1"}
    assert check(client, "xu_wrong", **forged).status_code == 401
    forged = {"HTTP_X_FORWARDED_FOR": "198.51.100.2"}
    assert check(client, "xu_wrong", **forged).status_code == 429
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    told = {"HTTP_X_FORWARDED_FOR": "198.51.100.9, 203.0.113.7"}
    assert check(client, "xu_wrong", **told).status_code == 401
    told = {"HTTP_X_FORWARDED_FOR": "198.51.100.10, 203.0.113.7"}
    assert check(client, "xu_wrong", **told).status_code == 429


def test_s30_addresses_of_ipv6_count_by_their_network(client, key, settings):
    limited(settings, wrong_keys="1/minute")
    answers = [
        check(client, "xu_wrong", REMOTE_ADDR=address).status_code
        for address in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1")
    ]
    assert answers == [401, 429, 401]


@pytest.mark.parametrize("path", ["/authorize", "/usage"])
def test_s30_one_key_has_a_limit_on_the_paths_of_every_request(
    client, key, settings, path
):
    limited(settings, hot="2/minute")
    body = {"events": [{"id": "x"}]}
    if path == "/authorize":
        body = {"member": "bob@acme.example", "surface": "claude_code", "model": "m"}
    answers = [post(client, path, body, key=key).status_code for _ in range(2)]
    assert answers == [200, 200]
    assert_too_many(post(client, path, body, key=key))


def test_s30_one_member_has_a_limit_that_is_nobody_elses(client, key, settings):
    limited(settings, member="2/minute")
    assert [check(client, key).status_code for _ in range(2)] == [200, 200]
    assert_too_many(check(client, key, "BOB@acme.example"))
    assert check(client, key, "ada@acme.example").status_code == 200


def test_s30_reading_and_reports_have_limits_of_their_own(client, key, settings):
    limited(settings, calls="2/minute", reports="1/minute")
    report = "/usage?start=2026-11-01&end=2026-12-01"
    assert read(client, "/organization", key).status_code == 200
    assert read(client, report, key).status_code == 200
    assert_too_many(read(client, report, key))
    assert read(client, "/members", key).status_code == 200
    assert_too_many(read(client, "/organization", key))
    assert check(client, key).status_code == 200


def test_s30_off_means_no_limit(client, key, settings):
    limited(settings, wrong_keys="", member="", hot="")
    assert {check(client, "xu_wrong").status_code for _ in range(70)} == {401}
    assert {check(client, key).status_code for _ in range(5)} == {200}


def test_s30_ten_thousand_checks_in_ten_seconds_pass_the_limits_of_a_key(settings):
    """The defaults are for abuse: what a process can serve is below them."""
    for number in range(4_500):
        limits.count_call(limits.HOT, "digest")
        limits.count_call(limits.MEMBER, "digest", number % 20)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9/0", "unix:///nowhere/redis.sock"])
def test_issue_14_without_redis_each_process_counts_for_itself(
    client, key, settings, url
):
    settings.REDIS_URL = url
    limited(settings, wrong_keys="2/minute", calls="2/minute")
    answers = [check(client, "xu_wrong").status_code for _ in range(3)]
    assert answers == [401, 401, 429]
    assert check(client, key).status_code == 200
    answers = [read(client, "/organization", key).status_code for _ in range(3)]
    assert answers == [200, 200, 429]


@pytest.mark.redis
def test_s30_with_redis_all_processes_count_together(client, key, settings):
    from redis import Redis

    from tests.services import REDIS_URL

    with Redis.from_url(REDIS_URL) as server:
        for name in server.scan_iter("LIMITS*"):
            server.delete(name)
    settings.REDIS_URL = REDIS_URL
    limited(settings, wrong_keys="3/minute")
    answers = []
    for _process in range(4):
        limits.forget_calls()
        answers.append(check(client, "xu_wrong").status_code)
    assert answers == [401, 401, 401, 429]


def test_every_call_says_in_openapi_that_it_may_be_too_many():
    from config.api import api

    for path in api.get_openapi_schema(path_prefix="/api/v1/")["paths"].values():
        for operation in path.values():
            assert "Retry-After" in operation["responses"][429]["headers"]
