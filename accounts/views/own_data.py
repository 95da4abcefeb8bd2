"""One's own data, to take away."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import UserRequest, signed_in
from accounts.exporting import exported
from config.kit.later import much_to_make


@signed_in
@require_safe
@much_to_make
def own_data(request: UserRequest) -> HttpResponseBase:
    """All that is kept about oneself, as a file."""
    return exported(request.user, now=timezone.now())
