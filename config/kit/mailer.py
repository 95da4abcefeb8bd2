"""One way to send a mail: subject, text and HTML templates of the same name, in the
reader's language.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation


class Attachment(NamedTuple):
    """A file that goes with a mail."""

    name: str
    content: bytes
    mime_type: str


def send(
    name: str,
    *,
    to: str,
    language: str,
    context: dict[str, Any],
    headers: dict[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
) -> None:
    """Send `emails/<name>` to one address.

    Raises what the mail backend raises (SMTPException, OSError).
    """
    values = {"site_url": settings.SITE_URL, "language": language, **context}
    with translation.override(language):
        subject = " ".join(
            render_to_string(f"emails/{name}.subject.txt", values).split()
        )
        text = render_to_string(f"emails/{name}.txt", values)
        html = render_to_string(f"emails/{name}.html", values)
    message = EmailMultiAlternatives(subject, text, to=[to], headers=headers)
    message.attach_alternative(html, "text/html")
    for file in attachments:
        message.attach(file.name, file.content, file.mime_type)
    message.send()
