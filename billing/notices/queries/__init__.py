"""Reading notices: at what people are told, who is told, what is new to a person, and all
of a month.
"""

from billing.notices.queries.edges import (
    EDGES,
    edges_for,
    low_mark,
    member_amounts,
)

__all__ = ["EDGES", "edges_for", "low_mark", "member_amounts"]
