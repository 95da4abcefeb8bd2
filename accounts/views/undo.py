"""Undo in a message: takes back what the same person has just done."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, member_page
from accounts.actions.undoing import undo_changes
from accounts.models import Membership, Role
from config.kit.errors import BusinessError
from config.kit.ids import is_row_id

MOST = 4
CHANGED = ("capChanged", "membersChanged", "requestsChanged", "undone")


@member_page(Role.ADMIN)
@require_POST
def undo(request: MemberRequest, membership: Membership, entries: str) -> HttpResponse:
    """Take the changes back and say so, or who changed the same since."""
    ids = entries.split("-")
    if len(ids) > MOST or not all(is_row_id(pk) for pk in ids):
        raise Http404
    try:
        notes = undo_changes(
            membership.organization,
            entries=[int(pk) for pk in ids],
            by=membership,
            now=timezone.now(),
        )
    except BusinessError as refusal:
        messages.warning(request, refusal.message)
    else:
        sentence = _("Undone. Everything is as it was before.")
        messages.success(
            request, " ".join([_("Undone."), *notes] if notes else [sentence])
        )
    if not request.htmx:
        return redirect(_back(request, membership))
    trigger = json.dumps(dict.fromkeys(CHANGED, True))
    return HttpResponse(status=204, headers={"HX-Trigger": trigger})


def _back(request: MemberRequest, membership: Membership) -> str:
    """The page the message stood on."""
    page = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    home = resolve_url("organization_home", slug=membership.organization.slug)
    return page if is_ours and page.startswith("/") else home
