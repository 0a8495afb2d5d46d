from __future__ import annotations

import pytest

from debugger.errors import SettingsError
from debugger.server.connections import read_proxies, source_of


@pytest.mark.parametrize(
    "address, source",
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a socket file", "a socket file"),
    ],
)
def test_an_ipv6_address_counts_as_its_network(address, source):
    assert source_of(address) == source


def test_proxies_are_addresses_and_networks():
    assert read_proxies("") == ()
    assert read_proxies("10.0.0.7, 192.168.0.0/24,*") == ("10.0.0.7", "192.168.0.0/24", "*")


@pytest.mark.parametrize("text", ["proxy.example", "10.0.0", "10.0.0.0/33"])
def test_read_proxies_rejects_malformed_address(text):
    with pytest.raises(SettingsError, match="--forwarded-allow-ips") as raised:
        read_proxies(text)

    assert "10.0.0.7" in raised.value.advice
