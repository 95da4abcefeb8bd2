"""The requests app: members ask for more usage, admins decide."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RequestsInboxConfig(AppConfig):
    name = "requests_inbox"
    verbose_name = _("Requests")

    def ready(self) -> None:
        """Register who writes our mails, our changes in words and our counter."""
        from requests_inbox import (  # noqa: F401
            audit,
            codes,
            mails,
            navigation,
            panels,
            personal,
        )
        from requests_inbox.actions import undoing  # noqa: F401
