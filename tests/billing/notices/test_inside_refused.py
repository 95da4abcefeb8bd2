"""Webhooks lead to the public internet alone (N3): refused when added and at each call,
by the number that is really connected to; the resolver is the one thing faked.
"""

from __future__ import annotations

import socket

import pytest

from accounts.actions.audit import Actor
from billing.models import ChannelDelivery, EventType
from billing.notices import processing
from billing.notices.actions.adding import add_channel
from billing.notices.actions.publishing import publish
from config.kit import outgoing
from config.kit.errors import BusinessError
from config.kit.outgoing import Fault, post
from config.kit.web_addresses import (
    AddressRefused,
    WebAddress,
    is_public,
    parse_web_address,
)
from tests.billing.notices.receiver import receiving
from tests.conftest import NOW

INSIDE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.9.9.9",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "localhost",
    "",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:800::200e"]


@pytest.mark.parametrize("number", INSIDE)
def test_n3_a_number_inside_is_not_public(number):
    assert not is_public(number)


@pytest.mark.parametrize("number", PUBLIC)
def test_n3_a_number_outside_is_public(number):
    assert is_public(number)


REFUSED = [
    "",
    "hooks.example",
    "ftp://hooks.example/",
    "file:///etc/passwd",
    "http://hooks.example/",
    "https://",
    "https:///x",
    "https://user@hooks.example/",
    "https://user:word@hooks.example/",
    "https://@hooks.example/",
    "https://hooks.example:22/",
    "https://hooks.example:80/",
    "https://hooks.example:99999/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[fe80::1%25lo]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://hooks.example\\@127.0.0.1/",
    "https://hooks.example/ x",
    "https://hooks.example/\r\nHost: inside",
    "https://hooks.example/\tx",
    "https://hooks.example/ü",
    "https://xn--/",
    "https://a..b/",
    "https://" + "a" * 64 + ".example/",
    "https://hooks.example/" + "x" * 2_000,
]


@pytest.mark.parametrize("text", REFUSED)
def test_n3_an_address_that_is_none_of_ours_to_call_is_refused(text):
    with pytest.raises(AddressRefused):
        parse_web_address(text, is_inside_allowed=False)


def test_n3_a_host_with_other_letters_is_asked_for_by_idna():
    address = parse_web_address(
        "https://BÜCHER.example./a?b=c", is_inside_allowed=False
    )
    assert address == WebAddress("https", "xn--bcher-kva.example", 443, "/a?b=c")
    dots = parse_web_address("https://hooks。example:8443", is_inside_allowed=False)
    assert dots.url == "https://hooks.example:8443/"


def test_n3_with_the_setting_inside_is_allowed_but_no_user_name():
    address = parse_web_address("http://10.0.0.1:8080/x", is_inside_allowed=True)
    assert address.url == "http://10.0.0.1:8080/x"
    with pytest.raises(AddressRefused):
        parse_web_address("http://user@10.0.0.1/", is_inside_allowed=True)


# -- Where a name leads --------------------------------------------------------------------


@pytest.fixture
def connections(monkeypatch) -> list[tuple[str, int]]:
    """Every connection that is tried, by number; none is made."""
    tried: list[tuple[str, int]] = []

    async def connect(self, host, port, **_options):
        tried.append((host, port))
        raise outgoing.httpcore2.ConnectError

    monkeypatch.setattr(outgoing.httpcore2.AnyIOBackend, "connect_tcp", connect)
    return tried


def names(monkeypatch, *answers: list[str]) -> list[str]:
    """A resolver that answers these, one after the other; who asked it."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    monkeypatch.setattr(outgoing, "resolve", resolve)
    return asked


def called(url: str = "https://hooks.example/x") -> str:
    address = parse_web_address(url, is_inside_allowed=False)
    return post(address, headers={}, body=b"{}", is_inside_allowed=False).fault


@pytest.mark.parametrize(
    "numbers",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["8.8.8.8", "10.0.0.1"],
        ["10.0.0.1", "8.8.8.8"],
        ["2606:4700:4700::1111", "::ffff:127.0.0.1"],
    ],
)
def test_n3_a_name_that_leads_inside_with_any_number_is_not_called(
    numbers, monkeypatch, connections
):
    names(monkeypatch, numbers)
    assert called() == Fault.PRIVATE
    assert connections == []


def test_n3_a_name_is_asked_once_and_its_number_connected_to(monkeypatch, connections):
    asked = names(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    assert called() == Fault.CONNECT
    assert asked == ["hooks.example"]
    assert connections == [("8.8.8.8", 443)]


def test_n3_the_next_number_is_tried_where_one_does_not_answer(
    monkeypatch, connections
):
    names(monkeypatch, ["8.8.8.8", "1.1.1.1"])
    assert called() == Fault.CONNECT
    assert connections == [("8.8.8.8", 443), ("1.1.1.1", 443)]


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_n3_a_number_in_disguise_is_not_called(host, connections):
    assert called(f"https://{host}/") in (Fault.PRIVATE, Fault.NAME)
    assert connections == []


def test_n3_localhost_is_not_called(connections):
    assert called("https://localhost/") == Fault.PRIVATE
    assert connections == []


def test_n3_a_name_that_nobody_has_is_said_so(monkeypatch, connections):
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no")

    monkeypatch.setattr(outgoing, "resolve", resolve)
    assert called() == Fault.NAME


def test_n3_proxies_of_the_environment_are_not_asked(monkeypatch, connections):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    names(monkeypatch, ["8.8.8.8"])
    called()
    assert connections == [("8.8.8.8", 443)]


def test_n3_the_certificate_has_to_be_the_names():
    """A receiver without one we trust hears no word of the message."""
    with receiving() as receiver:
        address = WebAddress("https", "localhost", receiver.port, "/")
        answer = post(address, headers={}, body=b"{}", is_inside_allowed=True)
    assert answer.fault in (Fault.TLS, Fault.BROKEN, Fault.CONNECT)
    assert receiver.taken == []


# -- When it is added, and at each call ----------------------------------------------------


def test_n3_a_private_address_is_refused_when_it_is_added(acme):
    with pytest.raises(BusinessError) as refused:
        add_channel(
            acme,
            kind="webhook",
            name="",
            url="https://127.0.0.1/",
            actor=Actor(label="alice"),
            now=NOW,
        )
    assert (refused.value.code, refused.value.field) == ("bad_address", "url")


def test_n3_what_the_setting_allowed_is_not_called_once_it_is_off(acme, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    with receiving() as receiver:
        add_channel(
            acme,
            kind="webhook",
            name="",
            url=receiver.url,
            actor=Actor(label="alice"),
            now=NOW,
        )
        settings.WEBHOOKS_ALLOW_PRIVATE = False
        publish(acme, EventType.SWITCHED, key="a", data={}, now=NOW)
        delivery = ChannelDelivery.objects.get()
        assert processing.deliver(delivery.pk) is False
        assert receiver.taken == []
    delivery.refresh_from_db()
    assert delivery.fault == Fault.PRIVATE


def test_n3_what_is_called_is_the_whole_address_to_the_letter():
    """A `;` and what follows it too, where some receivers have their secret."""
    with receiving() as receiver:
        url = f"http://127.0.0.1:{receiver.port}/a;key=k9Xy?b=c;d"
        address = parse_web_address(url, is_inside_allowed=True)
        post(address, headers={}, body=b"{}", is_inside_allowed=True)
    (taken,) = receiver.taken
    assert taken.path == "/a;key=k9Xy?b=c;d"
    assert taken.headers["Host"] == f"127.0.0.1:{receiver.port}"
