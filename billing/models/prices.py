"""Prices per model (M2), what multiplies them (M3a), and names that mean a model (M4a).

A row is never changed once it priced an event: a correction adds a row and supersedes
the old one.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.limits import MOST_RATE_NANOS, AtMost, at_most


class PriceSource(models.TextChoices):
    PACKAGE = "package", _("genai-prices")
    OPERATOR = "operator", _("Operator")
    FALLBACK = "fallback", _("Fallback")
    PUBLISHED = "published", _("Published")


FIRST_PROVIDER = "anthropic"
SINCE_ALWAYS = dt.date(1970, 1, 1)
MOST_MILLIONTHS = 100_000_000
RATE_FIELDS = (
    "input_nanos",
    "output_nanos",
    "cache_write_5m_nanos",
    "cache_write_1h_nanos",
    "cache_read_nanos",
    "web_search_nanos",
)

# What a row is for: of each, one is in force.
PRICE_KEY = ("provider", "model", "starts_on", "context_above")
FACTOR_KEY = ("condition", "value", "pattern", "starts_on")

REAL_RATE = [AtMost(MOST_RATE_NANOS)]


class InForceQuerySet(models.QuerySet[Any]):
    def in_force(self) -> InForceQuerySet:
        """Rows that no later correction superseded."""
        return self.filter(superseded_at__isnull=True)


class PriceRow(models.Model):
    """Where a price or factor comes from and whether it still holds.

    Never changed once it priced an event: a correction adds a row and supersedes the old
    one.
    """

    source = models.CharField(_("source"), max_length=10, choices=PriceSource)
    created_at = models.DateTimeField(_("entered"))
    superseded_at = models.DateTimeField(_("superseded"), null=True, blank=True)

    objects = InForceQuerySet.as_manager()

    class Meta:
        abstract = True


class ModelPrice(PriceRow):
    """The rates of one model from `starts_on` (a UTC date) on, for requests whose input
    exceeds `context_above` tokens, at one provider.

    Token rates are nano-USD per million tokens ($3 is 3,000,000,000); web searches
    nano-USD per thousand. `model` is empty for the fallback rate of a provider's
    unknown models (M4).
    """

    KEY = PRICE_KEY

    provider = models.CharField(
        _("provider"),
        max_length=40,
        default=FIRST_PROVIDER,
        db_default=FIRST_PROVIDER,
        help_text=_("As genai-prices names it, such as anthropic or openai."),
    )
    model = models.CharField(_("model"), max_length=120, blank=True)
    starts_on = models.DateField(_("from (UTC)"), default=SINCE_ALWAYS)
    context_above = models.PositiveIntegerField(_("context above, tokens"), default=0)
    input_nanos = models.BigIntegerField(_("input, per million"), validators=REAL_RATE)
    output_nanos = models.BigIntegerField(
        _("output, per million"), validators=REAL_RATE
    )
    cache_write_5m_nanos = models.BigIntegerField(
        _("cache write 5 min, per million"), validators=REAL_RATE
    )
    cache_write_1h_nanos = models.BigIntegerField(
        _("cache write 1 h, per million"), validators=REAL_RATE
    )
    cache_read_nanos = models.BigIntegerField(
        _("cache read, per million"), validators=REAL_RATE
    )
    web_search_nanos = models.BigIntegerField(
        _("web searches, per thousand"), validators=REAL_RATE
    )

    class Meta:
        verbose_name = _("model price")
        verbose_name_plural = _("model prices")
        ordering = ["provider", "model", "starts_on", "context_above", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=PRICE_KEY,
                condition=Q(superseded_at__isnull=True),
                name="one_price_in_force",
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{field}__gte": 0}), name=f"{field}_is_not_negative"
                )
                for field in RATE_FIELDS
            ),
            at_most("rates_could_be_real", MOST_RATE_NANOS, *RATE_FIELDS),
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model or 'fallback'}"


class Condition(models.TextChoices):
    """What a usage object says beside tokens that changes the price (M3a)."""

    SPEED = "speed", _("Speed")
    INFERENCE_GEO = "inference_geo", _("Inference region")
    SERVICE_TIER = "service_tier", _("Service tier")


class PriceFactor(PriceRow):
    """What multiplies every token class of the models that match `pattern`, from
    `starts_on` (a UTC date) on, for requests with one value of a condition (M3a).

    Whole millionths: 1.1 is 1,100,000. Never changed once it priced an event: a
    correction adds a row and supersedes the old one.
    """

    KEY = FACTOR_KEY

    condition = models.CharField(_("condition"), max_length=20, choices=Condition)
    value = models.CharField(_("value"), max_length=40)
    pattern = models.CharField(
        _("models"),
        max_length=160,
        help_text=_("provider/model, with * for anything: anthropic/claude-opus-*"),
    )
    starts_on = models.DateField(_("from (UTC)"), default=SINCE_ALWAYS)
    millionths = models.BigIntegerField(_("factor, in millionths"))
    reference = models.CharField(
        _("reference"),
        max_length=200,
        blank=True,
        help_text=_("Where the figure comes from: a page or a contract."),
    )

    class Meta:
        verbose_name = _("price factor")
        verbose_name_plural = _("price factors")
        ordering = ["condition", "value", "pattern", "starts_on", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=FACTOR_KEY,
                condition=Q(superseded_at__isnull=True),
                name="one_factor_in_force",
            ),
            models.CheckConstraint(
                condition=Q(millionths__gte=0, millionths__lte=MOST_MILLIONTHS),
                name="factor_is_between_0_and_100",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.condition}={self.value} {self.pattern}"


class ModelAlias(models.Model):
    """What an operator says a reported name is the same as (M4a).

    `name` is the canonical spelling, so that one row serves every way of writing it.
    """

    name = models.CharField(_("name"), max_length=300, unique=True)
    provider = models.CharField(_("provider"), max_length=40, default=FIRST_PROVIDER)
    model = models.CharField(_("model"), max_length=120)
    source = models.CharField(_("source"), max_length=10, choices=PriceSource)
    created_at = models.DateTimeField(_("entered"))

    class Meta:
        verbose_name = _("model name")
        verbose_name_plural = _("model names")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} = {self.provider}/{self.model}"


class PriceList(models.Model):
    """One row whose version counts up with every change of a price, so that processes
    know when to read them again.
    """

    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("price list")
        verbose_name_plural = _("price lists")

    def __str__(self) -> str:
        return str(self.version)
