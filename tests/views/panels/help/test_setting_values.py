from __future__ import annotations

import pytest

from debugger.settings import HOSTED_PREFIX, PREFIX, HostedSettings, Settings, read_settings
from debugger.views.panels.help.setting_values import other_value, setting_values, with_values
from debugger.views.panels.help.topics import topic_text


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Makes an empty folder the working folder, with an environment that sets nothing."""
    for model, prefix in ((Settings, PREFIX), (HostedSettings, HOSTED_PREFIX)):
        for name in model.model_fields:
            monkeypatch.delenv(prefix + name.upper(), raising=False)
    (tmp_path / "secrets").mkdir()
    monkeypatch.setenv(f"{PREFIX}SECRETS_FOLDER", str(tmp_path / "secrets"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed(settings=None, *, is_admin=True):
    found = setting_values(settings or read_settings(), is_admin=is_admin)
    return {each.variable.removeprefix(PREFIX): (each.value, each.source) for each in found}


def test_every_setting_is_listed_once(folder):
    names = [each.variable for each in setting_values(Settings(), is_admin=True)]

    assert len(names) == len(set(names)) == len(Settings.model_fields) - 1 + len(HostedSettings.model_fields)


def test_sources_are_those_of_the_values(folder, monkeypatch):
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(
        '[workflow_debugger]\nauthor = "toml"\ntool_timeout = 7\nscripts = "toml"\nresponder = "rules"\n'
        '[interactly]\nteam_id = "t1"\n'
    )
    (folder / "secrets" / "workflow_debugger_author").write_text("file")
    (folder / "secrets" / "workflow_debugger_scripts").write_text("file")
    (folder / ".env").write_text(f"{PREFIX}AUTHOR=dotenv\n{PREFIX}MAX_NODE_RUNS=7\n")
    monkeypatch.setenv(f"{PREFIX}AUTHOR", "ada")

    found = listed()

    assert found["AUTHOR"] == ("`ada`", "environment")
    assert found["MAX_NODE_RUNS"] == ("`7`", ".env")
    assert found["SCRIPTS"] == ("`file`", "secrets folder")
    assert found["RESPONDER"] == ("`rules`", "secrets.toml")
    assert found[f"{HOSTED_PREFIX}TEAM_ID"] == ("`t1`", "secrets.toml")
    assert found["TIME_ZONE"] == ("`UTC`", "default")


@pytest.mark.parametrize("is_admin", [True, False])
def test_secrets_are_never_shown(folder, is_admin):
    settings = Settings(
        encryption_key="a-very-secret-key",
        database="postgresql://user-1:pass-1@db/runs?sslpassword=pass-2",
        default_model="custom_llm llama3 http://user-1:pass-3@host/v1",
        hosted=HostedSettings(base_url="https://user-1:pass-4@api.example", api_key="key-5"),
    )

    text = with_values(topic_text("settings"), settings, is_admin=is_admin)

    assert [
        secret for secret in ("a-very-secret", "pass-", "key-5", "user-1") if secret in text.lower()
    ] == []
    assert listed(settings, is_admin=is_admin)["ENCRYPTION_KEY"][0] == "set"
    assert listed(Settings(), is_admin=is_admin)["ENCRYPTION_KEY"][0] == "not set"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ada:pa/ss@db/runs", "postgresql://…@db/runs"),
        ("postgresql://ada:pa ss@db/runs?sslmode=a b", "postgresql://…@db/runs?…"),
        ("postgresql://ada:pa@ss@db/runs", "postgresql://…@db/runs"),
        ("postgresql://ada:pa?ss@db/runs", "postgresql://…"),
        ("postgresql://db/runs?password=pa@ss", "postgresql://…"),
        ("sqlite:////srv/data/runs.sqlite3", "sqlite:////srv/data/runs.sqlite3"),
    ],
)
def test_odd_passwords_are_never_shown(folder, url, shown):
    assert listed(Settings(database=url))["DATABASE"][0] == f"`{shown}`"


def test_addresses_and_names_are_for_administrators(folder):
    settings = Settings(roles="eve@example.com=admin", knowledge="/srv/documents", time_zone="Europe/Berlin")

    assert listed(settings, is_admin=True)["ROLES"][0] == "`eve@example.com=admin`"
    found = listed(settings, is_admin=False)
    assert (found["ROLES"][0], found["KNOWLEDGE"][0]) == ("set", "set")
    assert found["TIME_ZONE"][0] == "`Europe/Berlin`"


def test_keys_of_providers_are_set_or_not(folder, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert other_value("OPENAI_API_KEY")[1:] == ("not set", "default")

    (folder / ".env").write_text("OPENAI_API_KEY=sk-from-a-file\n")
    assert other_value("OPENAI_API_KEY")[1:] == ("set", ".env")

    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-process")
    assert other_value("OPENAI_API_KEY")[1:] == ("set", "environment")


def test_each_row_of_the_document_has_value_and_source(folder):
    text = with_values(topic_text("settings"), Settings(author="Ada | Grace"), is_admin=True)

    rows = [line for line in text.splitlines() if line.startswith(("| `", "| variable"))]
    assert len({row.count("|") - row.count("\\|") for row in rows}) == 1
    assert next(row for row in rows if "_AUTHOR" in row).startswith(
        f"| `{PREFIX}AUTHOR` | `Ada / Grace` | default | `me` |"
    )
