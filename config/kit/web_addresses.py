"""Addresses on the web that somebody else gave us to call: which of them we do call.

What a name resolves to is asked of `is_public` before each call; a name or number that
leads to ourselves, into the network around us or to a cloud's metadata is refused.
Knows texts and numbers only: nobody is asked here.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import idna
from django.utils.translation import gettext as _

LONGEST = 2_000
PORTS = (443, 8443)
DEFAULT_PORTS = {"https": 443, "http": 80}
VISIBLE = re.compile(r"[!-~]+", re.ASCII)

# Not public though IANA calls some of them global: ways from IPv6 to an IPv4 address
# (6to4, Teredo, NAT64), anycast of relays, and a cloud's own service (Azure).
NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


class AddressRefused(ValueError):
    """An address we don't call; says why, for whoever typed it."""


@dataclass(frozen=True, slots=True)
class WebAddress:
    """Where to call: the host as ASCII, a number without brackets."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def shown_host(self) -> str:
        """The host, and the port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = DEFAULT_PORTS[self.scheme] == self.port
        return host if usual else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """All of it."""
        return f"{self.scheme}://{self.shown_host}{self.target}"


def parse_web_address(text: str, *, is_inside_allowed: bool) -> WebAddress:
    """The address in a text. `is_inside_allowed`: http and every port as well.

    Raises AddressRefused with a sentence. Whether its host is public is only known
    when it is called.
    """
    parts = _split(text.strip())
    if parts.scheme not in DEFAULT_PORTS:
        raise AddressRefused(_("Enter an address that begins with https://."))
    if parts.scheme == "http" and not is_inside_allowed:
        raise AddressRefused(_("The address must begin with https://."))
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(
            _("The address can't contain a user name or password (“user@”).")
        )
    port = _port_of(parts)
    if not is_inside_allowed and port not in PORTS:
        raise AddressRefused(
            _("The address can't use port %(port)d; use 443 or 8443.") % {"port": port}
        )
    host = _ascii_host(parts.hostname or "")
    if not is_inside_allowed:
        _refuse_private_number(host)
    return WebAddress(parts.scheme, host, port, _target_of(parts))


def _split(text: str) -> SplitResult:
    if len(text) > LONGEST:
        raise AddressRefused(
            _("The address is too long: at most %(most)d characters.")
            % {"most": LONGEST}
        )
    if "\\" in text or any(sign.isspace() or ord(sign) < 33 for sign in text):
        raise AddressRefused(_("The address can't contain spaces or backslashes."))
    try:
        return urlsplit(text)
    except ValueError as error:
        raise AddressRefused(_not_an_address()) from error


def _port_of(parts: SplitResult) -> int:
    try:
        return parts.port or DEFAULT_PORTS[parts.scheme]
    except ValueError as error:
        raise AddressRefused(_not_an_address()) from error


def _ascii_host(name: str) -> str:
    """The host as it is asked for: names by IDNA 2008, numbers as they are."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        host = idna.encode(name.rstrip("."), uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise AddressRefused(_not_an_address()) from error
    return host.lower()


def _refuse_private_number(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    if not is_public(host):
        raise AddressRefused(private_sentence())


def _target_of(parts: SplitResult) -> str:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not VISIBLE.fullmatch(target):
        raise AddressRefused(
            _("Write the part behind the host in ASCII letters (“%20” for a space).")
        )
    return target


def is_public(address: str) -> bool:
    """Whether a number is an address on the public internet, and nothing that leads from
    there to one that is not. What is no number is none.
    """
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv6Address) and (
        number.scope_id or number not in GLOBAL_UNICAST
    ):
        return False
    if number.is_multicast or number.is_reserved or not number.is_global:
        return False
    return not any(
        number in network for network in NOT_PUBLIC if network.version == number.version
    )


def private_sentence() -> str:
    """What is said of an address that leads inside."""
    return _("This address leads into a private network, which is not allowed.")


def _not_an_address() -> str:
    return _("Enter a whole address, such as https://hooks.example.com/usage.")
