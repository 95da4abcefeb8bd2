"""What the note of a request and the note of its answer have in common."""

from __future__ import annotations

from django.utils.translation import gettext as _

from config.kit.errors import BusinessError
from config.kit.one_line import lines_of
from requests_inbox.models import NOTE_LENGTH


def check_note(note: str) -> None:
    """Raise BusinessError `note_too_long` for more than fits, `not_one_line` for
    characters that turn or hide the text; several lines are fine.
    """
    lines_of(note, field="note")
    if len(note) > NOTE_LENGTH:
        raise BusinessError(
            _("The note has %(length)d characters; the limit is %(most)d.")
            % {"length": len(note), "most": NOTE_LENGTH},
            code="note_too_long",
            status=422,
            field="note",
        )
