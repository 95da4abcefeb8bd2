"""What every decision of an operator needs: a reason that somebody will read."""

from __future__ import annotations

from django.utils.translation import gettext as _

from config.kit.errors import BusinessError
from config.kit.one_line import line_of


def check_reason(reason: str, *, most: int = 300) -> str:
    """The reason, one line without spaces around it.

    Raises BusinessError `reason_missing` for none, or one that is too long, and
    `not_one_line`.
    """
    text = line_of(reason, field="reason")
    if text and len(text) <= most:
        return text
    raise BusinessError(
        _("Give a reason of at most %(most)d characters. Owners will see it.")
        % {"most": most},
        code="reason_missing",
        status=422,
        field="reason",
    )
