"""Who else gets the organization's notices. Owners only."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Role
from accounts.tasks import send_soon
from billing.models import NoticeRecipient
from billing.notices.actions.recipients import (
    Added,
    add_recipient,
    ask_again,
    remove_recipient,
)
from billing.notices.forms import RecipientForm
from config.kit.errors import BusinessError
from config.kit.fields import refusals_on
from config.kit.htmx import render_modal, saved
from config.kit.http import get_or_post, posted


@member_page(Role.OWNER)
@get_or_post
def notice_recipient_add(
    request: MemberRequest, membership: Membership
) -> HttpResponse:
    """Add a member or an address outside, which is asked first."""
    form = RecipientForm(posted(request))
    if form.is_valid():
        with refusals_on(form):
            added = add_recipient(
                membership.organization,
                address=form.cleaned_data["address"],
                language=get_language() or "en",
                by=membership,
                now=timezone.now(),
            )
            send_soon(added.mails)
            messages.success(request, _added_text(added, form.cleaned_data["address"]))
            return saved(request, "noticesChanged", then=_page(membership))
    return render_modal(
        request,
        "billing/notices/choice.html",
        {"form": form, "organization": membership.organization, "back": "notices"},
        title=_("Add an address"),
        name="recipient",
    )


def _added_text(added: Added, address: str) -> str:
    if not added.is_new:
        return _("%(address)s is on the list already.") % {"address": address}
    if added.recipient.membership is not None:
        return _("%(address)s gets the organization’s notices now.") % {
            "address": address
        }
    return _("%(address)s was asked by mail.") % {"address": address}


@member_page(Role.OWNER)
@require_POST
def notice_recipient_ask(
    request: MemberRequest, membership: Membership, recipient_id: int
) -> HttpResponse:
    """Mail the link to agree once more."""
    recipient = _recipient(membership, recipient_id)
    try:
        mails = ask_again(recipient, now=timezone.now())
    except BusinessError as refused:
        messages.error(request, str(refused))
    else:
        send_soon(mails)
        messages.success(
            request,
            _("%(address)s was asked by mail.") % {"address": recipient.address},
        )
    return redirect("notices", membership.organization.slug)


@member_page(Role.OWNER)
@require_POST
def notice_recipient_remove(
    request: MemberRequest, membership: Membership, recipient_id: int
) -> HttpResponse:
    """Take somebody off the list."""
    remove_recipient(
        _recipient(membership, recipient_id),
        actor=Actor.person(request.user),
        now=timezone.now(),
    )
    messages.success(request, _("Removed from the list."))
    return redirect("notices", membership.organization.slug)


def _recipient(membership: Membership, recipient_id: int) -> NoticeRecipient:
    return get_object_or_404(
        NoticeRecipient.objects.select_related("organization", "membership__user"),
        organization=membership.organization,
        pk=recipient_id,
    )


def _page(membership: Membership) -> str:
    return reverse("notices", args=[membership.organization.slug])
