"""HTML as a browser takes it, so that a test asks for what is shown and not for how a
template is laid out.
"""

from __future__ import annotations

import re

from django.http import HttpResponse

TAG = re.compile(r"\s*(<[^<>]*?)\s*(/?>)\s*")


def flat(html: str | HttpResponse) -> str:
    """White space is one space, and none stands beside a tag or at its end."""
    text = html if isinstance(html, str) else html.content.decode()
    return TAG.sub(r"\1\2", " ".join(text.split()))
