"""What a purchase does not change, in the active language: who buys should know it before
paying, and again after.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.funding.rules.standing import OrganizationStanding
from config.kit.dates import day_text
from config.kit.money import format_usd
from config.kit.months import next_month


def still_stops(
    standing: OrganizationStanding,
    *,
    balance_nanos: int,
    enabled: int | None = None,
) -> list[str]:
    """What stops people whatever is bought, a sentence each: the switch, nobody chosen,
    a reached organization cap, a balance below zero; empty where buying is all that is
    needed.

    `balance_nanos` is the balance at the moment it is said, `enabled` how many people
    have extra usage, where that is known.
    """
    sentences = []
    if not standing.is_on:
        sentences.append(
            _(
                "Extra usage is off, so nobody can use the balance until an owner turns "
                "it on."
            )
        )
    elif standing.cap.is_reached(standing.spent_nanos):
        sentences.append(_cap_text(standing))
    elif enabled == 0:
        sentences.append(_("Nobody has been chosen for extra usage yet."))
    if balance_nanos < 0:
        sentences.append(
            _("The balance is %(below)s below zero; a purchase covers that first.")
            % {"below": format_usd(-balance_nanos)}
        )
    return sentences


def _cap_text(standing: OrganizationStanding) -> str:
    return _(
        "The organization spend cap of %(cap)s has been reached (%(spent)s spent), so "
        "everybody stays paused until %(day)s or until an owner raises the cap."
    ) % {
        "cap": format_usd(standing.cap.amount_nanos or 0),
        "spent": format_usd(standing.spent_nanos),
        "day": day_text(next_month(standing.month.first_on)),
    }
