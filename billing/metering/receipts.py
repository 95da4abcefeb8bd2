"""An event as a receipt: each token class with its rate, what it cost, who paid, and
what was booked later.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import Funding, Surface, UsageEvent
from billing.prices.words import rate_text
from config.kit.money import NANOS_PER_USD

CLASSES = (
    ("input_tokens", "input_nanos"),
    ("output_tokens", "output_nanos"),
    ("cache_write_5m_tokens", "cache_write_5m_nanos"),
    ("cache_write_1h_tokens", "cache_write_1h_nanos"),
    ("cache_read_tokens", "cache_read_nanos"),
    ("web_searches", "web_search_nanos"),
)
PER_THOUSAND = "web_searches"


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One token class: how many, and the rate in USD per million (searches: per
    thousand), as decimal text.
    """

    kind: str
    count: int
    rate_usd: str
    rate_nanos: int

    @property
    def per(self) -> int:
        """What the rate is per."""
        return 1_000 if self.kind == PER_THOUSAND else 1_000_000

    @property
    def unit(self) -> str:
        """`M`, or `K` for searches."""
        return "K" if self.kind == PER_THOUSAND else "M"

    @property
    def cost_usd(self) -> str:
        """Count × rate, unrounded: nine places, or as many more as it has."""
        usd = Decimal(self.count * self.rate_nanos) / self.per / NANOS_PER_USD
        return (
            max(f"{usd:.9f}", f"{usd.normalize():f}", key=len) if usd else f"{usd:.9f}"
        )

    @property
    def word(self) -> str:
        """What was counted, short."""
        return {
            "input_tokens": _("in"),
            "output_tokens": _("out"),
            "cache_write_5m_tokens": _("cache write 5 min"),
            "cache_write_1h_tokens": _("cache write 1 h"),
            "cache_read_tokens": _("cache read"),
            "web_searches": ngettext("search", "searches", self.count),
        }[self.kind]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One event as shown. Amounts in nano-USD; `total_nanos` includes later adjustments."""

    event: UsageEvent
    lines: list[ReceiptLine]
    adjusted_nanos: int

    @property
    def total_nanos(self) -> int:
        """What it costs with everything booked later."""
        return self.event.cost_nanos + self.adjusted_nanos

    @property
    def surface(self) -> str:
        """Where it was used."""
        return str(Surface(self.event.surface).label)

    @property
    def paid_by(self) -> str:
        """Who pays."""
        return str(Funding(self.event.funding).label)

    @property
    def counted_in(self) -> dt.date | None:
        """The month it counts to, where that is not the month it occurred in."""
        occurred = self.event.organization.calendar.month_at(self.event.occurred_at)
        return None if occurred.first_on == self.event.month_on else self.event.month_on


def receipt_of(event: UsageEvent) -> Receipt:
    """The receipt of an event whose price and adjustments are loaded."""
    lines = [
        ReceiptLine(
            kind,
            getattr(event, kind),
            rate_text(getattr(event.price, rate)),
            getattr(event.price, rate),
        )
        for kind, rate in CLASSES
        if getattr(event, kind)
    ]
    return Receipt(
        event, lines, sum(one.amount_nanos for one in event.adjustments.all())
    )
