"""Two-factor sign-in: of whom it is required, and how its secrets are kept.

The codes are allauth's. What they are made from is sealed in the database; nobody can
read it there, in a backup or in the admin.
"""

from __future__ import annotations

import base64
import secrets

import structlog
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.models import Membership, User
from accounts.queries import has_second_factor, is_required_of
from accounts.sealing import opened, sealed
from config.kit.sealed import NotSealed

# In the session of whoever is on the way; `templates/mfa/` reads it.
REQUIRED = "two_factor_required"
log = structlog.get_logger(__name__)


class MfaAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": gettext_lazy(
            "You can't turn it off: it's required of you."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Sealed, for the database."""
        return sealed(text)

    def decrypt(self, encrypted_text: str) -> str:
        """What was sealed. Where no secret opens it, something nobody can guess, so that
        every code is wrong and an operator has to reset it.
        """
        try:
            return opened(encrypted_text)
        except NotSealed:
            log.error("two_factor.unreadable")
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not while an organization or the installation requires it."""
        user = authenticator.user
        if must_as_operator(user):
            return False
        memberships = Membership.objects.active().filter(user=user)
        return not any(map(is_required_of, memberships.select_related("organization")))


def must_as_operator(user: User) -> bool:
    """Whether two-factor is required of somebody as an operator."""
    return bool(settings.REQUIRE_OPERATOR_2FA and user.is_staff)


def lacks_as_operator(user: User) -> bool:
    """Whether an operator has yet to set it up."""
    return must_as_operator(user) and not has_second_factor(user)


def lacks_as_member(membership: Membership) -> bool:
    """Whether a member has yet to set up what their organization requires."""
    return is_required_of(membership) and not has_second_factor(membership.user)


def lead_to_set_up(request: HttpRequest, *, required_by: str) -> HttpResponse:
    """To the page where one sets it up. The pages on the way say who wants it, and the
    last one leads back.
    """
    is_page = request.method == "GET" and "HX-Request" not in request.headers
    request.session[REQUIRED] = {
        "by": required_by,
        "then": request.get_full_path() if is_page else reverse("home"),
    }
    return redirect("mfa_activate_totp")
