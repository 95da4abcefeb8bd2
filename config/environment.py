"""Reads settings from the environment.

A value that can't be used ends the start with one sentence that names it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import environ

from config import addresses
from config.lookalikes import in_environment, lookalikes, names_in, unknown_in

T = TypeVar("T")
TRUE, FALSE = ("true", "on", "yes", "1"), ("false", "off", "no", "0", "")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
SECRET_LENGTH = 50
SECRET_HINT = (
    f"Set it to a random string of {SECRET_LENGTH} characters or more (`make .env` writes"
    " one)."
)


def stop(sentence: str) -> Any:
    """End the process with one sentence on standard error and exit code 1."""
    sys.exit(sentence)


def _strong(name: str, value: str) -> str:
    """The secret itself; ends the start where it could be guessed. Never shows it."""
    is_weak = (
        len(value) < SECRET_LENGTH
        or len(set(value)) < 5
        or value.startswith("django-insecure")
    )
    if is_weak:
        stop(
            f"{name} is too weak ({len(value)} characters, {len(set(value))} different)."
            f" {SECRET_HINT}"
        )
    return value


class Environment:
    """Typed reading by name; each method ends the start when the value does not fit.

    What was read is in `names`: once all settings are, these are the settings there are.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.of_file: set[str] = set()
        self._loose: dict[int, str] = {}

    def read_file(self, path: Path) -> None:
        """Take what `.env` sets and the environment does not. One that can't be read ends
        the start; there may be none.
        """
        try:
            self.of_file, self._loose = names_in(path)
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", "") or "it is no UTF-8 text"
            stop(
                f"{path} can't be read: {why}. Let this account read it, or remove it."
            )
        environ.Env.read_env(path)

    def refuse_lookalikes(self, *names: str) -> None:
        """End the start where a name was meant to be one of `names`; of any setting
        where none are given, which must be read by then.
        """
        ours = names or tuple(self.names)
        for number, name in self._loose.items():
            if name.upper() in ours:
                stop(
                    f".env can't be read in line {number}. Write {name.upper()}=VALUE,"
                    " without spaces around the equals sign."
                )
        found = lookalikes(self.of_file - self.names, ours, in_file=True)
        environment = {k: v for k, v in os.environ.items() if k not in self.names}
        found = {**in_environment(environment, set(ours) - set(os.environ)), **found}
        for name, meant in found.items():
            place = "in .env" if name in self.of_file else "in the environment"
            stop(
                f"{name} is not a setting; did you mean {meant}? Rename or remove it"
                f" {place}."
            )

    def unknown(self) -> list[str]:
        """Names in `.env` that are settings of nobody we know."""
        return unknown_in(self.of_file, self.names)

    def text(self, name: str, *, default: str = "") -> str:
        """Text as it is, without spaces around it."""
        return self.raw(name, default=default).strip()

    def raw(self, name: str, *, default: str = "") -> str:
        """Text as it is."""
        self.names.add(name)
        return os.environ.get(name, default)

    def is_set(self, name: str) -> bool:
        """Whether somebody chose a value, rather than none or nothing."""
        return bool(self.text(name))

    def words(self, name: str, *, default: list[str]) -> list[str]:
        """A list separated by commas."""
        words = self.text(name, default=",".join(default)).split(",")
        return [word.strip() for word in words if word.strip()]

    def hosts(self, name: str, *, default: list[str]) -> list[str]:
        """Names of hosts, separated by commas."""
        words = self.words(name, default=default)
        return self._fit(name, lambda: addresses.hosts(words))

    def origins(self, name: str, *, default: list[str]) -> list[str]:
        """Addresses of sites, separated by commas."""
        words = self.words(name, default=default)
        return self._fit(name, lambda: addresses.origins(words))

    def lines(self, name: str) -> list[str]:
        """Lines of text, separated by vertical bars."""
        return [line.strip() for line in self.text(name).split("|") if line.strip()]

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false, in one of the usual spellings and no other."""
        value = self.text(name, default=str(default)).lower()
        if value not in TRUE + FALSE:
            stop(
                f"{name} is “{_short(value)}”, which is neither true nor false. Set it to"
                " true or false."
            )
        return value in TRUE

    def count(
        self, name: str, *, default: int, least: int = 0, most: int = 1_000_000
    ) -> int:
        """A whole number from `least` to `most`."""
        value = self.text(name, default=str(default))
        is_number = re.fullmatch(r"-?[0-9]{1,9}", value)
        if not is_number or not least <= int(value) <= most:
            stop(
                f"{name} is “{_short(value)}”. Set it to a whole number from {least} to"
                f" {most:,}."
            )
        return int(value)

    def days(
        self, name: str, *, default: int, least: int = 30, most: int = 36_500
    ) -> int:
        """How long something is kept: 0 for ever, else `least` to `most` days."""
        value = self.count(name, default=default, most=most)
        if 0 < value < least:
            stop(
                f"{name} is “{value}”. Set it to 0, which keeps for ever, or to at least"
                f" {least} days."
            )
        return value

    def usd(self, name: str, *, default: str, most: int = 1_000_000) -> str:
        """An amount in USD, from zero to `most`, to the micro-dollar, as text."""
        value = self.text(name, default=default)
        try:
            amount = Decimal(value)
            fits = 0 <= amount <= most and amount == round(amount, 6)
        except InvalidOperation:
            fits = False
        return (
            value
            if fits
            else stop(
                f"{name} is “{_short(value)}”. Set it to an amount in USD from 0 to"
                f" {most:,} with at most 6 decimals, such as {default}."
            )
        )

    def optional_usd(self, name: str, *, most: int = 1_000_000) -> str:
        """An amount as `usd` reads it; empty where none is set."""
        if not self.text(name, default=""):
            return ""
        return self.usd(name, default="15", most=most)

    def choice(self, name: str, *, default: str, options: tuple[str, ...]) -> str:
        """One of `options`, in capitals."""
        value = self.text(name, default=default).upper()
        return (
            value
            if value in options
            else stop(
                f"{name} is “{_short(value)}”. Set it to one of {', '.join(options)}."
            )
        )

    def rate(self, name: str, *, default: str) -> str:
        """A limit such as `60/minute`, up to a million, or nothing for `off`."""
        value = self.text(name, default=default).lower()
        if value == "off":
            return ""
        found = re.fullmatch(r"([1-9][0-9]{0,6})/(second|minute|hour)", value)
        if not found or int(found[1]) > 1_000_000:
            stop(
                f"{name} is “{_short(value)}”. Set it to a limit such as {default}, by"
                " second, minute or hour and at most 1,000,000, or to off."
            )
        return value

    def header(self, name: str, *, default: str) -> str:
        """The name of a header, in lower case."""
        value = self.text(name, default=default).lower()
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,59}", value):
            stop(
                f"{name} is “{_short(value)}”. Set it to the name of a header such as"
                f" {default}: letters, digits and hyphens."
            )
        return value

    def site_url(self, name: str, *, default: str) -> str:
        """The address people open, without a slash at the end."""
        value = self.text(name, default=default)
        return self._fit(name, lambda: addresses.web(value, example=default))

    def service_url(self, name: str, *, example: str) -> str:
        """The address of a service, without a slash at the end, or nothing."""
        value = self.text(name)
        return (
            self._fit(name, lambda: addresses.web(value, example=example))
            if value
            else ""
        )

    def database(
        self, name: str, *, default: str, password: str = ""
    ) -> dict[str, Any]:
        """Django's dictionary of a database address.

        The address itself, which may hold a password, is never shown.
        """
        value = self.text(name, default=default)
        return self._fit(name, lambda: addresses.database(value, password=password))

    def redis(self, name: str, *, password: str = "") -> str:
        """The address of a Redis, or nothing."""
        value = self.text(name)
        return self._fit(name, lambda: addresses.redis(value, password=password))

    def email(self, name: str, *, default: str) -> dict[str, Any]:
        """Django's mail settings of an address of a mail server."""
        value = self.text(name, default=default)
        return self._fit(name, lambda: addresses.mail_server(value))

    def sender(self, name: str, *, default: str) -> str:
        """An email address, perhaps with a name before it; nothing where both are empty."""
        value = self.text(name, default=default)
        return self._fit(name, lambda: addresses.sender(value)) if value else default

    def token(self, name: str, *, pattern: str, hint: str) -> str:
        """A secret of somebody else, which fits `pattern`, or nothing. Never shows it."""
        value = self.text(name)
        if value and not re.fullmatch(pattern, value):
            stop(f"{name} is not what it should be. {hint}")
        return value

    def secret(self, name: str, *, needed: bool) -> str:
        """The signing secret. Where it is `needed` it must be strong."""
        value = self.text(name)
        if not needed:
            return value or "insecure-development-key-that-never-leaves-this-machine"
        if not value:
            self.refuse_lookalikes(name)
            stop(f"{name} is not set. {SECRET_HINT}")
        return _strong(name, value)

    def old_secrets(self, name: str) -> list[str]:
        """Signing secrets of before, separated by commas; each as strong as today's, since
        what it signed is still believed.
        """
        return [_strong(name, value) for value in self.words(name, default=[])]

    def _fit(self, name: str, read: Callable[[], T]) -> T:
        try:
            return read()
        except addresses.Unfit as why:
            return stop(f"{name} {why}")


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:40]}…"
