"""An event as a receipt: its parts, each token class with its rate and factors, what it
cost, who paid, and what was booked later.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from billing.metering.rules.pricing import counts_of, factors_kept
from billing.models import (
    Funding,
    FundingWhy,
    ModelPrice,
    UsageEvent,
    UsagePart,
    model_label,
)
from billing.models.prices import SINCE_ALWAYS
from billing.prices.rules import MESSAGE, ONE, TOKEN_CLASSES, Applied, TokenClass
from billing.prices.words import class_word, factor_text, part_word, rate_text
from config.kit.money import NANOS_PER_USD


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One token class: how many, and the rate in nano-USD for `per` of them, times the
    factors that multiply tokens.
    """

    token_class: TokenClass
    count: int
    rate_nanos: int
    times: Decimal = Decimal(1)

    @property
    def kind(self) -> str:
        """The field that counts it, as the API names it."""
        return self.token_class.field

    @property
    def rate_usd(self) -> str:
        """The rate in USD as short decimal text."""
        return rate_text(self.rate_nanos)

    @property
    def per(self) -> int:
        """How many the rate is for."""
        return self.token_class.per

    @property
    def unit(self) -> str:
        """`M`, or `K` for searches."""
        return "K" if self.per == 1_000 else "M"

    @property
    def exact_nanos(self) -> Decimal:
        """Count × rate × factors in nano-USD, unrounded."""
        return Decimal(self.count * self.rate_nanos) * self.times / self.per

    @property
    def cost_usd(self) -> str:
        """The same in USD: nine places, or as many more as it has."""
        usd = self.exact_nanos / NANOS_PER_USD
        nine_places = f"{usd:.9f}"
        if not usd:
            return nine_places
        return max(nine_places, f"{usd.normalize():f}", key=len)

    @property
    def times_text(self) -> str:
        """` × 2` where factors multiply it, else nothing."""
        return f" × {self.times.normalize():f}" if self.times != 1 else ""

    @property
    def word(self) -> str:
        """What was counted, short."""
        return class_word(self.token_class, self.count)


@dataclass(frozen=True, slots=True)
class ReceiptPart:
    """One part of a request as shown: what ran, at which model, its factors and lines.

    `is_free` where the model costs nothing by its list.
    """

    kind: str
    model: str
    lines: list[ReceiptLine]
    factors: tuple[Applied, ...]
    cost_nanos: int
    estimated: bool
    price: ModelPrice
    is_free: bool = False

    @property
    def since(self) -> dt.date | None:
        """From when on its rates held; None where they always did."""
        return None if self.price.starts_on == SINCE_ALWAYS else self.price.starts_on

    @property
    def called(self) -> str:
        """The model as people call it."""
        return model_label(self.model)

    @property
    def word(self) -> str:
        """What ran, short."""
        return part_word(self.kind)

    @property
    def factor_texts(self) -> list[str]:
        """Each condition with what it multiplies by."""
        return [factor_text(factor) for factor in self.factors]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One event as shown. Amounts in nano-USD; `total_nanos` includes later adjustments."""

    event: UsageEvent
    parts: list[ReceiptPart]
    adjusted_nanos: int
    # The event that its authorization had paid for before, if any (E4).
    promise_used_by: str | None = None

    @property
    def lines(self) -> list[ReceiptLine]:
        """The lines of all parts, in their order."""
        return [line for part in self.parts for line in part.lines]

    @property
    def is_free(self) -> bool:
        """Whether everything that ran costs nothing by its list."""
        return all(part.is_free for part in self.parts)

    @property
    def exact_nanos(self) -> Decimal:
        """What it cost before the one rounding, without adjustments."""
        return sum((line.exact_nanos for line in self.lines), Decimal(0))

    @property
    def total_nanos(self) -> int:
        """What it costs with everything booked later."""
        return self.event.cost_nanos + self.adjusted_nanos

    @property
    def counted_text(self) -> str:
        """What a gateway counted instead, where its count holds (X4)."""
        counts = counted_by_gateway(self.event)
        told = [
            f"{count:,} {class_word(one, count)}"
            for one in TOKEN_CLASSES
            if (count := counts.get(one.field, 0))
        ]
        return ", ".join(told)

    @property
    def surface(self) -> str:
        """Where it was used, in words."""
        return self.event.surface_label

    @property
    def called(self) -> str:
        """The model as people call it."""
        return model_label(self.event.model)

    @property
    def paid_by(self) -> str:
        """Who pays, in words."""
        return str(Funding(self.event.funding).label)

    @property
    def counted_in(self) -> dt.date | None:
        """The month it counts to, where that is not the month it occurred in."""
        occurred = self.event.organization.calendar.month_at(self.event.occurred_at)
        return None if occurred.first_on == self.event.month_on else self.event.month_on


def counted_by_gateway(event: UsageEvent) -> dict[str, int]:
    """The counts that hold instead of the row's, by their fields: all parts together;
    empty where the row's hold.
    """
    for adjustment in event.adjustments.all():
        if adjustment.counted:
            return counts_of(adjustment.counted)
    return {}


def receipt_of(event: UsageEvent) -> Receipt:
    """The receipt of an event whose price, parts and adjustments are loaded."""
    rows: list[UsageEvent | UsagePart] = (
        list(event.parts.all()) if event.is_split else [event]
    )
    adjusted_nanos = sum(
        adjustment.amount_nanos for adjustment in event.adjustments.all()
    )
    return Receipt(
        event,
        [_part_of(row) for row in rows],
        adjusted_nanos,
        _promise_used_by(event),
    )


def _promise_used_by(event: UsageEvent) -> str | None:
    if event.promise is None or event.funding_why == FundingWhy.PROMISED:
        return None
    kept_for = UsageEvent.objects.filter(
        membership_id=event.membership_id,
        promise=event.promise,
        funding_why=FundingWhy.PROMISED,
    )
    return kept_for.values_list("event_id", flat=True).first()


def _part_of(row: UsageEvent | UsagePart) -> ReceiptPart:
    factors = factors_kept(row.factors)
    return ReceiptPart(
        row.kind if isinstance(row, UsagePart) else MESSAGE,
        row.model,
        _lines_of(row, factors),
        factors,
        row.cost_nanos,
        row.estimated,
        row.price,
        is_free=not any(getattr(row.price, one.rate) for one in TOKEN_CLASSES),
    )


def _lines_of(
    row: UsageEvent | UsagePart, factors: tuple[Applied, ...]
) -> list[ReceiptLine]:
    times = Decimal(1)
    for factor in factors:
        times *= Decimal(factor.millionths or ONE) / ONE
    return [
        ReceiptLine(
            token_class,
            count,
            getattr(row.price, token_class.rate),
            times if token_class.is_token else Decimal(1),
        )
        for token_class in TOKEN_CLASSES
        if (count := getattr(row, token_class.field))
    ]
