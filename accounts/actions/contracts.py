"""What an organization agreed on with its operator: plan, settlement, name, where its
bills go. An operator's acts.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.actions.watching import limits_change
from accounts.models import Organization, Plan, Settlement
from config.kit.errors import BusinessError
from config.kit.one_line import name_of


def refuse_settlement(plan: str, settlement: str) -> None:
    """A team pays before it uses.

    Raises BusinessError `unknown_plan`, `unknown_settlement`, `team_pays_before`.
    """
    for value, choices, field in (
        (plan, Plan.values, "plan"),
        (settlement, Settlement.values, "settlement"),
    ):
        if value not in choices:
            raise BusinessError(
                _("“%(value)s” is none of %(all)s.")
                % {"value": value, "all": ", ".join(choices)},
                code=f"unknown_{field}",
                status=422,
                field=field,
            )
    if plan == Plan.TEAM and settlement == Settlement.POSTPAID:
        raise BusinessError(
            _(
                "A team pays before it uses: choose Prepaid, or an Enterprise plan to "
                "send invoices."
            ),
            code="team_pays_before",
            status=422,
            field="settlement",
        )


@transaction.atomic
def change_contract(
    organization: Organization,
    *,
    plan: str,
    settlement: str,
    actor: Actor,
    now: dt.datetime,
) -> Organization:
    """Another plan, or another way to settle, from the next check on; what was used
    stays as it was funded.

    Raises what `refuse_settlement` raises.
    """
    refuse_settlement(plan, settlement)
    values = {"plan": plan, "settlement": settlement}
    locked = lock_organization(organization.pk)
    if values == {"plan": locked.plan, "settlement": locked.settlement}:
        return locked
    with limits_change(locked, now=now):
        return _edit(organization, values, actor=actor, now=now)


@transaction.atomic
def change_details(
    organization: Organization,
    *,
    name: str,
    billing_email: str,
    invites_freely: bool,
    actor: Actor,
    now: dt.datetime,
) -> Organization:
    """Another name, another address for bills, or trust to invite without limit.

    Raises BusinessError `not_one_line` for a name that isn't one.
    """
    values = {
        "name": name_of(name, field="name"),
        "billing_email": billing_email,
        "invites_freely": invites_freely,
    }
    return _edit(organization, values, actor=actor, now=now)


def _edit(
    organization: Organization,
    values: dict[str, Any],
    *,
    actor: Actor,
    now: dt.datetime,
) -> Organization:
    """Set what differs and keep it; nothing where nothing does."""
    locked = lock_organization(organization.pk)
    before = {name: getattr(locked, name) for name in values}
    changed = [name for name in values if before[name] != values[name]]
    if not changed:
        return locked
    for name in changed:
        setattr(locked, name, values[name])
    locked.save(update_fields=changed)
    record_change(
        locked,
        actor=actor,
        action="organization.edit",
        subject=locked.name,
        now=now,
        from_value={name: before[name] for name in changed},
        to_value={name: values[name] for name in changed},
    )
    return locked
