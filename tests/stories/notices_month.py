"""Two months of thresholds in an organization of 40 people, as dated acts, and what each
should have been told. Told in one process (`test_notices_month`) and by workers that die
(`tests/concurrency/test_notices_month`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass

from accounts.actions.audit import Actor
from accounts.models import Membership, Organization, Tier
from billing.caps.actions.caps import (
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from billing.metering.actions.recording import record_usage
from billing.models import NoticeRecipient, SeatAllowance
from config.kit.money import usd
from tests.factories.people import MembershipFactory, make_organization, make_user
from tests.factories.usage import enable_extra_usage, event

PEOPLE = 40
START = dt.datetime(2026, 11, 2, 15, 0, tzinfo=dt.UTC)
OWNER, OUTSIDE = "olive@forty.example", "finance@books.example"


@dataclass(frozen=True, slots=True)
class Step:
    """At this moment somebody does something, and these are mailed: to whom, and the per
    cent and the limit that the subject names.
    """

    at: dt.datetime
    act: Callable[[dt.datetime], None]
    told: Collection[tuple[str, str, str]] = ()


def forty() -> Organization:
    """Olive owns it; of 39 members every second reads Japanese; an accountant outside
    agreed to its notices. Seats include nothing, so that all usage is extra.
    """
    owner = make_user(OWNER, "Olive Owner")
    organization = make_organization(
        "forty", owner=owner, now=START, timezone="America/New_York"
    )
    SeatAllowance.objects.filter(plan=organization.plan).update(amount_nanos=0)
    enable_extra_usage(organization, cap="1600")
    for number in range(1, PEOPLE):
        person = make_user(
            address(number),
            f"Person {number}",
            language="ja" if number % 2 else "en",
        )
        MembershipFactory(organization=organization, user=person)
    NoticeRecipient.objects.create(
        organization=organization,
        address=OUTSIDE,
        language="ja",
        added_at=START,
        agreed_at=START,
    )
    return organization


def address(number: int) -> str:
    """Of the member with this number."""
    return f"p{number}@forty.example"


def members() -> list[Membership]:
    """The 39, in order."""
    rows = Membership.objects.select_related("user", "organization")
    by_email = {one.user.email: one for one in rows}
    return [by_email[address(number)] for number in range(1, PEOPLE)]


def steps(organization: Organization) -> list[Step]:
    """The two months, counted by hand."""
    people = members()
    by = Actor.person(organization.primary_owner)

    def spend(*amounts: tuple[int, str], late: bool = False) -> Callable[..., None]:
        def act(now: dt.datetime) -> None:
            ran_at = now - (dt.timedelta(days=1) if late else dt.timedelta(minutes=2))
            events = [
                event(people[number - 1], at=ran_at, usd=amount)
                for number, amount in amounts
            ]
            record_usage(events, organization_id=organization.pk, now=now)

        return act

    def cap(amount: str) -> Callable[[dt.datetime], None]:
        return lambda now: set_organization_cap(
            organization, amount_nanos=usd(amount), actor=by, now=now
        )

    def seats(now: dt.datetime) -> None:
        set_seat_tier_cap(
            organization,
            tier=Tier.STANDARD,
            amount_nanos=usd("100"),
            actor=by,
            now=now,
        )

    def own(now: dt.datetime) -> None:
        set_member_cap(
            organization,
            membership=people[2],
            amount_nanos=usd("20"),
            actor=by,
            now=now,
        )

    everybody = [(number, "30") for number in range(1, PEOPLE)]
    late = ((4, "25"), (5, "25"), (6, "125"))
    return [
        # the seats get a cap of $100
        Step(_on(3), seats),
        # everybody spends $30: $1,170 in one batch, under 75 %
        Step(_on(4), spend(*everybody)),
        # one event crosses 75 % of the organization's cap
        Step(_on(5), spend((1, "40")), _to_owners("75", "$1,600.00")),
        # one batch takes person 2 over 75 and 90 %: the highest is told
        Step(_on(6), spend((2, "50"), (2, "12")), {(address(2), "92", "$100.00")}),
        # late usage crosses 90 %, and all three thresholds of person 6
        Step(
            _on(9),
            spend(*late, late=True),
            _to_owners("90", "$1,600.00") | {(address(6), "155", "$100.00")},
        ),
        # the cap is lowered below what is spent, and raised, which tells nobody
        Step(_on(10), cap("1400"), _to_owners("103", "$1,400.00")),
        Step(_on(11), cap("4000")),
        # person 3 gets a cap of their own below what they spent
        Step(_on(12), own, {(address(3), "150", "$20.00")}),
        # armed again by the raise: 75 % a second time, of more
        Step(
            _on(13),
            spend((7, "1600")),
            _to_owners("76", "$4,000.00") | {(address(7), "1630", "$100.00")},
        ),
        # and by the new month
        Step(
            _on(2, month=12),
            spend((8, "3050")),
            _to_owners("76", "$4,000.00") | {(address(8), "3050", "$100.00")},
        ),
    ]


def language_of(to: str) -> str:
    """Which language somebody reads."""
    if to in (OWNER, OUTSIDE):
        return "en" if to == OWNER else "ja"
    return "ja" if int(to[1 : to.index("@")]) % 2 else "en"


def _on(day: int, *, month: int = 11) -> dt.datetime:
    return dt.datetime(2026, month, day, 16, 0, tzinfo=dt.UTC)


def _to_owners(percent: str, limit: str) -> set[tuple[str, str, str]]:
    return {(OWNER, percent, limit), (OUTSIDE, percent, limit)}
