"""Addresses that people had before: they still name their usage (E6a)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from config.kit.addresses import AddressField


class FormerAddress(models.Model):
    """An address somebody had until a moment.

    A trigger on people's table writes it with the change, whatever makes that: an
    operator, a proof by mail, a command. Several people can have had one address, one
    after the other; the last of an organization's members is meant, and whoever has it
    now comes first.
    """

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="former_addresses"
    )
    email = AddressField(_("e-mail address"), db_index=True)
    until_at = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("former address")
        verbose_name_plural = _("former addresses")
        ordering = ["until_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "email"], name="one_former_address_per_person"
            ),
        ]

    def __str__(self) -> str:
        return self.email
