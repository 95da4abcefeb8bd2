"""Ending one's own sessions."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.access import UserRequest, signed_in
from accounts.sessions import end_session, end_sessions


@signed_in
@require_POST
def session_end(request: UserRequest, session_id: int) -> HttpResponse:
    """Sign out somewhere else; ending it again changes nothing."""
    if end_session(request.user, session_id):
        messages.success(request, _("That session has been ended."))
    return redirect("me")


@signed_in
@require_POST
def sessions_end(request: UserRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    ended = end_sessions(request.user, but=request.session.session_key)
    sentence = ngettext(
        "%(count)d other session has been ended.",
        "%(count)d other sessions have been ended.",
        ended,
    )
    messages.success(request, sentence % {"count": ended})
    return redirect("me")
