from __future__ import annotations

import pytest

from debugger.backends.embedded.gateway_factory import GatewayFactory
from debugger.engine.environment import Environment
from debugger.engine.outbound.destinations import Destination
from debugger.errors import SettingsError
from debugger.settings import Settings

EVIL = Destination.of("https://evil.example/")
API = Destination.of("https://api.example/")


def secrets_of(environment, **stored):
    doors = GatewayFactory(Settings(), Environment(), environment, secrets=lambda: stored)
    return doors.for_turn()().secrets


def test_hosts_belong_to_secret_of_that_name():
    values = {"KEY": "k-1", "OTHER": "o-1", "HOSTS_KEY": "api.example"}
    secrets = secrets_of({f"WORKFLOW_DEBUGGER_SECRET_{name}": value for name, value in values.items()})

    assert secrets.get("HOSTS_KEY") is None
    assert secrets.refusal({"KEY"}, API, None, "GET x", "https://evil.example/") == ""
    assert "the secret 'KEY' must not be sent to https://evil.example" in secrets.refusal(
        {"KEY"}, EVIL, None, "GET x", "https://evil.example/"
    )
    assert "the secret 'OTHER'" in secrets.refusal(
        {"KEY", "OTHER"}, API, None, "GET x", "https://evil.example/"
    )


def test_list_of_hosts_is_for_stored_secrets_too():
    secrets = secrets_of({"WORKFLOW_DEBUGGER_SECRET_HOSTS_team key": "*.example.org"}, **{"team key": "t-1"})

    destination = Destination.of("https://a.example.org/")
    assert secrets.refusal({"team key"}, destination, None, "GET x", "https://evil.example/") == ""


def test_invalid_host_list_is_rejected_without_text():
    """It may be the value of a secret whose name begins with ``HOSTS_``."""
    with pytest.raises(SettingsError) as caught:
        secrets_of({"WORKFLOW_DEBUGGER_SECRET_HOSTS_KEY": "sk planted 77"})

    assert "WORKFLOW_DEBUGGER_SECRET_HOSTS_KEY is not a list of hosts" in str(caught.value)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(("setting", "refuses"), [(None, False), ("allow", False), ("refuse", True)])
def test_private_addresses_follow_the_setting(setting, refuses):
    doors = GatewayFactory(Settings(outbound_private=setting), Environment(), {})

    assert doors.for_turn()().limits.refuses_private is refuses
