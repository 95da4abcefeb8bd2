"""The modal behind Billing details: what invoices say about the buyer.

Owners; tax and terms are the operators'.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Role
from billing.documents.actions.details import set_billing_details
from billing.documents.forms import BillingDetailsForm
from billing.documents.parties import details_of
from config.kit.htmx import saved

FIELDS = ("legal_name", "address", "tax_id", "reference")


@member_page(Role.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def billing_details(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Name, address, tax number, reference and billing e-mail; they hold from the next
    document on.
    """
    organization = membership.organization
    details = details_of(organization)
    initial = {name: getattr(details, name) for name in FIELDS} | {
        "billing_email": organization.billing_email
    }
    form = BillingDetailsForm(
        request.POST if request.method == "POST" else None, initial=initial
    )
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
        return saved(
            request, "billingChanged", then=reverse("billing", args=[organization.slug])
        )
    is_part = getattr(request, "htmx", False)
    context = {
        "form": form,
        "organization": organization,
        "form_template": "billing/documents/_details_form.html",
        "dialog_id": "details-title",
    }
    template = (
        "billing/payments/_money_modal.html"
        if is_part
        else "billing/payments/money_dialog.html"
    )
    return render(request, template, context, status=422 if form.errors else 200)
