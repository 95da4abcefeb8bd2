"""Queueing what owners are told about money: a row for each owner, once a key;
`billing.payments.mails` writes them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.actions.mails import QueuedMail, queue_mails
from accounts.models import Organization

PAID = "balance.paid"
DECLINED = "balance.declined"
RELOAD_OFF = "balance.reload_off"
RELOAD_LIMIT = "balance.reload_limit"
LOW = "balance.low"
EXHAUSTED = "balance.exhausted"
WITHIN = dt.timedelta(days=3)


def tell_owners(
    locked: Organization,
    kind: str,
    *,
    key: str,
    facts: dict[str, Any],
    now: dt.datetime,
) -> list[int]:
    """Queue a mail of `kind` to every active owner; with a `key` told before, nothing.

    The mails' ids.
    """
    owners = locked.memberships.owners().select_related("user")
    drafts = [
        QueuedMail(
            one.user,
            kind,
            f"{kind}:{locked.pk}:{key}:{one.pk}",
            {**facts, "membership": one.pk},
        )
        for one in owners
        if one.user.is_active
    ]
    return queue_mails(locked, drafts, now=now, within=WITHIN) if drafts else []
