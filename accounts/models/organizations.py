"""Organizations and the seats they bought.

The organization's row is the one lock of everything that belongs to it.
"""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.timezone import now as the_clock
from django.utils.translation import gettext_lazy as _

from config.kit.months import Calendar, zone_names
from config.kit.one_line import validate_name


class Plan(models.TextChoices):
    TEAM = "team", _("Team")
    ENTERPRISE_SEAT = "enterprise_seat", _("Enterprise, seat-based")
    ENTERPRISE_USAGE = "enterprise_usage", _("Enterprise, usage-based")


class Settlement(models.TextChoices):
    PREPAID = "prepaid", _("Prepaid")
    POSTPAID = "postpaid", _("Postpaid")


class Tier(models.TextChoices):
    STANDARD = "standard", _("Standard")
    PREMIUM = "premium", _("Premium")

    @classmethod
    def label_of(cls, tier: str | None) -> str:
        """The tier as people know it; empty without a seat."""
        return str(cls(tier).label) if tier else ""


class TwoFactor(models.TextChoices):
    """Of whom an organization requires two-factor sign-in (O5)."""

    NOBODY = "", _("Nobody")
    ADMINS = "admins", _("Owners and admins")
    EVERYBODY = "everybody", _("Everybody")


class UnknownPeople(models.TextChoices):
    """What a check does for somebody whom nobody knows (X2)."""

    REFUSE = "refuse", _("refused")
    WITHOUT_SEAT = "create_without_seat", _("added without a seat")
    ON_STANDARD = "create_on_standard", _("added on a Standard seat")
    ON_PREMIUM = "create_on_premium", _("added on a Premium seat")

    @property
    def seat_tier(self) -> str | None:
        """The seat that somebody new gets."""
        tiers = {self.ON_STANDARD: Tier.STANDARD, self.ON_PREMIUM: Tier.PREMIUM}
        return tiers.get(self)


def validate_timezone(value: str) -> None:
    """Only IANA names; raises ValidationError."""
    if value not in zone_names():
        raise ValidationError(
            _("“%(value)s” is not an IANA time zone, such as Asia/Tokyo."),
            params={"value": value},
        )


def calendar_of(timezone: str, past_timezones: list[list[str]]) -> Calendar:
    """The months of an organization with these columns."""
    return Calendar(
        timezone,
        tuple(
            (dt.date.fromisoformat(until_on), zone) for until_on, zone in past_timezones
        ),
    )


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def locked(self) -> OrganizationQuerySet:
        """Rows locked against every other writer of the organization until the
        transaction ends (house rule 2).
        """
        if not transaction.get_connection(self.db).in_atomic_block:
            raise RuntimeError("An organization is locked inside a transaction only.")
        return self.select_for_update(no_key=True, of=("self",))


class Organization(models.Model):
    """A customer (D1). Bills in USD."""

    name = models.CharField(_("name"), max_length=120, validators=[validate_name])
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    plan = models.CharField(_("plan"), max_length=20, choices=Plan)
    settlement = models.CharField(_("settlement"), max_length=10, choices=Settlement)
    billing_email = models.EmailField(_("billing e-mail"))
    # Exactly one primary owner, by NOT NULL: handed over by an update, never dropped (D3).
    primary_owner = models.ForeignKey(
        "accounts.User",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("primary owner"),
    )
    timezone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_timezone]
    )
    # Zones that held before, oldest first: ["2026-12-01", "Asia/Tokyo"] held in all
    # months before December (C5). Every one is
    # kept, since an earlier month's edges must not move when the zone changes once more.
    past_timezones = models.JSONField(
        _("past time zones"), default=list, editable=False
    )
    # Two settings of the inbox above: whether members may press “Request more usage” (R4a),
    # and the local hour of the daily digest (R6). They are columns of this row because it is
    # the one that every check and sweep has read and locked already: a table of the inbox's
    # own would cost the check a join and the settings a second lock.
    requests_enabled = models.BooleanField(
        _("members may request more usage"), default=True
    )
    digest_hour = models.PositiveSmallIntegerField(
        _("hour of the daily digest"), default=9
    )
    # Whether gateways may get leases on answers (X5). Every check reads it, so it is a
    # column of the row that a check has read already.
    leases_allowed = models.BooleanField(
        _("gateways may get leases"), default=False, db_default=False
    )
    # An operator's trust: no limit on invitations an hour (S21).
    invites_freely = models.BooleanField(
        _("may invite without limit"), default=False, db_default=False
    )
    two_factor = models.CharField(
        _("two-factor sign-in required of"),
        max_length=10,
        choices=TwoFactor,
        default=TwoFactor.NOBODY,
        db_default=TwoFactor.NOBODY,
        blank=True,
    )
    unknown_people = models.CharField(
        _("somebody unknown is"),
        max_length=20,
        choices=UnknownPeople,
        default=UnknownPeople.REFUSE,
        db_default="refuse",
    )
    # Mail domains that are this customer's alone, with spaces between: who reports usage
    # from an address there may be added. An operator sets them.
    own_domains = models.TextField(
        _("own mail domains"), blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(_("created"), default=the_clock, editable=False)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(plan__in=Plan.values),
                name="organization_plan_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(settlement__in=Settlement.values),
                name="organization_settlement_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(digest_hour__lte=23), name="digest_hour_is_an_hour"
            ),
            models.CheckConstraint(
                condition=models.Q(two_factor__in=TwoFactor.values),
                name="organization_two_factor_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(unknown_people__in=UnknownPeople.values),
                name="organization_unknown_people_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def calendar(self) -> Calendar:
        """Its billing months."""
        return calendar_of(self.timezone, self.past_timezones)

    def zone_at(self, now: dt.datetime) -> str:
        """The time zone in force at `now`."""
        return self.calendar.zone_at(now)

    def owns_address(self, address: str) -> bool:
        """Whether a canonical address is in one of its own domains."""
        _local, at, domain = address.rpartition("@")
        return bool(at) and domain in self.own_domains.split()

    @property
    def has_seats(self) -> bool:
        """Whether its plan includes usage by seat (D2)."""
        return self.plan != Plan.ENTERPRISE_USAGE


class SeatTier(models.Model):
    """How many seats of one tier an organization has bought (D4)."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="seat_tiers"
    )
    tier = models.CharField(_("seat tier"), max_length=10, choices=Tier)
    bought = models.PositiveIntegerField(_("seats bought"), default=0)

    class Meta:
        verbose_name = _("seat tier")
        verbose_name_plural = _("seat tiers")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "tier"],
                name="one_seat_tier_row_per_organization",
            ),
            models.CheckConstraint(
                condition=models.Q(tier__in=Tier.values), name="seat_tier_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.get_tier_display()
