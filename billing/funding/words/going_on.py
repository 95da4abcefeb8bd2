"""What a member is told when extra usage begins (N5), and how much of it is left."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _

from billing.funding.rules.headroom import extra_within_caps, own_left
from billing.funding.rules.standing import Standing
from config.kit.money import format_usd


def changeover_message(standing: Standing, *, language: str) -> str:
    """That the next request is the first that extra usage pays, in `language`."""
    with translation.override(language):
        return _(
            "Your included usage is used up. Extra usage begins with this request:"
            " %(left)s."
        ) % {"left": left_text(standing)}


def left_text(standing: Standing) -> str:
    """`$39.11 of $80.00 left`, `$5.00 left` where more than one's own cap limits, or what
    was spent where nothing does.
    """
    left, cap = extra_within_caps(standing), standing.cap.amount_nanos
    if left is None:
        return _("%(spent)s spent this month, no cap") % {
            "spent": format_usd(standing.spent_nanos)
        }
    if cap is not None and left == own_left(standing):
        values = {"left": format_usd(left), "cap": format_usd(cap)}
        return _("%(left)s of %(cap)s left") % values
    return _("%(left)s left") % {"left": format_usd(left)}
