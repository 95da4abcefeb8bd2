"""How a text names somebody as another system does: `issuer:subject` (X2).

The issuer may be an address (`https://login.acme.example`), so a text is never taken
apart: it is looked up whole, and no two members have the same.
"""

from __future__ import annotations

# Characters of an issuer, and of a subject.
MOST_PART = 200
MOST_TEXT = 2 * MOST_PART + 1


def external_name(issuer: str, subject: str) -> str:
    """The text by which an issuer's subject is kept and looked up."""
    return f"{issuer}:{subject}"


def is_external_name(text: str) -> bool:
    """Whether a text is one: it has a colon, which e-mail addresses have only in a part
    in quotation marks or in the number of a host (`bob@[2001:db8::1]`).
    """
    if ":" not in text:
        return False
    is_number = text.endswith("]") and "@[" in text
    return not (text.startswith('"') or is_number)
