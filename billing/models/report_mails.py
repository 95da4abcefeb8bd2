"""Reports that are mailed once a month, and to whom."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organization
from billing.models.notice_choices import NoticeRecipient


class ReportMail(models.Model):
    """A report that is mailed after each month has closed. `query` is its address without
    days, `mailed_month_on` the last month that went out.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="report_mails"
    )
    query = models.CharField(_("report"), max_length=1500, blank=True)
    created_by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("made"))
    mailed_month_on = models.DateField(_("last month mailed"), null=True, blank=True)

    class Meta:
        verbose_name = _("mailed report")
        verbose_name_plural = _("mailed reports")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "query"], name="one_mail_per_report"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ReportMailRecipient(models.Model):
    """Who gets a mailed report: an admin, or an address outside that agreed to the
    organization's mails.
    """

    report_mail = models.ForeignKey(
        ReportMail,
        on_delete=models.CASCADE,
        related_name="recipients",
        db_index=False,
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    outside = models.ForeignKey(
        NoticeRecipient,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        verbose_name = _("recipient of a report")
        verbose_name_plural = _("recipients of reports")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["report_mail", "membership"],
                condition=Q(membership__isnull=False),
                name="one_report_per_person",
            ),
            models.UniqueConstraint(
                fields=["report_mail", "outside"],
                condition=Q(outside__isnull=False),
                name="one_report_per_address",
            ),
            models.CheckConstraint(
                condition=Q(membership__isnull=False, outside__isnull=True)
                | Q(membership__isnull=True, outside__isnull=False),
                name="report_goes_to_a_person_or_an_address",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def address(self) -> str:
        """Where it goes."""
        if self.membership is not None:
            return self.membership.user.email
        assert self.outside is not None
        return self.outside.address

    @property
    def name(self) -> str:
        """What they are called."""
        return str(self.membership.user) if self.membership else self.address
