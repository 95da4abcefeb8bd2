"""Pages that say: not now, try again after so many seconds."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from config.kit.http import client_network
from config.kit.limits import ANONYMOUS, REPORTS, TooManyCalls, count_call

View = Callable[..., HttpResponseBase]


def later_page(
    request: HttpRequest, *, status: int, seconds: int, **context: Any
) -> HttpResponse:
    """`429.html` or `503.html` with `Retry-After`."""
    values = {"seconds": seconds, **context}
    answer = render(request, f"{status}.html", values, status=status)
    answer["Retry-After"] = str(seconds)
    return answer


def for_strangers(view: View) -> View:
    """Limit a page that anybody can open: by address."""

    @wraps(view)
    def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            count_call(ANONYMOUS, client_network(request))
        except TooManyCalls as spent:
            return later_page(request, status=429, seconds=spent.seconds)
        return view(request, *args, **kwargs)

    return counted


def much_to_make(view: View) -> View:
    """Limit a file or report that takes long to make: by person."""

    @wraps(view)
    def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            count_call(REPORTS, "person", request.user.pk)
        except TooManyCalls as spent:
            return later_page(request, status=429, seconds=spent.seconds)
        return view(request, *args, **kwargs)

    counted.is_much_to_make = True  # type: ignore[attr-defined]
    return counted
