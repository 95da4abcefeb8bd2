"""What happens to an account, as doors note it (S14): a row, a line in the log, a mail
to the person.

A door of its own: it reads the clock and the request.
"""

from __future__ import annotations

import structlog
from allauth.account.adapter import get_adapter
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.actions.security import (
    NOWHERE,
    Origin,
    queue_notice,
    record_security_event,
)
from accounts.models import User
from accounts.tasks import send_soon
from config.kit.one_line import shown_line

log = structlog.get_logger(__name__)


def origin_of(request: HttpRequest | None) -> Origin:
    """From where a request came: the address that limits count by too."""
    if request is None:
        return NOWHERE
    try:
        client = get_adapter().get_client_ip(request)
    except (PermissionDenied, ImproperlyConfigured):  # no address, as in a command
        client = ""
    return Origin(client, shown_line(request.headers.get("User-Agent", ""))[:200])


def note(
    kind: str,
    *,
    person: User | None,
    request: HttpRequest | None,
    operator: User | None = None,
) -> None:
    """Keep one event of `person`'s account, log it, and mail the person where they are
    to know.
    """
    now, origin = timezone.now(), origin_of(request)
    with transaction.atomic():
        event = record_security_event(
            kind, person=person, origin=origin, operator=operator, now=now
        )
        mail_ids = queue_notice(event, now=now) if event else []
    log.info(
        f"account.{kind}",
        person=person.pk if person else None,
        operator=operator.pk if operator else None,
        client=origin.client,
        is_kept=event is not None,
    )
    send_soon(mail_ids)
