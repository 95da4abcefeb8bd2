"""What an organization and each person chose about notices (N1, N4): at how much people
are told, by which channel, and who else is. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organization, Tier
from billing.models.limits import at_most
from billing.models.notices import NoticeKind
from config.kit.money import MAX_AMOUNT_NANOS


class ToldBy(models.TextChoices):
    """How somebody wants to be told of a kind of notice (N4). What they get by mail is
    on the page as well.
    """

    MAIL = "mail", _("Page and mail")
    PAGE = "page", _("Page")
    NOTHING = "nothing", _("Nothing")


class NoticeChoice(models.Model):
    """What a person chose for a kind of notice; without a row the kind's default holds."""

    membership = models.ForeignKey(
        Membership,
        on_delete=models.CASCADE,
        related_name="notice_choices",
        db_index=False,
    )
    kind = models.CharField(_("kind"), max_length=20, choices=NoticeKind)
    told_by = models.CharField(_("told by"), max_length=8, choices=ToldBy)

    class Meta:
        verbose_name = _("choice of notices")
        verbose_name_plural = _("choices of notices")
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "kind"], name="one_choice_per_kind"
            ),
            models.CheckConstraint(
                condition=Q(told_by__in=ToldBy.values), name="told_by_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class NoticeSettings(models.Model):
    """At how many per cent an organization's people are told; none yet: the defaults.

    Percentages are written "75,90,100". `edges` is all that the recorder needs of them
    and of the soft limits, written by the acts that change either.
    """

    organization = models.OneToOneField(
        Organization,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="notice_settings",
    )
    organization_percents = models.CharField(
        _("of the organization's cap"), max_length=40, default="75,90,100"
    )
    member_percents = models.CharField(
        _("of a person's cap"), max_length=40, default="75,90,100"
    )
    included_percents = models.CharField(
        _("of included usage"), max_length=40, default="80,100"
    )
    balance_low_nanos = models.BigIntegerField(
        _("balance is low at (nano-USD)"), null=True, blank=True
    )
    edges = models.JSONField(_("thresholds as recorded"), null=True, blank=True)

    class Meta:
        verbose_name = _("settings of notices")
        verbose_name_plural = _("settings of notices")

    def __str__(self) -> str:
        return f"#{self.pk}"


class SoftLimitLevel(models.TextChoices):
    ORGANIZATION = "organization", _("Organization")
    SEAT_TIER = "seat_tier", _("Seat tier")
    MEMBER = "member", _("Member")


class SoftLimit(models.Model):
    """An amount a month that tells somebody and stops nothing (N1): of the organization,
    of each person on a seat tier, or of one person.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="soft_limits"
    )
    level = models.CharField(_("level"), max_length=12, choices=SoftLimitLevel)
    seat_tier = models.CharField(
        _("seat tier"), max_length=10, choices=Tier, null=True, blank=True
    )
    membership = models.ForeignKey(
        Membership,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="soft_limits",
    )
    amount_nanos = models.BigIntegerField(_("amount (nano-USD)"))
    created_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("soft limit")
        verbose_name_plural = _("soft limits")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "amount_nanos"],
                condition=Q(level="organization"),
                name="one_soft_limit_per_amount",
            ),
            models.UniqueConstraint(
                fields=["organization", "seat_tier", "amount_nanos"],
                condition=Q(level="seat_tier"),
                name="one_soft_limit_per_tier_and_amount",
            ),
            models.UniqueConstraint(
                fields=["membership", "amount_nanos"],
                condition=Q(level="member"),
                name="one_soft_limit_per_member_and_amount",
            ),
            models.CheckConstraint(
                condition=Q(
                    level="organization",
                    seat_tier__isnull=True,
                    membership__isnull=True,
                )
                | Q(
                    level="seat_tier",
                    seat_tier__in=Tier.values,
                    membership__isnull=True,
                )
                | Q(level="member", seat_tier__isnull=True, membership__isnull=False),
                name="soft_limit_names_what_it_is_for",
            ),
            models.CheckConstraint(
                condition=Q(amount_nanos__gt=0), name="soft_limit_is_positive"
            ),
            at_most("soft_limit_could_be_real", MAX_AMOUNT_NANOS, "amount_nanos"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class NoticeRecipient(models.Model):
    """Who gets the organization's notices beside its owners (N4): an admin or member, or
    an address outside, which has to agree by a link first.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="notice_recipients"
    )
    membership = models.ForeignKey(
        Membership,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
    )
    address = models.EmailField(_("address"), blank=True, db_default="")
    language = models.CharField(_("language"), max_length=10, blank=True, db_default="")
    added_by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    added_at = models.DateTimeField(_("added"))
    agreed_at = models.DateTimeField(_("agreed"), null=True, blank=True)

    class Meta:
        verbose_name = _("recipient of notices")
        verbose_name_plural = _("recipients of notices")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "membership"],
                condition=Q(membership__isnull=False),
                name="one_recipient_per_person",
            ),
            models.UniqueConstraint(
                fields=["organization", "address"],
                condition=Q(membership__isnull=True),
                name="one_recipient_per_address",
            ),
            models.CheckConstraint(
                condition=Q(membership__isnull=False, address="")
                | (Q(membership__isnull=True) & ~Q(address="")),
                name="recipient_is_a_person_or_an_address",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def gets_notices(self, now: dt.datetime) -> bool:
        """Whether notices go there: a person at once, an address once it agreed."""
        return self.membership_id is not None or (
            self.agreed_at is not None and self.agreed_at <= now
        )
