"""What people are told at, as it was set. Read-only; amounts are nano-USD."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal

from django.conf import settings

from billing.funding.rules.standing import OrganizationStanding
from billing.models import NoticeSettings, SoftLimit, SoftLimitLevel
from billing.notices.rules.edges import Edges, edges_of
from config.kit.money import NANOS_PER_USD

# Of the organization `o` of a statement; NULL for the defaults.
EDGES = (
    "(SELECT ns.edges FROM billing_noticesettings ns WHERE ns.organization_id = o.id)"
)


def edges_for(organization_id: int) -> Edges:
    """At how much an organization's people are told."""
    stored = NoticeSettings.objects.filter(organization_id=organization_id)
    return edges_of(stored.values_list("edges", flat=True).first())


def member_amounts(
    edges: Edges, membership_ids: Collection[int]
) -> dict[int, tuple[int, ...]]:
    """The soft limits that these members have of their own, by membership id; asked only
    where anybody has some.
    """
    if not edges.has_member_amounts or not membership_ids:
        return {}
    rows = SoftLimit.objects.filter(
        level=SoftLimitLevel.MEMBER, membership_id__in=list(membership_ids)
    ).values_list("membership_id", "amount_nanos")
    amounts: dict[int, tuple[int, ...]] = defaultdict(tuple)
    for membership_id, amount_nanos in rows:
        assert membership_id is not None
        amounts[membership_id] += (amount_nanos,)
    return amounts


def low_mark(organization: OrganizationStanding, edges: Edges) -> int:
    """The balance that counts as low: what owners set, else the reload threshold, else
    the setting's.
    """
    if edges.balance_low_nanos is not None:
        return edges.balance_low_nanos
    if organization.reload_threshold_nanos is not None:
        return organization.reload_threshold_nanos
    return int(Decimal(settings.LOW_BALANCE_USD) * NANOS_PER_USD)
