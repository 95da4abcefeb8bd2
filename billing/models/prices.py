"""Prices per model (M2): rates with the time they start and context-size tiers.

A row is never changed once it priced an event: a correction adds a row and supersedes
the old one.
"""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.limits import MOST_RATE_NANOS, AtMost, at_most


class PriceSource(models.TextChoices):
    PACKAGE = "package", _("genai-prices")
    OPERATOR = "operator", _("Operator")
    FALLBACK = "fallback", _("Fallback")


SINCE_ALWAYS = dt.date(1970, 1, 1)
RATE_FIELDS = (
    "input_nanos",
    "output_nanos",
    "cache_write_5m_nanos",
    "cache_write_1h_nanos",
    "cache_read_nanos",
    "web_search_nanos",
)


REAL_RATE = [AtMost(MOST_RATE_NANOS)]


class ModelPriceQuerySet(models.QuerySet["ModelPrice"]):
    def in_force(self) -> ModelPriceQuerySet:
        """Rows that no later correction superseded."""
        return self.filter(superseded_at__isnull=True)


class ModelPrice(models.Model):
    """The rates of one model from `starts_on` (a UTC date) on, for requests whose input
    exceeds `context_above` tokens.

    Token rates are nano-USD per million tokens ($3 is 3,000,000,000); web searches
    nano-USD per thousand. `model` is empty for the fallback rate of unknown models
    (M4).
    """

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
    source = models.CharField(_("source"), max_length=10, choices=PriceSource)
    created_at = models.DateTimeField(_("entered"))
    superseded_at = models.DateTimeField(_("superseded"), null=True, blank=True)

    objects = ModelPriceQuerySet.as_manager()

    class Meta:
        verbose_name = _("model price")
        verbose_name_plural = _("model prices")
        ordering = ["model", "starts_on", "context_above", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "starts_on", "context_above"],
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
        return self.model or "fallback"


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
