"""Modals of a channel (N3): adding one, what goes there, pausing, a new secret, removing.
Owners only. A secret is shown in the answer that makes it and never again.
"""

from __future__ import annotations

import json

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Role
from billing.models import Channel, ChannelKind
from billing.notices.actions.adding import add_channel
from billing.notices.actions.channels import (
    change_channel,
    pause_channel,
    remove_channel,
    rotate_secret,
)
from billing.notices.views.channel_forms import AddChannelForm, ChannelForm
from billing.notices.views.channels import channel_or_404
from config.kit.fields import refusals_on
from config.kit.htmx import render_modal, saved
from config.kit.http import get_or_post, posted

CHANGED = "channelsChanged"


@member_page(Role.OWNER)
@get_or_post
def channel_add(
    request: MemberRequest, membership: Membership, kind: str
) -> HttpResponse:
    """A new channel; a webhook's secret is shown on the answer."""
    if kind not in ChannelKind.values:
        raise Http404
    is_slack = kind == ChannelKind.SLACK
    form = AddChannelForm(posted(request), is_slack=is_slack)
    if form.is_valid():
        with refusals_on(form):
            channel, secret = add_channel(
                membership.organization,
                kind=kind,
                actor=Actor.person(membership.user),
                now=timezone.now(),
                **form.cleaned_data,
            )
            messages.success(request, _("%(name)s is added.") % {"name": channel.name})
            if secret:
                return _show_secret(request, membership, channel, secret)
            return saved(request, CHANGED, then=_back(membership))
    return _form(
        request,
        membership,
        form,
        title=_("Add Slack") if is_slack else _("Add a webhook"),
        button=_("Add"),
    )


@member_page(Role.OWNER)
@get_or_post
def channel(
    request: MemberRequest, membership: Membership, channel_id: int
) -> HttpResponse:
    """Its name and what goes there."""
    found = channel_or_404(membership, channel_id)
    form = ChannelForm.of(found, posted(request))
    if form.is_valid():
        with refusals_on(form):
            change_channel(
                found,
                actor=Actor.person(membership.user),
                now=timezone.now(),
                **form.cleaned_data,
            )
            messages.success(request, _("The channel is saved."))
            return saved(request, CHANGED, then=_back(membership))
    return _form(
        request,
        membership,
        form,
        title=_("Edit channel"),
        button=_("Save"),
        channel=found,
    )


@member_page(Role.OWNER)
@get_or_post
def channel_pause(
    request: MemberRequest, membership: Membership, channel_id: int
) -> HttpResponse:
    """Send nothing there until it is resumed."""
    found = channel_or_404(membership, channel_id)
    if request.method == "POST":
        pause_channel(found, actor=Actor.person(membership.user), now=timezone.now())
        messages.success(request, _("%(name)s is paused.") % {"name": found.name})
        return saved(request, CHANGED, then=_back(membership))
    return _confirm(
        request,
        membership,
        found,
        title=_("Pause channel"),
        sentence=_(
            "Nothing is sent there until you resume it. What happens meanwhile waits "
            "and is sent then."
        ),
        button=_("Pause"),
    )


@member_page(Role.OWNER)
@get_or_post
def channel_rotate(
    request: MemberRequest, membership: Membership, channel_id: int
) -> HttpResponse:
    """A new signing secret, shown on the answer."""
    found = channel_or_404(membership, channel_id)
    if found.kind != ChannelKind.WEBHOOK:
        raise Http404
    if request.method == "POST":
        actor = Actor.person(membership.user)
        secret = rotate_secret(found, actor=actor, now=timezone.now())
        return _show_secret(request, membership, found, secret)
    return _confirm(
        request,
        membership,
        found,
        title=_("New signing secret"),
        sentence=_(
            "For 24 hours each message is signed with both secrets, so that you can "
            "put in the new one without missing any. After that the old one is gone."
        ),
        button=_("Make a new secret"),
    )


@member_page(Role.OWNER)
@get_or_post
def channel_remove(
    request: MemberRequest, membership: Membership, channel_id: int
) -> HttpResponse:
    """Send nothing there any more."""
    found = channel_or_404(membership, channel_id)
    if request.method == "POST":
        remove_channel(found, actor=Actor.person(membership.user), now=timezone.now())
        messages.success(request, _("%(name)s is removed.") % {"name": found.name})
        return saved(request, CHANGED, then=_back(membership))
    return _confirm(
        request,
        membership,
        found,
        title=_("Remove channel"),
        sentence=_(
            "Nothing is sent there any more, also not what waits. Its address and its "
            "secret are deleted; the deliveries so far stay in the list."
        ),
        button=_("Remove"),
        is_danger=True,
    )


def _form(
    request: MemberRequest,
    membership: Membership,
    form: forms.Form,
    *,
    title: str,
    button: str,
    channel: Channel | None = None,
) -> HttpResponse:
    context = {
        "organization": membership.organization,
        "form": form,
        "button": button,
        "channel": channel,
        "back": "channels",
        "subtitle": channel.name if channel else "",
    }
    return render_modal(
        request, "billing/notices/channel_form.html", context, title=title
    )


def _confirm(
    request: MemberRequest,
    membership: Membership,
    channel: Channel,
    *,
    title: str,
    sentence: str,
    button: str,
    is_danger: bool = False,
) -> HttpResponse:
    context = {
        "organization": membership.organization,
        "form": forms.Form(),
        "back": "channels",
        "subtitle": channel.name,
        "sentence": sentence,
        "button": button,
        "is_danger": is_danger,
    }
    return render_modal(request, "accounts/form.html", context, title=title)


def _show_secret(
    request: MemberRequest, membership: Membership, channel: Channel, secret: str
) -> HttpResponse:
    """The secret, once; the page behind it shows the channel already."""
    context = {
        "organization": membership.organization,
        "channel": channel,
        "secret": secret,
        "back": "channels",
        "subtitle": channel.name,
    }
    answer = render_modal(
        request,
        "billing/notices/channel_secret.html",
        context,
        title=_("Copy the signing secret now"),
    )
    answer["HX-Trigger"] = json.dumps({CHANGED: True})
    answer["Cache-Control"] = "no-store"
    return answer


def _back(membership: Membership) -> str:
    return reverse("channels", args=[membership.organization.slug])
