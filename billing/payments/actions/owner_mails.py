"""Queueing what owners are told about money: a row for each owner, once a key.

`billing.payments.mails` and `billing.documents.mails` write them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.actions.mails import QueuedMail, queue_mails
from accounts.models import Organization, User

PAID = "balance.paid"
DECLINED = "balance.declined"
RELOAD_OFF = "balance.reload_off"
RELOAD_LIMIT = "balance.reload_limit"
LOW = "balance.low"
REFUNDED = "balance.refunded"
DISPUTED = "balance.disputed"
REPRICED = "usage.repriced"
UNPRINTED = "documents.unprinted"
# What a mail about a balance says is old after this time.
WITHIN = dt.timedelta(days=3)


def queue_for_owners(
    locked: Organization,
    kind: str,
    *,
    key: str,
    facts: dict[str, Any],
    now: dt.datetime,
    within: dt.timedelta = WITHIN,
    and_billing_address: bool = False,
) -> list[int]:
    """Queue a mail of `kind` to every owner whose account is active, and to the billing
    address where that is none of theirs; the mails' ids.

    `key` names what is told once to each: what was told before, also by somebody who
    does the same at once, is not queued again.
    """
    prefix = f"{kind}:{locked.pk}:{key}"
    owners = list(locked.memberships.owners_to_mail())
    mails = [
        QueuedMail(
            owner.user,
            kind,
            f"{prefix}:{owner.pk}",
            {**facts, "membership": owner.pk},
        )
        for owner in owners
    ]
    addresses = {owner.user.email.lower() for owner in owners}
    if and_billing_address and locked.billing_email.lower() not in addresses:
        mails.append(
            QueuedMail(
                None,
                kind,
                f"{prefix}:billing",
                facts,
                address=locked.billing_email,
                language=locked.primary_owner.language,
            )
        )
    return queue_mails(locked, mails, now=now, within=within)


def queue_for_operators(
    locked: Organization,
    kind: str,
    *,
    key: str,
    facts: dict[str, Any],
    now: dt.datetime,
    within: dt.timedelta = WITHIN,
) -> list[int]:
    """Queue a mail of `kind` to every operator who may see payments; the mails' ids."""
    staff = User.objects.filter(is_staff=True, is_active=True).order_by("pk")
    mails = [
        QueuedMail(
            operator,
            kind,
            f"{kind}:{locked.pk}:{key}:operator:{operator.pk}",
            {**facts, "is_operator": True},
        )
        for operator in staff
        if operator.has_perm("billing.view_payment")
    ]
    return queue_mails(locked, mails, now=now, within=within)


def queue_for_all(
    locked: Organization,
    kind: str,
    *,
    key: str,
    facts: dict[str, Any],
    now: dt.datetime,
    and_billing_address: bool = False,
) -> list[int]:
    """Owners and operators alike, each in their own words; the mails' ids.

    What a dispute needs cannot wait for a mail server that is down for long, and stays
    true: it is tried for two weeks.
    """
    within = dt.timedelta(days=14)
    mails = queue_for_owners(
        locked,
        kind,
        key=key,
        facts=facts,
        now=now,
        within=within,
        and_billing_address=and_billing_address,
    )
    return mails + queue_for_operators(
        locked, kind, key=key, facts=facts, now=now, within=within
    )
