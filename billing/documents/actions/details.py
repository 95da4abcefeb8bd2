"""What an organization's documents say about it, and its tax and terms.

Kept with who changed what (C8).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.models import BillingDetails

BUYER = ("legal_name", "address", "tax_id", "reference")
TERMS = ("tax_rate", "tax_label", "due_days")


@transaction.atomic
def set_billing_details(
    organization: Organization,
    *,
    billing_email: str,
    actor: Actor,
    now: dt.datetime,
    **buyer: Any,
) -> BillingDetails:
    """Take over what an owner says about the buyer, and where documents are mailed;
    from the next document on.
    """
    locked = lock_organization(organization.pk)
    before = locked.billing_email
    if billing_email != before:
        locked.billing_email = billing_email
        locked.save(update_fields=["billing_email"])
    return _change(
        locked,
        buyer,
        action="billing.details",
        actor=actor,
        now=now,
        also=(before, billing_email),
    )


@transaction.atomic
def set_terms(
    organization: Organization,
    *,
    tax_rate: int,
    tax_label: str,
    due_days: int,
    actor: Actor,
    now: dt.datetime,
) -> BillingDetails:
    """Take over an operator's tax (thousandths of a percent) and days to pay; from the
    next invoice on.
    """
    terms = {"tax_rate": tax_rate, "tax_label": tax_label, "due_days": due_days}
    return _change(
        lock_organization(organization.pk),
        terms,
        action="billing.terms",
        actor=actor,
        now=now,
    )


def _change(
    locked: Organization,
    values: dict[str, Any],
    *,
    action: str,
    actor: Actor,
    now: dt.datetime,
    also: tuple[str, str] = ("", ""),
) -> BillingDetails:
    details, _made = BillingDetails.objects.get_or_create(organization=locked)
    before = {name: getattr(details, name) for name in values}
    for name, value in values.items():
        setattr(details, name, value)
    details.save(update_fields=list(values))
    if before != values or also[0] != also[1]:
        record_change(
            locked,
            actor=actor,
            action=action,
            subject=locked.name,
            now=now,
            from_value={"email": also[0], **before},
            to_value={"email": also[1], **values},
        )
    return details
