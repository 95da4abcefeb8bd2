"""Names that other systems have for members: an issuer and a subject (X2)."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from accounts.models.organizations import Organization
from accounts.models.people import Membership
from config.kit.external_names import MOST_PART


class ExternalId(models.Model):
    """One of a member's names elsewhere, such as the subject of their single sign-on.

    It stays with who was removed, so that late usage finds them (E5).
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="external_ids"
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="external_ids"
    )
    issuer = models.CharField(_("issuer"), max_length=MOST_PART)
    subject = models.CharField(_("subject"), max_length=MOST_PART)
    # `issuer:subject`, by which it is looked up: no two read the same.
    name = models.CharField(_("external id"), max_length=2 * MOST_PART + 1)

    class Meta:
        verbose_name = _("external id")
        verbose_name_plural = _("external ids")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"], name="external_id_names_one_member"
            ),
            models.CheckConstraint(
                condition=models.Q(name=Concat("issuer", models.Value(":"), "subject")),
                name="external_id_is_issuer_and_subject",
            ),
        ]

    def __str__(self) -> str:
        return self.name
