"""Customers on the operators' start page: spend against cap, balance, seats and state,
those first that need somebody. All from counters; read-only; amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import (
    Case,
    Count,
    DateField,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts.models import Membership, Organization, Plan, SeatTier, Settlement
from billing.models import (
    BillingAccount,
    CapLevel,
    Invoice,
    OrganizationMonth,
    SpendCap,
)
from config.kit.months import first_of_month, local_day

PAGE_LENGTH = 25
ALL, NEEDS, STOPPED = "all", "needs", "stopped"
FINE, WAITS, STOPS = 0, 1, 2


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer as the table shows them."""

    organization: Organization
    spent_nanos: int
    cap_nanos: int | None
    balance_nanos: int | None
    seats: str
    state: str
    has_stopped: bool
    needs_somebody: bool

    @property
    def bar_percent(self) -> int:
        """Spend of the cap, 0 to 100; 0 where there is none."""
        if not self.cap_nanos:
            return 100 if self.cap_nanos == 0 else 0
        return min(100, self.spent_nanos * 100 // self.cap_nanos)

    @property
    def is_reached(self) -> bool:
        """Whether the organization's cap stops everybody."""
        return self.cap_nanos is not None and self.spent_nanos >= self.cap_nanos


def customers(*, now: dt.datetime) -> QuerySet[Any]:
    """Every organization with its figures of its own current month, and `need`: 2 where
    money or service has stopped, 1 where somebody should look, 0 else.
    """
    of_row = {"organization": OuterRef("pk")}
    month = OrganizationMonth.objects.filter(
        **of_row, month_on=OuterRef("current_month")
    )
    cap = SpendCap.objects.filter(**of_row, level=CapLevel.ORGANIZATION)
    in_force = Case(
        When(month_on=OuterRef("current_month"), then=F("month_amount_nanos")),
        default=F("amount_nanos"),
    )
    account = BillingAccount.objects.filter(**of_row)
    overdue = Invoice.objects.filter(
        **of_row, status=Invoice.Status.OPEN, due_on__lt=now.date()
    )
    rows = Organization.objects.annotate(current_month=_month_of_each(now)).annotate(
        spent_nanos=Coalesce(Subquery(month.values("extra_nanos")), Value(0)),
        cap_nanos=Subquery(cap.annotate(now=in_force).values("now")),
        balance_nanos=Subquery(
            account.annotate(left=F("ledger_nanos") - F("pending_nanos")).values("left")
        ),
        is_on=Exists(account.filter(extra_usage_enabled=True)),
        is_declined=Exists(
            account.filter(
                Q(reload_declines__gt=0, auto_reload_enabled=True)
                | Q(reload_ended_at__isnull=False, auto_reload_enabled=False)
            )
        ),
        is_overdue=Exists(overdue),
        bought=_sum_of(SeatTier.objects.filter(**of_row), Sum("bought")),
        seated=_sum_of(
            Membership.objects.active().filter(**of_row).exclude(seat_tier=None),
            Count("pk"),
        ),
    )
    return rows.annotate(need=_need()).order_by("-need", "-spent_nanos", "name")


def _sum_of(rows: QuerySet[Any], figure: Any) -> Any:
    grouped = rows.order_by().values("organization").annotate(figure=figure)
    return Coalesce(Subquery(grouped.values("figure")), Value(0))


def _need() -> Case:
    """What is stopped, or waits for somebody."""
    is_empty = Q(settlement=Settlement.PREPAID, is_on=True, balance_nanos__lte=0)
    is_capped = Q(is_on=True, cap_nanos__isnull=False, spent_nanos__gte=F("cap_nanos"))
    return Case(
        When(is_empty | Q(is_overdue=True) | is_capped, then=Value(STOPS)),
        When(is_declined=True, then=Value(WAITS)),
        default=Value(FINE),
        output_field=IntegerField(),
    )


def _month_of_each(now: dt.datetime) -> Any:
    """The month that each organization's zone is in at `now`."""
    zones = (
        Organization.objects.order_by().values_list("timezone", flat=True).distinct()
    )
    by_month: dict[dt.date, list[str]] = {}
    for zone in zones:
        by_month.setdefault(first_of_month(local_day(now, zone)), []).append(zone)
    cases = [
        When(timezone__in=names, then=Value(month_on))
        for month_on, names in by_month.items()
    ]
    default = Value(first_of_month(now.date()))
    return Case(*cases, default=default, output_field=DateField())


def customers_page(
    *, now: dt.datetime, page: str | None, which: str
) -> tuple[Page[Any], dict[str, int]]:
    """A page of customers as rows, and how many there are of each choice."""
    rows: Any = customers(now=now)
    counts = {
        ALL: rows.count(),
        NEEDS: rows.filter(need__gte=WAITS).count(),
        STOPPED: rows.filter(need=STOPS).count(),
    }
    chosen = {NEEDS: rows.filter(need__gte=WAITS), STOPPED: rows.filter(need=STOPS)}
    shown: Page[Any] = Paginator(chosen.get(which, rows), PAGE_LENGTH).get_page(page)
    shown.object_list = [_row(one) for one in shown.object_list]
    return shown, counts


def _row(organization: Any) -> CustomerRow:
    is_prepaid = organization.settlement == Settlement.PREPAID
    return CustomerRow(
        organization,
        organization.spent_nanos,
        organization.cap_nanos,
        organization.balance_nanos if is_prepaid else None,
        _seats_text(organization),
        _state_text(organization),
        organization.need == STOPS,
        organization.need >= WAITS,
    )


def _seats_text(organization: Any) -> str:
    if not organization.has_seats:
        return _("by usage")
    return _("%(used)s of %(bought)s") % {
        "used": f"{organization.seated:,}",
        "bought": f"{organization.bought:,}",
    }


def _state_text(organization: Any) -> str:
    """The worst that holds, in two words."""
    if organization.is_overdue:
        return _("Invoice overdue")
    if organization.is_declined:
        return _("Card declined")
    if organization.need == STOPS:
        is_capped = (
            organization.cap_nanos is not None
            and organization.spent_nanos >= organization.cap_nanos
        )
        return _("Cap reached") if is_capped else _("Balance used up")
    is_on = organization.is_on or organization.plan == Plan.ENTERPRISE_USAGE
    return _("Fine") if is_on else _("Extra usage is off")
