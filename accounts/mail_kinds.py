"""What the kinds of mail are called, for operators. Each app names its own."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.actions.api_keys import KEY_ENDS
from accounts.actions.customers import WELCOME
from accounts.actions.invitation_mails import INVITATION
from accounts.actions.looking import LOOKED
from accounts.actions.tokens import TOKEN_ENDS
from accounts.actions.two_factor import RESET
from config.kit.code_words import name_codes

_LABELS: dict[str, str | Promise] = {
    "address_changed": gettext_lazy("Address changed"),
    KEY_ENDS: gettext_lazy("API key ends soon"),
    TOKEN_ENDS: gettext_lazy("Personal token ends soon"),
    WELCOME: gettext_lazy("Welcome to the first owner"),
    INVITATION: gettext_lazy("Invitation"),
    LOOKED: gettext_lazy("An operator looked"),
    "password_reset": gettext_lazy("Password reset"),
    "security_notice": gettext_lazy("Security notice"),
    RESET: gettext_lazy("Two-factor sign-in reset"),
}


def register_mail_kinds(labels: Mapping[str, str | Promise]) -> None:
    """Name kinds of mail."""
    _LABELS.update(labels)


def mail_kind_text(kind: str) -> str:
    """What a kind of mail is called; one that nobody named, by its code."""
    return str(_LABELS.get(kind, kind))


name_codes("accounts.OutgoingMail.kind", mail_kind_text)
name_codes(
    "accounts.OutgoingMail.language",
    lambda code: str(dict(settings.LANGUAGES).get(code, code)),
)
