"""Operators who look at what is somebody's own leave an entry in the audit: who, what,
when. Which row is kept by its id, so that no name stays behind.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.access import operator_of
from accounts.actions.audit import Actor, record_change
from accounts.audit import LOOKED_AT


class ReadsAreKept:
    """Mixed into a ModelAdmin, before it: opening a row is kept."""

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The row's page; what could not be opened is not kept."""
        response: HttpResponse = super().change_view(  # type: ignore[misc]
            request, object_id, *args, **kwargs
        )
        if request.method == "GET" and response.status_code == 200:
            name = self.opts.model_name  # type: ignore[attr-defined]
            record_change(
                None,
                actor=Actor.person(operator_of(request)),
                action=LOOKED_AT,
                subject=f"{name} #{object_id}"[:200],
                now=timezone.now(),
            )
        return response

    change_view.access = "operators"  # type: ignore[attr-defined]
