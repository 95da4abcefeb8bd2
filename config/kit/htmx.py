"""What views of modals share: a dialog for HTMX, a page without it; success is 204 with
events, or a redirect.
"""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render


def render_modal(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The dialog alone, or, opened directly, inside a page (`shared/modal_page.html`
    includes `template`).
    """
    if getattr(request, "htmx", False):
        return render(request, template, context, status=status)
    return render(
        request,
        "shared/modal_page.html",
        {**context, "modal_template": template},
        status=status,
    )


def saved(request: HttpRequest, *events: str, then: str) -> HttpResponse:
    """After a modal's form was saved: close it and tell the page's parts; without HTMX
    go to `then`.
    """
    if getattr(request, "htmx", False):
        return HttpResponse(
            status=204,
            headers={
                "HX-Trigger": json.dumps(dict.fromkeys([*events, "closeModal"], True))
            },
        )
    return redirect(then)
