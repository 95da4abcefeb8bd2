"""What one amount for several people, or a Premium seat for one, would mean, in a
sentence. Reads only.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Tier
from billing.models import SeatAllowance
from config.kit.money import AmountError, format_usd, parse_amount
from requests_inbox.views.review_rows import Review


def group_effect(review: Review, ticked: list[int], typed: Any) -> str:
    """How much more those ticked could spend together at the amount, and what is left of
    the organization's cap; empty while it can't be read.
    """
    try:
        amount = parse_amount(str(typed or "")[:60].replace("\0", ""))
    except AmountError:
        return ""
    rows = [row for pk in ticked if (row := review.row(pk)) is not None]
    if not rows:
        return ""
    more = sum(max(0, amount - row.waiting.standing.spent_nanos) for row in rows)
    figures = {"count": len(rows), "more": format_usd(more)}
    if review.left_nanos is None:
        return (
            ngettext(
                "%(more)s more for %(count)d person; the organization cap is unlimited.",
                "%(more)s more for %(count)d people; the organization cap is unlimited.",
                len(rows),
            )
            % figures
        )
    figures["left"] = format_usd(review.left_nanos)
    return (
        ngettext(
            "%(more)s more for %(count)d person, %(left)s left of the organization's cap.",
            "%(more)s more for %(count)d people, %(left)s left of the organization's cap.",
            len(rows),
        )
        % figures
    )


def premium_text(plan: str) -> str:
    """What a Premium seat includes, and what a Standard one does, in the longest window."""
    included = {
        row.seat_tier: row
        for row in SeatAllowance.objects.filter(plan=plan).order_by("length_seconds")
    }
    premium = included.get(Tier.PREMIUM)
    if premium is None:
        return ""
    figures = {"amount": format_usd(premium.amount_nanos)}
    standard = included.get(Tier.STANDARD)
    if premium.name != "week":
        return _("A Premium seat includes %(amount)s at a time.") % figures
    if standard is None or standard.name != "week":
        return _("A Premium seat includes %(amount)s a week.") % figures
    figures["standard"] = format_usd(standard.amount_nanos)
    return (
        _("A Premium seat includes %(amount)s a week, instead of %(standard)s.")
        % figures
    )
