"""Members' own yes to extra usage, where their organization asks for one first (N5)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership


class ConfirmedFor(models.TextChoices):
    """How long a yes holds, as the member chose."""

    WINDOW = "window", _("Until included usage resets")
    MONTH = "month", _("Until the month ends")


class ConfirmationDoor(models.TextChoices):
    """Where it was said."""

    PAGE = "page", _("Page")
    KEY = "key", _("API key")
    TOKEN = "token", _("Personal token")


class ExtraUsageConfirmation(models.Model):
    """One yes, good until `until_at`; of several the one that lasts longest holds.

    `windows` are the included windows that were used up then, by name with the ISO time
    in UTC at which each resets.
    """

    membership = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        related_name="extra_usage_confirmations",
        db_index=False,
    )
    confirmed_for = models.CharField(_("how long"), max_length=10, choices=ConfirmedFor)
    until_at = models.DateTimeField(_("until"))
    windows = models.JSONField(default=dict, blank=True)
    door = models.CharField(_("by"), max_length=10, choices=ConfirmationDoor)
    created_at = models.DateTimeField(_("confirmed"))

    append_only = True

    class Meta:
        verbose_name = _("confirmation of extra usage")
        verbose_name_plural = _("confirmations of extra usage")
        ordering = ["-pk"]
        constraints = [
            # Its index is what a check looks for the latest end in.
            models.UniqueConstraint(
                fields=["membership", "until_at"], name="one_confirmation_per_end"
            ),
            models.CheckConstraint(
                condition=models.Q(until_at__gt=models.F("created_at")),
                name="confirmation_ends_after_it_was_made",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_for__in=ConfirmedFor.values),
                name="confirmation_is_for_a_known_time",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
