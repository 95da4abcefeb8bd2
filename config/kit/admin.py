"""What the operators' admin shares: tables that can only be read, and the person behind
a change.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from config.kit.errors import BusinessError


class ReadOnly:
    """Mixed into a ModelAdmin or inline: looking only.

    Append-only tables and counters are never edited by hand.
    """

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class NoDelete:
    """Mixed into a ModelAdmin whose rows others refer to for good."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class FreshFormAfterRefusal:
    """Mixed into a ModelAdmin whose form books by an act, before the ModelAdmin."""

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """What the act refuses after all is told on a fresh form."""
        try:
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]
        except BusinessError as error:
            messages.error(request, error.message)
            opts = self.opts  # type: ignore[attr-defined]
            return redirect(f"admin:{opts.app_label}_{opts.model_name}_add")
