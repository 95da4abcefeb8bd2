"""How changes of notices read on the Activity page."""

from billing.notices.audit import channels, thresholds

__all__ = ["channels", "thresholds"]
