"""The billing app: prices, metering, caps, and the books."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("Usage, caps and money")

    def ready(self) -> None:
        """Register who writes our mails."""
        from billing.documents import mails as document_mails  # noqa: F401
        from billing.payments import mails as payment_mails  # noqa: F401
