"""What a month's tokens cost at other rates, as far as sums of tokens tell (pure).

Amounts are nano-USD, rates nano-USD per million tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from config.kit.money import half_even

MILLION = 1_000_000


class TokenSums(NamedTuple):
    """Tokens as the days' counters have them: writes to the cache of both lifetimes in
    one.
    """

    input: int = 0
    output: int = 0
    cache_write: int = 0
    cache_read: int = 0

    def cost_at(self, rates: Mapping[str, int]) -> int:
        """What they cost at these rates, by field name; writes to the cache as if all
        were for five minutes.
        """
        total = (
            self.input * rates["input_nanos"]
            + self.output * rates["output_nanos"]
            + self.cache_write * rates["cache_write_5m_nanos"]
            + self.cache_read * rates["cache_read_nanos"]
        )
        return half_even(total, MILLION)


def cost_at_other_rates(
    cost_nanos: int,
    tokens: TokenSums,
    before: Mapping[str, int] | None,
    after: Mapping[str, int],
) -> int:
    """About what usage that cost `cost_nanos` at the rates `before` costs at those
    `after`: in proportion to what its tokens alone cost, so that factors and larger
    contexts count as they did; the tokens alone where they cost nothing before.
    """
    at_before = tokens.cost_at(before) if before else 0
    at_after = tokens.cost_at(after)
    if not at_before or not cost_nanos:
        return at_after
    return half_even(cost_nanos * at_after, at_before)


def is_far(before: int, after: int) -> bool:
    """Whether an amount is more than a hundred times, or less than a hundredth, of what
    it was; from or to nothing is another question.
    """
    if not before or not after:
        return False
    return after > 100 * before or after * 100 < before
