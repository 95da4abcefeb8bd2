"""What views of modals and of parts of pages share: a dialog for HTMX, a page without
it; success is 204 with events, or a redirect; a part that reads the same is not sent
again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string

from config.kit.http import PageRequest

View = Callable[..., HttpResponseBase]
# Stands in a part where its own hash comes to stand, of the same length.
UNSEEN = "unseen-unseen-16"
# Parts end here; what follows is swapped in elsewhere on the page.
AROUND = "<!--around-->"
CSRF_INPUT = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')


def render_modal(
    request: PageRequest,
    template: str,
    context: dict[str, Any],
    *,
    title: str = "",
    name: str = "modal",
) -> HttpResponse:
    """The dialog for HTMX, or, opened directly, the same as a page; 422 when the form
    in the context was refused.

    The template extends `modal_frame`; `<name>-title` is the id of its heading.
    """
    in_dialog = bool(request.htmx)
    frame = "shared/modal_dialog.html" if in_dialog else "shared/modal_page.html"
    shared = {
        "modal_frame": frame,
        "in_dialog": in_dialog,
        "title": title,
        "title_id": f"{name}-title",
        "modal_url": request.path,
    }
    form = context.get("form")
    status = 422 if form is not None and form.errors else 200
    return render(request, template, shared | context, status=status)


def part_of(page: str) -> Callable[[View], View]:
    """Mark a view of a part, below the access mark: a browser that opens its address by
    itself, say after signing in, is led to the organization's page `page` (B2).
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(
            request: Any, member: Any, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            if request.htmx:
                return view(request, member, *args, **kwargs)
            return redirect(page, slug=request.resolver_match.kwargs["slug"])

        return wrapped

    return decorate


def saved(request: PageRequest, *events: str, then: str) -> HttpResponse:
    """After a modal's form was saved: close it and tell the page's parts; without HTMX
    go to `then`.
    """
    if not request.htmx:
        return redirect(then)
    trigger = json.dumps(dict.fromkeys([*events, "closeModal"], True))
    return HttpResponse(status=204, headers={"HX-Trigger": trigger})


def unchanged_or_html(
    request: PageRequest, template: str, context: dict[str, Any]
) -> HttpResponse:
    """A part of the page; 204, so that nothing is swapped, while it reads as the reader
    last saw it.

    The part asks again with `?seen={{ seen }}`, the hash of what it shows.
    """
    html = render_to_string(template, context | {"seen": UNSEEN}, request)
    seen = seen_in(html)
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    return HttpResponse(html.replace(UNSEEN, seen).replace(AROUND, ""))


def seen_in(html: str) -> str:
    """The hash of a part as it reads, with what is swapped around it."""
    read = CSRF_INPUT.sub("", html)  # its token is another each time
    return hashlib.sha256(read.encode()).hexdigest()[: len(UNSEEN)]


def part_in_page(html: str) -> str:
    """A part that was rendered with what is swapped around it, to stand in its page: it
    asks again with the hash of what it shows, so its first refresh brings only news.
    """
    return html.replace(UNSEEN, seen_in(html)).partition(AROUND)[0]
