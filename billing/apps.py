"""The billing app: prices, metering, caps, and the books."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("Usage, caps and money")

    def ready(self) -> None:
        """Register who writes our mails, our changes in words, our places, what we keep
        and what of it operators watch.
        """
        from billing import books, codes, goals, navigation, personal  # noqa: F401
        from billing.caps import audit as cap_audit  # noqa: F401
        from billing.caps.actions import undoing  # noqa: F401
        from billing.caps.words import returning  # noqa: F401
        from billing.documents import audit as document_audit  # noqa: F401
        from billing.documents import mails as document_mails  # noqa: F401
        from billing.documents.queries import measures as document_measures  # noqa: F401
        from billing.ledger import audit as ledger_audit  # noqa: F401
        from billing.metering import audit as metering_audit  # noqa: F401
        from billing.metering import mails as metering_mails  # noqa: F401
        from billing.metering.actions import labels  # noqa: F401
        from billing.notices import audit as notice_audit  # noqa: F401
        from billing.notices import mails as notice_mails  # noqa: F401
        from billing.notices.actions import keeping, noticing, seats  # noqa: F401
        from billing.notices.words import channel_changes  # noqa: F401
        from billing.pages import customer, customer_money  # noqa: F401
        from billing.payments import audit as payment_audit  # noqa: F401
        from billing.payments import mails as payment_mails  # noqa: F401
        from billing.payments.queries import measures as payment_measures  # noqa: F401
        from billing.prices import audit as price_audit  # noqa: F401
        from billing.reports import audit as report_audit  # noqa: F401
        from billing.reports import mails as report_mails  # noqa: F401
