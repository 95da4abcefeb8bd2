"""Numbers of documents that are never given out, and why (P3).

After a restore to an earlier hour the database no longer knows which numbers it gave
out since; they are left out, so that none stands on two documents.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization


class Series(models.TextChoices):
    """Each organization's documents are numbered in three series."""

    INVOICE = "invoice", _("Invoice numbers")
    CREDIT_NOTE = "credit-note", _("Credit note numbers")
    RECEIPT = "receipt", _("Receipt numbers")


class NumberGap(models.Model):
    """Numbers of one series that stay without a document, both ends included."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="number_gaps"
    )
    series = models.CharField(_("series"), max_length=12, choices=Series)
    from_sequence = models.PositiveIntegerField(_("from"))
    through_sequence = models.PositiveIntegerField(_("through"))
    reason = models.CharField(_("reason"), max_length=300)
    skipped_at = models.DateTimeField(_("left out"))
    skipped_by = models.CharField(_("left out by"), max_length=100)

    append_only = True

    class Meta:
        verbose_name = _("gap in the numbers")
        verbose_name_plural = _("gaps in the numbers")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "series", "from_sequence"],
                name="one_gap_per_number",
            ),
            models.CheckConstraint(
                condition=Q(
                    from_sequence__gte=1, through_sequence__gte=F("from_sequence")
                ),
                name="gap_has_numbers",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.from_sequence}–{self.through_sequence}"

    @property
    def numbers(self) -> str:
        """As they would stand on documents, such as `ACME-0003 to ACME-0007`."""
        first, last = (
            number_of(self.organization, self.series, sequence)
            for sequence in (self.from_sequence, self.through_sequence)
        )
        return first if first == last else f"{first} – {last}"


INFIXES = {Series.INVOICE: "", Series.CREDIT_NOTE: "CN-", Series.RECEIPT: "R-"}


def number_of(organization: Organization, series: str, sequence: int) -> str:
    """The number that a document of this series carries."""
    return f"{organization.slug.upper()}-{INFIXES[Series(series)]}{sequence:04d}"
