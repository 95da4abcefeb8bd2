"""Sending people to a gateway's page and taking them back only to pages of ours."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from config.kit.http import PageRequest


def go_to(request: PageRequest, url: str) -> HttpResponse:
    """Leave for `url`.

    Another host is reached by a page of ours: a form's answer may not redirect there
    (CSP).
    """
    if url.startswith("/"):
        return redirect(url)
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return render(request, "billing/payments/going.html", {"url": url})


def safe_path(path: str | None, *, default: str) -> str:
    """A path of ours that somebody asked to go to next, else the default."""
    if (
        path
        and path.startswith("/")
        and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    ):
        return path
    return default
