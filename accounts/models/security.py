"""What happened to the ways people sign in: by whom, when, from where (S14).

Only grows: the database refuses updates, and deletes before a row's last day.
"""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from config.kit.browsers import browser_text
from config.kit.exemptions import Exemption

# Deleted after its last day, and with the person whom an operator erases.
SECURITY_EXEMPTIONS = (
    Exemption("OLD.keep_until <= CURRENT_TIMESTAMP"),
    Exemption(
        "EXISTS (SELECT 1 FROM accounts_erasure e WHERE e.finished_at IS NULL AND"
        " e.user_id = OLD.person_id)"
    ),
)


class SecurityEvent(models.Model):
    """One event of an account.

    Never a password, nor what was typed for an address that nobody has: people type
    their passwords there.
    """

    class Kind(models.TextChoices):
        SIGNED_IN = "signed_in", _("Signed in")
        SIGNED_OUT = "signed_out", _("Signed out")
        SIGN_IN_FAILED = "sign_in_failed", _("Wrong password")
        SIGN_IN_LOCKED = "sign_in_locked", _("Sign-in blocked after wrong passwords")
        SECOND_FACTOR_FAILED = "second_factor_failed", _("Wrong two-factor code")
        PASSWORD_CHANGED = "password_changed", _("Password changed")
        PASSWORD_RESET = "password_reset", _("Password reset by e-mail")
        PASSWORD_SET = "password_set", _("Password set by an operator")
        ADDRESS_CHANGED = "address_changed", _("E-mail address changed")
        SECOND_FACTOR_ADDED = "second_factor_added", _("Two-factor sign-in turned on")
        SECOND_FACTOR_REMOVED = (
            "second_factor_removed",
            _("Two-factor sign-in turned off"),
        )
        RECOVERY_CODES_CREATED = (
            "recovery_codes_created",
            _("New recovery codes created"),
        )
        RECOVERY_CODE_USED = "recovery_code_used", _("Recovery code used")
        TOKEN_CREATED = "token_created", _("Personal token created")
        TOKEN_REVOKED = "token_revoked", _("Personal token revoked")

    at = models.DateTimeField(_("when"))
    kind = models.CharField(_("what"), max_length=30, choices=Kind)
    # Empty where somebody tried an address that nobody has.
    person = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="security_events",
        verbose_name=_("person"),
    )
    # Who did it to them, where they did not do it themselves.
    operator = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("operator"),
    )
    client = models.CharField(_("from address"), max_length=45, blank=True)
    browser = models.CharField(_("browser"), max_length=200, blank=True)
    keep_until = models.DateTimeField(_("kept until"))

    append_only = True
    exemptions = SECURITY_EXEMPTIONS

    class Meta:
        verbose_name = _("security event")
        verbose_name_plural = _("security events")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["person", "kind", "at"], name="security_by_person"),
            models.Index(fields=["kind", "at"], name="security_by_kind"),
            models.Index(fields=["keep_until"], name="security_kept_until"),
        ]

    def __str__(self) -> str:
        return self.kind

    @property
    def browser_text(self) -> str:
        """The browser in few words; nothing where none said what it is."""
        return browser_text(self.browser) if self.browser else ""


# Of these a stranger makes as many as they like; only so many are kept.
FAILURES = frozenset(
    {
        SecurityEvent.Kind.SIGN_IN_FAILED,
        SecurityEvent.Kind.SIGN_IN_LOCKED,
        SecurityEvent.Kind.SECOND_FACTOR_FAILED,
    }
)
FAILURES_KEPT_AN_HOUR = 20
UNKNOWN_KEPT_AN_HOUR = 100
HOUR = dt.timedelta(hours=1)
