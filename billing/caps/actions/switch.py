"""Turning extra usage on and off, and for whom (C6, C7).

What is set elsewhere and all history stay as they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Membership, Organization, Plan, Settlement
from billing.caps.actions.confirmation import require_confirmation
from billing.caps.actions.first_caps import FirstCaps, set_first_caps
from billing.ledger.actions import account_of
from billing.models import BillingAccount, EventType, ExtraUsageScope, SelectedMember
from billing.notices.actions.publishing import publish
from config.kit.errors import BusinessError
from config.kit.money import format_usd

# How many of those added or removed the audit names.
NAMED = 5


@transaction.atomic
def set_extra_usage(
    organization: Organization,
    *,
    enabled: bool,
    scope: str | None = None,
    members: Iterable[Membership] | None = None,
    confirmation_required: bool | None = None,
    actor: Actor,
    now: dt.datetime,
) -> BillingAccount:
    """Switch extra usage and choose who has it, and who is asked first; what is left out
    stays as it is.

    Raises BusinessError `not_applicable` on usage-based plans, `prepaid_needs_balance`
    where a balance would have to be bought first, `unknown_scope`, `member_unknown` for
    somebody who is not an active member here.
    """
    locked = lock_organization(organization.pk)
    chosen = None if members is None else list(members)
    _check_switch(locked, enabled=enabled, scope=scope, members=chosen)
    account = account_of(locked)
    check_balance(locked, account, enabled=enabled)
    before = _as_audited(account)
    account.extra_usage_enabled = enabled
    account.scope = scope or account.scope
    if enabled:
        account.setup_step = ""  # the flow that enables is through
    account.save(update_fields=["extra_usage_enabled", "scope", "setup_step"])
    if chosen is not None:
        _select(locked, chosen)
    after = _as_audited(account)
    if after != before:
        _keep_switch(locked, account, before, after, actor=actor, now=now)
    if confirmation_required is None:
        return account
    return require_confirmation(
        locked, required=confirmation_required, actor=actor, now=now
    )


def _keep_switch(
    locked: Organization,
    account: BillingAccount,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Who switched it, for the activity and for channels."""
    audit = record_change(
        locked,
        actor=actor,
        action="extra_usage.switch",
        subject=locked.name,
        now=now,
        from_value=before,
        to_value=after | _came_and_went(before, after),
    )
    publish(
        locked,
        EventType.SWITCHED,
        key=f"switch:{audit.pk if audit else now.isoformat()}",
        data={"enabled": account.extra_usage_enabled, "scope": str(account.scope)},
        now=now,
    )


@transaction.atomic
def enable_extra_usage(
    organization: Organization,
    *,
    caps: FirstCaps,
    scope: str,
    actor: Actor,
    now: dt.datetime,
) -> BillingAccount:
    """Turn extra usage on together with its first caps, or nothing at all.

    Raises what the single acts raise.
    """
    account = set_extra_usage(
        organization, enabled=True, scope=scope, actor=actor, now=now
    )
    set_first_caps(organization, caps, actor=actor, now=now)
    return account


@transaction.atomic
def change_selection(
    organization: Organization,
    *,
    add: Iterable[int],
    remove: Iterable[int],
    actor: Actor,
    now: dt.datetime,
) -> BillingAccount:
    """Make extra usage a matter of selected members, with these memberships (ids) added
    to and removed from them.

    Only the difference is passed, so that two owners who select at once lose nothing.
    Those who are not active members here are passed over. Raises BusinessError like
    `set_extra_usage`.
    """
    locked = lock_organization(organization.pk)
    selected = SelectedMember.objects.filter(membership__organization=locked)
    selected_ids = set(selected.values_list("membership_id", flat=True)) | set(add)
    members = Membership.objects.active().filter(
        organization=locked, pk__in=selected_ids - set(remove)
    )
    account = BillingAccount.objects.filter(organization=locked).first()
    return set_extra_usage(
        locked,
        enabled=bool(account and account.extra_usage_enabled),
        scope=ExtraUsageScope.SELECTED,
        members=members,
        actor=actor,
        now=now,
    )


def _check_switch(
    organization: Organization,
    *,
    enabled: bool,
    scope: str | None,
    members: list[Membership] | None,
) -> None:
    if organization.plan == Plan.ENTERPRISE_USAGE:
        raise BusinessError(
            _(
                "Usage-based plans have no extra usage to turn on or off: every "
                "token is billed at API rates."
            ),
            code="not_applicable",
        )
    if scope is not None and scope not in ExtraUsageScope.values:
        raise BusinessError(
            _("“%(scope)s” is not a scope; use everyone or selected.")
            % {"scope": scope},
            code="unknown_scope",
            status=422,
            field="scope",
        )
    strangers = [
        member
        for member in members or []
        if member.organization_id != organization.pk or not member.is_active
    ]
    if strangers:
        raise BusinessError(
            _("%(count)d of the selected people are not members of %(organization)s.")
            % {"count": len(strangers), "organization": organization.name},
            code="member_unknown",
            status=422,
            field="members",
        )


def check_balance(
    organization: Organization, account: BillingAccount, *, enabled: bool
) -> None:
    """Prepaid, extra usage stays off until a balance is paid (T1).

    Raises BusinessError `prepaid_needs_balance`.
    """
    turns_on = enabled and not account.extra_usage_enabled
    if (
        turns_on
        and organization.settlement == Settlement.PREPAID
        and account.balance_nanos <= 0
    ):
        figures = {
            "organization": organization.name,
            "balance": format_usd(account.balance_nanos),
        }
        raise BusinessError(
            _(
                "%(organization)s prepays for extra usage, and its balance is "
                "%(balance)s. Buy extra usage first; until then it stays off."
            )
            % figures,
            code="prepaid_needs_balance",
        )


def _select(organization: Organization, members: list[Membership]) -> None:
    member_ids = {membership.pk for membership in members}
    selected = SelectedMember.objects.filter(membership__organization=organization)
    present = set(selected.values_list("membership_id", flat=True))
    selected.exclude(membership_id__in=member_ids).delete()
    SelectedMember.objects.bulk_create(
        [SelectedMember(membership_id=pk) for pk in sorted(member_ids - present)]
    )


def _as_audited(account: BillingAccount) -> dict[str, Any]:
    selected = SelectedMember.objects.filter(
        membership__organization_id=account.organization_id
    )
    ids = (
        sorted(selected.values_list("membership_id", flat=True))
        if account.scope == ExtraUsageScope.SELECTED
        else []
    )
    return {
        "enabled": account.extra_usage_enabled,
        "scope": account.scope,
        **({"members": ids} if ids else {}),
    }


def _came_and_went(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Who was added to and removed from the selection, so that the audit can say more
    than how many there are: a few names, and how many more.
    """
    ids_before, ids_after = (
        set(before.get("members", [])),
        set(after.get("members", [])),
    )
    if not after["enabled"] or after["scope"] != ExtraUsageScope.SELECTED:
        return {}
    named: dict[str, Any] = {}
    for side, ids in (
        ("added", sorted(ids_after - ids_before)),
        ("removed", sorted(ids_before - ids_after)),
    ):
        people = Membership.objects.select_related("user").filter(pk__in=ids[:NAMED])
        if ids:
            named[side] = [str(member.user) for member in people.order_by("pk")]
        if len(ids) > NAMED:
            named[f"{side}_more"] = len(ids) - NAMED
    return named
