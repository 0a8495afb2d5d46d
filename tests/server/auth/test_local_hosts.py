from __future__ import annotations

import pytest

from debugger.server.auth.middleware import is_local_host


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8611", "app.localhost", "debugger", "10.0.0.7:80", "[::1]:8611", ""]
)
def test_a_name_that_no_stranger_can_own_is_local(host):
    assert is_local_host(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "1.2.3.4.evil.example", "[::1"]
)
def test_a_name_that_a_stranger_can_own_is_not_local(host):
    assert not is_local_host(host)
