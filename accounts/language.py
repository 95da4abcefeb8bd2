"""Pages in the language of whoever is signed in, the one their mails are in, whatever
their browser prefers; everybody else's follow the cookie and the browser (B1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

from accounts.models import User
from config.kit.middleware import is_page


class OwnLanguage:
    """Behind Django's, which has chosen by cookie and browser. Pages that are none of
    ours ask nobody who is signed in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """Before a page is made for somebody who is signed in."""
        if not is_page(request):
            return
        user = request.user
        if isinstance(user, User) and user.language in dict(settings.LANGUAGES):
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language()  # type: ignore[attr-defined]
