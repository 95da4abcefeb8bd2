"""Commands and a database that can't be used: one sentence; and `migrate`, which works
alone.
"""

from __future__ import annotations

import threading
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command, get_commands
from django.db import InternalError, OperationalError, connection

from config import checks, serve
from config.command_line import explained
from config.kit.alone import alone_in
from config.migrating import WAITING, one_at_a_time
from tests.house.test_settings import PRODUCTION, manage


@pytest.mark.parametrize(
    "address",
    ["postgres://u:hunter2@127.0.0.1:1/x", "sqlite:////proc/none/x.db"],
)
def test_f25_a_database_away_is_one_sentence_of_migrate(address, tmp_path):
    done = manage("migrate", DATABASE_URL=address, VAR_DIR=str(tmp_path))
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "DATABASE_URL" in done.stderr and "hunter2" not in done.stderr


def test_f25_a_folder_that_takes_no_files_is_named(tmp_path):
    (tmp_path / "taken").write_text("")
    done = manage("check", VAR_DIR=str(tmp_path / "taken"))
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("VAR_DIR can't be used: ")


def test_a_standby_is_one_sentence():
    reading = psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT")
    error = InternalError("cannot execute INSERT in a read-only transaction")
    error.__cause__ = reading
    assert "pg_promote" in str(explained(error))


@pytest.mark.parametrize("word", ["0", "70000", "-1", "8000x", "８０００"])
def test_a_port_that_is_none_is_one_sentence(word, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["config.serve", f"--port={word}"])
    with pytest.raises(SystemExit):
        serve.main()
    assert "give a number from 1 to 65535" in capsys.readouterr().err


def test_a_line_of_env_that_nobody_reads_is_named(settings):
    settings.UNKNOWN_SETTINGS = ["SMTP_HOST"]
    [warning] = checks.settings_are_ours()
    assert warning.id == "config.W022" and "SMTP_HOST" in warning.msg
    settings.UNKNOWN_SETTINGS = []
    assert checks.settings_are_ours() == []


def test_errors_of_our_own_keep_their_traceback():
    assert explained(OperationalError("deadlock detected")) is None


def test_f25_our_migrate_is_the_one_that_runs():
    assert get_commands()["migrate"] == "config"


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_f25_a_second_migrate_waits_for_the_first():
    said, done = StringIO(), threading.Event()

    def second() -> None:
        call_command("migrate", verbosity=0, stdout=said)
        connection.close()
        done.set()

    with one_at_a_time(connection, say=pytest.fail):
        thread = threading.Thread(target=second)
        thread.start()
        assert not done.wait(1)
    assert done.wait(60)
    thread.join()
    assert WAITING in said.getvalue()


def test_f25_on_one_machine_a_folder_keeps_the_second_waiting(tmp_path):
    said: list[str] = []
    done = threading.Event()

    def second() -> None:
        with alone_in(tmp_path, say=said.append, waiting="Wait."):
            done.set()

    with alone_in(tmp_path, say=pytest.fail, waiting="Wait."):
        thread = threading.Thread(target=second)
        thread.start()
        assert not done.wait(0.3)
    assert done.wait(10)
    thread.join()
    assert said == ["Wait."] and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_SECRET_KEY", "pk_live_hunter2"),
        ("STRIPE_SECRET_KEY", "hunter2"),
        ("STRIPE_WEBHOOK_SECRET", "hunter2"),
        ("FALLBACK_INPUT_USD_PER_MTOK", "5"),
        ("CLOSE_GRACE_HOURS", "673"),
    ],
)
def test_f21_what_would_fail_later_stops_the_start(name, value):
    done = manage("check", **PRODUCTION | {name: value})
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith(name) and "hunter2" not in done.stderr
