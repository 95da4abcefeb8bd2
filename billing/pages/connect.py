"""Settings › Connect: a way in with its key, the lines to copy and the first event as it
arrives; below, what is connected. Owners only.
"""

from __future__ import annotations

import json

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.actions.api_keys import create_api_key
from accounts.actions.audit import Actor
from accounts.models import Membership, Role, Scope
from billing.metering.views.unattributed import unattributed_part
from billing.pages.connected import ConnectedTable
from billing.pages.connecting import ConnectPage
from billing.pages.ways import way_called
from config.kit.fields import refusals_on
from config.kit.htmx import unchanged_or_html
from config.kit.http import get_or_post, posted
from config.kit.one_line import validate_name


class WayKeyForm(forms.Form):
    """What the key for a way is called."""

    name = forms.CharField(
        label=_("Name of the key"),
        max_length=80,
        validators=[validate_name],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@member_page(Role.OWNER)
@get_or_post
def connect(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The whole page; a POST makes a key for the way and shows it on this one answer
    only.
    """
    page = _page(request, membership)
    form = WayKeyForm(posted(request), initial={"name": page.next_name()})
    secret = _make_key(page, form) if form.is_valid() else ""
    context = page.way_part() | ConnectedTable(page).part()
    context |= unattributed_part(page.organization, page.now)
    context |= page.lines_part(secret) | {
        "form": form,
        "makes_another": "another" in request.GET and not secret,
    }
    response = render(
        request,
        "billing/pages/connect.html",
        context,
        status=422 if form.errors else 200,
    )
    if secret:
        response["HX-Trigger"] = json.dumps({"keysChanged": True})
    return response


@member_page(Role.OWNER)
@require_safe
def connect_first(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The first event of the way by itself, or what is waited for, with the tick of the
    lines, which work once the key is used.
    """
    context = _page(request, membership).arrival_part() | {"swap_around": True}
    response = unchanged_or_html(
        request, "billing/pages/connect/_first_event.html", context
    )
    if context["arrival"].first and response.status_code == 200:
        response["HX-Trigger"] = json.dumps({"firstEvent": True})
    return response


@member_page(Role.OWNER)
@require_safe
def connect_connected(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The table by itself, with what of it stands elsewhere."""
    context = ConnectedTable(_page(request, membership)).part()
    return unchanged_or_html(
        request,
        "billing/pages/connect/_connected.html",
        context | {"swap_around": True},
    )


def _page(request: MemberRequest, membership: Membership) -> ConnectPage:
    return ConnectPage(membership, way_called(request.GET.get("way")), timezone.now())


def _make_key(page: ConnectPage, form: WayKeyForm) -> str:
    """The secret of a new key for the way; nothing where the act refused it."""
    if page.way.is_personal:
        return ""
    with refusals_on(form):
        _key, secret = create_api_key(
            page.organization,
            name=form.cleaned_data["name"],
            scopes=[Scope.METER],
            actor=Actor.person(page.membership.user),
            now=page.now,
            way=page.way.slug,
        )
        return secret
    return ""
