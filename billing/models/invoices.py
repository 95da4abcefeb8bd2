"""Invoices of months that are billed afterwards, and their lines (P3).

Amounts are nano-USD. What was issued is never edited; the guards below hold that
against raw SQL too.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organization
from accounts.models.privacy import pseudonyms
from billing.models.surfaces import MOST_LETTERS
from config.kit.append_only import Guard, InsertGuard
from config.kit.retried import RetriedQuerySet

# Columns that nobody changes once the invoice is numbered.
ISSUED = (
    "organization_id",
    "month_on",
    "edition",
    "sequence",
    "number",
    "exact_nanos",
    "carried_in_nanos",
    "carried_out_nanos",
    "carried_from_id",
    "subtotal_nanos",
    "tax_label",
    "tax_rate",
    "tax_nanos",
    "total_nanos",
    "issued_at",
    "due_on",
    "seller",
    "buyer",
    "starts_at",
    "ends_at",
    "zone",
)
ALLOWED_STEPS = (
    "OLD.status = NEW.status OR (OLD.status = 'draft' AND NEW.status IN ('open',"
    " 'paid')) OR (OLD.status = 'open' AND NEW.status IN ('paid', 'void'))"
    # what paid it was taken back
    " OR (OLD.status = 'paid' AND NEW.status = 'open' AND NEW.reopened_at IS NOT NULL)"
    # nothing was to pay, and its month is opened again
    " OR (OLD.status = 'paid' AND NEW.status = 'void' AND OLD.total_nanos = 0)"
)


class InvoiceQuerySet(RetriedQuerySet["Invoice"]):
    """Which invoices exist for owners, and which the payment gateway has to hear of."""

    # What is retried is sending them to the payment gateway; nobody counts the tries.
    next_try_field = "gateway_next_try_at"
    # Longer than the gateway may take to answer all questions of one invoice.
    claim_lasts = dt.timedelta(minutes=5)
    waits = (dt.timedelta(minutes=15),)

    def issued(self) -> InvoiceQuerySet:
        """Numbered: everything but drafts."""
        return self.exclude(status=Invoice.Status.DRAFT)

    def unfinished(self) -> InvoiceQuerySet:
        """See `RetriedQuerySet`; one that is as it should be at the gateway has no next
        try.
        """
        return self.issued()

    def to_send(self, now: dt.datetime) -> InvoiceQuerySet:
        """Those whose payment gateway does not know them as they are, and that nobody
        is sending at `now`.
        """
        return self.due(now).order_by("gateway_next_try_at")


class Invoice(models.Model):
    """The bill of one month.

    Amounts are nano-USD; all but the exact and carried ones are whole cents (M5).

    `exact_nanos + carried_in_nanos = subtotal_nanos + carried_out_nanos`, to the
    nano-dollar.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        OPEN = "open", _("Open")
        PAID = "paid", _("Paid")
        VOID = "void", _("Void")

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="invoices"
    )
    month_on = models.DateField(_("month"))
    # Which close of the month wrote it (`BillingMonth`).
    edition = models.PositiveSmallIntegerField(_("close"), default=1, db_default=1)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.DRAFT
    )
    sequence = models.PositiveIntegerField(_("sequence"), null=True, blank=True)
    number = models.CharField(_("number"), max_length=80, blank=True)
    exact_nanos = models.BigIntegerField(_("exact sum of the month (nano-USD)"))
    carried_in_nanos = models.BigIntegerField(
        _("carried over from the previous invoice (nano-USD)"), default=0
    )
    carried_out_nanos = models.BigIntegerField(
        _("carried over to the next invoice (nano-USD)"), default=0
    )
    carried_from = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="carried_to",
    )
    subtotal_nanos = models.BigIntegerField(_("subtotal (nano-USD)"))
    tax_label = models.CharField(_("tax name"), max_length=40, blank=True)
    tax_rate = models.PositiveIntegerField(
        _("tax rate (thousandths of a percent)"), default=0
    )
    tax_nanos = models.BigIntegerField(_("tax (nano-USD)"), default=0)
    total_nanos = models.BigIntegerField(_("total (nano-USD)"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    zone = models.CharField(_("time zone"), max_length=64)
    # As they were on the day of issue.
    seller = models.JSONField(_("seller"), default=dict)
    buyer = models.JSONField(_("buyer"), default=dict)
    issued_at = models.DateTimeField(_("issued"), null=True, blank=True)
    due_on = models.DateField(_("due"), null=True, blank=True)
    settled_at = models.DateTimeField(_("paid or voided"), null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("paid or voided by"),
    )
    settled_note = models.CharField(_("note"), max_length=300, blank=True)
    # The same invoice at the payment gateway, where one is sent (Stripe).
    gateway = models.CharField(_("gateway"), max_length=20, blank=True)
    gateway_id = models.CharField(
        _("gateway ID"), max_length=100, blank=True, db_index=True
    )
    # The payment that paid it there, by which the gateway tells that money went back.
    gateway_payment_id = models.CharField(
        _("payment at the gateway"), max_length=100, blank=True, default=""
    )
    # When a lost dispute took its payment back, so that it is to be paid anew.
    reopened_at = models.DateTimeField(_("open again"), null=True, blank=True)
    gateway_url = models.CharField(_("payment page"), max_length=1000, blank=True)
    gateway_next_try_at = models.DateTimeField(
        _("next attempt at the gateway"), null=True, blank=True
    )
    gateway_error = models.CharField(_("gateway's message"), max_length=300, blank=True)

    objects = InvoiceQuerySet.as_manager()
    guards = (
        Guard("is_kept", "DELETE", "an invoice is kept"),
        Guard(
            "is_issued",
            "UPDATE OF " + ", ".join(ISSUED),
            "what was issued is not changed",
            when="OLD.status <> 'draft'",
        ),
        Guard(
            "steps", "UPDATE OF status", "no such step", when=f"NOT ({ALLOWED_STEPS})"
        ),
    )

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-month_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "month_on", "edition"],
                name="one_invoice_per_close",
            ),
            models.UniqueConstraint(
                fields=["organization", "sequence"], name="one_invoice_per_sequence"
            ),
            models.UniqueConstraint(
                fields=["organization", "number"],
                condition=~Q(number=""),
                name="one_invoice_per_number",
            ),
            models.CheckConstraint(
                condition=Q(status="draft")
                | (Q(sequence__isnull=False, issued_at__isnull=False) & ~Q(number="")),
                name="issued_invoice_has_a_number",
            ),
            models.CheckConstraint(
                condition=Q(
                    exact_nanos=models.F("subtotal_nanos")
                    + models.F("carried_out_nanos")
                    - models.F("carried_in_nanos")
                ),
                name="invoice_loses_no_nano",
            ),
            models.CheckConstraint(
                condition=Q(
                    total_nanos=models.F("subtotal_nanos") + models.F("tax_nanos")
                ),
                name="invoice_total_is_subtotal_and_tax",
            ),
            models.CheckConstraint(
                condition=Q(total_nanos__gte=0), name="invoice_is_not_negative"
            ),
        ]
        indexes = [
            models.Index(
                fields=["gateway_next_try_at"],
                condition=Q(gateway_next_try_at__isnull=False),
                name="invoices_to_send",
            ),
            models.Index(
                fields=["gateway_payment_id"],
                condition=~Q(gateway_payment_id=""),
                name="invoices_by_payment",
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"#{self.pk}"

    @property
    def is_disputed(self) -> bool:
        """Whether a bank decides about its payment; read from what was fetched."""
        return any(dispute.status == "open" for dispute in self.disputes.all())

    @property
    def handed_on_nanos(self) -> int:
        """What the next invoice takes over, in nano-USD.

        A void one bills nothing of its month, so it hands on what it took over itself.
        """
        if self.status == Invoice.Status.VOID:
            return self.carried_in_nanos
        return self.carried_out_nanos


LINE_EXEMPTIONS = (pseudonyms("member_name", "member_email", "reason"),)


class InvoiceLine(models.Model):
    """One line of an invoice, by its kind; amounts in nano-USD.

    A usage line is what one member used on one surface by one model, a correction is
    what was booked about such usage later, and two lines say what is carried.
    `amount_nanos` is `exact_nanos` rounded half-even to cents; only the surplus that is
    carried out has no exact side. Names are copied as they were on the day of issue.
    """

    class Kind(models.TextChoices):
        USAGE = "usage", _("Usage")
        CORRECTION = "correction", _("Correction")
        CARRIED_IN = "carried_in", _("Carried over from the previous invoice")
        CARRIED_OUT = "carried_out", _("Carried over to the next invoice")

    # No database-level foreign keys: the guard below proves the invoice, and they cost
    # a look-up each line of many.
    invoice = models.ForeignKey(
        Invoice,
        on_delete=models.PROTECT,
        related_name="lines",
        db_index=False,
        db_constraint=False,
    )
    position = models.PositiveIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    membership = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    member_name = models.CharField(_("person"), max_length=200, blank=True)
    member_email = models.CharField(_("e-mail"), max_length=254, blank=True)
    surface = models.CharField(_("surface"), max_length=MOST_LETTERS, blank=True)
    model = models.CharField(_("model"), max_length=300, blank=True)
    events = models.BigIntegerField(_("requests"), default=0)
    exact_nanos = models.BigIntegerField(_("exact (nano-USD)"))
    amount_nanos = models.BigIntegerField(_("amount (nano-USD)"))
    # Corrections: the events they are about (the first few by id), and why.
    about = models.CharField(_("about"), max_length=500, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    append_only = True
    exemptions = LINE_EXEMPTIONS
    guards = (
        InsertGuard(
            "is_drafted",
            "only a draft takes lines",
            "NOT EXISTS (SELECT 1 FROM billing_invoice i WHERE i.id = new.invoice_id"
            " AND i.status = 'draft')",
        ),
    )

    class Meta:
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "position"], name="one_line_per_position"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
