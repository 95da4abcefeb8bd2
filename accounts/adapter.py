"""How allauth behaves here: nobody signs up without an invitation."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from config.kit.addresses import canonical_address


class AccountAdapter(DefaultAccountAdapter):
    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Sign in by any spelling of the address."""
        if "email" in credentials:
            credentials["email"] = canonical_address(credentials["email"] or "")
        return super().authenticate(request, **credentials)

    def clean_email(self, email: str) -> str:
        """Every address that allauth's own forms take, such as for a new password."""
        return canonical_address(super().clean_email(email))

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed: people join by invitation only."""
        return False
