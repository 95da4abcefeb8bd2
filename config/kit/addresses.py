"""One spelling of an email address: lower case, and the domain as the wire has it.

`bob@bücher.example` and `bob@xn--bcher-kva.example` are one mailbox. The ASCII form is
the one kept: mail goes to it as it stands, and no letter in it only looks like another.
"""

from __future__ import annotations

from typing import Any

import idna
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from config.kit.errors import BusinessError

# No mail goes there (RFC 2606), and nobody signs in with it.
ERASED_DOMAIN = "@erased.invalid"


def canonical_address(text: str) -> str:
    """The address as it is kept and looked up; what has no such form stays, in lower
    case, and is nobody's.
    """
    text = text.strip().lower()
    if text.isascii():
        return text
    local, at, domain = text.rpartition("@")
    try:
        return local + at + idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return text


def spellings(address: str) -> set[str]:
    """The address, and as people write it whose domain has letters beyond ASCII."""
    local, at, domain = address.rpartition("@")
    try:
        return {address, local + at + idna.decode(domain)}
    except (idna.IDNAError, UnicodeError):
        return {address}


def is_erased(address: str) -> bool:
    """Whether it stands for somebody who was erased."""
    return address.endswith(ERASED_DOMAIN)


def erased_form(address: str, *, key: str | None = None) -> str:
    """What is kept of a canonical address once its person was erased: a keyed hash.

    It says whose usage comes late (E6a), and nobody's name.
    """
    made = salted_hmac("erased-address", address, secret=key, algorithm="sha256")
    return f"h.{made.hexdigest()[:48]}{ERASED_DOMAIN}"


def kept_forms(address: str) -> dict[str, str]:
    """How a canonical address can be kept as a former one, each with the address: as it
    is, and in its erased form by every key that still counts.
    """
    keys = (settings.SECRET_KEY, *getattr(settings, "SECRET_KEY_FALLBACKS", ()))
    forms = [address, *(erased_form(address, key=key) for key in keys)]
    return dict.fromkeys(forms, address)


def refuse_reserved(value: str) -> None:
    """A rule for addresses that are typed. Raises ValidationError for one that stands for
    somebody who was erased: whoever had it could not be changed any more.
    """
    if is_erased(canonical_address(value)):
        raise ValidationError(reserved_sentence(), code="address_reserved")


def refuse_erased_form(address: str) -> None:
    """The same rule for acts. Raises BusinessError `address_reserved` (422) at `email`."""
    if is_erased(address):
        raise BusinessError(
            reserved_sentence(), code="address_reserved", status=422, field="email"
        )


def reserved_sentence() -> str:
    """What to say of such an address."""
    return _("Addresses at %(domain)s stand for people who were erased.") % {
        "domain": ERASED_DOMAIN.removeprefix("@")
    }


class AddressField(models.EmailField):
    """An email address that is kept, and looked up by whole, in its one spelling."""

    default_validators = [*models.EmailField.default_validators, refuse_reserved]

    def to_python(self, value: Any) -> Any:
        """As forms and models see it."""
        text = super().to_python(value)
        return canonical_address(text) if isinstance(text, str) else text

    def get_prep_value(self, value: Any) -> Any:
        """As it is written, and what `=` compares with."""
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """The row in memory says what is kept."""
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value
