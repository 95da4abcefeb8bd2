"""Where an owner is in the flow that enables extra usage (T1)."""

from __future__ import annotations

from django.db import transaction

from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.ledger.actions import account_of
from billing.models import BillingAccount, SetupStep


@transaction.atomic
def set_setup_step(organization: Organization, *, step: SetupStep) -> None:
    """Keep where an owner is in the flow that enables, so that it can be left and
    resumed (T1).
    """
    account = account_of(lock_organization(organization.pk))
    if not account.extra_usage_enabled:
        BillingAccount.objects.filter(pk=account.pk).update(setup_step=step)
