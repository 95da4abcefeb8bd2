"""Words of a row in “Spend caps by user”, as template filters."""

from __future__ import annotations

from django import template

from billing.caps.words.status import cap_note_text, past_cap_note_text, status_text
from billing.pages.past_rows import stop_words_text

register = template.Library()
register.filter("cap_note", cap_note_text)
register.filter("status_words", status_text)
register.filter("past_cap_note", past_cap_note_text)
register.filter("stop_words", stop_words_text)
