"""A member's yes to extra usage, where the organization asks for one first (N5)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Membership
from billing.funding.queries import standing_of
from billing.funding.rules.confirmation import ConfirmedFor, ends_of_yes
from billing.funding.rules.decision import decide
from billing.funding.rules.standing import Reason, Standing
from billing.models import ExtraUsageConfirmation
from config.kit.errors import BusinessError


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Until when the member's yes holds, and whether this press made it last so long."""

    until_at: dt.datetime
    is_new: bool


@transaction.atomic
def confirm_extra_usage(
    membership: Membership,
    *,
    confirmed_for: ConfirmedFor,
    door: str,
    actor: Actor,
    now: dt.datetime,
) -> Confirmed:
    """Let extra usage begin for a member, until included usage resets or the month ends.

    A second press finds the first one's yes, and none is shortened. Raises BusinessError
    `nothing_to_confirm` where no yes is waited for, `blocked` where it would not help,
    `no_reset_known`.
    """
    locked = lock_organization(membership.organization_id)
    standing = standing_of(membership.pk, organization_id=locked.pk, now=now)
    until_at = ends_of_yes(standing).get(confirmed_for)
    kept = _kept(standing)
    if kept and (until_at is None or until_at <= kept):
        return Confirmed(kept, False)
    _check_waits(standing)
    if until_at is None:
        raise BusinessError(
            _("No reset of your included usage is known. Choose the end of the month."),
            code="no_reset_known",
            status=422,
            field="until",
        )
    ExtraUsageConfirmation.objects.create(
        membership=membership,
        confirmed_for=confirmed_for,
        until_at=until_at,
        windows=_windows(standing),
        door=door,
        created_at=now,
    )
    record_change(
        locked,
        actor=actor,
        action="extra_usage.confirmed",
        subject=str(membership.user),
        now=now,
        membership=membership,
        to_value={
            "until_at": until_at.isoformat(),
            "zone": standing.organization.month.zone,
        },
    )
    return Confirmed(until_at, True)


def _kept(standing: Standing) -> dt.datetime | None:
    """The end of the yes that holds already."""
    is_asked = standing.organization.asks_first
    return standing.confirmed_until if is_asked and standing.is_confirmed else None


def _check_waits(standing: Standing) -> None:
    decision = decide(standing)
    extends = standing.organization.asks_first and not standing.has_included_left
    if decision.reason is Reason.CONFIRMATION_NEEDED or (decision.allowed and extends):
        return
    if decision.allowed:
        raise BusinessError(
            _("There is nothing to confirm: you can continue."),
            code="nothing_to_confirm",
        )
    raise BusinessError(
        _("Confirming would not help: something else stops extra usage for you."),
        code="blocked",
    )


def _windows(standing: Standing) -> dict[str, str]:
    return {
        window.name: window.resets_at.isoformat()
        for window in standing.windows
        if window.is_exhausted and window.resets_at
    }
