"""Sessions: how long they last, and where somebody is signed in.

Everybody signs in again after SESSION_DAYS; owners, admins and operators also after
SESSION_IDLE_HOURS without a page. What is kept for it is in the session itself, and is
written at most every few minutes; no page pays for it otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Role, User
from config.kit.browsers import browser_text
from config.kit.middleware import PagesOnly

SIGNED_IN, SEEN = "signed_in_at", "seen_at"
SEEN_EVERY = 300


class _Limits:
    """Ends sessions that are over, before any view sees them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(settings.STATIC_URL):
            return self.get_response(request)  # a file that is not there opens nothing
        user = request.user
        if isinstance(user, User) and user.is_authenticated:
            _keep_or_end(request, user, now=_seconds())
        return self.get_response(request)


class SessionLimits(PagesOnly, _Limits): ...


def _seconds() -> int:
    return int(timezone.now().timestamp())


def _keep_or_end(request: HttpRequest, user: User, *, now: int) -> None:
    session = request.session
    began, seen = session.get(SIGNED_IN), session.get(SEEN)
    if began is None or seen is None:  # from before there were limits
        session[SIGNED_IN], session[SEEN] = now, now
        record_session(request)
    elif is_over(user, idle=now - seen, age=now - began):
        logout(request)
        messages.info(request, _("You were signed out to be safe. Sign in again."))
    elif now - seen >= SEEN_EVERY and not _is_refetch(request):
        session[SEEN] = now
        record_session(request)


def _is_refetch(request: HttpRequest) -> bool:
    """Whether a part of an open page is fetched, as open pages do by themselves every
    half a minute: nobody need sit there.
    """
    return request.method == "GET" and "HX-Request" in request.headers


def is_over(user: User, *, idle: int, age: int) -> bool:
    """Whether a session ends that began so many seconds ago and was last used so many
    seconds ago.
    """
    if age >= settings.SESSION_DAYS * 86_400:
        return True
    return idle >= settings.SESSION_IDLE_HOURS * 3_600 and _has_power(user)


def _has_power(user: User) -> bool:
    if user.is_staff:
        return True
    powerful = Membership.objects.active().filter(
        user=user, base_role__in=[Role.ADMIN, Role.OWNER]
    )
    return powerful.exists()


def note_sign_in(request: HttpRequest, **kwargs: Any) -> None:
    """A session begins, in whatever way somebody signed in."""
    request.session[SIGNED_IN] = request.session[SEEN] = _seconds()


user_logged_in.connect(note_sign_in, dispatch_uid="session_limits")


def record_session(request: HttpRequest) -> None:
    """Keep from where and when the session was last used, for its owner to see."""
    UserSession.objects.create_from_request(request)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Where somebody is signed in; `client` names browser and system."""

    id: int
    client: str
    ip: str
    began_at: dt.datetime
    seen_at: dt.datetime
    is_this: bool


def sessions_of(user: User, *, this: str | None) -> list[SessionRow]:
    """The sessions in which somebody is signed in now, this one first, then the latest."""
    rows = [
        SessionRow(
            session.pk,
            browser_text(session.user_agent),
            session.ip,
            session.created_at,
            session.last_seen_at,
            session.session_key == this,
        )
        for session in UserSession.objects.purge_and_list(user)
    ]
    return sorted(rows, key=lambda row: (row.is_this, row.seen_at), reverse=True)


def end_session(user: User, session_id: int) -> bool:
    """End one session of somebody; whether there was one."""
    session = UserSession.objects.filter(user=user, pk=session_id).first()
    if session is None:
        return False
    session.end()
    return True


def count_sessions(user: User) -> int:
    """In how many browsers somebody is signed in."""
    return UserSession.objects.filter(user=user).count()


def end_sessions(user: User, *, but: str | None = None) -> int:
    """End the sessions of somebody, but the one with this key; how many."""
    ended = list(UserSession.objects.filter(user=user).exclude(session_key=but or ""))
    for session in ended:
        session.end()
    return len(ended)
