"""Jobs of the accounts app: doors of their own, so they read the clock."""

from __future__ import annotations

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore

from accounts.key_usage import write_down_uses


@shared_task
def write_down_key_use() -> int:
    """Move the noted last-used times of API keys into their rows."""
    return write_down_uses()


@shared_task
def clear_sessions() -> None:
    """Delete sessions that ran out."""
    SessionStore.clear_expired()
