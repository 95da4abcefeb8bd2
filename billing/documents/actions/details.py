"""Billing details: what documents say about the buyer, and its tax and terms.

Documents already issued keep what they copied. Who changed what is kept (C8).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.models import BillingDetails
from config.kit.one_line import name_of, names_of

BUYER = ("legal_name", "address", "tax_id", "reference")


@transaction.atomic
def set_billing_details(
    organization: Organization,
    *,
    billing_email: str,
    actor: Actor,
    now: dt.datetime,
    **buyer: Any,
) -> BillingDetails:
    """Take over what an owner says about the buyer (`BUYER`), and where mails go.

    It holds from the next document on. Raises BusinessError `not_one_line`, `has_link`.
    """
    buyer = {name: _one_line(name, text) for name, text in buyer.items()}
    locked = lock_organization(organization.pk)
    email_before = locked.billing_email
    if billing_email != email_before:
        locked.billing_email = billing_email
        locked.save(update_fields=["billing_email"])
    details, before = _replace(locked, buyer)
    _record(
        locked,
        "billing.details",
        {"email": email_before, **before},
        {"email": billing_email, **buyer},
        actor=actor,
        now=now,
    )
    return details


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
    """Take over an operator's tax and days to pay, from the next invoice on.

    `tax_rate` is in thousandths of a percent. Raises BusinessError `not_one_line`, `has_link`.
    """
    tax_label = name_of(tax_label, field="tax_label")
    locked = lock_organization(organization.pk)
    terms = {"tax_rate": tax_rate, "tax_label": tax_label, "due_days": due_days}
    details, before = _replace(locked, terms)
    _record(
        locked,
        "billing.terms",
        {"email": "", **before},
        {"email": "", **terms},
        actor=actor,
        now=now,
    )
    return details


def _one_line(name: str, text: str) -> str:
    """What the buyer is called on documents; an address may have several lines."""
    return (names_of if name == "address" else name_of)(text, field=name)


def _replace(
    locked: Organization, values: dict[str, Any]
) -> tuple[BillingDetails, dict[str, Any]]:
    """The details with these values, and the values they had before."""
    details, _created = BillingDetails.objects.get_or_create(organization=locked)
    before = {name: getattr(details, name) for name in values}
    for name, value in values.items():
        setattr(details, name, value)
    details.save(update_fields=list(values))
    return details, before


def _record(
    locked: Organization,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Keep who changed it, if anything changed."""
    if before == after:
        return
    record_change(
        locked,
        actor=actor,
        action=action,
        subject=locked.name,
        now=now,
        from_value=before,
        to_value=after,
    )
