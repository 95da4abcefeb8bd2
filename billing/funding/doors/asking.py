"""The check behind the doors, and whom it is about. It writes
nothing, but where the organization's policy makes somebody unknown a member (X2).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from billing.funding.api.check import continue_url, question_of
from billing.funding.rules.decision import Decision, decide
from billing.funding.rules.standing import Standing
from billing.funding.words import changeover_message, refusal_message
from config.kit.strict_json import is_unsafe

# The longest text that names anybody.
MOST_TEXT = 401


@dataclass(frozen=True, slots=True)
class Asked:
    """A member's standing and what was decided, at an aware UTC instant."""

    standing: Standing
    decision: Decision
    now: dt.datetime

    @property
    def sentence(self) -> str:
        """Why not, until when, and what to do: in the member's language. With a link to
        where they can say yes, since terminals show nothing beside it (N5).
        """
        standing = self.standing
        sentence = refusal_message(
            self.decision, standing, language=standing.language, now=self.now
        )
        url = continue_url(standing, self.decision)
        return sentence if url is None else f"{sentence} {url}"

    @property
    def changeover_sentence(self) -> str:
        """That extra usage begins, and how much of it is left: in the member's language."""
        return changeover_message(self.standing, language=self.standing.language)


class NobodyKnown(LookupError):
    """Whom the caller names is no member, or it names nobody; the text is a sentence for
    the person.
    """


def ask(request: HttpRequest) -> Asked:
    """The check for whoever's personal token it is, or for the member in the header that
    DOOR_MEMBER_HEADER names.

    Raises NobodyKnown, Unauthorized, MissingScope, OtherMember, TooManyCalls, ClockIsOff
    and DatabaseError.
    """
    member = header_text(request, settings.DOOR_MEMBER_HEADER)
    standing, organization, now = question_of(request, member)
    if standing is None:
        raise NobodyKnown(_nobody(member, organization.name))
    return Asked(standing, decide(standing), now)


def header_text(request: HttpRequest, name: str) -> str:
    """A header's text; empty where there is none, or where it can name nobody."""
    text = request.headers.get(name, "")
    # Servers read headers as Latin-1; what people write there is UTF-8.
    if not text.isascii():
        text = text.encode("latin-1", "replace").decode("utf-8", "replace")
    text = text.strip()
    return "" if len(text) > MOST_TEXT or is_unsafe(text) else text


def _nobody(member: str, organization: str) -> str:
    if not member:
        return _(
            "Nobody says for whom this request is: the header “%(header)s” is missing."
            " Tell whoever runs the gateway."
        ) % {"header": settings.DOOR_MEMBER_HEADER}
    return _(
        "“%(member)s” is no member of %(organization)s. Ask an owner to invite you."
    ) % {"member": member, "organization": organization}
