"""Names that were meant to be a setting of ours stop the start; all others, of which an
environment is full, do not.
"""

from __future__ import annotations

import pytest

from config.lookalikes import in_environment, lookalikes, names_in, steps, unknown_in
from config.settings.start import env
from tests.house.test_settings import (
    PRODUCTION,
    ROOT,
    manage,
    settings_of_code,
    settings_of_example,
    settings_of_readme,
)

OURS = frozenset(settings_of_code())
TYPOS = {
    "DATABSE_URL": "DATABASE_URL",
    "DATABASE_URI": "DATABASE_URL",
    "DATABASEURL": "DATABASE_URL",
    "database_url": "DATABASE_URL",
    "DJANGO_SECRET_KEY": "SECRET_KEY",
    "DJANGO_DEBUG": "DEBUG",
    "SECERT_KEY": "SECRET_KEY",
    "ALLOWED_HOST": "ALLOWED_HOSTS",
    "REDIS_URI": "REDIS_URL",
    "MAIL_URL": "EMAIL_URL",
    "EXTRA_USAGE_SITE_URL": "SITE_URL",
    "STRIPE_SECRETKEY": "STRIPE_SECRET_KEY",
    "WEB_WORKER": "WEB_WORKERS",
}
# As they stand in environments of containers, platforms, shells and CI.
USUAL = (ROOT / "tests/data/usual_environment.txt").read_text().split()


@pytest.mark.parametrize("name", TYPOS)
def test_f9_a_name_that_is_almost_a_setting_is_found(name):
    assert in_environment({name: "x"}, OURS) == {name: TYPOS[name]}
    assert lookalikes([name], OURS, in_file=True) == {name: TYPOS[name]}


@pytest.mark.parametrize("name", ["PROT", "DEBG", "debug", "APP_DEBUG", "VARDIR"])
def test_short_names_are_found_in_our_own_file_alone(name):
    assert lookalikes([name], OURS, in_file=True)
    assert not in_environment({name: "x"}, OURS)


def test_nothing_that_environments_usually_hold_is_taken_for_a_setting():
    assert len(USUAL) > 200
    found = in_environment(dict.fromkeys(USUAL, "x"), OURS)
    assert found == {}


def test_addresses_of_services_are_taken_for_none():
    services = {f"{name}_PORT": "tcp://10.0.0.1:80" for name in ("SITE", "EXTRA_USAGE")}
    services["DJANGO_PORT"] = services["SITE_URL_"] = "tcp://10.0.0.1:80"
    assert in_environment(services, OURS) == {}


def test_settings_are_no_lookalikes_of_each_other():
    assert lookalikes(OURS, OURS, in_file=True) == {}


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("ABCD", "ABCD", 0),
        ("ABCD", "ACBD", 1),
        ("ABCD", "ABD", 1),
        ("ABCD", "AXXD", 2),
        ("", "AB", 2),
    ],
)
def test_steps_count_letters_and_swaps(one, other, distance):
    assert steps(one, other) == steps(other, one) == distance


def test_a_file_is_read_as_django_environ_does(tmp_path):
    file = tmp_path / ".env"
    file.write_text("# SITE_URL=x\n\nexport DEBUG=true\r\nPORT = 8\nFOO=1=2\n")
    assert names_in(file) == ({"DEBUG", "FOO"}, {4: "PORT"})
    assert names_in(tmp_path / "none") == (set(), {})
    assert unknown_in({"DEBUG", "FOO", "POSTGRES_PASSWORD"}, OURS) == ["FOO"]


def test_every_setting_is_read_whatever_the_others_say_and_documented():
    assert env.names == OURS == set(settings_of_readme()) == set(settings_of_example())


def test_f9_a_mistyped_name_stops_production_with_one_sentence():
    typed = {**PRODUCTION, "DATABSE_URL": PRODUCTION["DATABASE_URL"]}
    done = manage("check", without=("DATABASE_URL",), **typed)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "DATABSE_URL is not a setting; did you mean DATABASE_URL? Rename or remove it in"
        " the environment.\n"
    )


def test_a_mistyped_secret_is_named_rather_than_missed():
    done = manage("check", without=("SECRET_KEY",), SECERT_KEY="x" * 60)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "SECERT_KEY is not a setting; did you mean SECRET_KEY?"
    )


def test_f9_production_without_a_database_does_not_start():
    done = manage("check", without=("DATABASE_URL",), **PRODUCTION)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("DATABASE_URL is not set, and https://usage.example ")


def test_f9_static_files_are_collected_without_one(tmp_path):
    words = ("collectstatic", "--dry-run", "--noinput", "--verbosity", "0")
    done = manage(*words, without=("DATABASE_URL",), **PRODUCTION)
    assert done.returncode == 0, done.stderr
