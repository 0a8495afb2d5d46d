from __future__ import annotations

import pytest

from debugger.server.auth.middleware import is_local_host


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8611", "app.localhost", "debugger", "10.0.0.7:80", "[::1]:8611", ""]
)
def test_is_local_host_accepts_addresses_and_plain_names(host):
    assert is_local_host(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "1.2.3.4.evil.example", "[::1"]
)
def test_is_local_host_rejects_domains(host):
    assert not is_local_host(host)
