"""Mails that have to go out: a row each, written in the transaction that makes them
due. A sweep finds what is left.
"""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.organizations import Organization
from accounts.models.people import User
from config.kit.retried import RetriedQuerySet

# Why a mail was dropped that was no longer true when its turn came: nobody's fault.
OVERTAKEN = "overtaken"


class OutgoingMailQuerySet(RetriedQuerySet["OutgoingMail"]):
    next_try_field = "next_try_at"
    tries_field = "attempts"
    # Longer than a mail server may take with EMAIL_TIMEOUT at every step of the
    # conversation.
    claim_lasts = dt.timedelta(minutes=10)

    def waiting(self) -> OutgoingMailQuerySet:
        """Neither sent nor given up."""
        return self.filter(sent_at__isnull=True, dropped_at__isnull=True)

    def failing(self) -> OutgoingMailQuerySet:
        """Tried in vain, and tried again."""
        return self.waiting().exclude(last_error="")

    def given_up(self) -> OutgoingMailQuerySet:
        """Dropped because the mail server would not take them in time."""
        return self.filter(dropped_at__isnull=False, attempts__gt=0).exclude(
            last_error__in=("", OVERTAKEN)
        )

    def unfinished(self) -> OutgoingMailQuerySet:
        """See `RetriedQuerySet`."""
        return self.waiting()


class OutgoingMail(models.Model):
    """One mail to one person, or to an address.

    `key` names what may be mailed once; the Message-ID stays the same in every try.
    """

    # Empty for a mail about a person's own account. The type is what writers of all the
    # others rely on: of their kinds none is ever queued without one.
    organization: models.ForeignKey[Organization | None, Organization] = (
        models.ForeignKey(  # type: ignore[misc]
            Organization,
            on_delete=models.CASCADE,
            null=True,
            blank=True,
            related_name="outgoing_mails",
        )
    )
    user = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("recipient"),
    )
    # Where it goes to nobody with an account, such as a billing address.
    address = models.EmailField(_("address"), blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    kind = models.CharField(_("kind"), max_length=40)
    key = models.CharField(_("key"), max_length=200, unique=True)
    facts = models.JSONField(_("facts"), default=dict)
    message_id = models.CharField(_("Message-ID"), max_length=200)
    created_at = models.DateTimeField(_("created"))
    # Due from this moment on; while somebody sends it, the end of their claim.
    next_try_at = models.DateTimeField(_("next attempt"))
    expires_at = models.DateTimeField(_("give up after"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    dropped_at = models.DateTimeField(_("dropped"), null=True, blank=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sent_at__isnull=True)
                | models.Q(dropped_at__isnull=True),
                name="mail_is_sent_or_dropped",
            ),
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, address="")
                | (models.Q(user__isnull=True) & ~models.Q(address="")),
                name="mail_goes_to_a_person_or_an_address",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(sent_at__isnull=True, dropped_at__isnull=True),
                name="mails_waiting",
            ),
            models.Index(
                fields=["dropped_at"],
                condition=models.Q(dropped_at__isnull=False) & ~models.Q(last_error=""),
                name="mails_given_up",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def to(self) -> str:
        """Where it goes."""
        return self.user.email if self.user else self.address

    @property
    def reads(self) -> str:
        """The language it is written in."""
        return self.user.language if self.user else self.language
