"""What operators decide about included usage: how much a seat has in a window, and that
it has none (I1). It holds from the next check on, and is kept in the audit.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change, record_for_many
from accounts.models import Organization
from billing.models import SeatAllowance
from billing.prices.actions.version import lock_price_list
from billing.prices.queries.seats import AllowanceKey
from config.kit.errors import BusinessError


@transaction.atomic
def set_allowance(
    key: AllowanceKey,
    *,
    amount_nanos: int,
    length_seconds: int,
    actor: Actor,
    now: dt.datetime,
) -> SeatAllowance:
    """What a seat (`plan`, `seat_tier`, window) includes in nano-USD, and how long the
    window lasts; windows that are open keep their end.
    """
    lock_price_list()
    old = _row(key)
    before = _value(old) if old else None
    plan, seat_tier, name = key
    row, _is_new = SeatAllowance.objects.update_or_create(
        plan=plan,
        seat_tier=seat_tier,
        name=name,
        defaults={"amount_nanos": amount_nanos, "length_seconds": length_seconds},
    )
    _keep(key, before=before, after=_value(row), actor=actor, now=now)
    return row


@transaction.atomic
def end_allowance(key: AllowanceKey, *, actor: Actor, now: dt.datetime) -> None:
    """Take a seat's window away; what it was stays in the audit, people's windows stay as
    history.

    Raises BusinessError `no_allowance` where there is none.
    """
    lock_price_list()
    row = _row(key)
    if row is None:
        raise BusinessError(
            _("This seat includes nothing in that window."),
            code="no_allowance",
            field="name",
        )
    before = _value(row)
    row.delete()
    _keep(key, before=before, after=None, actor=actor, now=now)


def _row(key: AllowanceKey) -> SeatAllowance | None:
    plan, seat_tier, name = key
    rows = SeatAllowance.objects.filter(plan=plan, seat_tier=seat_tier, name=name)
    return rows.first()


def _value(row: SeatAllowance) -> dict[str, int]:
    return {"length_seconds": row.length_seconds, "amount_nanos": row.amount_nanos}


def _keep(
    key: AllowanceKey,
    *,
    before: dict[str, int] | None,
    after: dict[str, int] | None,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """For operators, and for each organization on that plan; None where there was or is
    no such window.
    """
    plan, seat_tier, name = key
    change: dict[str, Any] = {
        "actor": actor,
        "action": "allowance.edit",
        "now": now,
        "from_value": before,
        "to_value": after,
    }
    record_change(None, subject=" ".join(key), **change)
    on_plan = Organization.objects.filter(plan=plan).values_list("pk", flat=True)
    record_for_many(on_plan, subject=f"{seat_tier} {name}", **change)
