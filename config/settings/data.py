"""The database, the cache and the jobs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from config.caches import cache_settings
from config.kit.waits import Waits
from config.private_files import keep_private, make_folder
from config.settings.start import TESTING, VAR_DIR, env

# -- Data --------------------------------------------------------------------------------

# Passwords may stand by themselves: in an address some characters must be written as %xx.
_database_password = env.raw("DATABASE_PASSWORD")
DATABASES = {
    "default": env.database(
        "DATABASE_URL",
        default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}",
        password=_database_password,
    )
}
_connection_age = env.count("DATABASE_CONN_MAX_AGE", default=600, most=86_400)
_connect = env.count("DATABASE_CONNECT_TIMEOUT", default=2, least=2, most=60)
REDIS_URL = env.redis("REDIS_URL", password=env.raw("REDIS_PASSWORD"))
_database = DATABASES["default"]
# A pooler between us and PostgreSQL (`config.kit.postgresql`), by what it hands out.
DATABASE_POOL_MODE = env.choice(
    "DATABASE_POOL_MODE", default="none", options=("NONE", "SESSION", "TRANSACTION")
).lower()
DATABASE_POOL_MODE = "" if DATABASE_POOL_MODE == "none" else DATABASE_POOL_MODE
# What every session is told. Planning a check anew costs ten times its execution, so a
# prepared one is planned once a connection.
DATABASE_SESSION = {"plan_cache_mode": "force_generic_plan", "jit": "off"}
if TESTING:  # what a test commits needn't outlive the power
    DATABASE_SESSION["synchronous_commit"] = "off"
_database["ATOMIC_REQUESTS"] = False
IS_SQLITE = _database["ENGINE"] == "django.db.backends.sqlite3"
_file = None
if not TESTING:
    _file = Path(_database["NAME"]) if IS_SQLITE else None
    keep_private(VAR_DIR, database=_file, words=sys.argv)
    if IS_SQLITE or not REDIS_URL:
        make_folder(VAR_DIR, name="VAR_DIR")
if IS_SQLITE:
    # Row locks do nothing on SQLite; taking the write lock first makes every
    # transaction exact instead. FULL: what was answered “recorded” is on the disk, and
    # outlives the power too. It costs a flush a commit (6 ms on a busy disk, so about 150
    # reports a second), and nothing that one notices of `make demo`; NORMAL would flush
    # at checkpoints alone.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;",
    }
    if _file and _database["NAME"] != ":memory:":
        make_folder(_file.parent, name="DATABASE_URL")
else:
    _database["ENGINE"] = "config.kit.postgresql"
    _database["CONN_MAX_AGE"] = _connection_age
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {
        "connect_timeout": _connect,
        # A machine that is gone without a word is noticed in half a minute, also by
        # whoever has only asked and waits.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 25_000,
        # Django turns prepared statements off; this leaves them to `kit.sql.run`, which
        # asks for each.
        "prepare_threshold": 1_000_000_000,
        **_database.get("OPTIONS", {}),
    }
    if DATABASE_POOL_MODE == "transaction":
        # Both are of one session, and the next transaction may be in another.
        _database["OPTIONS"]["prepare_threshold"] = None
        _database["DISABLE_SERVER_SIDE_CURSORS"] = True
if (
    TESTING
    and "postgresql" in _database["ENGINE"]
    and os.environ.get("TEST_DATABASE_NAME")
):
    _database["TEST"] = {"NAME": os.environ["TEST_DATABASE_NAME"]}

# How long anybody waits for PostgreSQL, in seconds (`kit.waits`). A check asks without a
# lock; everything else may have to wait for one, and its statement begins with that.
_lock = env.count("DATABASE_LOCK_TIMEOUT", default=2, least=1, most=60)
_statement = env.count("DATABASE_STATEMENT_TIMEOUT", default=5, least=1, most=300)
_long = env.count("DATABASE_LONG_STATEMENT_TIMEOUT", default=600, least=1, most=86_400)
DATABASE_WAITS = {
    # So that the 503 is there within two.
    "checks": Waits(_lock, _statement, 10, 1.75),
    "calls": Waits(_lock, _statement, 10, _statement + 2),
    # reports, files, operators' pages and jobs
    "long": Waits(30, _long, 600, _long + 10),
    "unbounded": Waits(),  # commands: migrations, audits
}
# Threads of a web process that calls of one organization may hold at once (`kit.places`).
ORGANIZATION_PLACES = env.count("ORGANIZATION_PLACES", default=3, least=1, most=128)

CACHES = cache_settings(redis_url=REDIS_URL, var_dir=VAR_DIR, testing=TESTING)

# -- Jobs --------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost//"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 1  # seconds; a sweep finds what no message told of
CELERY_TASK_TIME_LIMIT = 1_800
CELERY_BEAT_SCHEDULER = "config.operations.beat:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
if REDIS_URL:
    # Above the longest task, or Redis hands a running one to a second worker.
    # A worker listens in pieces of a second, so five of silence are a Redis that is gone.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
        "visibility_timeout": 7_200,
        "socket_connect_timeout": 1,
        "socket_timeout": 5,
    }
else:
    QUEUE_DIR = VAR_DIR / "queue"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(QUEUE_DIR),
        "data_folder_out": str(QUEUE_DIR),
        "control_folder": str(VAR_DIR / "control"),
    }
if TESTING:
    CELERY_TASK_ALWAYS_EAGER = True
