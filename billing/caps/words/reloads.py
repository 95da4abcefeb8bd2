"""What an organization cap does to auto-reload, which it limits where no limit of its
own is set (T4). In the active language.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.caps.queries.effects import reload_under_cap
from billing.funding.rules.standing import OrganizationStanding
from config.kit.money import format_usd


def reload_warning(standing: OrganizationStanding, *, cap_nanos: int) -> str:
    """That a cap is smaller than one reload, so that auto-reload would buy nothing;
    empty where it is not.
    """
    amount_nanos = reload_under_cap(standing.id) if standing.auto_reload else None
    if amount_nanos is None or amount_nanos <= cap_nanos:
        return ""
    return _(
        "Auto-reload could not buy: one reload is %(amount)s, and this cap limits "
        "reloads too."
    ) % {"amount": format_usd(amount_nanos)}
