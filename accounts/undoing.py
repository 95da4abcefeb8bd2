"""Messages that offer to take back what they tell."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Organization


def say_with_undo(
    request: HttpRequest,
    sentence: str,
    *,
    organization: Organization,
    entries: Collection[int | None],
) -> None:
    """Say what is true now, with *Undo* where these changes (ids of audit entries) can be
    taken back; without any, such as where nothing changed, it is a message like others.
    """
    made = [str(pk) for pk in entries if pk is not None]
    address = reverse("undo", args=[organization.slug, "-".join(made)]) if made else ""
    messages.success(request, sentence, extra_tags=address)
