"""Signing in by the one address of a person: that of their own row (S4).

The library also signs in by rows of its own, beside it; two places for one fact let an
address that was taken away go on opening the account.
"""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import User
from config.kit.addresses import canonical_address


class AddressBackend(AuthenticationBackend):
    """E-mail address and password, as `accounts.User` has them."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        user = User.objects.filter(email=canonical_address(email)).first()
        checked = self._check_password(user, password)
        return checked if isinstance(checked, User) else None
