from __future__ import annotations

import pytest

from debugger.errors import NotFoundError, SettingsError
from debugger.scenarios.connections import find_connection
from debugger.settings import HostedSettings, Settings

OWN = Settings(hosted=HostedSettings(base_url="https://own.example/workflows"))


@pytest.fixture
def secrets(tmp_path, monkeypatch):
    """The secrets file of the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".streamlit").mkdir()
    return tmp_path / ".streamlit" / "secrets.toml"


def test_environment_and_named_connections_are_found(secrets):
    secrets.write_text('[connections.staging]\nbase_url = "https://staging.example/workflows"\n')

    assert find_connection("hosted", OWN) == find_connection("default", OWN) == OWN.hosted
    assert find_connection("staging", OWN).base_url == "https://staging.example/workflows"


def test_unknown_connection_is_rejected(secrets):
    with pytest.raises(NotFoundError, match="No connection has the name 'staging'"):
        find_connection("staging", OWN)


def test_broken_secrets_repeat_no_value(secrets):
    secrets.write_text('[connections.staging]\nbase_url = "https://x.example"\ntimeout = "k-4711"\n')

    with pytest.raises(SettingsError, match="timeout") as caught:
        find_connection("staging", OWN)

    assert "k-4711" not in str(caught.value)
