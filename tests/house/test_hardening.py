"""S33: what browsers may not do with our pages, a cache that runs nothing it reads, health
by whatever name it is asked, and containers that can do no more than they must.
"""

from __future__ import annotations

import pickle
import re
import uuid
from decimal import Decimal

import pytest
import yaml
from django.core.cache import caches
from django.test import Client

from config.json_cache import JsonSerializer
from tests.house.test_settings import ROOT, manage
from tests.services import REDIS_URL

ELSEWHERE = {"Host": "10.0.0.7:8000"}


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/no/such/page/", "/admin/login/"]
)
def test_s33_browsers_are_told_what_no_page_may_use(client, db, path):
    policy = client.get(path).headers["Permissions-Policy"]
    assert re.fullmatch(r"([a-z-]+=\(\), )+[a-z-]+=\(\)", policy)
    for feature in ("camera", "microphone", "geolocation", "payment", "usb"):
        assert f"{feature}=()" in policy


def test_s33_programs_are_not(client, db):
    assert "Permissions-Policy" not in client.get("/api/v1/organization").headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_s33_health_is_told_to_whoever_asks_by_an_address(db, settings, tmp_path, path):
    settings.ALLOWED_HOSTS = ["usage.example"]
    settings.REDIS_URL, settings.QUEUE_DIR = "", tmp_path
    settings.SECURE_SSL_REDIRECT = True
    assert Client(headers=ELSEWHERE).get(path).status_code == 200


@pytest.mark.parametrize("path", ["/accounts/login/", "/healthz/", "/readyz/x"])
def test_s33_nothing_else_is(db, settings, path):
    settings.ALLOWED_HOSTS = ["usage.example"]
    assert Client(headers=ELSEWHERE).get(path).status_code == 400


@pytest.fixture
def shared(settings):
    """The cache as in production, in a Redis of our own."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"serializer": "config.json_cache.JsonSerializer"},
            "KEY_PREFIX": f"test-{uuid.uuid4()}",
            "TIMEOUT": 60,
        }
    }
    return caches["default"]


@pytest.mark.redis
@pytest.mark.parametrize(
    "value", ["text", "12", "é\n", True, None, 1.5, 7, -7, [1.5, "a"], {"a": [None]}]
)
def test_s33_the_shared_cache_gives_back_what_it_was_given(shared, value):
    shared.set("kept", value)
    assert shared.get("kept", "nothing") == value
    assert type(shared.get("kept")) is type(value)


@pytest.mark.redis
def test_s33_the_shared_cache_counts(shared):
    assert shared.add("counted", 1) and shared.incr("counted", 2) == 3
    assert shared.get("counted") == 3


@pytest.mark.redis
def test_s33_the_shared_cache_keeps_nothing_that_json_has_not(shared):
    with pytest.raises(TypeError):
        shared.set("refused", Decimal(1))


def test_s33_the_shared_cache_does_not_unpickle():
    class Runs:
        def __reduce__(self):
            return (pytest.fail, ("A pickle was run.",))

    with pytest.raises(ValueError):
        JsonSerializer().loads(pickle.dumps(Runs()))


@pytest.mark.redis
def test_s33_wrong_passwords_are_counted_in_the_shared_cache(db, shared, client, alice):
    def answer() -> str:
        form = {"login": alice.user.email, "password": "wrong"}
        return client.post("/accounts/login/", form).content.decode()

    answers = [answer() for _ in range(7)]
    assert "Too many failed" not in answers[0] and "Too many failed" in answers[-1]


def test_s33_the_settings_of_production_use_it():
    code = "from django.core.cache import cache; print(cache._cache._serializer)"
    done = manage("shell", "--no-imports", "-c", code, REDIS_URL=REDIS_URL)
    assert "JsonSerializer" in done.stdout, done.stderr


def test_s33_containers_can_do_no_more_than_they_must():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"] and "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name
    assert compose["networks"]["data"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert compose["services"][name]["networks"] == ["data"]
        assert compose["services"][name]["user"] == name
    assert "requirepass" in compose["services"]["redis"]["command"][2]
    environment = compose["services"]["web"]["environment"]
    assert environment["REDIS_PASSWORD"].startswith("${REDIS_PASSWORD:?")
    assert environment["DATABASE_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
