"""Forms that stand for the library's own on the pages of signing in."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ResetPasswordForm as LibraryForm
from django.http import HttpRequest
from django.utils import timezone

from accounts.actions.passwords import queue_password_reset
from accounts.tasks import send_soon
from config.kit.addresses import canonical_address

MOST_CHARACTERS = 254


class ResetPasswordForm(LibraryForm):
    """Whose password to reset. Asks the database nothing, so that neither the answer
    nor its time tells who has an account (S10): the worker looks when it writes.
    """

    def clean_email(self) -> str:
        """The address in its one spelling, which limits count by too."""
        return canonical_address(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Queue the mail; raises nothing for a mail server or broker that is down."""
        email = self.cleaned_data["email"]
        if len(email) <= MOST_CHARACTERS:  # a longer one is nobody's
            send_soon(queue_password_reset(email, now=timezone.now()))
        return email
