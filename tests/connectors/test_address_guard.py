"""H3: a typed store address must not lead into our own network."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from monet_web.connectors.address_guard import AddressGuard, StoreAddress, is_open, parse
from monet_web.domain.errors import BrokenRule, NeedsOwner, RetryLater

CLOSED = [
    "0.0.0.0",  # noqa: S104
    "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192",
    "192.168.1.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1", "2001:db8::1",
]  # fmt: skip
OPEN = [
    "93.184.216.34",
    "8.8.8.8",
    "2606:2800:220:1:248:1893:25c8:1946",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("text", CLOSED)
def test_closed_addresses_are_refused_at_the_moment_of_connecting(text: str) -> None:
    guard = AddressGuard(resolver=lambda host, port: [text])
    with pytest.raises(NeedsOwner) as caught:
        guard.resolve("shop.example", 443)
    assert text in caught.value.message
    assert "public address" in caught.value.fix


@pytest.mark.parametrize("text", OPEN)
def test_addresses_of_the_internet_pass(text: str) -> None:
    assert is_open(ipaddress.ip_address(text))
    assert AddressGuard(resolver=lambda host, port: [text]).resolve("shop.example", 443) == (text,)


def test_one_private_address_among_public_ones_is_refused() -> None:
    guard = AddressGuard(resolver=lambda host, port: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(NeedsOwner):
        guard.resolve("shop.example", 443)


def test_the_operator_can_allow_private_addresses() -> None:
    guard = AddressGuard(allow_private=True, resolver=lambda host, port: ["10.0.0.1"])
    assert guard.resolve("shop.example", 443) == ("10.0.0.1",)


@pytest.mark.parametrize(
    ("host", "port", "passes"),
    [("127.0.0.1", 8101, True), ("127.0.0.1", 8102, False), ("127.0.0.2", 8101, False)],
)
def test_only_the_exact_host_and_port_of_a_demo_store_pass(host: str, port: int, passes: bool) -> None:
    guard = AddressGuard(allowed=("127.0.0.1:8101",))
    if passes:
        assert guard.resolve(host, port) == (host,)
    else:
        with pytest.raises(NeedsOwner):
            guard.resolve(host, port)


@pytest.mark.parametrize(
    "text", ["2130706433", "0x7f000001", "017700000001", "127.1", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01"]
)
def test_decimal_octal_and_short_forms_of_a_number_are_no_address(text: str) -> None:
    with pytest.raises(BrokenRule):
        parse(f"http://{text}/")


def test_a_name_that_does_not_exist_needs_the_owner() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(NeedsOwner) as caught:
        AddressGuard(resolver=nowhere).resolve("shop.exmaple", 443)
    assert "shop.exmaple" in caught.value.message
    assert "typing mistake" in caught.value.fix


def test_a_silent_name_server_is_tried_later() -> None:
    def silent(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with pytest.raises(RetryLater):
        AddressGuard(resolver=silent).resolve("shop.example", 443)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("shop.example", StoreAddress("https", "shop.example", 443)),
        ("  HTTP://Shop.Example:80/ ", StoreAddress("http", "shop.example", 80)),
        ("https://shop.example:8443/lt/", StoreAddress("https", "shop.example", 8443, "/lt")),
        ("https://žąsis.lt", StoreAddress("https", "xn--sis-hpa81d.lt", 443)),
        ("https://shop.example./", StoreAddress("https", "shop.example", 443)),
        ("http://[2606:2800::1]:8080/x", StoreAddress("http", "2606:2800::1", 8080, "/x")),
        ("https://ⓢhop.example", StoreAddress("https", "shop.example", 443)),
    ],
)
def test_an_address_is_read_however_it_is_typed(typed: str, expected: StoreAddress) -> None:
    assert parse(typed) == expected
    assert parse(expected.url) == expected


NO_ADDRESS = """
|   |https://|ftp://shop.example|file:///etc/passwd|https://user:pass@shop.example
|https://shop.example@10.0.0.1/|https://shop example|https://shop.example:99999|https://shop.example:0
|https://[::1|https://a..b|https://-a.example|javascript:alert(1)|https://shop.example\\@10.0.0.1
"""


@pytest.mark.parametrize("typed", [*NO_ADDRESS.replace("\n", "").split("|"), "https://shop.example\r\nHost: x"])
def test_what_is_no_address_is_refused_with_a_fix(typed: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        parse(typed)
    assert caught.value.fix
    assert "pass" not in caught.value.message.replace("password", "")
