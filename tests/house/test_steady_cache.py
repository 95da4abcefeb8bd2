"""Issue 14: a Redis that is away slows down or fails nobody."""

from __future__ import annotations

import time

import pytest
from django.core.cache import caches
from django.test import override_settings

from config.kit import cache as steady
from tests.services import REDIS_URL


@pytest.fixture(autouse=True)
def _asks_again():
    steady.away.forget()
    yield
    steady.away.forget()


@pytest.fixture
def gone():
    """A cache on a port where nobody answers."""
    place = {
        "BACKEND": "config.kit.cache.SteadyRedisCache",
        "LOCATION": "redis://127.0.0.1:9/0",
    }
    with override_settings(CACHES={"default": place}):
        yield caches["default"]
        caches["default"].own.clear()


def test_issue_14_a_cache_without_redis_keeps_in_the_process(gone):
    started = time.monotonic()
    assert gone.add("lock", True, timeout=9) is True
    assert gone.add("lock", True, timeout=9) is False
    gone.set("a", [1, 2], timeout=9)
    assert gone.get("a") == [1, 2]
    assert gone.get_many(["a", "b"]) == {"a": [1, 2]}
    gone.set_many({"n": 1})
    assert gone.incr("n") == 2
    assert "n" in gone and gone.touch("n")
    gone.delete("a")
    gone.delete_many(["n"])
    assert gone.get("a") is None and gone.get("n") is None
    gone.clear()
    assert time.monotonic() - started < 2


def test_issue_14_signing_in_works_without_redis(gone, client, alice):
    from tests.factories.people import PASSWORD

    typed = {"login": alice.user.email, "password": PASSWORD}
    assert client.post("/accounts/login/", typed).status_code == 302


@pytest.mark.redis
def test_with_redis_it_is_djangos_own():
    place = {"BACKEND": "config.kit.cache.SteadyRedisCache", "LOCATION": REDIS_URL}
    with override_settings(CACHES={"default": place}):
        caches["default"].set("steady", "x", timeout=5)
        assert caches["default"].get("steady") == "x"
        assert caches["default"].own.get("steady") is None
