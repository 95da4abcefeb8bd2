"""Jobs of metering. Safe to run twice, at once and late."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from django.utils import timezone

from accounts.actions.audit import Actor, record_change
from accounts.models import Organization, User
from billing.metering.actions import repricing
from billing.metering.queries.untold import organizations_untold
from config.kit.jobs import for_each

# A run that may still be going on tells by itself.
A_RUN_ENDS_WITHIN = dt.timedelta(hours=1)


@shared_task
def tell_of_repricing() -> int:
    """Tell owners of differences that were booked by a run that ended before it told; how
    many organizations.
    """
    now = timezone.now()
    told = for_each(
        organizations_untold(now=now, booked_before=now - A_RUN_ENDS_WITHIN),
        lambda pk: repricing.tell_of_repricing(
            pk, actor=Actor(label=repricing.COMMAND), now=now
        ),
        failed="billing.telling_failed",
    )
    return sum(entry is not None for entry in told)


@shared_task(
    time_limit=7_000
)  # seconds: below the time after which Redis sends it again
def reprice_customer(
    organization_id: int, models: list[str] | None, operator_id: int, reason: str
) -> int:
    """Book what today's prices mean for the events of one organization, as an operator
    asked; how many were adjusted. The audit says that it ended, also with nothing.
    """
    now = timezone.now()
    organization = Organization.objects.get(pk=organization_id)
    actor = Actor.person(User.objects.get(pk=operator_id), reason=reason)
    done = repricing.reprice_events(
        now=now, models=models, actor=actor, organization_ids=[organization_id]
    )
    record_change(
        organization,
        actor=actor,
        action="usage.reprice_end",
        subject=organization.name,
        now=timezone.now(),
        to_value={"events": done.events, "adjusted": done.adjusted},
    )
    return done.adjusted
