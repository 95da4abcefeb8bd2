"""Requiring two-factor sign-in of an organization's people, and resetting somebody's."""

from __future__ import annotations

import datetime as dt

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change, record_for_many
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.organizations import lock_organization
from accounts.models import Membership, Organization, TwoFactor, User
from accounts.queries import has_second_factor
from accounts.sealing import changed, opened, sealed
from config.kit.errors import BusinessError
from config.kit.sealed import NotSealed

RESET = "two_factor_reset"
TOLD_WITHIN = dt.timedelta(days=3)


@transaction.atomic
def require_two_factor(
    organization: Organization, *, of: str, by: Membership, now: dt.datetime
) -> Organization:
    """Require two-factor sign-in of nobody, of owners and admins, or of everybody: who
    lacks it sets it up before their next page. API keys go on.

    Raises BusinessError `unknown_choice`, or `no_second_factor` for an owner who has
    none: they would be the first to be held up.
    """
    if of not in TwoFactor.values:
        raise BusinessError(
            _("“%(choice)s” is not a choice.") % {"choice": of},
            code="unknown_choice",
            status=422,
            field="two_factor",
        )
    if of != TwoFactor.NOBODY and not has_second_factor(by.user):
        raise BusinessError(
            _("Set up two-factor sign-in for yourself first, under Your settings."),
            code="no_second_factor",
            field="two_factor",
        )
    locked = lock_organization(organization.pk)
    before, locked.two_factor = locked.two_factor, of
    locked.save(update_fields=["two_factor"])
    record_change(
        locked,
        actor=Actor.person(by.user),
        action="organization.two_factor",
        subject=locked.name,
        now=now,
        from_value=before,
        to_value=of,
    )
    return locked


@transaction.atomic
def reset_two_factor(user: User, *, actor: Actor, now: dt.datetime) -> list[int]:
    """Take away somebody's second factor and recovery codes, for a phone that is lost:
    an operator's act. The person is mailed; the ids of the mails.

    It is in the audit of each organization they belong to, or once without one.

    Raises BusinessError `no_second_factor` where there is none.
    """
    removed, _rows = Authenticator.objects.filter(user=user).delete()
    if not removed:
        raise BusinessError(
            _("%(name)s has no two-factor sign-in.") % {"name": user},
            code="no_second_factor",
        )
    memberships = Membership.objects.active().filter(user=user)
    organization_ids = list(memberships.values_list("organization_id", flat=True))
    record_for_many(
        organization_ids or [None],
        actor=actor,
        action="person.two_factor_reset",
        subject=str(user),
        now=now,
    )
    mail = QueuedMail(user, RESET, f"{RESET}:{user.pk}:{now.isoformat()}")
    return queue_mails(None, [mail], now=now, within=TOLD_WITHIN)


def reseal_all() -> tuple[int, list[str]]:
    """Seal everybody's secrets with the present key: how many, and the addresses of those
    whose secret no key opens.

    Each in a transaction of its own, under its lock: who uses up a recovery code
    meanwhile keeps it used.
    """
    done, lost = 0, []
    for pk in list(Authenticator.objects.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            locked = Authenticator.objects.select_for_update(of=("self",))
            one = locked.select_related("user").filter(pk=pk).first()
            if one is None:
                continue
            try:
                one.data = changed(one.data, lambda text: sealed(opened(text)))
            except NotSealed:
                lost.append(one.user.email)
                continue
            one.save(update_fields=["data"])
            done += 1
    return done, lost
