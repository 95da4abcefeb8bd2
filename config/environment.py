"""Reads settings from the environment.

A value that can't be used ends the start with one sentence that names it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ

T = TypeVar("T")
TRUE, FALSE = ("true", "on", "yes", "1"), ("false", "off", "no", "0", "")
DATABASES = ("postgres", "postgresql", "sqlite")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
SECRET_LENGTH = 50


def stop(sentence: str) -> Any:
    """End the process with one sentence on standard error and exit code 1."""
    sys.exit(sentence)


class Environment:
    """Typed reading by name; each method ends the start when the value does not fit."""

    def __init__(self) -> None:
        self._env = environ.Env()

    def text(self, name: str, *, default: str = "") -> str:
        """Text as it is, without spaces around it."""
        return str(self._env.str(name, default=default)).strip()

    def words(self, name: str, *, default: list[str]) -> list[str]:
        """A list separated by commas."""
        return [
            word.strip()
            for word in self._env.list(name, default=default)
            if word.strip()
        ]

    def lines(self, name: str) -> list[str]:
        """Lines of text, separated by vertical bars."""
        return [line.strip() for line in self.text(name).split("|") if line.strip()]

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false, in one of the usual spellings and no other."""
        value = self.text(name, default=str(default)).lower()
        if value not in TRUE + FALSE:
            stop(
                f"{name} is “{value}”, which is neither true nor false. Set it to true"
                " or false."
            )
        return value in TRUE

    def count(self, name: str, *, default: int, least: int = 0) -> int:
        """A whole number, not below `least`."""
        value = self.text(name, default=str(default))
        if not re.fullmatch(r"-?[0-9]{1,9}", value) or int(value) < least:
            stop(f"{name} is “{value}”. Set it to a whole number of at least {least}.")
        return int(value)

    def usd(self, name: str, *, default: str, most: int = 1_000_000) -> str:
        """An amount in USD, from zero to `most`, as text."""
        value = self.text(name, default=default)
        try:
            fits = 0 <= Decimal(value) <= most
        except InvalidOperation:
            fits = False
        return (
            value
            if fits
            else stop(
                f"{name} is “{value}”. Set it to an amount in USD from 0 to {most:,}, such"
                f" as {default}."
            )
        )

    def optional_usd(self, name: str, *, most: int = 1_000_000) -> str:
        """An amount in USD, from zero to `most`, as text; empty where none is set."""
        if not self.text(name, default=""):
            return ""
        return self.usd(name, default="15", most=most)

    def choice(self, name: str, *, default: str, options: tuple[str, ...]) -> str:
        """One of `options`, in capitals."""
        value = self.text(name, default=default).upper()
        return (
            value
            if value in options
            else stop(f"{name} is “{value}”. Set it to one of {', '.join(options)}.")
        )

    def site_url(self, name: str, *, default: str) -> str:
        """The address people open, without a slash at the end."""
        value = self.text(name, default=default).rstrip("/")
        parts = self._try(
            name,
            lambda: urlsplit(value),
            hint=f"Set it to an address such as {default}.",
        )
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.path
            or parts.query
        ):
            stop(
                f"{name} is “{value}”. Set it to an address without a path, such as"
                f" {default}."
            )
        return value

    def database(self, name: str, *, default: str) -> dict[str, Any]:
        """Django's dictionary of a database address.

        The address itself, which may hold a password, is never shown.
        """
        hint = "Set it to postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:////PATH."
        self._known_scheme(name, default=default, schemes=DATABASES, hint=hint)
        database = self._try(
            name, lambda: self._env.db(name, default=default), hint=hint
        )
        return (
            database
            if database.get("NAME")
            else stop(f"{name} names no database. {hint}")
        )

    def redis(self, name: str) -> str:
        """The address of a Redis, or nothing."""
        value = self.text(name)
        if value:
            hint = "Set it to redis://HOST:6379/0, or leave it empty to run embedded."
            self._known_scheme(
                name, default="", schemes=("redis", "rediss", "unix"), hint=hint
            )
        return value

    def email(self, name: str, *, default: str) -> dict[str, Any]:
        """Django's mail settings of an address of a mail server."""
        hint = (
            "Set it to smtp+tls://USER:PASSWORD@HOST:587, or to consolemail:// to print"
            " mails."
        )
        self._known_scheme(
            name, default=default, schemes=tuple(environ.Env.EMAIL_SCHEMES), hint=hint
        )
        return dict(
            self._try(name, lambda: self._env.email(name, default=default), hint=hint)
        )

    def secret(self, name: str, *, needed: bool) -> str:
        """The signing secret. Where it is `needed` it must be strong."""
        value = self.text(name)
        if not needed:
            return value or "insecure-development-key-that-never-leaves-this-machine"
        hint = (
            f"Set it to a random string of {SECRET_LENGTH} characters or more (`make "
            ".env` writes one)."
        )
        if not value:
            stop(f"{name} is not set. {hint}")
        if (
            len(value) < SECRET_LENGTH
            or len(set(value)) < 5
            or value.startswith("django-insecure")
        ):
            stop(
                f"{name} is too weak ({len(value)} characters, {len(set(value))}"
                f" different). {hint}"
            )
        return value

    def _known_scheme(
        self, name: str, *, default: str, schemes: tuple[str, ...], hint: str
    ) -> None:
        scheme, separator, _rest = self.text(name, default=default).partition("://")
        if not separator or scheme not in schemes:
            stop(f"{name} is not a supported address. {hint}")

    def _try(self, name: str, read: Callable[[], T], *, hint: str) -> T:
        try:
            return read()
        except (
            Exception
        ):  # whatever a parser of addresses throws; its text may repeat a password
            return stop(f"{name} can't be read. {hint}")
