"""The names that other systems have for a member (X2): a modal on Settings › Members."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.actions.external_ids import set_external_ids
from accounts.forms import ExternalIdsForm
from accounts.models import Membership, Role
from config.kit.fields import refusals_on
from config.kit.htmx import render_modal, saved
from config.kit.http import get_or_post, posted


@member_page(Role.OWNER)
@get_or_post
def member_external_ids(
    request: MemberRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """All of one member's at once, a line each; of who was removed too."""
    organization = membership.organization
    member = get_object_or_404(
        Membership.objects.select_related("user"),
        organization=organization,
        pk=membership_id,
    )
    held = list(member.external_ids.order_by("pk"))
    form = ExternalIdsForm(posted(request), held=held)
    if form.is_valid():
        with refusals_on(form):
            set_external_ids(
                member,
                form.cleaned_data["external_ids"],
                actor=Actor.person(membership.user),
                now=timezone.now(),
            )
            sentence = _("The external ids of %(name)s are saved.")
            messages.success(request, sentence % {"name": member.user})
            back = reverse("members", args=[organization.slug])
            return saved(request, "membersChanged", then=back)
    context = {
        "form": form,
        "organization": organization,
        "back": "members",
        "title": _("External ids"),
        "subtitle": str(member.user),
        "sentence": _(
            "How other systems name this person: gateways and single sign-on may use"
            " these instead of the e-mail address."
        ),
        "button": _("Save"),
    }
    return render_modal(request, "accounts/form.html", context)
