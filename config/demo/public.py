"""The demo has a password that everybody knows: where others than this machine reach us,
its accounts are neither made nor let in, unless PUBLIC_DEMO asks for it by name.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

PASSWORD = "demo-password"


def demo_is_welcome() -> bool:
    """Whether a password that everybody knows may open anything here."""
    return settings.LOOPBACK or settings.PUBLIC_DEMO


class RefusesTheDemosPassword:
    """An authentication backend before the others: it knows nobody, and lets nobody pass
    who comes with the demo's password. Such accounts may have been made on one machine
    and moved to another with the database.
    """

    def authenticate(
        self, request: HttpRequest | None, password: str | None = None, **names: Any
    ) -> None:
        """Raises PermissionDenied, which ends signing in as a wrong password does."""
        if password == PASSWORD and not demo_is_welcome():
            raise PermissionDenied


class NotTheDemosPassword:
    """A validator of new passwords: nobody may choose what would not let them in."""

    def validate(self, password: str, user: object = None) -> None:
        """Raises ValidationError for the demo's password."""
        if password == PASSWORD and not demo_is_welcome():
            raise ValidationError(self.get_help_text(), code="password_of_demo")

    def get_help_text(self) -> str:
        """What the operators' form says of it."""
        return _("The password of the demo can't be used; everybody knows it.")
