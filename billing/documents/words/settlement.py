"""A month whose settlement changed, in the active language: what of it goes where."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.documents.queries.months import funded_in
from billing.funding.rules.standing import OrganizationStanding
from config.kit.dates import month_name_text
from config.kit.money import format_usd


def settlement_text(standing: OrganizationStanding) -> str:
    """That usage of the running month is billed as it was funded; empty where all of it
    was funded the way it is now.
    """
    split = funded_in(standing.id, month_on=standing.month.first_on)
    if standing.is_prepaid:
        if not split.billed_nanos:
            return ""
        sentence = _(
            "The settlement changed to prepaid in %(month)s. Usage before that "
            "(%(billed)s) comes on an invoice after the month; usage since then "
            "(%(prepaid)s) is paid from the balance and comes on the statement."
        )
    else:
        if not split.prepaid_nanos:
            return ""
        sentence = _(
            "The settlement changed to postpaid in %(month)s. Usage before that "
            "(%(prepaid)s) was paid from the balance and comes on the statement; usage "
            "since then (%(billed)s) comes on an invoice after the month."
        )
    return sentence % {
        "month": month_name_text(standing.month.first_on),
        "billed": format_usd(split.billed_nanos),
        "prepaid": format_usd(split.prepaid_nanos),
    }
