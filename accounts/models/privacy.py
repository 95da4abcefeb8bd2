"""Who was erased, and up to when what is kept for a time is gone.

Both tables are what the guards of append-only tables ask before they take a change.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kit.addresses import AddressField
from config.kit.append_only import Guard
from config.kit.exemptions import Exemption


def pseudonyms(*columns: str) -> Exemption:
    """Append-only rows take the pseudonym of somebody who is being erased, in these
    columns and with no other change.
    """
    taken = " AND ".join(f"({_same(column)} OR {_named(column)})" for column in columns)
    return Exemption(
        "EXISTS (SELECT 1 FROM accounts_erasure e WHERE e.finished_at IS NULL AND"
        f" {taken})",
        columns,
    )


def _same(column: str) -> str:
    before, after = f"OLD.{column}", f"NEW.{column}"
    return (
        f"(({before} IS NULL) = ({after} IS NULL)"
        f" AND COALESCE(CAST({before} AS text), '') = COALESCE(CAST({after} AS text), ''))"
    )


def _named(column: str) -> str:
    return f"CAST(NEW.{column} AS text) LIKE '%' || e.code || '%'"


def run_out(kind: str, column: str) -> str:
    """SQL for an `Exemption`: the row is older than what is kept of this kind."""
    return (
        f"OLD.{column} < (SELECT k.before_at FROM accounts_retentionmark k WHERE"
        f" k.kind = '{kind}')"
    )


class Erasure(models.Model):
    """The pseudonym of somebody who was erased.

    While it is unfinished, which is within one transaction, append-only rows take it;
    afterwards nobody changes it, or them.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="erasure",
        verbose_name=_("person"),
    )
    code = models.CharField(_("code"), max_length=16, unique=True)
    name = models.CharField(_("pseudonym"), max_length=60)
    email = AddressField(_("address"), unique=True)
    erased_at = models.DateTimeField(_("erased"))
    # Empty: by a command.
    erased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("erased by"),
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    guards = (
        Guard("is_kept", "DELETE", "a pseudonym is kept"),
        Guard(
            "stays_finished",
            "UPDATE",
            "a pseudonym is not changed",
            when="OLD.finished_at IS NOT NULL OR OLD.user_id <> NEW.user_id"
            " OR OLD.code <> NEW.code",
        ),
    )

    class Meta:
        verbose_name = _("erased person")
        verbose_name_plural = _("erased people")
        ordering = ["-erased_at"]

    def __str__(self) -> str:
        return self.name


class RetentionMark(models.Model):
    """Up to when rows of one kind are gone, by the settings: it only moves forward."""

    kind = models.CharField(_("kind"), max_length=40, unique=True)
    before_at = models.DateTimeField(_("gone before"))
    # How far a sweep came that takes more than one night.
    through_id = models.BigIntegerField(default=0, editable=False)

    guards = (
        Guard("is_kept", "DELETE", "what is gone stays known"),
        Guard(
            "moves_forward",
            "UPDATE",
            "what is gone does not come back",
            when="NEW.before_at < OLD.before_at OR NEW.kind <> OLD.kind",
        ),
    )

    class Meta:
        verbose_name = _("end of retention")
        verbose_name_plural = _("ends of retention")

    def __str__(self) -> str:
        return self.kind
