"""The cache on Redis, that answers from the memory of its process while Redis is away.

What is cached may be lost at any time; that a sign-in or a call fails for it may not be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

from config.kit.redis import AwayFor, patient_options

away = AwayFor(seconds=5)


def _steady(name: str) -> Callable[..., Any]:
    def call(self: SteadyRedisCache, *args: Any, **options: Any) -> Any:
        if not away:
            try:
                return getattr(RedisCache, name)(self, *args, **options)
            except (RedisError, OSError) as error:
                away.note(error)
        return getattr(self.own, name)(*args, **options)

    return call


class SteadyRedisCache(RedisCache):
    """Django's own, steadied."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {**patient_options(), **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self.own = LocMemCache("redis-is-away", {"timeout": self.default_timeout})

    add = _steady("add")
    get = _steady("get")
    set = _steady("set")
    touch = _steady("touch")
    delete = _steady("delete")
    get_many = _steady("get_many")
    has_key = _steady("has_key")
    incr = _steady("incr")
    set_many = _steady("set_many")
    delete_many = _steady("delete_many")
    clear = _steady("clear")
