"""One way to send a mail: subject, text and HTML templates of the same name, in the
reader's language.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formataddr, parseaddr
from typing import Any, NamedTuple
from unicodedata import normalize

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from config.kit.one_line import has_link, shown_line

# How an encoded word begins (RFC 2047).
ENCODED_WORD = "=?"


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
    sender: str = "",
) -> None:
    """Send `emails/<name>` to one address, from `sender` by name where there is one.

    Raises what the mail backend raises (SMTPException, OSError).
    """
    values = {"site_url": settings.SITE_URL, "language": language, **context}
    with translation.override(language):
        subject = _subject(render_to_string(f"emails/{name}.subject.txt", values))
        text = render_to_string(f"emails/{name}.txt", values)
        html = render_to_string(f"emails/{name}.html", values)
        by = _from(sender)
    message = EmailMultiAlternatives(subject, text, by, [to], headers=headers)
    message.attach_alternative(html, "text/html")
    for file in attachments:
        message.attach(file.name, file.content, file.mime_type)
    message.send()


def _subject(text: str) -> str:
    """One line, in which nothing of a name is read as an encoded word: mail programs would
    decode it, line breaks and links included.
    """
    return " ".join(text.replace(ENCODED_WORD, "= ?").split())


def _from(sender: str) -> str:
    """`Acme via Extra usage <usage@…>`: the address is always the installation's own. A
    name that could be taken for an address or a link is left out.
    """
    product, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    name = shown_line(sender)
    is_misread = "@" in normalize("NFKC", name) or ENCODED_WORD in name
    if not name or is_misread or has_link(name):
        return str(settings.DEFAULT_FROM_EMAIL)
    product = product or _("Extra usage")
    by = _("%(name)s via %(product)s") % {"name": name, "product": product}
    return formataddr((by, address))
