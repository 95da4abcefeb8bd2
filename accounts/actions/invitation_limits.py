"""How many strangers an organization may mail, and how often (S21)."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import Invitation, Organization
from config.kit.dates import moment_text
from config.kit.errors import BusinessError

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def refuse_one_too_many(
    organization: Organization, email: str, *, now: dt.datetime
) -> None:
    """Raise BusinessError `mailed_today` or `too_many_invitations` (429), with when one
    may again. Under the organization's lock.
    """
    sent = Invitation.objects.filter(organization=organization)
    last = (
        sent.filter(email=email, mailed_at__gt=now - DAY).order_by("-mailed_at").first()
    )
    if last is not None and last.mailed_at is not None:
        raise BusinessError(
            _(
                "%(email)s was already sent an invitation within the last 24 hours. "
                "You can send another one %(again)s."
            )
            % {"email": email, "again": _at(organization, last.mailed_at + DAY, now)},
            code="mailed_today",
            status=429,
            field="email",
        )
    _refuse_more_than_an_hours(organization, now=now)


def _refuse_more_than_an_hours(organization: Organization, *, now: dt.datetime) -> None:
    """An organization that an operator trusts invites without limit."""
    most = settings.INVITATIONS_AN_HOUR
    if organization.invites_freely:
        return
    # The one that has to be an hour old before the next may go out.
    newest = Invitation.objects.filter(
        organization=organization, created_at__gt=now - HOUR
    ).order_by("-created_at")[most - 1 : most]
    for invitation in newest:
        raise BusinessError(
            _(
                "Up to %(most)d invitations an hour can be sent. You can send the next "
                "one %(again)s."
            )
            % {
                "most": most,
                "again": _at(organization, invitation.created_at + HOUR, now),
            },
            code="too_many_invitations",
            status=429,
        )


def _at(organization: Organization, moment: dt.datetime, now: dt.datetime) -> str:
    """When, to the next full minute, in the organization's zone."""
    whole = moment + dt.timedelta(seconds=59)
    return moment_text(whole, zone=organization.zone_at(now), now=now)
