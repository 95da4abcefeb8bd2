"""Requests as views get them, and what was posted."""

from __future__ import annotations

from django.http import HttpRequest, QueryDict
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails


class PageRequest(HttpRequest):
    """A request for a page: `htmx` is true where HTMX asks for a part of one."""

    htmx: HtmxDetails


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: what was posted, None while it is only shown."""
    return request.POST if request.method == "POST" else None


# A view that shows a form and takes what is posted.
get_or_post = require_http_methods(["GET", "HEAD", "POST"])
