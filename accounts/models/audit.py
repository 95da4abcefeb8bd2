"""Who changed what, from which value to which (C8).

Append-only: the database refuses updates and deletes, but for the pseudonym of somebody
who is being erased and for what is older than the settings keep.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.organizations import Organization
from accounts.models.people import Membership, User
from accounts.models.privacy import pseudonyms, run_out
from config.kit.exemptions import Exemption

AUDIT_EXEMPTIONS = (
    pseudonyms("actor_label", "subject", "from_value", "to_value", "reason"),
    Exemption(run_out("audit", "at")),
)


class AuditEntry(models.Model):
    """One change.

    `organization` is empty for what operators change for everybody, such as prices.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="audit_entries",
    )
    at = models.DateTimeField(_("when"), db_index=True)
    actor = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # What did it when no person did: an API key's name, a command, a job.
    actor_label = models.CharField(_("by"), max_length=200, blank=True)
    action = models.CharField(_("action"), max_length=60)
    subject = models.CharField(_("what"), max_length=200)
    membership = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="audit_entries",
    )
    from_value = models.JSONField(_("from"), null=True, blank=True)
    to_value = models.JSONField(_("to"), null=True, blank=True)
    # Why an operator did it; owners read it beside the change.
    reason = models.CharField(_("reason"), max_length=300, blank=True, db_default="")

    append_only = True
    exemptions = AUDIT_EXEMPTIONS

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["organization", "-at"], name="audit_by_organization")
        ]

    def __str__(self) -> str:
        return self.action
