"""Notices in sentences, what helps with them, and what became of their deliveries."""

from billing.notices.words.presses import Press, presses, still_holds
from billing.notices.words.sentences import (
    NoticeWords,
    Pace,
    notice_title,
    notice_words,
    percent_text,
    source_text,
    subject_name,
)

__all__ = [
    "NoticeWords",
    "Pace",
    "Press",
    "notice_title",
    "notice_words",
    "percent_text",
    "presses",
    "source_text",
    "still_holds",
    "subject_name",
]
