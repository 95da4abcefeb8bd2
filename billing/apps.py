"""The billing app: prices, metering, caps, and the books."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("Usage, caps and money")

    def ready(self) -> None:
        """Register who writes our mails."""
        from billing import document_mails, emails  # noqa: F401
