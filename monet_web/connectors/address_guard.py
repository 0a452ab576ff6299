"""A typed store address must not lead into our own network (H3).

Two doors: `parse` judges the text that a person typed, `AddressGuard.resolve` judges every IP address at
the moment
of connecting and gives back exactly the addresses that may be connected to. A name is never looked up a
second time
between the check and the connection, so a name server that answers differently the second time (DNS
rebinding)
gains nothing. Redirects come through the same door, because they are new connections.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import idna

from monet_web.domain.errors import BrokenRule, NeedsOwner, RetryLater

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]

DEFAULT_PORTS = {"http": 80, "https": 443}
TYPE_ADDRESS = "Type the shop's address as you see it in the browser, for example https://www.example.com."

# Written out, because what `is_global` says differs between Python releases, and some of these are "global"
# to it.
_CLOSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # "this network": 0.0.0.0 reaches our own machine
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata (100.100.100.200) lives here
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server, a public number that only its own machines reach
        "169.254.0.0/16",  # link-local; cloud metadata (169.254.169.254)
        "172.16.0.0/12",
        "192.0.0.0/24",  # Oracle's metadata (192.0.0.192)
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast address
        "::/96",  # ::, ::1 and the old IPv4-compatible form
        "64:ff9b:1::/48",  # NAT64 inside a network
        "100::/64",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",  # unique local; Amazon's metadata (fd00:ec2::254)
        "fe80::/10",
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """A web address taken apart: `host` in ASCII and lower case, `path` without a slash at its end."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and, unless it is the usual one, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.has_default_port else f":{self.port}")

    @property
    def url(self) -> str:
        """Origin and path."""
        return self.origin + self.path

    @property
    def has_default_port(self) -> bool:
        return DEFAULT_PORTS[self.scheme] == self.port

    def secured(self) -> StoreAddress:
        """The same address on https and its usual port."""
        return replace(self, scheme="https", port=DEFAULT_PORTS["https"])


def parse(text: str) -> StoreAddress:
    """A typed address taken apart; without a scheme it is https. Raises BrokenRule with a fix."""
    typed = text.strip()
    if not typed:
        raise BrokenRule("The address is empty.", fix=TYPE_ADDRESS)
    if re.search(r"[\s\x00-\x1f\x7f\\]", typed):
        raise BrokenRule("The address has a space or another character in it that no address has.", fix=TYPE_ADDRESS)
    if "://" not in typed:
        typed = f"https://{typed.lstrip('/')}"
    try:
        parts = urlsplit(typed)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        # Not chained and not repeated: what does not parse may hold a password.
        parts, port, host = None, None, ""
    if parts is None or not host:
        raise BrokenRule("The address cannot be read as a web address.", fix=TYPE_ADDRESS)
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS:
        raise BrokenRule(
            f"The address begins with {scheme}://, and a shop answers on https:// or http://.",
            fix=TYPE_ADDRESS,
        )
    if parts.username is not None or parts.password is not None:
        raise BrokenRule(
            "The address has a user name or password in it (the part before @).",
            fix="Take that part out; keys have fields of their own.",
        )
    if port == 0:
        raise BrokenRule("The address names port 0, on which nothing can answer.", fix=TYPE_ADDRESS)
    return StoreAddress(scheme, _ascii_host(host), port or DEFAULT_PORTS[scheme], parts.path.rstrip("/"))


def is_open(address: IPAddress) -> bool:
    """True when the address is one of the open internet, also looked at through the IPv4 address inside
    it."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        inner = _inner_ipv4(address)
        if inner is not None:
            return is_open(inner)
    if any(address.version == network.version and address in network for network in _CLOSED):
        return False
    return address.is_global and not address.is_multicast


def look_up(host: str, port: int) -> Sequence[str]:
    """The IP addresses of a name, in the system's order of preference. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Says which IP addresses may be connected to. `allowed` are exact `host:port` pairs that pass
    unchecked."""

    allow_private: bool = False
    allowed: tuple[str, ...] = ()
    resolver: Resolver = look_up

    def allows(self, host: str, port: int) -> bool:
        """False for an IP address that may not be connected to; a name is looked up only when it is asked."""
        try:
            found = ipaddress.ip_address(host)
        except ValueError:
            return True
        is_allowed = self.allow_private or f"{host}:{port}".lower() in {entry.lower() for entry in self.allowed}
        return is_allowed or is_open(found)

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """The checked IP addresses of `host`: connect to these and to nothing else.

        Raises NeedsOwner for a name that does not exist or leads into a private network, RetryLater when
        the name
        server does not answer.
        """
        shown = host.strip("[]").rstrip(".")
        failure: NeedsOwner | RetryLater | None = None
        found: Sequence[str] = ()
        try:
            found = self.resolver(shown, port)
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                failure = RetryLater(
                    f"The name server did not answer when asked for {shown}.",
                    fix="Try again later; what was booked stays. If it goes on, check this server's network.",
                )
        except (OSError, UnicodeError):
            found = ()
        if failure is not None:
            raise failure
        if not found:
            raise NeedsOwner(
                f"There is no internet address named {shown}.",
                fix="Check the shop's address for a typing mistake, and that its domain is still paid for.",
            )
        if self.allow_private or f"{shown}:{port}".lower() in {entry.lower() for entry in self.allowed}:
            return tuple(found)
        for text in found:
            # One closed address among open ones is refused too: whoever mixes them is choosing for us.
            if not _is_open_text(text):
                raise NeedsOwner(
                    f"The address {shown} leads to {text}, which is in a private network, not on the internet.",
                    fix="Type the shop's public address. If the shop really is in your own network, "
                    "whoever runs this program can allow it with MONET_ALLOW_PRIVATE_ADDRESSES.",
                )
        return tuple(found)


def _is_open_text(text: str) -> bool:
    try:
        return is_open(ipaddress.ip_address(text))
    except ValueError:
        return False


def _inner_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _ascii_host(host: str) -> str:
    """The host in ASCII. Numbers in any form but four plain decimals are refused: 2130706433 is 127.0.0.1
    too."""
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise BrokenRule(
                f"The address names the host {host}, which is not an internet address.", fix=TYPE_ADDRESS
            ) from None
    name = host.rstrip(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise BrokenRule(
                f"The address names the host {host}, which no domain can be called.", fix=TYPE_ADDRESS
            ) from None
    labels = name.split(".")
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise BrokenRule(
                f"The address names the host {host}, which is not an internet address.", fix=TYPE_ADDRESS
            ) from None
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BrokenRule(f"The address names the host {host}, which no domain can be called.", fix=TYPE_ADDRESS)
    return name
