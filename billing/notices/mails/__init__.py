"""Who writes the mails of notices. Importing this registers the writers."""

from __future__ import annotations

from billing.notices.mails import agreeing, writing

__all__ = ["agreeing", "writing"]
