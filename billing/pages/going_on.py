"""Going on with extra usage (N5): what the member's page says of it, and their yes."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership
from billing.funding.actions.confirming import confirm_extra_usage
from billing.funding.rules.confirmation import ends_of_yes
from billing.funding.rules.decision import Decision
from billing.funding.rules.leases import typical_nanos
from billing.funding.rules.standing import EXTRA_USAGE, Reason, Standing
from billing.funding.words import left_text
from billing.models import ConfirmationDoor, ConfirmedFor
from billing.reports.queries.own import first_extra_at
from config.kit.dates import moment_label, moment_text
from config.kit.errors import BusinessError
from config.kit.money import format_usd


class ContinueForm(forms.Form):
    """How long the yes holds."""

    until = forms.ChoiceField(
        choices=ConfirmedFor.choices,
        error_messages={
            "required": gettext_lazy("Choose how long to continue with extra usage."),
            "invalid_choice": gettext_lazy(
                "Choose how long to continue with extra usage."
            ),
        },
    )


class Choice(NamedTuple):
    """One of the ends a member may choose; the first is chosen already."""

    value: str
    label: str
    is_first: bool


@member_page()
@require_POST
def continue_extra_usage(
    request: MemberRequest, membership: Membership
) -> HttpResponse:
    """One press goes on; a second one finds the first one's yes."""
    form, now = ContinueForm(request.POST), timezone.now()
    if not form.is_valid():
        messages.error(request, str(form.errors["until"][0]))
        return redirect("own_usage", slug=membership.organization.slug)
    try:
        confirmed = confirm_extra_usage(
            membership,
            confirmed_for=form.cleaned_data["until"],
            door=ConfirmationDoor.PAGE,
            actor=Actor.person(request.user),
            now=now,
        )
    except BusinessError as error:
        messages.error(request, error.message)
    else:
        zone = membership.organization.zone_at(now)
        moment = moment_label(confirmed.until_at, zone=zone, now=now)
        sentence = _("You can continue with extra usage. Until: %(moment)s.")
        messages.success(request, sentence % {"moment": moment})
    return redirect("own_usage", slug=membership.organization.slug)


def going_on_context(
    standing: Standing, decision: Decision, *, now: dt.datetime
) -> dict[str, Any]:
    """`continues` while a yes is waited for, `goes_on` while extra usage pays what a seat
    would include; neither otherwise.
    """
    zone = standing.organization.month.zone
    if decision.reason is Reason.CONFIRMATION_NEEDED:
        resets_at = standing.included_resets_at
        return {
            "continues": {
                "choices": _choices(standing, zone=zone, now=now),
                "left": left_text(standing),
                "typical": _typical(standing),
                "resets": moment_text(resets_at, zone=zone, now=now)
                if resets_at
                else "",
            }
        }
    if decision.funding != EXTRA_USAGE or not standing.organization.has_windows:
        return {}
    return {"goes_on": _goes_on(standing, decision, zone=zone, now=now)}


def _choices(standing: Standing, *, zone: str, now: dt.datetime) -> list[Choice]:
    labels = {
        "window": _("Until my included usage resets (%(moment)s)"),
        "month": _("Until the month ends (%(moment)s)"),
    }
    return [
        Choice(
            value,
            labels[value] % {"moment": moment_label(end, zone=zone, now=now)},
            is_first=place == 0,
        )
        for place, (value, end) in enumerate(ends_of_yes(standing).items())
    ]


def _goes_on(
    standing: Standing, decision: Decision, *, zone: str, now: dt.datetime
) -> dict[str, str]:
    """The headline of somebody whom extra usage pays for, and what comes next."""
    left = left_text(standing)
    began_at = None if decision.is_changeover else _began_at(standing)
    if began_at is None:
        title = _("Extra usage begins with your next request: %(left)s")
    else:
        title = _("Extra usage since %(moment)s: %(left)s")
    label = moment_label(began_at, zone=zone, now=now) if began_at else ""
    resets_at = standing.included_resets_at
    until_at = standing.confirmed_until
    asks = standing.organization.asks_first and until_at is not None
    return {
        "title": title % {"moment": label, "left": left},
        "resets": moment_text(resets_at, zone=zone, now=now) if resets_at else "",
        "until": moment_text(until_at, zone=zone, now=now) if asks and until_at else "",
    }


def _began_at(standing: Standing) -> dt.datetime | None:
    """When the first request ran that extra usage paid since included usage was used up."""
    since = [
        window.used_up_at or window.opened_at
        for window in standing.windows
        if window.is_exhausted
    ]
    month = standing.organization.month
    earliest = min((one for one in since if one is not None), default=month.start)
    return first_extra_at(standing.membership_id, since=earliest)


def _typical(standing: Standing) -> str:
    """What a request of theirs costs on average; empty while nobody can say."""
    nanos = typical_nanos(standing)
    return format_usd(nanos) if nanos else ""
