"""Making and revoking API keys. The secret is returned once and stored only as its digest."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.organizations import lock_organization
from accounts.models import SHARED_SCOPES, ApiKey, Organization
from config.kit.errors import BusinessError
from config.kit.keys import PREFIX, PREFIX_LENGTH, SECRET_BYTES
from config.kit.months import local_day, local_midnight
from config.kit.one_line import name_of

# Enough for a key a gateway and stage; more are a script gone wrong.
MOST_KEYS = 50
DAY = dt.timedelta(days=1)
KEY_ENDS = "api_key.ends"
# A key with an end has one that somebody who works here now will see.
LONGEST = dt.timedelta(days=3_660)


@transaction.atomic
def create_api_key(
    organization: Organization,
    *,
    name: str,
    scopes: Iterable[str],
    actor: Actor,
    now: dt.datetime,
    expires_on: dt.date | None = None,
    way: str = "",
) -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can read again; `way` is what it connects.

    It is good through the day `expires_on` in the organization's time zone, without one
    until it is revoked. Raises BusinessError `not_one_line`, `no_name`, `no_scope`,
    `unknown_scope`, `not_a_future_day` or `too_many_keys`.
    """
    chosen, name = set(scopes), name_of(name, field="name", most=80)
    _check_key(name, chosen)
    locked = lock_organization(organization.pk)
    zone = locked.zone_at(now)
    _check_end(expires_on, today=local_day(now, zone))
    if locked.api_keys.shared().live(now).count() >= MOST_KEYS:
        raise _too_many_keys(locked)
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey.objects.create(
        organization=locked,
        name=name,
        prefix=secret[:PREFIX_LENGTH],
        digest=ApiKey.digest_of(secret),
        scopes=" ".join(scope for scope in SHARED_SCOPES if scope in chosen),
        created_by=actor.user,
        created_at=now,
        expires_at=expires_on and local_midnight(expires_on + DAY, zone),
        way=way,
    )
    record_change(
        locked,
        actor=actor,
        action="api_key.create",
        subject=key.name,
        now=now,
        to_value={"scopes": key.scope_list, **_end_value(expires_on)},
    )
    return key, secret


def _check_key(name: str, scopes: set[str]) -> None:
    if not name:
        raise BusinessError(
            _("Give the key a name that says who uses it."),
            code="no_name",
            status=422,
            field="name",
        )
    unknown = sorted(scopes - set(SHARED_SCOPES))
    if unknown:
        raise BusinessError(
            _("“%(scope)s” is not a scope; use %(all)s.")
            % {"scope": unknown[0], "all": ", ".join(SHARED_SCOPES)},
            code="unknown_scope",
            status=422,
            field="scopes",
        )
    if not scopes:
        raise BusinessError(
            _("Choose at least one scope."), code="no_scope", status=422, field="scopes"
        )


def _check_end(expires_on: dt.date | None, *, today: dt.date) -> None:
    if expires_on is not None and not today <= expires_on <= today + LONGEST:
        raise BusinessError(
            _("Choose a day from today on, at most ten years ahead."),
            code="not_a_future_day",
            status=422,
            field="expires_on",
        )


def _too_many_keys(organization: Organization) -> BusinessError:
    return BusinessError(
        _("%(name)s has %(most)d keys in use, the most there can be. Revoke one first.")
        % {"name": organization.name, "most": MOST_KEYS},
        code="too_many_keys",
    )


def _end_value(expires_on: dt.date | None) -> dict[str, str]:
    return {"expires_on": expires_on.isoformat()} if expires_on else {}


@transaction.atomic
def tell_of_end(key: ApiKey, *, now: dt.datetime) -> list[int]:
    """Queue the mail that a key's time is nearly over: to every owner, once each; the
    mails' ids.
    """
    assert key.expires_at is not None
    locked = lock_organization(key.organization_id)
    owners = locked.memberships.owners_to_mail()
    mails = [
        QueuedMail(
            owner.user, KEY_ENDS, f"{KEY_ENDS}:{key.pk}:{owner.pk}", {"key": key.pk}
        )
        for owner in owners
    ]
    return queue_mails(locked, mails, now=now, within=key.expires_at - now)


@transaction.atomic
def revoke_api_key(key: ApiKey, *, actor: Actor, now: dt.datetime) -> ApiKey:
    """End a key at once; doing it again changes nothing."""
    locked = lock_organization(key.organization_id)
    if ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now):
        record_change(
            locked, actor=actor, action="api_key.revoke", subject=key.name, now=now
        )
    key.refresh_from_db()
    return key


@transaction.atomic
def revoke_api_keys(
    organization: Organization,
    keys: Iterable[ApiKey],
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """End several keys of one organization at once."""
    lock_organization(organization.pk)
    for key in keys:
        revoke_api_key(key, actor=actor, now=now)
