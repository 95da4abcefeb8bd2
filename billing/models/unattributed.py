"""The names under which usage came of people whom nobody knows (X2).

Their events are on the organization's unattributed line, a membership that is no
person's; the name itself stands here alone. Amounts are nano-USD.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from billing.models.limits import countable
from config.kit.addresses import ERASED_DOMAIN


class UnattributedName(models.Model):
    """A name that was sent, and what is open under it: recorded, and assigned to nobody.

    `audit_books` proves the sums against its events and their adjustments. Assigning
    takes events in the order of their ids, so one number says which are done.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="unattributed_names",
        db_index=False,
    )
    # In the one spelling of an address, where it is one.
    sent_as = models.CharField(_("sent as"), max_length=401)
    events = models.BigIntegerField(_("open events"), default=0)
    extra_nanos = models.BigIntegerField(_("extra usage (nano-USD)"), default=0)
    unbilled_nanos = models.BigIntegerField(_("unbilled (nano-USD)"), default=0)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    # The last event that was assigned: those with a larger id are open.
    assigned_through = models.BigIntegerField(_("assigned up to"), default=0)

    class Meta:
        verbose_name = _("unattributed name")
        verbose_name_plural = _("unattributed names")
        ordering = ["pk"]
        constraints = [
            # Of somebody erased several names may have become one.
            models.UniqueConstraint(
                fields=["organization", "sent_as"],
                condition=~Q(sent_as__contains=ERASED_DOMAIN),
                name="one_row_per_unattributed_name",
            ),
            countable("unattributed_name", "extra_nanos", "unbilled_nanos"),
            models.CheckConstraint(
                condition=Q(events__gte=0), name="open_events_are_not_negative"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "id"],
                condition=Q(events__gt=0),
                name="names_with_open_events",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def cost_nanos(self) -> int:
        """What is open under it, paid by the organization or by nobody."""
        return self.extra_nanos + self.unbilled_nanos
