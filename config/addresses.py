"""Addresses among the settings: of the database, Redis, mail servers, people and hosts.

Each function reads one text and says in `Unfit` why it can't be used. What it says never
repeats an address, which may hold a password.
"""

from __future__ import annotations

import re
import warnings
from email.utils import parseaddr
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import environ

DATABASE = "Set it to postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:////PATH."
REDIS = "Set it to redis://HOST:6379/0, or leave it empty to run embedded."
MAIL = (
    "Set it to smtp+tls://USER:PASSWORD@HOST:587, or to consolemail:// to print mails."
)
RAW = ", or leave the password to {}, which is taken as it is"
# Ports of mail servers, where an address names none.
MAIL_PORTS = {"smtp": 25, "smtps": 587, "smtp+tls": 587, "smtp+ssl": 465}
NAME = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
HOST = rf"{NAME}(\.{NAME})*\.?|\[[0-9a-f:.]+\]"


class Unfit(ValueError):
    """Why a value can't be used and what to set instead, to follow the setting's name."""


def database(text: str, *, password: str = "") -> dict[str, Any]:
    """Django's dictionary of a database.

    `password`, taken as it is, is used where the address has none.
    """
    _known_scheme(text, ("postgres", "postgresql", "sqlite"), hint=DATABASE)
    if not text.startswith("sqlite"):
        _no_loose_characters(text, hint=RAW.format("DATABASE_PASSWORD"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = environ.Env.db_url_config(text)
    except Exception as error:  # its text may repeat a password
        raise Unfit(f"can't be read. {DATABASE}") from error
    if not read.get("NAME"):
        raise Unfit(f"names no database. {DATABASE}")
    if password and not read["PASSWORD"] and not text.startswith("sqlite"):
        read["PASSWORD"] = password
    return dict(read)


def redis(text: str, *, password: str = "") -> str:
    """The address of a Redis; with `password`, taken as it is, where it has none."""
    if not text:
        return ""
    _known_scheme(text, ("redis", "rediss"), hint=REDIS)
    _no_loose_characters(text, hint=RAW.format("REDIS_PASSWORD"))
    parts = _split(text, hint=REDIS)
    if not _is_host(_place(parts)):
        raise Unfit(f"names no host. {REDIS}")
    if not re.fullmatch(r"/?[0-9]{0,4}", parts.path):
        raise Unfit(f"names a database that is no number. {REDIS}")
    if password and not parts.password:
        place = parts.netloc.rpartition("@")[2]
        user = (parts.username or "") + ":" + quote(password, safe="")
        return parts._replace(netloc=f"{user}@{place}").geturl()
    return text


def mail_server(text: str) -> dict[str, Any]:
    """Django's mail settings."""
    _known_scheme(text, tuple(environ.Env.EMAIL_SCHEMES), hint=MAIL)
    _no_loose_characters(text)
    parts = _split(text, hint=MAIL)
    read = dict(environ.Env.email_url_config(text))
    if parts.scheme in MAIL_PORTS:
        if not _is_host(_place(parts)):
            raise Unfit(f"names no mail server. {MAIL}")
        read["EMAIL_PORT"] = read["EMAIL_PORT"] or MAIL_PORTS[parts.scheme]
    if parts.scheme == "filemail" and not read["EMAIL_FILE_PATH"]:
        raise Unfit("names no folder. Set it to filemail:////FOLDER.")
    return read


def web(text: str, *, example: str) -> str:
    """The address of a site or a service, without a path or a slash at the end."""
    hint = f"Set it to an address without a path, such as {example}."
    value = text.rstrip("/")
    parts = _split(value, hint=f"Set it to an address such as {example}.")
    is_site = parts.scheme in ("http", "https") and _is_host(_place(parts))
    if not is_site or parts.path or parts.query or parts.fragment or "@" in value:
        shown = "holds an @" if "@" in value else f"is “{value[:80]}”"
        raise Unfit(f"{shown}. {hint}")
    return value


def hosts(texts: list[str]) -> list[str]:
    """Names of hosts as Django compares them: without scheme, port and path."""
    for text in texts:
        if text != "*" and not _is_host(text.removeprefix(".")):
            raise Unfit(
                f"has “{text[:80]}”, which is no name of a host. Write names alone,"
                " separated by commas, such as usage.example or [::1]."
            )
    return texts


def origins(texts: list[str]) -> list[str]:
    """Origins: a scheme and a host, perhaps a port; `*.` stands for all below a host."""
    for text in texts:
        web(text.replace("://*.", "://", 1), example="https://usage.example")
    return texts


def sender(text: str) -> str:
    """An address of a person or a desk, perhaps with a name before it."""
    name, address = parseaddr(text)
    is_whole = text.endswith(f"<{address}>") if name else text == address
    if not is_whole or not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", address):
        raise Unfit(
            f"is “{' '.join(text.split())[:80]}”. Set it to an address such as"
            " billing@usage.example or Usage <billing@usage.example>; a name with a comma"
            " stands in quotes."
        )
    return text


def _known_scheme(text: str, schemes: tuple[str, ...], *, hint: str) -> None:
    scheme, separator, _rest = text.partition("://")
    if not separator or scheme not in schemes:
        raise Unfit(f"is not a supported address. {hint}")


def _no_loose_characters(text: str, *, hint: str = "") -> None:
    """A / ? or # in a password ends the part of the address that holds it."""
    rest = re.sub(r"^[^/?#]*", "", text.partition("://")[2])
    if "@" in rest or "#" in rest:
        raise Unfit(
            "can't be read: a character of its password means something else in an"
            " address. Write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25"
            f"{hint}."
        )


def _split(text: str, *, hint: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise Unfit(f"can't be read. {hint}") from error
    if port == 0 or parts.netloc.endswith(":"):
        raise Unfit(f"names no port after the colon. {hint}")
    return parts


def _place(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _is_host(text: str) -> bool:
    return bool(re.fullmatch(HOST, text, re.IGNORECASE))
