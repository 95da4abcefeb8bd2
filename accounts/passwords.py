"""What a password may not be made of: the words that anybody would try first."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Organization, User

LEAST_WORD = 3
LEAST_OF_ITS_OWN = 8


class OwnWordsValidator:
    """Refuses a password of which little is left once the person's own words are taken
    out: their name, the parts of their address, their organizations.

    Django's own check compares the whole password with each of them, which lets
    `acmeacmeacme` and `owner@acme1234` pass.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        rest = password.lower()
        for word in _words_of(user):
            rest = rest.replace(word, "")
        if rest != password.lower() and len(rest) < LEAST_OF_ITS_OWN:
            raise ValidationError(self.get_help_text(), code="password_of_own_words")

    def get_help_text(self) -> str:
        """What is asked for, in the active language."""
        return _(
            "Your password can't consist mainly of your name, your e-mail address or your "
            "organization's name."
        )


def _words_of(user: Any) -> list[str]:
    """Longest first, so that a word inside another one does not break it up."""
    if not isinstance(user, User):
        return []
    texts = [user.name, user.email, *_organization_names(user)]
    words = {word for text in texts for word in re.split(r"[\W_]+", text.lower())}
    return sorted((word for word in words if len(word) >= LEAST_WORD), key=len)[::-1]


def _organization_names(user: User) -> list[str]:
    names = [user.joins.name, user.joins.slug] if user.joins else []
    if user.pk:
        theirs = Organization.objects.filter(memberships__user=user)
        for name, slug in theirs.values_list("name", "slug"):
            names += [name, slug]
    return names
