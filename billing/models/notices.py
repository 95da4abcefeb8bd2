"""Notices (N1): facts written in the transaction that crossed a limit, and who is
told of them. Amounts are nano-USD.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organization, OutgoingMail
from billing.models.included import WindowName


class NoticeKind(models.TextChoices):
    ORGANIZATION_CAP = "organization_cap", _("Organization spend cap")
    SEAT_TIER_CAP = "seat_tier_cap", _("Seat spend cap")
    MEMBER_CAP = "member_cap", _("Own spend cap")
    GROUP_CAP = "group_cap", _("Group spend cap")
    INCLUDED_USAGE = "included_usage", _("Included usage")
    CHANGEOVER = "changeover", _("Extra usage begins")
    SOFT_LIMIT = "soft_limit", _("Soft limit")
    BALANCE_LOW = "balance_low", _("Balance is low")
    BALANCE_EXHAUSTED = "balance_exhausted", _("Balance is used up")
    # Not reached, but at this pace the balance would not last the month.
    BALANCE_SHORT = "balance_short", _("Balance will not last")
    CHANNEL_PAUSED = "channel_paused", _("Channel paused")


class NoticeQuerySet(models.QuerySet["Notice"]):
    def live(self) -> NoticeQuerySet:
        """Those that nothing has overtaken."""
        return self.filter(overtaken_at__isnull=True)

    def untold(self) -> NoticeQuerySet:
        """Those whose recipients are still to be found."""
        return self.filter(told_at__isnull=True)


class Notice(models.Model):
    """One crossing of one limit, once while it lasts (N1a).

    `subject` names what reached it ("organization", "member:7",
    "window:7:week:2026-11-23T08:00:00Z"), `edge` what was reached: a percentage, or an
    amount in nano-USD. The pair is unique in a month until the notice is overtaken, by a
    raised cap or a purchase: then the edge is armed again.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="notices", db_index=False
    )
    # Whom it is about; empty for the organization.
    membership = models.ForeignKey(
        Membership,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="notices",
    )
    kind = models.CharField(_("kind"), max_length=20, choices=NoticeKind)
    subject = models.CharField(_("subject"), max_length=80)
    edge = models.BigIntegerField(_("threshold"))
    month_on = models.DateField(_("month"))
    percent = models.PositiveSmallIntegerField(_("percent"), null=True, blank=True)
    limit_nanos = models.BigIntegerField(_("limit (nano-USD)"), null=True, blank=True)
    spent_nanos = models.BigIntegerField(_("spent (nano-USD)"), null=True, blank=True)
    window = models.CharField(
        _("window"), max_length=10, choices=WindowName, blank=True, db_default=""
    )
    resets_at = models.DateTimeField(_("resets"), null=True, blank=True)
    # What else its sentence needs, such as the day on which a balance would end.
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    created_at = models.DateTimeField(_("reached"))
    # No longer true, by a raise or a purchase: not sent from then on.
    overtaken_at = models.DateTimeField(_("overtaken"), null=True, blank=True)
    # When its recipients were found; a sweep finds those without.
    told_at = models.DateTimeField(_("told"), null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind", "subject", "edge", "month_on"],
                condition=Q(overtaken_at__isnull=True),
                name="one_notice_per_threshold",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=NoticeKind.values), name="notice_kind_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at"], name="notices_of_organization"
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(told_at__isnull=True),
                name="notices_untold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.edge}"


class DeliveryChannel(models.TextChoices):
    PAGE = "page", _("Page")
    MAIL = "mail", _("Mail")


class NoticeDelivery(models.Model):
    """One person, or one address outside, told of a notice on the page or by mail.

    What became of a mail is in its own row; `seen_at` is when its person read it on the
    page.
    """

    notice = models.ForeignKey(
        Notice, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    channel = models.CharField(_("channel"), max_length=4, choices=DeliveryChannel)
    membership = models.ForeignKey(
        Membership,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="notice_deliveries",
        db_index=False,
    )
    address = models.EmailField(_("address"), blank=True, db_default="")
    mail = models.ForeignKey(
        OutgoingMail,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"))
    seen_at = models.DateTimeField(_("seen"), null=True, blank=True)

    class Meta:
        verbose_name = _("notice delivery")
        verbose_name_plural = _("notice deliveries")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "channel", "membership"],
                condition=Q(membership__isnull=False),
                name="one_delivery_per_person",
            ),
            models.UniqueConstraint(
                fields=["notice", "channel", "address"],
                condition=Q(membership__isnull=True),
                name="one_delivery_per_address",
            ),
            models.CheckConstraint(
                condition=Q(membership__isnull=False, address="")
                | (Q(membership__isnull=True, channel="mail") & ~Q(address="")),
                name="notice_goes_to_a_person_or_an_address",
            ),
        ]
        indexes = [
            models.Index(
                fields=["membership", "-created_at"],
                condition=Q(channel="page"),
                name="notices_on_the_page",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
