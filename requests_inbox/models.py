"""Requests for more usage, and what the daily digest has to remember.

A decided request is never edited, but for a decision that is taken back at once.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry, Membership, Organization, Tier, User

NOTE_LENGTH = 500


class UsageRequestQuerySet(models.QuerySet["UsageRequest"]):
    def pending(self) -> UsageRequestQuerySet:
        """Those nobody has ended in the rows; whether one still waits is
        `queries.waiting`'s to say (R5).
        """
        return self.filter(status=UsageRequest.Status.PENDING)


class UsageRequest(models.Model):
    """One press of “Request more usage” and what became of it.

    Amounts are nano-USD of the month it belongs to.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        APPROVED = "approved", _("Approved")
        DISMISSED = "dismissed", _("Dismissed")
        RESOLVED = "resolved", _("Resolved")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="usage_requests"
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="usage_requests"
    )
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.PENDING
    )
    # As they were at the time of asking (R2); spend and cap as they were at the end,
    # once it has ended.
    seat_tier = models.CharField(_("seat"), max_length=10, choices=Tier)
    reason = models.CharField(_("reason for the block"), max_length=40)
    month_on = models.DateField(_("month"))
    spent_nanos = models.BigIntegerField(_("MTD spend (nano-USD)"))
    cap_nanos = models.BigIntegerField(_("cap (nano-USD)"), null=True, blank=True)
    # The effective cap that the decision found; empty where there was none.
    cap_before_nanos = models.BigIntegerField(
        _("cap before (nano-USD)"), null=True, blank=True
    )
    created_at = models.DateTimeField(_("asked"))
    note = models.CharField(_("note"), max_length=NOTE_LENGTH, blank=True)
    asked_nanos = models.BigIntegerField(
        _("amount asked for (nano-USD)"), null=True, blank=True
    )

    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_by_label = models.CharField(_("decided by"), max_length=200, blank=True)
    answer_note = models.CharField(
        _("note with the answer"), max_length=NOTE_LENGTH, blank=True
    )
    granted_nanos = models.BigIntegerField(
        _("new cap (nano-USD)"), null=True, blank=True
    )
    granted_month_only = models.BooleanField(_("this month only"), default=False)
    granted_tier = models.CharField(
        _("new seat"), max_length=10, choices=Tier, blank=True
    )
    # The change an approval made: the same audit entry as from the page.
    change = models.ForeignKey(
        AuditEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = UsageRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["membership"],
                condition=models.Q(status="pending"),
                name="one_pending_request_per_member",
            ),
            models.CheckConstraint(
                condition=models.Q(status="pending", ended_at__isnull=True)
                | (~models.Q(status="pending") & models.Q(ended_at__isnull=False)),
                name="request_ends_once",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    status__in=[
                        "pending",
                        "approved",
                        "dismissed",
                        "resolved",
                        "withdrawn",
                    ]
                ),
                name="request_status_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "status"], name="requests_by_status")
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def decider(self) -> str:
        """Who decided, by name; needs `decided_by` loaded."""
        return str(self.decided_by) if self.decided_by else self.decided_by_label


class DigestRun(models.Model):
    """That an organization's digest of a local date was prepared: one row, one time (R6)."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="digest_runs"
    )
    local_on = models.DateField(_("local date"))
    prepared_at = models.DateTimeField(_("prepared"))

    class Meta:
        verbose_name = _("digest")
        verbose_name_plural = _("digests")
        ordering = ["-local_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "local_on"],
                name="one_digest_per_organization_and_date",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.local_on}"


class DigestOptOut(models.Model):
    """Somebody who wants no digest of one organization (R6)."""

    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, related_name="digest_opt_out"
    )
    at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("digest opt-out")
        verbose_name_plural = _("digest opt-outs")

    def __str__(self) -> str:
        return f"#{self.membership_id}"
