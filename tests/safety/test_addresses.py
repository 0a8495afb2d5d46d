"""Addresses that no call goes to, by table: nothing is connected to."""

from __future__ import annotations

import ipaddress

import pytest
from typer.testing import CliRunner

from debugger.cli import main
from debugger.engine.outbound import OutboundError
from debugger.engine.outbound.addresses import AddressLookup, refusal_reason
from debugger.engine.outbound.gateway import HttpLimits
from tests.safety.secret_trails import execute
from tests.support.factories import document, node, say
from tests.support.http_server import HttpServer

METADATA = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "169.254.0.23",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fd00:42::42",
    "fe80::a9fe:a9fe",
    "fd20:00ce:0:0:0:0:0:0254",
    "fe80::a9fe:a9fe%eth0",
]
WRAPPINGS = {
    "mapped": lambda n: 0xFFFF << 32 | n,
    "compatible": lambda n: n,
    "translated": lambda n: 0xFFFF << 48 | n,
    "nat64": lambda n: 0x0064_FF9B << 96 | n,
    "local nat64, 96": lambda n: 0x0064_FF9B_0001 << 80 | n,
    "local nat64, 48": lambda n: 0x0064_FF9B_0001 << 80 | n >> 16 << 64 | (n & 0xFFFF) << 40,
    "local nat64, 56": lambda n: 0x0064_FF9B_0001_AB << 72 | n >> 24 << 64 | (n & 0xFFFFFF) << 32,
    "local nat64, 64": lambda n: 0x0064_FF9B_0001_ABCD << 64 | n << 24,
    "local nat64, 48, suffix": lambda n: 0x0064_FF9B_0001 << 80 | n >> 16 << 64 | (n & 0xFFFF) << 40 | 7,
    "6to4": lambda n: 0x2002 << 112 | n << 80 | 1,
    "teredo client": lambda n: 0x2001_0000_0808_0808 << 64 | (~n & 0xFFFF_FFFF),
    "teredo server": lambda n: 0x2001_0000 << 96 | n << 64 | 0xF7F7_F7F7,
    "isatap": lambda n: 0x2607_F8B0 << 96 | 0x5EFE << 32 | n,
    "isatap, global": lambda n: 0x2607_F8B0 << 96 | 0x0200_5EFE << 32 | n,
}
PUBLIC = [
    "93.184.216.34",
    "8.8.8.8",
    "2606:2800:220:1:248:1893:25c8:1946",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "10.0.0.7",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "::1",
    "fd00::7",
    "fec0::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.7",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:7",
    "2002:7f00:1::",
    "2001:0:808:808:0:0:80ff:fffe",
]


@pytest.mark.parametrize("address", METADATA)
def test_metadata_address_is_refused(address):
    assert "credentials of this machine" in str(refusal_reason(address))


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("address", ["169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192"])
def test_wrapped_metadata_address_is_refused(address, wrapping):
    wrapped = ipaddress.IPv6Address(WRAPPINGS[wrapping](int(ipaddress.IPv4Address(address))))

    assert "credentials of this machine" in str(refusal_reason(str(wrapped)))


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_wrapped_public_address_is_called(wrapping):
    wrapped = ipaddress.IPv6Address(WRAPPINGS[wrapping](int(ipaddress.IPv4Address("8.8.4.4"))))

    assert refusal_reason(str(wrapped)) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_address_is_refused_by_the_setting(address):
    assert refusal_reason(address) is None
    assert "WORKFLOW_DEBUGGER_OUTBOUND_PRIVATE" in str(refusal_reason(address, refuses_private=True))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_always_called(address):
    assert refusal_reason(address) is None
    assert refusal_reason(address, refuses_private=True) is None


@pytest.mark.parametrize("name", ["metadata.google.internal.", "METADATA.GOOG", "instance-data"])
def test_metadata_name_is_not_looked_up(name):
    with pytest.raises(OutboundError, match="credentials of this machine"):
        AddressLookup(name, 80, HttpLimits())


@pytest.mark.parametrize(
    ("host", "setting", "expected"),
    [
        ("127.0.0.1", None, None),
        ("localhost", None, None),
        ("0.0.0.0", None, "refuse"),
        ("::", None, "refuse"),
        ("192.0.2.7", None, "refuse"),
        ("0.0.0.0", "allow", "allow"),
        ("127.0.0.1", "refuse", "refuse"),
    ],
)
def test_server_beyond_loopback_refuses_private_targets(tmp_path, monkeypatch, host, setting, expected):
    if setting is not None:
        monkeypatch.setenv("WORKFLOW_DEBUGGER_OUTBOUND_PRIVATE", setting)
    served = []
    monkeypatch.setattr("debugger.server.http_server.serve", lambda backend, *_, **__: served.append(backend))
    database = f"sqlite:///{tmp_path}/runs.sqlite3"

    result = CliRunner().invoke(main, ["serve", "--host", host, "--port", "0", "--database", database])

    assert result.exit_code == 0, result.output
    assert served[0].settings.outbound_private == expected


@pytest.mark.parametrize("kind", ["http", "tool", "model", "mcp"])
def test_private_target_is_refused_for_every_kind(tmp_path, monkeypatch, kind):
    """Refuse a target on this machine, reachable as by others."""
    with HttpServer() as server:
        base = server.url
        api = {"type": "external_api", "name": "api", "api_endpoint": f"{base}/x"}
        llm = {"type": "custom_llm", "model": "m", "base_url": f"{base}/v1", "max_retries": 0}
        parts = {
            "http": node("n", "http_request", url=f"{base}/x"),
            "tool": node("n", "tool_node", tool_config=api),
            "model": say("n", llms_config=llm),
            "mcp": say("n", use_mcp_tools=True),
        }
        flow = document(parts[kind], mcp_servers=[{"name": "s", "server_url": f"{base}/mcp"}])
        settings = {"responder": "model" if kind == "model" else "rules", "outbound_private": "refuse"}

        trail = execute(tmp_path, monkeypatch, flow, **settings)

        assert server.received == []
    assert "an address of this machine or of a private network" in trail.text
    assert "WORKFLOW_DEBUGGER_OUTBOUND_PRIVATE" in trail.text
