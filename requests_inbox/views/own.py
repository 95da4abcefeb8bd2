"""The member's presses: send, add a note and an amount, take back.

Each answers with the member's part, or the page.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, member_page
from accounts.models import Membership
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from config.kit.errors import BusinessError
from config.kit.fields import add_refusal
from requests_inbox.actions.asking import add_details, send_request, withdraw_request
from requests_inbox.forms import DetailsForm
from requests_inbox.views.own_request import own_request_context


@member_page()
@require_POST
def send(request: MemberRequest, membership: Membership) -> HttpResponse:
    """One click sends it; a second one finds the first one's."""
    try:
        send_request(membership, now=timezone.now())
    except BusinessError as error:
        messages.error(request, error.message)
    return _answer(request, membership)


@member_page()
@require_POST
def details(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The optional note and amount; what is wrong stays at its field."""
    form = DetailsForm(request.POST)
    if not form.is_valid():
        return _answer(request, membership, form=form)
    try:
        add_details(
            membership,
            note=form.cleaned_data["note"],
            asked_nanos=form.cleaned_data["amount"],
            now=timezone.now(),
        )
    except BusinessError as error:
        if error.field is not None:
            add_refusal(form, error, asked_usd="amount")
            return _answer(request, membership, form=form)
        messages.error(request, error.message)
    else:
        messages.success(request, _("Your admins will see this with your request."))
    return _answer(request, membership)


@member_page()
@require_POST
def withdraw(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Take it back."""
    try:
        withdraw_request(membership, now=timezone.now())
    except BusinessError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Your request has been withdrawn."))
    return _answer(request, membership)


def _answer(
    request: MemberRequest, membership: Membership, *, form: DetailsForm | None = None
) -> HttpResponse:
    """The member's part as it is now, or the page; 422 with a form that was refused."""
    if not request.htmx and form is None:
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
    part, page = "requests_inbox/_own_request.html", "requests_inbox/details.html"
    template = part if request.htmx else page
    return render(request, template, context, status=422 if form else 200)
