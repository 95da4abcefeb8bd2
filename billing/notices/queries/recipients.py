"""Who is told of a notice, and by which channels (N1, N4). Read-only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import Membership
from billing.models import (
    IncludedWindow,
    Notice,
    NoticeChoice,
    NoticeRecipient,
    WindowName,
)
from billing.notices.rules.channels import (
    BY_MAIL,
    MAIL,
    channels,
    default_told_by,
    is_own_block,
    is_personal,
)
from config.kit.addresses import is_erased

SESSION_LASTS, WEEK_LASTS = dt.timedelta(hours=5), dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Told:
    """A member, or a recipient outside, and the channels of one notice for them."""

    channels: tuple[str, ...]
    membership: Membership | None = None
    outside: NoticeRecipient | None = None


def told_of(notice: Notice, *, now: dt.datetime) -> list[Told]:
    """Everybody who is told of `notice`; nobody who left or is switched off."""
    people = _people(notice)
    chosen = dict(
        NoticeChoice.objects.filter(
            membership__in=people, kind=notice.kind
        ).values_list("membership_id", "told_by")
    )
    default = default_told_by(notice.kind, window_lasts=_window_lasts(notice))
    stops = is_own_block(notice.kind, notice.percent)
    told = [
        Told(
            channels(chosen.get(one.pk, default), is_own_block=stops),
            membership=one,
        )
        for one in people
    ]
    told += [Told((MAIL,), outside=one) for one in _outside(notice, people, now=now)]
    return [one for one in told if one.channels]


def is_told_by_mail(membership: Membership, notice: Notice) -> bool:
    """Whether a member is still to get a notice by mail: it is theirs, or they get the
    organization's, and they did not choose otherwise meanwhile.
    """
    if is_personal(notice.kind):
        if notice.membership_id != membership.pk:
            return False
    elif not gets_organization_notices(membership):
        return False
    chosen = NoticeChoice.objects.filter(membership=membership, kind=notice.kind)
    told_by = chosen.values_list("told_by", flat=True).first()
    return told_by in (None, BY_MAIL)


def gets_organization_notices(membership: Membership) -> bool:
    """Whether a member is told of what concerns the organization: an owner, or one whom
    owners named.
    """
    return (
        Membership.objects.owners().filter(pk=membership.pk).exists()
        or NoticeRecipient.objects.filter(membership=membership).exists()
    )


def _people(notice: Notice) -> list[Membership]:
    if is_personal(notice.kind):
        found = Membership.objects.enabled().filter(pk=notice.membership_id)
        return list(found.select_related("user"))
    of_organization = Membership.objects.enabled().filter(
        organization_id=notice.organization_id
    )
    named = NoticeRecipient.objects.filter(
        organization_id=notice.organization_id, membership__isnull=False
    )
    owners = of_organization.owners_to_mail()
    others = of_organization.filter(pk__in=named.values("membership_id"))
    by_id = {one.pk: one for one in (*owners, *others.select_related("user"))}
    return [by_id[pk] for pk in sorted(by_id)]


def _outside(
    notice: Notice, people: Iterable[Membership], *, now: dt.datetime
) -> list[NoticeRecipient]:
    """Addresses that agreed, but for those whose person is told anyway."""
    if is_personal(notice.kind):
        return []
    known = {one.user.email for one in people}
    rows = NoticeRecipient.objects.filter(
        organization_id=notice.organization_id, membership__isnull=True
    ).order_by("pk")
    return [
        one
        for one in rows
        if one.gets_notices(now)
        and one.address not in known
        and not is_erased(one.address)
    ]


def _window_lasts(notice: Notice) -> dt.timedelta | None:
    """How long the window lasts that a notice is about; None when it is about none."""
    if not notice.window:
        return None
    usual = SESSION_LASTS if notice.window == WindowName.SESSION else WEEK_LASTS
    if notice.membership_id is None or notice.resets_at is None:
        return usual
    opened_at = (
        IncludedWindow.objects.filter(
            membership_id=notice.membership_id,
            name=notice.window,
            resets_at=notice.resets_at,
        )
        .values_list("opened_at", flat=True)
        .first()
    )
    return usual if opened_at is None else notice.resets_at - opened_at
