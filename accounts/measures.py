"""What operators watch of mails."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Min

from accounts.models import OutgoingMail
from config.kit.measures import Measure, age, measures, single

DAY = dt.timedelta(days=1)


@measures
def mails(now: dt.datetime) -> list[Measure]:
    """How many wait, how long, and how many were given up in a day."""
    waiting = OutgoingMail.objects.waiting()
    found = waiting.aggregate(count=Count("pk"), oldest=Min("created_at"))
    given_up = OutgoingMail.objects.given_up().filter(dropped_at__gt=now - DAY)
    return [
        single(
            "mails_waiting", "Mails that are neither sent nor given up.", found["count"]
        ),
        single(
            "mails_oldest_seconds",
            "How long the oldest waiting mail has waited.",
            age(found["oldest"], now),
        ),
        single(
            "mails_given_up",
            "Mails given up within the last 24 hours, with the reason in their row.",
            given_up.count(),
        ),
    ]
