"""Who sells and who buys, as documents print it.

Copied into each document on the day it is issued, as JSON.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from accounts.models import Organization
from billing.models import BillingDetails


def seller() -> dict[str, Any]:
    """The seller's data from the settings."""
    return {
        "name": settings.SELLER_NAME,
        "address": settings.SELLER_ADDRESS,
        "tax_id": settings.SELLER_TAX_ID,
        "email": settings.SELLER_EMAIL,
        "note": settings.INVOICE_NOTE,
    }


def details_of(organization: Organization) -> BillingDetails:
    """The organization's billing details; unsaved defaults where none were ever entered."""
    details = BillingDetails.objects.filter(organization=organization).first()
    return details or BillingDetails(organization=organization)


def buyer_of(organization: Organization) -> dict[str, Any]:
    """The buyer's data as they are now."""
    details = details_of(organization)
    lines = [line.strip() for line in details.address.splitlines()]
    return {
        "name": details.legal_name or organization.name,
        "address": [line for line in lines if line],
        "tax_id": details.tax_id,
        "reference": details.reference,
        "email": organization.billing_email,
    }


def address_lines(party: dict[str, Any]) -> list[str]:
    """A party as the lines of an address block, name first."""
    lines = [
        party.get("name", ""),
        *party.get("address", []),
        party.get("tax_id", ""),
        party.get("email", ""),
    ]
    return [line for line in lines if line]
