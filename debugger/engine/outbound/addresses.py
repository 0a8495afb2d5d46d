"""Which addresses a call may go to. A name is looked up once; what was checked is what is connected to."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from debugger.engine.outbound.base import OutboundError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"})
"""Names by which the machines of a cloud ask it for their own credentials."""

METADATA_ADDRESSES = frozenset(
    map(
        ipaddress.ip_address,
        ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    )
)
"""Addresses for the same; the first is link-local besides."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_BROADCAST = ipaddress.ip_address("255.255.255.255")


def checked_addresses(host: str, port: int, pause: Callable[[threading.Event], None]) -> list[str]:
    """The addresses of a host that may be called, in the order in which to try them.

    Loopback and private networks are allowed: a tester calls servers of their own.

    Args:
        host: A name, or an address without brackets.
        port: Where it is called.
        pause: Waits until an event is set; raises where that takes too long.

    Raises:
        OutboundError: There is no such host, or none of its addresses may be called.
    """
    lookup = Lookup(host, port)
    pause(lookup.done)
    return lookup.allowed()


def is_http_url(text: str) -> bool:
    """Whether a text is an absolute URL that can be called."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def why_refused(text: str) -> str | None:
    """Why an address is not called; ``None`` where it may be."""
    address = ipaddress.ip_address(text)
    for each in (address, *_wrapped(address)):
        kind = _kind_refused(each)
        if kind is not None:
            return f"{address} is {kind}"
    return None


def _kind_refused(address: IpAddress) -> str | None:
    if address in METADATA_ADDRESSES:
        return "an address that gives out the credentials of this machine"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast or address == _BROADCAST:
        return "an address of many machines"
    if address.is_unspecified or (address.version == 4 and address in _THIS_NETWORK):
        return "no address of a machine"
    return None


def _wrapped(address: IpAddress) -> list[IpAddress]:
    """The IPv4 addresses that an IPv6 address can stand for."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[IpAddress] = [each for each in (address.ipv4_mapped, address.sixtofour) if each is not None]
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


class Lookup:
    """Asks the system for a host's addresses in a thread of its own, since it may take as long as it likes.

    Args:
        host: A name, or an address without brackets.
        port: Where it is called.

    Raises:
        OutboundError: The name is one that is never called.
    """

    def __init__(self, host: str, port: int) -> None:
        if host.lower().rstrip(".") in METADATA_NAMES:
            raise OutboundError(f"{host} is not called: it gives out the credentials of this machine.")
        self.done = threading.Event()
        """Set when the system has answered."""
        self._place = (host, port)
        self._found: list[str] = []
        self._problem = "its name has no address"
        threading.Thread(target=self._run, daemon=True).start()

    def allowed(self) -> list[str]:
        """Those that may be called, in the order in which to try them; only when it is done.

        Raises:
            OutboundError: There is no such host, or none of its addresses may be called.
        """
        host = self._place[0]
        if not self._found:
            raise OutboundError(f"There is no host {host!r}: {self._problem}.")
        reasons = {address: why_refused(address) for address in self._found}
        allowed = [address for address, reason in reasons.items() if reason is None]
        if not allowed:
            raise OutboundError(f"{host} is not called: {reasons[self._found[0]]}.")
        return allowed

    def _run(self) -> None:
        try:
            found = socket.getaddrinfo(*self._place, type=socket.SOCK_STREAM)
            # A link-local address comes with the interface that it is of, which does not change what it is.
            self._found = list(dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found))
        except (OSError, UnicodeError) as error:
            self._problem = getattr(error, "strerror", None) or "its name cannot be looked up"
        finally:
            self.done.set()
