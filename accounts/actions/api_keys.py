"""Making and revoking API keys. The secret is returned once and stored only as its digest."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import ApiKey, Organization, Scope
from config.kit.errors import BusinessError
from config.kit.one_line import line_of

PREFIX = "xu_"


@transaction.atomic
def create_api_key(
    organization: Organization,
    *,
    name: str,
    scopes: Iterable[str],
    actor: Actor,
    now: dt.datetime,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can read again.

    Raises BusinessError `not_one_line`, `no_name`, `no_scope` or `unknown_scope`.
    """
    chosen, name = set(scopes), line_of(name, field="name", most=80)
    _check_key(name, chosen)
    locked = lock_organization(organization.pk)
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        organization=locked,
        name=name,
        prefix=secret[: len(PREFIX) + 6],
        digest=ApiKey.digest_of(secret),
        scopes=" ".join(scope for scope in Scope.values if scope in chosen),
        created_by=actor.user,
        created_at=now,
    )
    record_change(
        locked,
        actor=actor,
        action="api_key.create",
        subject=key.name,
        now=now,
        to_value={"scopes": key.scope_list},
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
    unknown = sorted(scopes - set(Scope.values))
    if unknown:
        raise BusinessError(
            _("“%(scope)s” is not a scope; use %(all)s.")
            % {"scope": unknown[0], "all": ", ".join(Scope.values)},
            code="unknown_scope",
            status=422,
            field="scopes",
        )
    if not scopes:
        raise BusinessError(
            _("Choose at least one scope."), code="no_scope", status=422, field="scopes"
        )


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
