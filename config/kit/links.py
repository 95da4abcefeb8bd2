"""Links into the product for mails, the API and gateways: absolute, on SITE_URL."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse


def absolute(path: str) -> str:
    """A path of ours with scheme and host."""
    return settings.SITE_URL.rstrip("/") + path


def page_url(name: str, *args: object) -> str:
    """The page with this URL name."""
    return absolute(reverse(name, args=args))
