"""At how much an organization's people are told, as the recorder reads it: one JSON value
with percentages and soft limits (N1).

Pure; amounts are nano-USD.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

ORGANIZATION_PERCENTS = (75, 90, 100)
MEMBER_PERCENTS = (75, 90, 100)
INCLUDED_PERCENTS = (80, 100)


@dataclass(frozen=True, slots=True)
class Edges:
    """Percentages of the organization's cap, of a person's, and of included usage; the
    amounts of soft limits for the organization and by seat tier, and whether any person
    has some of their own; and when a balance is low, where that was set.
    """

    organization: tuple[int, ...] = ORGANIZATION_PERCENTS
    member: tuple[int, ...] = MEMBER_PERCENTS
    included: tuple[int, ...] = INCLUDED_PERCENTS
    amounts: tuple[int, ...] = ()
    tier_amounts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    has_member_amounts: bool = False
    balance_low_nanos: int | None = None

    def as_json(self) -> dict[str, Any]:
        """What `edges_of` reads."""
        return {
            "organization": self.organization,
            "member": self.member,
            "included": self.included,
            "amounts": self.amounts,
            "tiers": self.tier_amounts,
            "members": self.has_member_amounts,
            "balance_low": self.balance_low_nanos,
        }


DEFAULT_EDGES = Edges()


def edges_of(value: Any) -> Edges:
    """The edges of a stored value: parsed, as text (SQLite), or None for the defaults.

    A part that is missing, as an older release leaves it out, has its default.
    """
    if value is None:
        return DEFAULT_EDGES
    stored = json.loads(value) if isinstance(value, str) else value
    if stored is None:
        return DEFAULT_EDGES
    tiers = stored.get("tiers", {})
    return Edges(
        organization=tuple(stored.get("organization", ORGANIZATION_PERCENTS)),
        member=tuple(stored.get("member", MEMBER_PERCENTS)),
        included=tuple(stored.get("included", INCLUDED_PERCENTS)),
        amounts=tuple(stored.get("amounts", ())),
        tier_amounts={tier: tuple(amounts) for tier, amounts in tiers.items()},
        has_member_amounts=bool(stored.get("members")),
        balance_low_nanos=stored.get("balance_low"),
    )
