"""Checks of the addresses of calls, and the time limit of a call."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator

from debugger.engine.background_call import BackgroundCall
from debugger.engine.outbound.gateway import HttpLimits, OutboundError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA_NAMES = frozenset(
    {
        "metadata.google.internal",
        "metadata.goog",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.tencentyun.com",
    }
)
"""Names by which the machines of a cloud request their own credentials."""

METADATA_ADDRESSES = frozenset(
    map(
        ipaddress.ip_address,
        (
            "169.254.169.254",  # AWS, Google, Azure, Oracle, OpenStack and most others
            "169.254.170.2",  # AWS ECS
            "169.254.170.23",  # AWS EKS Pod Identity
            "169.254.0.23",  # Tencent
            "100.100.100.200",  # Alibaba
            "168.63.129.16",  # Azure
            "192.0.0.192",  # Oracle
            "fd00:ec2::254",  # AWS
            "fd00:ec2::23",  # AWS EKS Pod Identity
            "fd20:ce::254",  # Google
            "fd00:c1::a9fe:a9fe",  # Oracle
            "fd00:42::42",  # Scaleway
            "fe80::a9fe:a9fe",  # OpenStack
        ),
    )
)
"""The addresses for the same."""

_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_BROADCAST = ipaddress.ip_address("255.255.255.255")

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
"""Whose network chooses the length of its prefix (RFC 8215), which the address does not show."""
_TRANSLATED = ipaddress.ip_network("::ffff:0:0:0/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""The upper half of an interface identifier whose lower half is an IPv4 address (RFC 5214)."""

_POLL_SECONDS = 0.05
"""Seconds between two looks at whether the call is cancelled."""


def refusal_reason(text: str, *, refuses_private: bool = False) -> str | None:
    """Return why an IP address is not called, as a sentence without its end; ``None`` where it may be.

    An IPv4 address that an IPv6 one embeds counts, too.

    Args:
        text: The address, perhaps with a zone after ``%``.
        refuses_private: Refuse what the Internet cannot reach, too.

    Raises:
        ValueError: It is no address.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        kind = _kind_refused(address, refuses_private=refuses_private)
    else:
        # 0.0.0.0 is inside many addresses that are no wrapping of it.
        inside = [each for each in _wrapped(address) if each not in _THIS_NETWORK]
        # The address inside is the one that is reached: its kind is the more exact reason.
        found: list[IpAddress] = [*inside, address]
        kinds = (_kind_refused(each, refuses_private=refuses_private) for each in found)
        kind = next((kind for kind in kinds if kind is not None), None)
    return None if kind is None else f"{address} is {kind}"


def _kind_refused(address: IpAddress, *, refuses_private: bool) -> str | None:
    """Return the kind of an address that is refused, as the end of a sentence; ``None`` if it may be called.

    Those of this machine and of private networks are refused only with ``refuses_private``.
    """
    if address in METADATA_ADDRESSES:
        return "an address that gives out the credentials of this machine"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast or address == _BROADCAST:
        return "an address of many machines"
    if address.is_unspecified or (address.version == 4 and address in _THIS_NETWORK):
        return "no address of a machine"
    if refuses_private and not _is_public(address):
        return (
            "an address of this machine or of a private network, which are not called while "
            "WORKFLOW_DEBUGGER_OUTBOUND_PRIVATE is refuse, the default of a server that other machines reach"
        )
    return None


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global
    # Python counts 6to4 (RFC 3056) as global up to 3.12, and not from 3.13: the address inside decides.
    return (address.is_global or address.sixtofour is not None) and not address.is_site_local


def _wrapped(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses that an IPv6 address embeds, by each of the known schemes.

    One that fits several schemes may come more than once.
    """
    number = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    is_isatap = number >> 32 & 0xFFFF_FFFF in _ISATAP
    in_last_bits = (_NAT64, _LOCAL_NAT64, _TRANSLATED, _COMPATIBLE)
    if is_isatap or (number > 1 and any(address in network for network in in_last_bits)):
        yield ipaddress.IPv4Address(number & 0xFFFF_FFFF)
    if address in _LOCAL_NAT64:
        # RFC 6052, 2.2: the address follows the prefix, around an octet of zeros at bit 64.
        without_octet = (number >> 64) << 56 | number & (1 << 56) - 1
        for prefix_length in (48, 56, 64):
            yield ipaddress.IPv4Address(without_octet >> (120 - prefix_length - 32) & 0xFFFF_FFFF)


class AddressLookup:
    """A lookup of a host's addresses in a thread of its own.

    Args:
        host: A name, or an address without brackets.
        port: Where it is called.
        limits: Say whether private addresses are refused.
        masked_host: The host for errors, where it has a secret in it.

    Raises:
        OutboundError: The name is one that is never called.
    """

    def __init__(self, host: str, port: int, limits: HttpLimits, masked_host: str = "") -> None:
        """Refuse a name of a cloud's metadata service, else start the lookup in the background.

        Raises OutboundError where the name is one of those.
        """
        self._shown_host = masked_host or host
        self._refuses_private = limits.refuses_private
        if host.lower().rstrip(".") in METADATA_NAMES:
            raise OutboundError(
                f"{self._shown_host} is not called: it gives out the credentials of this machine."
            )
        self._call = BackgroundCall(
            lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), "address lookup"
        )
        self.done = self._call.done
        """Set when the system has answered."""

    def allowed(self) -> list[str]:
        """Return the allowed addresses, each once, in the order to try; waits for the lookup.

        Raises:
            OutboundError: There is no such host, or none of its addresses may be called.
        """
        host = self._shown_host
        try:
            # A link-local address comes with the interface that it is of, which does not change what it is.
            found = [str(each[4][0]).partition("%")[0] for each in self._call.result()]
        except (OSError, UnicodeError) as error:
            problem = getattr(error, "strerror", None) or "its name cannot be looked up"
            raise OutboundError(f"There is no host {host!r}: {problem}.") from None
        if not found:
            raise OutboundError(f"There is no host {host!r}: its name has no address.")
        reasons = {
            address: refusal_reason(address, refuses_private=self._refuses_private) for address in found
        }
        allowed = [address for address, reason in reasons.items() if reason is None]
        if not allowed:
            raise OutboundError(f"{host} is not called: {reasons[found[0]]}.")
        return allowed


class Deadline:
    """The time limit of a call, for all its steps together.

    Args:
        seconds: For the whole call.
        cancelled: Ends it as soon as it is set.
    """

    def __init__(self, seconds: float, cancelled: threading.Event) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._cancelled = cancelled

    def left(self) -> float:
        """Return the seconds until the end, always more than 0.

        Raises:
            OutboundError: Time is up, or the run was stopped.
        """
        if self._cancelled.is_set():
            raise OutboundError("The call was stopped.")
        left = self._end - time.monotonic()
        if left <= 0:
            raise OutboundError(f"The answer was not complete within {self.seconds:g} s.")
        return left

    def pause(self, event: threading.Event) -> None:
        """Wait until an event is set.

        Raises:
            OutboundError: Time is up, or the run was stopped.
        """
        while not event.wait(min(self.left(), _POLL_SECONDS)):
            pass
