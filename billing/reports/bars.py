"""Geometry of a spending bar as SVG attribute texts, so that no page needs an inline
style. Per mille, whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """Where its parts start and how wide they are, as per cent texts such as `81.4%`;
    empty where a part is missing.
    """

    spent: str
    projected: str = ""
    cap: str = ""
    over_from: str = ""
    over: str = ""
    is_reached: bool = False
    labels_fit: bool = False
    projected_fits: bool = False


def bar(
    spent_nanos: int, *, cap_nanos: int | None, projected_nanos: int | None = None
) -> Bar:
    """A bar as long as the larger of cap and projection; the cap is a line on it when
    something passes it.
    """
    scale = max(cap_nanos or 0, projected_nanos or 0, spent_nanos, 1)
    cap = scale if cap_nanos is None else cap_nanos
    passes = scale > cap
    projected = max(projected_nanos or 0, spent_nanos)
    return Bar(
        spent=_percent(spent_nanos, scale),
        projected=_percent(min(projected, cap), scale) if projected_nanos else "",
        cap=_percent(cap, scale) if cap_nanos is not None else "",
        over_from=_percent(cap, scale) if passes else "",
        over=_percent(scale - cap, scale) if passes else "",
        is_reached=cap_nanos is not None and spent_nanos >= cap_nanos,
        # With room on both sides of the cap's line, its label stands at the line.
        labels_fit=passes and scale * 35 // 100 <= cap <= scale * 94 // 100,
        # So does the projection's, between what is spent and the cap's own label, on a
        # phone too.
        projected_fits=not passes
        and bool(projected_nanos)
        and scale * 55 // 100 <= projected <= scale * 78 // 100,
    )


def row_bar(spent_nanos: int, *, cap_nanos: int | None) -> Bar | None:
    """The small bar of a table row: spent of the cap, full when reached; None without a cap."""
    if cap_nanos is None:
        return None
    reached = spent_nanos >= cap_nanos
    return Bar(
        spent="100.0%" if reached else _percent(spent_nanos, max(cap_nanos, 1)),
        is_reached=reached,
    )


def _percent(part: int, whole: int) -> str:
    mille = min(1000, max(0, part) * 1000 // whole)
    if part > 0:
        mille = max(mille, 4)  # something spent always shows
    return f"{mille // 10}.{mille % 10}%"
