"""What Extra usage answers to an ask, as values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from extra_usage_client.money import nanos_of

# Who said so: the server; a lease of it; what is remembered of it while it is away; or,
# near a limit, this client.
Said = Literal["server", "lease", "outage", "near_limit"]


@dataclass(frozen=True, slots=True)
class Lease:
    """What may be spent without asking again, and for how many seconds."""

    nanos: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """May the call run, who pays, or why not and until when (UTC).

    `headroom_nanos` is what the member can still use, included usage and extra usage
    together; None is without limit, or an older server that does not say.
    """

    allowed: bool
    said: Said = "server"
    funding: str | None = None
    authorization: str | None = None
    reason: str | None = None
    message: str | None = None
    short_message: str | None = None
    resets_at: dt.datetime | None = None
    request_url: str | None = None
    # Where the member can say yes to extra usage, which is what they wait for.
    continue_url: str | None = None
    # Extra usage begins with this call: tell the member.
    changeover: bool = False
    headroom_nanos: int | None = None
    lease: Lease | None = None

    @property
    def sentence(self) -> str:
        """What to show to the person who is refused, with where they can say yes."""
        message = self.message or "Extra usage refused this request."
        return f"{message} {self.continue_url}" if self.continue_url else message


def read_answer(sent: Any) -> Answer | None:
    """The answer to `POST /authorize`; None for what is none."""
    if not isinstance(sent, dict) or not isinstance(sent.get("allowed"), bool):
        return None
    return Answer(
        allowed=sent["allowed"],
        funding=_text(sent, "funding"),
        authorization=_text(sent, "authorization"),
        reason=_text(sent, "reason"),
        message=_text(sent, "message"),
        short_message=_text(sent, "short_message"),
        resets_at=_moment(sent.get("resets_at")),
        request_url=_text(sent, "request_url"),
        continue_url=_text(sent, "continue_url"),
        changeover=sent.get("changeover") is True,
        headroom_nanos=_headroom(sent),
        lease=_lease(sent.get("lease")),
    )


def _text(sent: dict[str, Any], name: str) -> str | None:
    value = sent.get(name)
    return value if isinstance(value, str) else None


def _moment(value: Any) -> dt.datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _headroom(sent: dict[str, Any]) -> int | None:
    """Included usage runs over into extra usage, so both count where both are left."""
    if "remaining_usd" not in sent or sent["remaining_usd"] is None:
        return None
    remaining = nanos_of(sent["remaining_usd"])
    if remaining is None or sent.get("funding") != "included":
        return remaining
    window = nanos_of(sent.get("window_remaining_usd"))
    return None if window is None else window + max(0, remaining)


def _lease(sent: Any) -> Lease | None:
    if not isinstance(sent, dict):
        return None
    nanos, seconds = nanos_of(sent.get("usd")), sent.get("seconds")
    if not nanos or nanos < 0 or not isinstance(seconds, int | float):
        return None
    return Lease(nanos, min(seconds, 3600.0)) if seconds > 0 else None
