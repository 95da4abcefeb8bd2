"""Choosing the language of pages and mails: one setting, kept with the person."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.i18n import set_language

from accounts.access import public
from accounts.models import User


@public
def choose_language(request: HttpRequest) -> HttpResponseBase:
    """Django's own view, whose cookie is for whoever is not signed in; who is keeps the
    choice in their own row, which pages and mails follow on every machine.
    """
    chosen = request.POST.get("language", "")
    user = request.user
    is_known = chosen in dict(settings.LANGUAGES)
    if request.method == "POST" and is_known and isinstance(user, User):
        User.objects.filter(pk=user.pk).update(language=chosen)
    return set_language(request)
