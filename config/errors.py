"""Error pages. Each says what happened and what to do; none shows internals."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.kit.api import problem
from config.kit.middleware import is_page


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    if not is_page(request):
        return problem(status=status)
    return render(request, f"{status}.html", status=status)


def bad_request(
    request: HttpRequest, exception: Exception | None = None
) -> HttpResponse:
    """400 for people, a problem document for programs; 413 where more was sent than
    anybody reads.
    """
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, 413)
    return _answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 with the sentence that says what role it takes."""
    if not is_page(request):
        return _answer(request, 403)
    return render(request, "403.html", {"sentence": str(exception or "")}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: also for everything of organizations one does not belong to."""
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 without any detail."""
    return _answer(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its token: the page was open too long or cookies are off."""
    return render(request, "403_csrf.html", status=403)
