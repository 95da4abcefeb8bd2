"""An organization's extra usage: on or off, and for whom (C6, C7)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organization


class ExtraUsageScope(models.TextChoices):
    EVERYONE = "everyone", _("Everyone")
    SELECTED = "selected", _("Selected members")


class BillingAccount(models.Model):
    """The switch of one organization. Made together with it."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="billing_account"
    )
    extra_usage_enabled = models.BooleanField(_("extra usage"), default=False)
    scope = models.CharField(_("for whom"), max_length=10, choices=ExtraUsageScope, default=ExtraUsageScope.EVERYONE)

    class Meta:
        verbose_name = _("extra usage switch")
        verbose_name_plural = _("extra usage switches")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scope__in=ExtraUsageScope.values), name="extra_usage_scope_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SelectedMember(models.Model):
    """A member for whom extra usage is on while the scope is `selected`; kept while it is not."""

    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, primary_key=True, related_name="selected_for_extra_usage"
    )

    class Meta:
        verbose_name = _("selected member")
        verbose_name_plural = _("selected members")

    def __str__(self) -> str:
        return f"#{self.pk}"
