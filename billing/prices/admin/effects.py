"""What a change of prices would do to money and people, in lines of a preview: from what
was used last month.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.panels import Effect
from billing.prices.queries.usage import MonthUsage
from billing.prices.rules.estimates import cost_at_other_rates
from billing.prices.words import times_between
from config.kit.dates import month_text
from config.kit.money import format_usd


def who_used_it(usage: MonthUsage) -> Effect:
    """How many people used it last month, in how many organizations."""
    if not usage.events:
        words = {"month": month_text(usage.month_on)}
        return Effect(_("Nobody used it in %(month)s.") % words)
    people = ngettext("%(number)s person", "%(number)s people", usage.people)
    organizations = ngettext(
        "%(number)s organization", "%(number)s organizations", usage.organizations
    )
    return Effect(
        _("Used in %(month)s by") % {"month": month_text(usage.month_on)},
        after=_("%(people)s in %(organizations)s")
        % {
            "people": people % {"number": f"{usage.people:,}"},
            "organizations": organizations % {"number": f"{usage.organizations:,}"},
        },
    )


def last_month_at(
    usage: MonthUsage,
    before: Mapping[str, int] | None,
    after: Mapping[str, int],
    *,
    context_above: int = 0,
) -> Iterator[Effect]:
    """What last month cost, and about what it would have; of a context tier up to what,
    since the counters don't know how much was above it.
    """
    yield who_used_it(usage)
    if not usage.events:
        return
    would = cost_at_other_rates(usage.cost_nanos, usage.tokens, before, after)
    about = _("about %(amount)s") % {"amount": format_usd(would)}
    if context_above:
        between = sorted((usage.cost_nanos, would))
        about = _("between %(least)s and %(most)s") % {
            "least": format_usd(between[0]),
            "most": format_usd(between[1]),
        }
    cost = format_usd(usage.cost_nanos)
    yield Effect(_cost_label(usage), cost, f"{about} {_times(usage, would)}".strip())
    yield Effect(
        _(
            "Estimated from the month's tokens, in proportion: web searches are not in "
            "it, and cache writes count as for 5 minutes."
        )
    )


def last_month_times(usage: MonthUsage, before: int, after: int) -> Iterator[Effect]:
    """What last month would cost at most, or at least, were all of it under a factor;
    both in millionths.
    """
    yield who_used_it(usage)
    if not usage.events:
        return
    would = usage.cost_nanos * after // before
    amount = {"amount": format_usd(would)}
    bound = (
        _("at most %(amount)s") % amount
        if after >= before
        else _("at least %(amount)s") % amount
    )
    yield Effect(_cost_label(usage), format_usd(usage.cost_nanos), bound)
    yield Effect(
        _("The bound is for the case that all of it ran under this condition.")
    )


def _cost_label(usage: MonthUsage) -> str:
    return _("Its usage of %(month)s") % {"month": month_text(usage.month_on)}


def _times(usage: MonthUsage, would: int) -> str:
    times = times_between(usage.cost_nanos, would)
    return f"({times})" if times else ""
