"""Rates, what they count, and why a price booked a difference, as people read them."""

from __future__ import annotations

from decimal import Context, Decimal

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.models import (
    GATEWAY_COUNTED,
    AssigningReason,
    Condition,
    RepricingReason,
)
from billing.prices.rules import ONE, Applied, TokenClass
from config.kit.money import NANOS_PER_USD

# Earlier versions stored the sentence itself; invoices issued by them still have it.
CODES_OF_SENTENCES = {
    "The model has a price now; it was estimated at the fallback rate.": (
        RepricingReason.MODEL_PRICED
    ),
    "The model now has a price; until then, its cost was estimated at the fallback rate.": (
        RepricingReason.MODEL_PRICED
    ),
    "The price it was charged at was corrected.": RepricingReason.PRICE_CORRECTED,
    "The price used for this charge was corrected.": RepricingReason.PRICE_CORRECTED,
}


# What each rate is the price of, at the beginning of a sentence.
WHAT_COSTS = {
    "input_nanos": gettext_lazy("A million input tokens"),
    "output_nanos": gettext_lazy("A million output tokens"),
    "cache_write_5m_nanos": gettext_lazy(
        "A million tokens written to the cache for 5 minutes"
    ),
    "cache_write_1h_nanos": gettext_lazy(
        "A million tokens written to the cache for 1 hour"
    ),
    "cache_read_nanos": gettext_lazy("A million tokens read from the cache"),
    "web_search_nanos": gettext_lazy("A thousand web searches"),
}


def rate_text(nanos: int) -> str:
    """A rate in USD as short decimal text: `5.00`, `0.375`."""
    usd = (Decimal(nanos) / NANOS_PER_USD).normalize()
    exponent = usd.as_tuple().exponent
    return f"{usd:.2f}" if isinstance(exponent, int) and exponent >= -2 else f"{usd:f}"


def rate_usd(nanos: int) -> str:
    """A rate with its sign: `$5.00`, `$0.000005`."""
    return f"${rate_text(nanos)}"


def times_between(before: int, after: int) -> str:
    """What an amount is multiplied by, of three digits: `×1.25`, `×0.0000002`; empty
    from or to nothing.
    """
    if not before or not after:
        return ""
    ratio = Context(prec=3).divide(Decimal(after), Decimal(before)).normalize()
    return f"×{ratio:f}"


def cost_sentence(rate: str, before: int | None, after: int) -> str:
    """What a rate means, by its field: `A million output tokens would cost $0.000005
    instead of $25.00.`
    """
    words = {"what": WHAT_COSTS[rate], "after": rate_usd(after)}
    if after == 0:
        words["after"] = _("nothing")
    if before is None:
        return _("%(what)s would cost %(after)s.") % words
    was = rate_usd(before) if before else _("nothing")
    return _("%(what)s would cost %(after)s instead of %(before)s.") % {
        **words,
        "before": was,
    }


def class_word(token_class: TokenClass, count: int) -> str:
    """What was counted, short."""
    match token_class.label:
        case "input":
            return _("in")
        case "output":
            return _("out")
        case "cache_write_5m":
            return _("cache write 5 min")
        case "cache_write_1h":
            return _("cache write 1 h")
        case "cache_read":
            return _("cache read")
        case _web_search:
            return ngettext("search", "searches", count)


def part_word(kind: str) -> str:
    """What a part of a request is; a kind not known, as it was reported."""
    match kind:
        case "message":
            return _("Message")
        case "compaction":
            return _("Compaction")
        case "advisor_message":
            return _("Advisor")
        case "fallback_message":
            return _("Fallback")
        case _unknown:
            return kind


def times_text(millionths: int) -> str:
    """A factor as short decimal text: `2`, `1.1`."""
    return f"{(Decimal(millionths) / ONE).normalize():f}"


def factor_text(factor: Applied) -> str:
    """`Speed: fast × 2`."""
    facts = {"condition": Condition(factor.condition).label, "value": factor.value}
    if factor.millionths is None:
        return _("%(condition)s: %(value)s (no factor is known)") % facts
    times = times_text(factor.millionths)
    return _("%(condition)s: %(value)s × %(times)s") % {**facts, "times": times}


def correction_reason_text(reason: str) -> str:
    """Why something was corrected, for the reader: our own codes in their language, an
    operator's reason as written.

    A sentence stored on an issued invoice stays as it was issued, but for readers of
    other languages.
    """
    if reason == GATEWAY_COUNTED:
        return _(
            "Recorded by what telemetry counted; the gateway's own count differed, and "
            "it holds."
        )
    if reason in RepricingReason.values:
        return str(RepricingReason(reason).label)
    if reason in AssigningReason.values:
        return str(AssigningReason(reason).label)
    code = CODES_OF_SENTENCES.get(reason)
    if code is None or translation.get_language() in (None, "en"):
        return reason
    return str(code.label)


def correction_reason_in_english(reason: str) -> str:
    """The same for the API, whose answers are English for everybody."""
    with translation.override("en"):
        return correction_reason_text(reason)


def spellings_of_reason(reason: str) -> list[str]:
    """Every text kept for the same reason: an invoice issued by an earlier version has a
    sentence where the differences behind it have a code.
    """
    code = CODES_OF_SENTENCES.get(reason, reason)
    sentences = [
        sentence for sentence, of_code in CODES_OF_SENTENCES.items() if of_code == code
    ]
    return [str(code), *sentences]
