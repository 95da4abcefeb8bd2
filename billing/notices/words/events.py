"""Events as sentences, in the active language: what stands in Slack and in the list of
deliveries. Everything is read from the event's payload.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Tier
from billing.models import ChannelEvent, EventType
from billing.notices.queries.channels import People
from config.kit.dates import month_text
from config.kit.money import format_usd, usd

REACHED = 100


@dataclass(frozen=True, slots=True)
class Told:
    """An event's data with the people in it."""

    event: ChannelEvent
    people: People

    @property
    def data(self) -> dict[str, Any]:
        """What happened."""
        return self.event.data

    @property
    def who(self) -> str:
        """The person it is about, else the organization."""
        member = self.data.get("member")
        if not member:
            return str(self.event.payload["organization"]["name"])
        return str(self.people.get(member["id"], {}).get("name", "–"))

    def amount(self, name: str) -> str:
        """An amount of the data as people read it; nothing where there is none."""
        value = self.data.get(name)
        return "–" if value is None else format_usd(usd(value))

    @property
    def month(self) -> str:
        """`November 2026`."""
        return month_text(dt.date.fromisoformat(f"{self.data['month']}-01"))

    @property
    def percent(self) -> str:
        """`75 %`, in Japanese 75%."""
        return pgettext("share", "%(percent)s %%") % {"percent": self.data["percent"]}


def event_title(event: ChannelEvent, people: People) -> str:
    """What happened, in one sentence without a full stop."""
    return _TITLES[EventType(event.type)](Told(event, people))


def event_line(event: ChannelEvent, people: People) -> str:
    """What follows from it, or how much is spent; empty where nothing is to be said."""
    line = _LINES.get(EventType(event.type))
    return line(Told(event, people)) if line else ""


# -- Titles ---------------------------------------------------------------------------------


def _cap_threshold(told: Told) -> str:
    return _("%(who)s has used %(percent)s of %(limit)s") % {
        "who": told.who,
        "percent": told.percent,
        "limit": told.amount("cap_usd"),
    }


def _cap_changed(told: Told) -> str:
    data = told.data
    whose = told.who
    if data["level"] == "seat_tier":
        whose = _("%(tier)s seats") % {"tier": Tier.label_of(data["seat_tier"])}
    names = {"whose": whose, "amount": told.amount("amount_usd")}
    if data["amount_usd"] is None:
        return _("Spend cap of %(whose)s: unlimited") % names
    if data["this_month_only"]:
        return _("Spend cap of %(whose)s: %(amount)s this month only") % names
    return _("Spend cap of %(whose)s: %(amount)s a month") % names


def _soft_limit(told: Told) -> str:
    return _("%(who)s has reached the soft limit of %(limit)s") % {
        "who": told.who,
        "limit": told.amount("amount_usd"),
    }


def _included(told: Told) -> str:
    names = {"who": told.who, "percent": told.percent}
    if told.data["window"] == "week":
        return _("%(who)s has used %(percent)s of a week’s included usage") % names
    return _("%(who)s has used %(percent)s of a session’s included usage") % names


def _changeover(told: Told) -> str:
    return _("%(who)s goes on with extra usage") % {"who": told.who}


def _balance_low(told: Told) -> str:
    return _("The balance is low: %(left)s is left") % {
        "left": told.amount("balance_usd")
    }


def _balance_exhausted(told: Told) -> str:
    return _("The balance is used up")


def _balance_short(told: Told) -> str:
    return _("The balance would not last the month")


def _request_created(told: Told) -> str:
    return _("%(who)s requests more usage") % {"who": told.who}


def _request_decided(told: Told) -> str:
    names = {"who": told.who, "amount": told.amount("amount_usd")}
    if told.data["status"] == "dismissed":
        return _("The request of %(who)s was dismissed") % names
    if told.data["seat_tier"]:
        return _("%(who)s was moved to a Premium seat") % names
    return _("The limit of %(who)s was raised to %(amount)s") % names


def _request_ended(told: Told) -> str:
    if told.data["status"] == "withdrawn":
        return _("The request of %(who)s was taken back") % {"who": told.who}
    return _("The request of %(who)s ended by itself") % {"who": told.who}


def _month_closed(told: Told) -> str:
    return _("%(month)s was closed") % {"month": told.month}


def _invoice_issued(told: Told) -> str:
    return _("Invoice %(number)s for %(month)s: %(total)s") % {
        "number": told.data["number"],
        "month": told.month,
        "total": told.amount("total_usd"),
    }


def _invoice_paid(told: Told) -> str:
    return _("Invoice %(number)s was paid: %(total)s") % {
        "number": told.data["number"],
        "total": told.amount("total_usd"),
    }


def _reload_succeeded(told: Told) -> str:
    return _("Auto-reload bought %(amount)s") % {"amount": told.amount("amount_usd")}


def _reload_declined(told: Told) -> str:
    return _("Auto-reload of %(amount)s was declined") % {
        "amount": told.amount("amount_usd")
    }


def _purchase_succeeded(told: Told) -> str:
    return _("%(amount)s of balance was bought") % {"amount": told.amount("amount_usd")}


def _switched(told: Told) -> str:
    if not told.data["enabled"]:
        return _("Extra usage was turned off")
    if told.data["scope"] == "everyone":
        return _("Extra usage is on for everyone")
    return _("Extra usage is on for selected members")


def _test(told: Told) -> str:
    return _("Test: notices of %(organization)s arrive here") % {
        "organization": told.who
    }


_TITLES: dict[EventType, Callable[[Told], str]] = {
    EventType.CAP_THRESHOLD: _cap_threshold,
    EventType.CAP_CHANGED: _cap_changed,
    EventType.SOFT_LIMIT: _soft_limit,
    EventType.INCLUDED_THRESHOLD: _included,
    EventType.CHANGEOVER: _changeover,
    EventType.BALANCE_LOW: _balance_low,
    EventType.BALANCE_EXHAUSTED: _balance_exhausted,
    EventType.BALANCE_SHORT: _balance_short,
    EventType.REQUEST_CREATED: _request_created,
    EventType.REQUEST_DECIDED: _request_decided,
    EventType.REQUEST_ENDED: _request_ended,
    EventType.MONTH_CLOSED: _month_closed,
    EventType.INVOICE_ISSUED: _invoice_issued,
    EventType.INVOICE_PAID: _invoice_paid,
    EventType.RELOAD_SUCCEEDED: _reload_succeeded,
    EventType.RELOAD_DECLINED: _reload_declined,
    EventType.PURCHASE_SUCCEEDED: _purchase_succeeded,
    EventType.SWITCHED: _switched,
    EventType.TEST: _test,
}


# -- The line below -------------------------------------------------------------------------


def _spent_line(told: Told) -> str:
    spent = _("%(spent)s spent in %(month)s.") % {
        "spent": told.amount("spent_usd"),
        "month": told.month,
    }
    if (told.data.get("percent") or 0) < REACHED:
        return spent
    if told.data.get("level") == "organization":
        return f"{spent} {_('Extra usage is paused for everyone.')}"
    return f"{spent} {_('Extra usage is paused for this person.')}"


def _soft_line(told: Told) -> str:
    return f"{_spent_line(told)} {_('It stops nothing.')}"


def _stopped_line(told: Told) -> str:
    return _("Extra usage is paused for everyone until more is bought.")


def _request_line(told: Told) -> str:
    return _("%(spent)s spent this month, cap %(cap)s.") % {
        "spent": told.amount("spent_usd"),
        "cap": _("unlimited")
        if told.data["cap_usd"] is None
        else told.amount("cap_usd"),
    }


def _balance_line(told: Told) -> str:
    return _("The balance is %(balance)s.") % {"balance": told.amount("balance_usd")}


_LINES: dict[EventType, Callable[[Told], str]] = {
    EventType.CAP_THRESHOLD: _spent_line,
    EventType.SOFT_LIMIT: _soft_line,
    EventType.BALANCE_EXHAUSTED: _stopped_line,
    EventType.REQUEST_CREATED: _request_line,
    EventType.RELOAD_SUCCEEDED: _balance_line,
    EventType.PURCHASE_SUCCEEDED: _balance_line,
}
