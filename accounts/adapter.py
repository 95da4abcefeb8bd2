"""How allauth behaves here: nobody signs up without an invitation, limits count by the
address alone, and every mail is one of ours.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from accounts.known_devices import is_known_device, remember_device
from accounts.models import SecurityEvent, User
from accounts.security_events import note
from config.kit.addresses import canonical_address

# Wrong passwords of one account. Strangers share the first limit wherever they are,
# browsers where the person signed in before share the second: 90 an hour together
# (ASVS 2.2.1 wants at most 100), and neither uses up the other's.
BY_STRANGERS = {"login_failed": "10/m/ip,5/5m/key"}
BY_KNOWN_DEVICES = {"login_failed": "10/m/ip,5/10m/key"}
KEYS = {"": BY_STRANGERS, " on a known device": BY_KNOWN_DEVICES}


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": gettext_lazy(
            "Too many failed login attempts. Try again in a few minutes, or reset your "
            "password."
        ),
    }

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt; raises ValidationError above the limit."""
        address = canonical_address(credentials.get("email") or "")
        suffix = " on a known device" if is_known_device(request, address) else ""
        self._login_failed_rl_usage = ratelimit.consume(
            request,
            app="allauth.account",
            action="login_failed",
            config=KEYS[suffix],
            key=address + suffix,
        )
        if not self._login_failed_rl_usage:
            self._note_failure(SecurityEvent.Kind.SIGN_IN_LOCKED, request, address)
            raise self.validation_error("too_many_login_attempts")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Sign in by any spelling of the address."""
        if "email" in credentials:
            credentials["email"] = canonical_address(credentials["email"] or "")
        return super().authenticate(request, **credentials)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong password, or an address nobody has."""
        kind = SecurityEvent.Kind.SIGN_IN_FAILED
        self._note_failure(kind, request, credentials.get("email") or "")

    def _note_failure(self, kind: str, request: HttpRequest, address: str) -> None:
        person = User.objects.filter(email=address).first()
        note(kind, person=person, request=request)

    def reauthenticate(self, user: Any, password: str) -> bool:
        """By the person's own address, wherever else the library keeps one."""
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def post_login(
        self, request: HttpRequest, user: Any, **kwargs: Any
    ) -> HttpResponse:
        """After every factor: this browser is known to the account from now on."""
        response = super().post_login(request, user, **kwargs)
        remember_device(request, response, user)
        return response

    def _delete_login_attempts_cached_email(
        self, request: HttpRequest, **credentials: Any
    ) -> None:
        """Whoever reset the password by mail is let in at once."""
        address = canonical_address(credentials.get("email") or "")
        for suffix, config in KEYS.items():
            ratelimit.clear(
                request,
                app="allauth.account",
                action="login_failed",
                config=config,
                key=address + suffix,
            )

    def set_password(self, user: Any, password: str) -> None:
        """A new password, by the person or by a mailed link."""
        super().set_password(user, password)
        self._delete_login_attempts_cached_email(self.request, email=user.email)

    def clean_email(self, email: str) -> str:
        """Every address that allauth's own forms take, such as for a new password."""
        return canonical_address(super().clean_email(email))

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed: people join by invitation only."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: Any) -> None:
        """Never: mails are rows in our frame with links from SITE_URL (S9, S10); the
        library would send inside the request, with the Host header in it.
        """
        raise NotImplementedError(template_prefix)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Told by `accounts.security_events` instead, in the person's language."""
