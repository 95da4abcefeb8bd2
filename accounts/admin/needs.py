"""What needs somebody among people and mails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import OutgoingMail
from accounts.operators.needs import Act, Need, register_needs

# Older ones are history: the list of mails has them.
TOLD_FOR = dt.timedelta(days=7)
TRIES_BEFORE_TOLD = 3


def mails_that_failed(now: dt.datetime) -> Iterator[Need]:
    """Mails given up in the last days, and mails that are being tried again and again."""
    given_up = OutgoingMail.objects.filter(dropped_at__gte=now - TOLD_FOR).exclude(
        last_error=""
    )
    tried = OutgoingMail.objects.waiting().filter(attempts__gte=TRIES_BEFORE_TOLD)
    for mails, sentences, query in (
        (given_up, _given_up_text, "?state=given_up"),
        (tried, _tried_text, "?state=failing"),
    ):
        count, newest = mails.count(), mails.select_related("user").first()
        if newest is None:
            continue
        oldest = mails.order_by("created_at").values_list("created_at", flat=True)[0]
        url = reverse("admin:accounts_outgoingmail_changelist") + query
        yield Need(
            sentences(count),
            f"{newest.to} · {newest.last_error}",
            oldest,
            "mail",
            (Act(_("Show them"), url, "accounts.view_outgoingmail"),),
        )


def _given_up_text(count: int) -> str:
    return ngettext(
        "%(number)s mail could not be sent and was given up",
        "%(number)s mails could not be sent and were given up",
        count,
    ) % {"number": f"{count:,}"}


def _tried_text(count: int) -> str:
    return ngettext(
        "%(number)s mail still does not get through",
        "%(number)s mails still do not get through",
        count,
    ) % {"number": f"{count:,}"}


register_needs(
    "mails",
    mails_that_failed,
    label=gettext_lazy("Failed mails"),
    permission="accounts.view_outgoingmail",
)
