"""What of caps and scope holds again for somebody who comes back.

A removal ends neither: somebody removed by mistake is back as they were. Nobody should
find out by an invoice, so whoever brings them back reads it.
"""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from accounts.models import Membership
from accounts.returning import register_what_holds
from billing.funding.queries import standing_of
from config.kit.money import format_usd


@register_what_holds
def caps_and_scope(member: Membership, now: dt.datetime) -> list[str]:
    """Their own cap, and that they are selected where extra usage is for selected members."""
    standing = standing_of(member.pk, organization_id=member.organization_id, now=now)
    sentences = []
    cap = standing.own_cap
    if cap.amount_nanos is not None:
        amount = format_usd(cap.amount_nanos)
        sentences.append(
            _("Their own spend cap of %(amount)s applies again this month.")
            % {"amount": amount}
            if cap.month_only
            else _("Their own spend cap of %(amount)s applies again.")
            % {"amount": amount}
        )
    elif cap.later_nanos is not None:
        sentences.append(
            _("Their own spend cap of %(amount)s applies again from next month.")
            % {"amount": format_usd(cap.later_nanos)}
        )
    if standing.organization.scope == "selected" and standing.selected:
        sentences.append(_("They are again selected for extra usage."))
    return sentences
