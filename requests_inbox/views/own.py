"""The member's presses: send, add a note and an amount, take back.

Each answers with the member's part, or the page.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import member_page
from accounts.models import Membership
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from config.kit.errors import BusinessError
from requests_inbox.actions.asking import add_details, send_request, withdraw_request
from requests_inbox.forms import DetailsForm
from requests_inbox.views.own_request import own_request_context


@member_page()
@require_POST
def send(request: HttpRequest, membership: Membership) -> HttpResponse:
    """One click sends it; a second one finds the first one's."""
    try:
        send_request(membership, now=timezone.now())
    except BusinessError as error:
        messages.error(request, error.message)
    return _answer(request, membership)


@member_page()
@require_POST
def details(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The optional note and amount; what is wrong stays at its field."""
    form = DetailsForm(request.POST)
    if form.is_valid():
        typed = form.cleaned_data
        try:
            add_details(
                membership,
                note=typed["note"],
                asked_nanos=typed["amount"],
                now=timezone.now(),
            )
        except BusinessError as error:
            if error.field is None:
                messages.error(request, error.message)
                return _answer(request, membership)
            form.add_error(
                "amount" if error.field == "asked_usd" else "note", error.message
            )
        else:
            messages.success(request, _("Your admins will see this with your request."))
            return _answer(request, membership)
    return _answer(request, membership, form=form, status=422)


@member_page()
@require_POST
def withdraw(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Take it back."""
    try:
        withdraw_request(membership, now=timezone.now())
    except BusinessError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Your request has been withdrawn."))
    return _answer(request, membership)


def _answer(
    request: HttpRequest,
    membership: Membership,
    *,
    form: DetailsForm | None = None,
    status: int = 200,
) -> HttpResponse:
    is_part = getattr(request, "htmx", False)
    if not is_part and form is None:
        return redirect("own_usage", slug=membership.organization.slug)
    now = timezone.now()
    standing = standing_of(
        membership.pk, organization_id=membership.organization_id, now=now
    )
    ask = own_request_context(
        membership, standing, decide(standing), now=now, form=form
    )
    context = {
        "ask": ask,
        "organization": membership.organization,
        "membership": membership,
    }
    template = (
        "requests_inbox/_own_request.html" if is_part else "requests_inbox/details.html"
    )
    return render(request, template, context, status=status)
