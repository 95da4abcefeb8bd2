"""What the libraries tell of signing in, passwords and second factors, noted (S14)."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as second_factor
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as auth
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.actions.addresses import prove_address
from accounts.models import SecurityEvent, User
from accounts.security_events import note

Kind = SecurityEvent.Kind


@receiver(auth.user_logged_in)
def signed_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """After every factor, by whatever door."""
    note(Kind.SIGNED_IN, person=user, request=request)


@receiver(auth.user_logged_out)
def signed_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    """By the button; a session that runs out says nothing."""
    if user is not None:
        note(Kind.SIGNED_OUT, person=user, request=request)


@receiver([account.password_changed, account.password_set])
def password_changed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """By the person, who knew the one before."""
    note(Kind.PASSWORD_CHANGED, person=user, request=request)


@receiver(account.password_reset)
def password_reset(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """By a link that was mailed, so their address is proven too."""
    prove_address(user)
    note(Kind.PASSWORD_RESET, person=user, request=request)


@receiver(second_factor.authenticator_added)
def factor_added(
    request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    """Recovery codes come with it and are no event of their own then."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        note(Kind.SECOND_FACTOR_ADDED, person=user, request=request)


@receiver(second_factor.authenticator_removed)
def factor_removed(
    request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    """Recovery codes go with it and are no event of their own then."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        note(Kind.SECOND_FACTOR_REMOVED, person=user, request=request)


@receiver(second_factor.authenticator_reset)
def codes_created(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """New recovery codes; the ones before are void."""
    note(Kind.RECOVERY_CODES_CREATED, person=user, request=request)


@receiver(second_factor.authenticator_used)
def code_used(
    request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    """A recovery code; the app's codes are told by the sign-in."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        note(Kind.RECOVERY_CODE_USED, person=user, request=request)


@receiver(second_factor.authentication_failed)
def code_failed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """A wrong code after a right password."""
    note(Kind.SECOND_FACTOR_FAILED, person=user, request=request)
