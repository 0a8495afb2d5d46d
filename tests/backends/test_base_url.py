from __future__ import annotations

import pytest

from debugger.backends.base_url import check_base_url, is_same_origin, is_unencrypted
from debugger.errors import SettingsError


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://api.example/workflows", "https://api.example", True),
        ("https://api.example:443", "https://API.example/workflows/", True),
        ("https://api.example", "http://api.example", False),
        ("https://api.example", "https://api.example:8443", False),
        ("https://api.example", "https://api.example.evil.test", False),
        ("https://api.example", "https://api.example@evil.test", False),
        ("http://127.0.0.1:8000/workflows", "http://127.0.0.1:8001/workflows", False),
        ("", "", False),
        ("https://", "https://", False),
    ],
)
def test_is_same_origin_compares_scheme_host_port(one, other, is_same):
    assert is_same_origin(one, other) is is_same


@pytest.mark.parametrize(
    ("base_url", "is_readable"),
    [
        ("http://10.0.0.7/workflows", True),
        ("http://api.example/workflows", True),
        ("https://api.example/workflows", False),
        ("http://127.0.0.1:8611", False),
        ("http://localhost:8611", False),
        ("http://[::1]:8611", False),
    ],
)
def test_is_unencrypted_spares_loopback(base_url, is_readable):
    assert is_unencrypted(base_url) is is_readable


@pytest.mark.parametrize("host", ["a" * 64, "api..example"])
def test_host_that_no_machine_has_is_refused(host):
    with pytest.raises(SettingsError, match="is not a URL"):
        check_base_url(f"https://{host}/workflows")
