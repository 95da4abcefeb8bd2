"""Pages in the language of whoever is signed in, the one their mails are in, whatever
their browser prefers; everybody else's follow the cookie and the browser (B1).
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

from accounts.models import User
from config.kit.middleware import PagesOnly


class OwnLanguage:
    """Behind Django's, which has chosen by cookie and browser."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if isinstance(user, User) and user.language in dict(settings.LANGUAGES):
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language()  # type: ignore[attr-defined]
        return self.get_response(request)


class PagesOwnLanguage(PagesOnly, OwnLanguage): ...
