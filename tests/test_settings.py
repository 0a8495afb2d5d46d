from __future__ import annotations

import pytest

from debugger.errors import SettingsError
from debugger.settings import read_settings


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
