"""What is done to the stage: processes are killed or stand still for some seconds."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import redis
from celery import Celery

from tests.steady.stage import Stage
from tests.steady.supervisor import send
from tests.waiting import wait_until

FROZEN = (2.0, 8.0)  # seconds that something stands still
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
    " current_database() AND pid <> pg_backend_pid()"
)
PING = "accounts.tasks.write_down_key_use"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: when it began, when what failed could be there again (Unix seconds),
    and where jobs are concerned, after how many seconds they ran again.
    """

    kind: str
    began: float
    back: float
    jobs: float | None = None


Strike = Callable[[Stage], float]


def kill(find: Callable[[Stage], int]) -> Strike:
    """SIGKILL to one process; whoever starts it again may begin at once."""

    def strike(stage: Stage) -> float:
        send(find(stage), signal.SIGKILL)
        return time.time()

    return strike


def freeze(find: Callable[[Stage], Iterable[int]]) -> Strike:
    """SIGSTOP for some seconds, then SIGCONT."""

    def strike(stage: Stage) -> float:
        stopped = [pid for pid in find(stage) if send(pid, signal.SIGSTOP)]
        time.sleep(random.uniform(*FROZEN))
        for pid in stopped:
            send(pid, signal.SIGCONT)
        return time.time()

    return strike


def main_of(name: str) -> Callable[[Stage], int]:
    """The main process of a line of the Procfile."""
    return lambda stage: stage.parts[name].pid


def child_of(name: str) -> Callable[[Stage], int]:
    """One of the processes that it started."""
    return lambda stage: random.choice(_children(stage, name))


def _children(stage: Stage, name: str) -> list[int]:
    wait_until(lambda: stage.workers(name), f"A child of {name}")
    return stage.workers(name)


def one(find: Callable[[Stage], int]) -> Callable[[Stage], list[int]]:
    """As a list."""
    return lambda stage: [find(stage)]


def backend(stage: Stage) -> int:
    """A process of PostgreSQL that serves the product."""
    return random.choice(stage.postgresql.backends())


def _is_back(stage: Stage) -> float:
    time.sleep(0.1)
    while not stage.postgresql.answers("steady"):
        time.sleep(0.02)
    return time.time()


def restart_postgresql(stage: Stage) -> float:
    """An immediate shutdown; the supervisor starts it again."""
    send(stage.postgresql.kept.pid, signal.SIGQUIT)
    stage.postgresql.kept.process.wait()
    return _is_back(stage)


def kill_backend(stage: Stage) -> float:
    """PostgreSQL then ends all sessions and recovers."""
    send(backend(stage), signal.SIGKILL)
    return _is_back(stage)


def terminate_all(stage: Stage) -> float:
    """As a failover does."""
    with suppress(psycopg.OperationalError), stage.postgresql.connect() as line:
        line.execute(TERMINATE)
    return time.time()


def kill_redis(stage: Stage) -> float:
    """With all messages."""
    send(stage.redis.kept.pid, signal.SIGKILL)
    stage.redis.kept.process.wait()
    while not stage.redis.answers():
        time.sleep(0.02)
    return time.time()


def redis_of(stage: Stage) -> int:
    """Its one process."""
    return stage.redis.kept.pid


KINDS: dict[str, Strike] = {
    "a web worker is killed": kill(child_of("web")),
    "the main web process is killed": kill(main_of("web")),
    "a web worker stands still": freeze(one(child_of("web"))),
    "the main web process stands still": freeze(one(main_of("web"))),
    "a child of the worker is killed": kill(child_of("worker")),
    "the main worker process is killed": kill(main_of("worker")),
    "a child of the worker stands still": freeze(one(child_of("worker"))),
    "the main worker process stands still": freeze(one(main_of("worker"))),
    "beat is killed": kill(main_of("beat")),
    "beat stands still": freeze(one(main_of("beat"))),
    "Redis is killed": kill_redis,
    "Redis stands still": freeze(one(redis_of)),
    "PostgreSQL restarts": restart_postgresql,
    "PostgreSQL stands still": freeze(lambda stage: stage.postgresql.everybody()),
    "a backend of PostgreSQL is killed": kill_backend,
    "a backend of PostgreSQL stands still": freeze(one(backend)),
    "all sessions are terminated": terminate_all,
}


def strike(stage: Stage, kind: str) -> Fault:
    """Do it, and wait for the jobs where they are concerned."""
    began = time.time()
    back = KINDS[kind](stage)
    jobs: float | None = None
    if "worker process" in kind or "of the worker" in kind:
        jobs = _until_worker_works(stage) - back
    elif kind.startswith("beat"):
        jobs = _until_beat_speaks(stage) - back
    return Fault(kind, began, back, jobs)


def _until_worker_works(stage: Stage) -> float:
    """Until a message is taken from the queue."""
    app = Celery(broker=stage.redis.url, set_as_current=False)
    app.send_task(PING)
    queue = stage.redis.client()
    wait_until(lambda: queue.llen("celery") == 0, "A worker that takes messages")
    return time.time()


def _until_beat_speaks(stage: Stage) -> float:
    """Until the beat that runs now sends a message."""
    while True:
        with suppress(redis.RedisError), stage.redis.client().monitor() as watch:
            for said in watch.listen():
                # The supervisor may start it only now.
                name = f'"origin": "gen{stage.parts["beat"].pid}@'
                if name in said["command"].replace("\\", ""):
                    return time.time()
