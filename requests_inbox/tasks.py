"""Jobs of the requests app: doors of their own, so they read the clock. Safe to run twice, at once and late."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog
from celery import shared_task
from django.utils import timezone

from accounts.models import Organization
from accounts.tasks import send_mail

from .actions.digests import prepare_digest
from .actions.ending import write_down_endings
from .queries import organizations_with_pending

T = TypeVar("T")
R = TypeVar("R")
log = structlog.get_logger(__name__)


def _each(organizations: Iterable[T], act: Callable[[T], R]) -> list[R]:
    """`act` for every organization; what fails for one is logged, comes again with the next sweep, and stops no other."""
    done = []
    for one in organizations:
        try:
            done.append(act(one))
        except Exception:
            log.exception("requests.sweep_failed", organization=getattr(one, "pk", one))
    return done


@shared_task
def prepare_digests() -> int:
    """Queue the digests whose local hour has come, and poke their sending; how many mails."""
    organizations = list(Organization.objects.filter(pk__in=organizations_with_pending()))
    mails = [pk for ids in _each(organizations, lambda one: prepare_digest(one, now=timezone.now())) for pk in ids]
    for pk in mails:
        send_mail.delay(pk)
    return len(mails)


@shared_task
def end_requests() -> int:
    """Write down the requests that ended by themselves; how many."""
    return sum(_each(list(organizations_with_pending()), lambda pk: write_down_endings(pk, now=timezone.now())))
