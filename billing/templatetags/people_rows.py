"""Words of a row in “Spend caps by user”, as template filters."""

from __future__ import annotations

from django import template

from billing.caps.words.status import cap_note_text, status_text

register = template.Library()
register.filter("cap_note", cap_note_text)
register.filter("status_words", status_text)
