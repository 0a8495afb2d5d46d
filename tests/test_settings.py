from __future__ import annotations

import pytest

from debugger.errors import SettingsError
from debugger.settings import HostedSettings, read_connection, read_settings


def test_settings_are_read_from_the_environment():
    environment = {
        "WORKFLOW_DEBUGGER_MAX_NODE_RUNS": "7",
        "WORKFLOW_DEBUGGER_INLINE_PYTHON": "off",
        "INTERACTLY_BASE_URL": "https://api.example/workflows",
        "INTERACTLY_API_KEY": "secret-key",
    }

    settings = read_settings(environment)

    assert settings.max_node_runs == 7
    assert settings.inline_python == "off"
    assert settings.hosted.base_url == "https://api.example/workflows"
    assert settings.hosted.api_key.get_secret_value() == "secret-key"


def test_a_key_is_not_shown_with_the_settings():
    assert "secret-key" not in repr(read_settings({"INTERACTLY_API_KEY": "secret-key"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKFLOW_DEBUGGER_MAX_NODE_RUNS", "many"),
        ("INTERACTLY_TIMEOUT", "-1"),
        ("WORKFLOW_DEBUGGER_RESPONDER", "x"),
    ],
)
def test_a_value_that_means_nothing_is_refused_with_its_variable(name, value):
    with pytest.raises(SettingsError, match=name):
        read_settings({name: value})


def test_the_store_is_a_file_of_the_user_unless_told_otherwise():
    assert read_settings({}).database_url.startswith("sqlite:///")
    assert read_settings({"WORKFLOW_DEBUGGER_DATABASE": "sqlite:///x.db"}).database_url == "sqlite:///x.db"


def test_read_connection_reads_every_field():
    connection = read_connection(
        "staging-eu",
        {
            "base_url": "https://api.example/workflows",
            "api_key": "secret-key",
            "team_id": "team",
            "environment": "staging",
            "colour": "violet",
            "client_turn_ids": False,
            "reconciliation_timeout": 10,
        },
    )

    assert connection.api_key.get_secret_value() == "secret-key"
    assert (connection.environment, connection.label_colour) == ("staging", "violet")
    assert (connection.client_turn_ids, connection.reconciliation_timeout) == (False, 10)
    assert not connection.is_production


@pytest.mark.parametrize(
    ("name", "table", "words"),
    [
        ("eu", {"base_url": "https://a.example", "api_kee": "secret-key"}, "api_kee"),
        ("eu", {"base_url": "https://a.example", "timeout": "secret-key"}, "timeout"),
        ("eu", {"base_url": "https://a.example", "colour": "secret-key"}, "colour"),
        ("eu", {"api_key": "secret-key"}, "base_url"),
        ("eu", "secret-key", "table"),
        ("custom", {"base_url": "https://a.example"}, "name"),
        ("a b/c", {"base_url": "https://a.example"}, "name"),
    ],
)
def test_read_connection_names_the_key_and_no_value(name, table, words):
    with pytest.raises(SettingsError) as raised:
        read_connection(name, table)

    assert words in raised.value.message
    assert f"[connections.{name}]" in raised.value.message
    assert "secret-key" not in f"{raised.value.message} {raised.value.advice} {raised.value.__cause__}"


@pytest.mark.parametrize(
    ("environment", "is_production"),
    [("production", True), (" PROD ", True), ("Production", True), ("preprod", False), ("", False)],
)
def test_is_production_reads_the_label(environment, is_production):
    connection = HostedSettings(environment=environment)

    assert connection.is_production is is_production
    assert connection.label_colour == ("red" if is_production else "gray")


def test_allowed_hosts_are_read_as_in_a_host_header():
    settings = read_settings(
        {"WORKFLOW_DEBUGGER_ALLOWED_HOSTS": "Debugger.Example., 10.0.0.7,, ::1, [fe80::1]"}
    )

    assert settings.allowed_host_names == {"debugger.example", "10.0.0.7", "[::1]", "[fe80::1]"}


@pytest.mark.parametrize(
    "value", ["*", "*.example", "http://debugger.example", "debugger.example:80", "a/b", "a b"]
)
def test_malformed_allowed_host_is_refused(value):
    with pytest.raises(SettingsError, match="WORKFLOW_DEBUGGER_ALLOWED_HOSTS"):
        read_settings({"WORKFLOW_DEBUGGER_ALLOWED_HOSTS": f"localhost,{value}"})
