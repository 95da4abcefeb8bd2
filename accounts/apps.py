"""The accounts app: organizations, people, seats, keys and the audit."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Organizations and people")

    def ready(self) -> None:
        """Register who writes our mails, what our tables hold about people and what of them
        operators watch, and note what the libraries tell.
        """
        from accounts import (  # noqa: F401
            key_mails,
            mail_kinds,
            mails,
            measures,
            palette,
            personal,
            signals,
        )
        from accounts.actions import undoing_members  # noqa: F401
