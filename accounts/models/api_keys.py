"""API keys of organizations, and personal tokens of their members (X3): shown once,
stored as a SHA-256 digest of a 256-bit random secret.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.organizations import Organization
from accounts.models.people import Membership, User
from config.kit.one_line import validate_name

# So long before the end of a key its owners are told.
NOTICE = dt.timedelta(days=7)


class Scope(models.TextChoices):
    METER = "meter", _("Metering")
    READ = "read", _("Reading")
    MANAGE = "manage", _("Managing")
    # Ask, report and read for oneself alone: what a personal token may (X3).
    SELF = "self", _("For oneself")


# What a key of the organization itself may.
SHARED_SCOPES = (Scope.METER, Scope.READ, Scope.MANAGE)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self, now: dt.datetime) -> ApiKeyQuerySet:
        """Neither revoked nor past their end; a token ends with its membership too."""
        unended = models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=now)
        theirs = models.Q(membership__status="active", membership__user__is_active=True)
        return self.filter(
            unended,
            models.Q(membership__isnull=True) | theirs,
            revoked_at__isnull=True,
        )

    def shared(self) -> ApiKeyQuerySet:
        """Keys of organizations."""
        return self.filter(membership__isnull=True)

    def personal(self) -> ApiKeyQuerySet:
        """Personal tokens of members."""
        return self.filter(membership__isnull=False)

    def ending(self, now: dt.datetime) -> ApiKeyQuerySet:
        """Those whose time is over within NOTICE; of those made for less, nobody needs
        to be told.
        """
        return self.live(now).filter(
            expires_at__lte=now + NOTICE,
            created_at__lte=models.F("expires_at") - NOTICE,
        )


class ApiKey(models.Model):
    """A key of one organization with scopes, until it is revoked or its time is over; or
    a token of one of its members, which ends with the membership as well.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="api_keys"
    )
    # Whose token it is; of a key of the organization itself, nobody's.
    membership = models.ForeignKey(
        Membership,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="tokens",
        verbose_name=_("personal token of"),
    )
    name = models.CharField(_("name"), max_length=80, validators=[validate_name])
    prefix = models.CharField(_("prefix"), max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.CharField(
        _("scopes"), max_length=40
    )  # space-separated, in the order of Scope
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    # As far as the web process knows it: see `kit.http.client_address`.
    last_used_from = models.GenericIPAddressField(
        _("last used from"), null=True, blank=True
    )
    # As far as it is noted, once a minute a process: a check, and a report of which
    # something was recorded.
    last_asked_at = models.DateTimeField(_("last asked"), null=True, blank=True)
    last_reported_at = models.DateTimeField(_("last reported"), null=True, blank=True)
    # The id of the first event it reported; only noted since it is.
    first_event_id = models.CharField(
        _("first event"), max_length=200, blank=True, default="", db_default=""
    )
    # Which way of connecting it was made for; empty where nobody said.
    way = models.CharField(
        _("way in"), max_length=20, blank=True, default="", db_default=""
    )
    # The first moment at which it is refused; without one it is good until revoked.
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(membership__isnull=True) & ~models.Q(scopes="self")
                | models.Q(
                    membership__isnull=False, scopes="self", expires_at__isnull=False
                ),
                name="token_is_for_oneself_and_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def digest_of(secret: str) -> str:
        """The stored form of a key.

        A plain hash is enough for 256 random bits; no dictionary reaches them.
        """
        return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def last_day_moment(self) -> dt.datetime | None:
        """A moment of the last day on which it is good."""
        return self.expires_at and self.expires_at - dt.timedelta(microseconds=1)

    @property
    def scope_list(self) -> list[str]:
        """The scopes as a list."""
        return self.scopes.split()
