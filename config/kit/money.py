"""Money as whole nano-USD: parse what people type, format what they read, round only here.

1 USD is 1,000,000,000 nano-USD. No float appears in this module or anywhere money passes.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from babel.core import Locale
from babel.numbers import format_currency, get_decimal_symbol, get_group_symbol
from django.utils.translation import get_language
from django.utils.translation import gettext as _

NANOS_PER_USD = 1_000_000_000
NANOS_PER_CENT = 10_000_000
MAX_AMOUNT_NANOS = 1_000_000 * NANOS_PER_USD
LOCALES = {"en": "en_US", "ja": "ja_JP"}


class AmountError(ValueError):
    """An amount nobody can use; `code` says why, the text says it to the person who
    typed it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def half_even(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest integer, ties to even; exact for any
    size. `denominator` > 0.
    """
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient % 2):
        quotient += 1
    return quotient


def usd(amount: int | str) -> int:
    """Nano-USD of a plain decimal text or whole number of USD, such as `usd("12.50")`;
    ValueError when it is not exact.
    """
    nanos = Decimal(amount) * NANOS_PER_USD
    if nanos != nanos.to_integral_value():
        raise ValueError(f"{amount!r} is finer than a nano-dollar")
    return int(nanos)


def to_cents(nanos: int) -> int:
    """Nano-USD rounded half-even to whole cents."""
    return half_even(nanos, NANOS_PER_CENT)


def whole_percent(part: int, whole: int) -> int:
    """How much of `whole` the part is, rounded down: 100 only when all of it is reached."""
    return 100 if whole <= 0 else min(100, part * 100 // whole)


def percent_spent(part: int, whole: int) -> int:
    """How much of `whole` the part is, rounded down and above 100 where it passes it;
    100 of nothing.
    """
    return 100 if whole <= 0 else max(0, part) * 100 // whole


def to_decimal_text(nanos: int, *, places: int = 9) -> str:
    """The API's decimal string of USD: `"0.012345000"`; with `places=2` rounded
    half-even to cents.
    """
    if places == 2:
        sign, cents = ("-" if to_cents(nanos) < 0 else ""), abs(to_cents(nanos))
        return f"{sign}{cents // 100}.{cents % 100:02d}"
    sign, nanos = ("-" if nanos < 0 else ""), abs(nanos)
    return f"{sign}{nanos // NANOS_PER_USD}.{nanos % NANOS_PER_USD:09d}"


def _locale(language: str | None = None) -> Locale:
    return _parsed(LOCALES.get((language or get_language() or "en")[:2], "en_US"))


@lru_cache
def _parsed(name: str) -> Locale:
    return Locale.parse(name)


def format_usd(nanos: int, *, language: str | None = None, cents: bool = True) -> str:
    """What people read: `$9,684.20`; `<$0.01` between zero and half a cent; whole
    dollars with `cents=False`.
    """
    locale = _locale(language)
    if cents and 0 < nanos <= NANOS_PER_CENT // 2:
        return "<" + _usd_text(Decimal("0.01"), locale=locale, digits=2)
    if cents:
        return _usd_text(Decimal(to_cents(nanos)) / 100, locale=locale, digits=2)
    return _usd_text(Decimal(half_even(nanos, NANOS_PER_USD)), locale=locale, digits=0)


@lru_cache(maxsize=8192)  # a page of people formats the same caps over and over
def _usd_text(amount: Decimal, *, locale: Locale, digits: int) -> str:
    pattern = "$#,##0.00;-$#,##0.00" if digits == 2 else "$#,##0;-$#,##0"
    return format_currency(
        amount, "USD", format=pattern, locale=locale, currency_digits=False
    )


def parse_amount(
    text: str,
    *,
    language: str | None = None,
    max_nanos: int = MAX_AMOUNT_NANOS,
    places: int = 2,
) -> int:
    """Nano-USD of an amount typed by a person: `25`, `25.00`, `1,250.50`, with or
    without `$`, locale's separators; cents, or as many decimal places (up to nine) as a
    rate has.

    Raises AmountError with code `empty`, `negative`, `decimals`, `too_large` or
    `not_a_number` and a sentence that quotes the input, names the rule and shows a
    right example.
    """
    locale = _locale(language)
    typed = (
        text.strip()
        .replace("\u00a0", "")
        .replace("$", "")
        .replace("\uff04", "")
        .strip()
    )
    if not typed:
        raise AmountError("empty", _("Enter an amount in dollars, such as 25.00."))
    plain = _to_ascii_digits(typed)
    point, group = get_decimal_symbol(locale), get_group_symbol(locale)
    number = re.fullmatch(
        rf"([-\u2212]?)(\d+|\d{{1,3}}(?:{re.escape(group)}\d{{3}})+)?(?:{re.escape(point)}(\d*))?",
        plain,
    )
    if not number or not (number[2] or number[3]):
        raise AmountError(
            "not_a_number",
            _("“%(typed)s” is not an amount. Enter dollars, such as 25 or 1,250.50.")
            % {"typed": text.strip()},
        )
    return _checked(
        text.strip(),
        sign=number[1],
        whole=number[2] or "0",
        fraction=number[3] or "",
        group=group,
        max_nanos=max_nanos,
        places=places,
    )


def _checked(
    typed: str,
    *,
    sign: str,
    whole: str,
    fraction: str,
    group: str,
    max_nanos: int,
    places: int,
) -> int:
    if len(fraction) > places:
        raise AmountError("decimals", _decimals_text(typed, len(fraction), places))
    digits = whole.replace(group, "").lstrip("0") or "0"
    too_large = len(digits) > 12
    nanos = (
        0 if too_large else int(digits) * NANOS_PER_USD + int(fraction.ljust(9, "0"))
    )
    if sign and nanos:
        raise AmountError(
            "negative",
            _("“%(typed)s” is below zero. Enter 0 or more, such as 25.00.")
            % {"typed": typed},
        )
    if too_large or nanos > max_nanos:
        raise AmountError(
            "too_large",
            _("“%(typed)s” is over the maximum of %(most)s.")
            % {"typed": typed, "most": format_usd(max_nanos)},
        )
    return nanos


def _decimals_text(typed: str, count: int, places: int) -> str:
    if places > 2:
        return _(
            "“%(typed)s” has %(count)d decimal places. A rate has at most %(places)d, "
            "such as 0.375."
        ) % {"typed": typed, "count": count, "places": places}
    return _(
        "“%(typed)s” has %(count)d decimal places. Amounts are in whole "
        "cents, such as 25.50."
    ) % {"typed": typed, "count": count}


def _to_ascii_digits(text: str) -> str:
    """Full-width digits and separators, as a Japanese keyboard types them, as ASCII."""
    return text.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)})
