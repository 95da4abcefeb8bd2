"""Whether members are asked before extra usage begins (N5)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization, Plan
from billing.ledger.actions import account_of
from billing.models import BillingAccount
from config.kit.errors import BusinessError


@transaction.atomic
def require_confirmation(
    organization: Organization, *, required: bool, actor: Actor, now: dt.datetime
) -> BillingAccount:
    """Ask each member first from the next check on, or nobody; what members have said
    yes to holds on.

    Raises BusinessError `not_applicable` on usage-based plans.
    """
    locked = lock_organization(organization.pk)
    if locked.plan == Plan.ENTERPRISE_USAGE:
        raise BusinessError(
            _(
                "On usage-based plans nobody is asked: every token is billed at API"
                " rates from the first on."
            ),
            code="not_applicable",
        )
    account = account_of(locked)
    before = account.confirmation_required
    if before != required:
        account.confirmation_required = required
        account.save(update_fields=["confirmation_required"])
        record_change(
            locked,
            actor=actor,
            action="extra_usage.ask_first",
            subject=locked.name,
            now=now,
            from_value=before,
            to_value=required,
        )
    return account
