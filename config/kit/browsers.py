"""What a browser calls itself, in few words."""

from __future__ import annotations

from django.utils.translation import gettext as _

BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
BROWSER_NAMES = {"Edg": "Edge", "OPR": "Opera"}
SYSTEMS = ("Windows", "iPhone", "iPad", "Android", "Mac OS", "CrOS", "Linux")
SYSTEM_NAMES = {"Mac OS": "macOS", "CrOS": "ChromeOS"}


def browser_text(user_agent: str) -> str:
    """`Firefox, Windows`: what a browser says of itself, as far as it is known."""
    browser = next((name for name in BROWSERS if f"{name}/" in user_agent), "")
    system = next((name for name in SYSTEMS if name in user_agent), "")
    known = [BROWSER_NAMES.get(browser, browser), SYSTEM_NAMES.get(system, system)]
    return ", ".join(filter(None, known)) or _("Unknown browser")
