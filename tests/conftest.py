"""The fixed cast and the frozen clock.

Alice owns Acme, Ada is its admin, Bob a member; Charlie belongs elsewhere.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db.models.signals import post_migrate
from django.utils import translation
from hypothesis import HealthCheck, settings

from accounts.key_use import forget_uses
from accounts.models import Membership, Organization
from billing.prices.queries import forget_price_books
from config.health import forget_readiness
from config.kit import clock
from config.kit.limits import forget_calls
from config.kit.waits import silence, wait_as
from tests.emptying import empty_without_guards
from tests.factories.people import make_cast
from tests.factories.seeds import keep_seeds, seed, seed_again
from tests.migrated import start_tests_migrated
from tests.services import REQUIRED, missing

# How long one example takes says how busy the machine is, not whether the rule holds.
settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")
NOW = dt.datetime(2026, 11, 23, 19, 28, tzinfo=dt.UTC)  # Monday, 14:28 in New York


@pytest.fixture
def now() -> dt.datetime:
    """The frozen NOW of acts that take the clock as an argument."""
    return NOW


@pytest.fixture
def acme(db: None) -> Organization:
    """Seat-based Enterprise in New York with Alice, Ada and Bob; Charlie's Umbrella
    beside it.
    """
    return make_cast(now=NOW)


def _membership(acme: Organization, email: str) -> Membership:
    return Membership.objects.select_related("organization", "user").get(
        user__email=email
    )


@pytest.fixture
def alice(acme: Organization) -> Membership:
    """Acme's primary owner, premium seat."""
    return _membership(acme, "alice@acme.example")


@pytest.fixture
def ada(acme: Organization) -> Membership:
    """Acme's admin, standard seat."""
    return _membership(acme, "ada@acme.example")


@pytest.fixture
def bob(acme: Organization) -> Membership:
    """A member of Acme, standard seat."""
    return _membership(acme, "bob@acme.example")


@pytest.fixture
def charlie(acme: Organization) -> Membership:
    """The primary owner of Umbrella: a stranger at Acme."""
    return _membership(acme, "charlie@umbrella.example")


@pytest.fixture
def worker(django_capture_on_commit_callbacks):
    """`with worker():` what is enqueued inside is done at its end, as by a worker."""
    return partial(django_capture_on_commit_callbacks, execute=True)


@pytest.fixture(autouse=True)
def _no_language_left():
    """What a page was asked for in stays active in its thread; no test begins with it."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _fresh_price_book():
    """Price list versions come again after a rollback, with other prices."""
    forget_price_books()


@pytest.fixture(autouse=True)
def _seeded(request: pytest.FixtureRequest):
    """Prices and seat allowances for tests that start with emptied tables."""
    mark = request.node.get_closest_marker("django_db")
    transactional = (
        bool(mark and mark.kwargs.get("transaction"))
        or "transactional_db" in request.fixturenames
    )
    if transactional or "live_server" in request.fixturenames:
        request.getfixturevalue("transactional_db")
        seed_again()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a service that is not here, and say why.

    Where services are required, it fails instead. A race is tried once: one that is lost
    is a fault, however the next try ends.
    """
    for item in items:
        if "concurrency" in item.path.parts or "_race" in item.path.stem:
            item.add_marker(pytest.mark.flaky(reruns=0))
        if item.get_closest_marker("browser") and "browser" not in item.path.parts:
            # The browser's run looks nowhere else (tests/run.py).
            raise pytest.UsageError(f"{item.nodeid} belongs in tests/browser")
        for name in (
            "postgres",
            "redis",
            "browser",
            "faketime",
            "pgbouncer",
            "cluster",
            "peers",
        ):
            reason = missing(name) if item.get_closest_marker(name) else None
            # The PostgreSQL tests and those of peers have their own runs; only the run
            # that is meant for them may not skip.
            if reason and not (REQUIRED and name not in ("postgres", "peers")):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """Databases are not migrated but copied, each from the one that was."""
    with pytest.MonkeyPatch.context() as patch:
        start_tests_migrated(patch)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The migrations' rows also in a kept database that an earlier run emptied."""
    with django_db_blocker.unblock():
        seed()
        keep_seeds()


@pytest.fixture(autouse=True, scope="session")
def _tests_may_empty_the_books():
    """Transactional tests empty all tables, which neither `flush` nor the database let
    anybody do; what they start with, they are given by `seed`.
    """
    with pytest.MonkeyPatch.context() as patch:
        empty_without_guards(patch)
        patch.setattr(
            "config.management.commands.flush.refuse_to_empty", lambda using: None
        )
        post_migrate.disconnect(
            sender=apps.get_app_config("billing"), dispatch_uid="fill_when_empty"
        )
        yield


@pytest.fixture(autouse=True)
def _database_without_a_clock(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
):
    """Frozen moments are not the database server's, so here it has no say, as on SQLite;
    tests of its clock are marked `database_clock`.
    """
    if request.node.get_closest_marker("database_clock") is None:
        monkeypatch.setattr(
            clock.HostClock, "agree", lambda host, database_time: host.asked_at
        )


@pytest.fixture(autouse=True)
def _empty_cache():
    """Rate limits of one test are not another's, nor what it saw of the services."""
    cache.clear()
    forget_calls()
    forget_readiness()
    forget_uses()


@pytest.fixture(autouse=True)
def _waits_as_long_as_it_takes():
    """A thread keeps how its last call waited; the next test's own work waits longer."""
    wait_as("")
    yield
    wait_as("")
    silence.over()
