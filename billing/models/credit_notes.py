"""Credit notes: what is taken back of an invoice that was issued (P3)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from accounts.models.privacy import pseudonyms
from billing.models.invoices import Invoice


class CreditNote(models.Model):
    """What an operator took back of an invoice, and why; never edited.

    Amounts are whole cents, in nano-USD.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="credit_notes"
    )
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="credit_notes"
    )
    sequence = models.PositiveIntegerField(_("sequence"))
    number = models.CharField(_("number"), max_length=80)
    subtotal_nanos = models.BigIntegerField(_("subtotal (nano-USD)"))
    tax_nanos = models.BigIntegerField(_("tax (nano-USD)"), default=0)
    total_nanos = models.BigIntegerField(_("total (nano-USD)"))
    reason = models.CharField(_("reason"), max_length=300)
    # The button pressed twice sends the same key, and issues one note.
    key = models.CharField(_("form key"), max_length=64, unique=True)
    issued_at = models.DateTimeField(_("issued"))
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("issued by"),
    )

    append_only = True
    exemptions = (pseudonyms("reason"),)

    class Meta:
        verbose_name = _("credit note")
        verbose_name_plural = _("credit notes")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "sequence"], name="one_credit_note_per_sequence"
            ),
            models.UniqueConstraint(
                fields=["organization", "number"], name="one_credit_note_per_number"
            ),
            models.CheckConstraint(
                condition=Q(total_nanos__gt=0), name="credit_note_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(
                    total_nanos=models.F("subtotal_nanos") + models.F("tax_nanos")
                ),
                name="credit_note_total_is_subtotal_and_tax",
            ),
        ]

    def __str__(self) -> str:
        return self.number
