"""At how much people are told (N1, N4): percentages and the mark of a low balance.
Owners' acts; each is kept in the audit (C8).

What is spent already when a threshold is set counts as reached without a notice: whoever
sets it sees that on the page. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.models import NoticeSettings, SoftLimit, SoftLimitLevel
from billing.notices.rules.edges import Edges
from config.kit.errors import BusinessError
from config.kit.money import MAX_AMOUNT_NANOS, NANOS_PER_CENT, format_usd

MOST_PERCENTS = 6
# Whose percentages there are, by the column that has them.
PERCENTS = {
    "organization": "organization_percents",
    "member": "member_percents",
    "included": "included_percents",
}


def write_edges(locked: Organization) -> Edges:
    """Write anew what the recorder reads of the settings and soft limits, in the caller's
    lock; call it after each change of either.
    """
    row, _made = NoticeSettings.objects.get_or_create(organization=locked)
    amounts: list[int] = []
    tiers: dict[str, list[int]] = defaultdict(list)
    limits = SoftLimit.objects.filter(organization=locked).order_by("amount_nanos")
    for level, tier, nanos in limits.exclude(level=SoftLimitLevel.MEMBER).values_list(
        "level", "seat_tier", "amount_nanos"
    ):
        if level == SoftLimitLevel.ORGANIZATION:
            amounts.append(nanos)
        else:
            tiers[str(tier)].append(nanos)
    edges = Edges(
        organization=percents_of(row.organization_percents),
        member=percents_of(row.member_percents),
        included=percents_of(row.included_percents),
        amounts=tuple(amounts),
        tier_amounts={tier: tuple(found) for tier, found in tiers.items()},
        has_member_amounts=limits.filter(level=SoftLimitLevel.MEMBER).exists(),
        balance_low_nanos=row.balance_low_nanos,
    )
    NoticeSettings.objects.filter(pk=row.pk).update(edges=edges.as_json())
    return edges


def percents_of(text: str) -> tuple[int, ...]:
    """The percentages of a column, such as "75,90,100"."""
    return tuple(int(one) for one in text.split(",") if one)


@transaction.atomic
def set_percents(
    organization: Organization,
    *,
    organization_percents: Sequence[int],
    member_percents: Sequence[int],
    included_percents: Sequence[int],
    actor: Actor,
    now: dt.datetime,
) -> NoticeSettings:
    """At how many per cent of the organization's cap, of a person's, and of included
    usage people are told; none at all is a choice too.

    Raises BusinessError `percents`, at the field, for what is no per cent from 1 to 100
    or too many.
    """
    chosen = {
        "organization": organization_percents,
        "member": member_percents,
        "included": included_percents,
    }
    texts = {
        PERCENTS[whose]: _percents_text(percents, field=PERCENTS[whose])
        for whose, percents in chosen.items()
    }
    locked = lock_organization(organization.pk)
    row, _made = NoticeSettings.objects.get_or_create(organization=locked)
    before = {column: getattr(row, column) for column in texts}
    NoticeSettings.objects.filter(pk=row.pk).update(**texts)
    write_edges(locked)
    record_change(
        locked,
        actor=actor,
        action="notices.percents",
        subject=locked.name,
        now=now,
        from_value=before,
        to_value=texts,
    )
    row.refresh_from_db()
    return row


def _percents_text(percents: Sequence[int], *, field: str) -> str:
    chosen = sorted(set(percents))
    if len(chosen) <= MOST_PERCENTS and all(1 <= one <= 100 for one in chosen):
        return ",".join(str(one) for one in chosen)
    raise BusinessError(
        _("Enter up to %(most)d percentages from 1 to 100, such as 75, 90, 100.")
        % {"most": MOST_PERCENTS},
        code="percents",
        status=422,
        field=field,
    )


@transaction.atomic
def set_balance_low(
    organization: Organization,
    *,
    amount_nanos: int | None,
    actor: Actor,
    now: dt.datetime,
) -> NoticeSettings:
    """The balance that counts as low; None: the reload threshold, or the setting's.

    Raises BusinessError `amount` for what is no amount in whole cents above zero.
    """
    if amount_nanos is not None:
        check_amount(amount_nanos, field="balance_low")
    locked = lock_organization(organization.pk)
    row, _made = NoticeSettings.objects.get_or_create(organization=locked)
    before = row.balance_low_nanos
    NoticeSettings.objects.filter(pk=row.pk).update(balance_low_nanos=amount_nanos)
    write_edges(locked)
    record_change(
        locked,
        actor=actor,
        action="notices.balance_low",
        subject=locked.name,
        now=now,
        from_value={"amount_nanos": before},
        to_value={"amount_nanos": amount_nanos},
    )
    row.refresh_from_db()
    return row


def check_amount(amount_nanos: int, *, field: str) -> None:
    """Raises BusinessError `amount` for what is no amount in whole cents above zero."""
    is_whole_cents = amount_nanos % NANOS_PER_CENT == 0
    if 0 < amount_nanos <= MAX_AMOUNT_NANOS and is_whole_cents:
        return
    raise BusinessError(
        _("Enter an amount in whole cents above zero and at most %(most)s.")
        % {"most": format_usd(MAX_AMOUNT_NANOS)},
        code="amount",
        status=422,
        field=field,
    )
