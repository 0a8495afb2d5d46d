from __future__ import annotations

import socket
import threading

import pytest

from debugger.engine.outbound import MaskedValue, OutboundError
from debugger.engine.outbound.addresses import AddressLookup, refusal_reason
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.outbound.http import send
from debugger.engine.outbound.http_request import HttpRequest
from tests.support.http_server import HttpServer


def resolve_to(monkeypatch, *answers):
    """Let the system's look-up of ``rebind.example`` give one list of addresses after another."""
    real, left = socket.getaddrinfo, list(answers)

    def getaddrinfo(host, port, *args, **kwargs):
        if host != "rebind.example":
            return real(host, port, *args, **kwargs)
        return [entry for address in left.pop(0) for entry in real(address, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::a9fe:a9fe",
    ],
)
def test_wrapped_metadata_address_is_refused(address):
    assert refusal_reason(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.7", "192.168.1.1", "fd00::7", "93.184.216.34"]
)
def test_loopback_private_and_public_are_allowed(address):
    assert refusal_reason(address) is None


@pytest.mark.parametrize(
    "host", ["metadata.google.internal", "METADATA.google.internal.", "instance-data.ec2.internal"]
)
def test_metadata_name_is_refused_without_lookup(host):
    with pytest.raises(OutboundError, match="gives out the credentials of this machine"):
        AddressLookup(host, 80, HttpLimits())


def test_connection_uses_the_checked_address(monkeypatch):
    resolve_to(monkeypatch, ["127.0.0.1"], ["169.254.169.254"])
    with HttpServer() as server:
        url = f"http://rebind.example:{server.server_port}/"
        answer = send(HttpRequest("GET", MaskedValue(url, url)), 5, HttpLimits(), threading.Event())
        with pytest.raises(OutboundError, match=r"169\.254\.169\.254 is an address"):
            send(HttpRequest("GET", MaskedValue(url, url)), 5, HttpLimits(), threading.Event())

    assert answer.json()["headers"]["host"] == f"rebind.example:{server.server_port}"


def test_only_allowed_addresses_are_tried(monkeypatch):
    resolve_to(monkeypatch, ["169.254.0.9", "127.0.0.1"])

    lookup = AddressLookup("rebind.example", 80, HttpLimits())
    assert lookup.done.wait(5)
    assert lookup.allowed() == ["127.0.0.1"]
