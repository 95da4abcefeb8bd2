"""The modal behind Billing details: what invoices say about the buyer.

Owners; tax and terms are the operators'.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Organization, Role
from billing.documents.actions.details import set_billing_details
from billing.documents.forms import BillingDetailsForm
from billing.payments.parties import details_of
from config.kit.htmx import render_modal, saved
from config.kit.http import get_or_post, posted

FIELDS = ("legal_name", "address", "tax_id", "reference")


@member_page(Role.OWNER)
@get_or_post
def billing_details(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Name, address, tax number, reference and billing e-mail; they hold from the next
    document on.
    """
    organization = membership.organization
    form = BillingDetailsForm(posted(request), initial=_details_now(organization))
    if form.is_valid():
        set_billing_details(
            organization,
            **form.cleaned_data,
            actor=Actor.person(membership.user),
            now=timezone.now(),
        )
        messages.success(
            request, _("Billing details saved. They will appear on the next document.")
        )
        back = reverse("billing", args=[organization.slug])
        return saved(request, "billingChanged", then=back)
    subtitle = _(
        "Used from the next document on; documents already issued don't change."
    )
    return render_modal(
        request,
        "billing/documents/details.html",
        {
            "form": form,
            "organization": organization,
            "back": "billing",
            "subtitle": subtitle,
        },
        title=_("Billing details"),
        name="details",
    )


def _details_now(organization: Organization) -> dict[str, str]:
    details = details_of(organization)
    kept = {name: getattr(details, name) for name in FIELDS}
    return kept | {"billing_email": organization.billing_email}
