"""Who left for a gateway's page and comes back from it: told by a state in their session.

Coming back is a GET that acts. Without the state that the POST left behind, a link from
elsewhere could act for whoever is signed in (S22).
"""

from __future__ import annotations

import secrets

from django.http import HttpRequest

STATES = "gateway_states"
# Tabs in which somebody may be away at once.
MOST_AWAY = 5


def leave(request: HttpRequest, *, purpose: str) -> str:
    """Somebody goes; the state to come back with, good once."""
    state = secrets.token_urlsafe(16)
    away = [*request.session.get(STATES, []), [purpose, state]]
    request.session[STATES] = away[-MOST_AWAY:]
    return state


def is_away(request: HttpRequest, *, purpose: str, state: str) -> bool:
    """Whether this session left with this state and has not come back yet."""
    return [purpose, state] in request.session.get(STATES, [])


def come_back(request: HttpRequest, *, purpose: str, state: str) -> None:
    """They are back: the state is used."""
    away = request.session.get(STATES, [])
    request.session[STATES] = [one for one in away if one != [purpose, state]]
