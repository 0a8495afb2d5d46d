from __future__ import annotations

import re
from pathlib import Path

import pytest

from debugger import settings as settings_module
from debugger.errors import SettingsError
from debugger.settings import (
    HostedSettings,
    ModelPrice,
    Settings,
    environment_variables,
    read_connection,
    read_settings,
    unknown_settings,
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder without files and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SECRETS_FOLDER", str(tmp_path / "secrets"))
    settings_module._read_settings.cache_clear()
    yield tmp_path
    settings_module._read_settings.cache_clear()


def test_read_settings_reads_the_environment(monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_MAX_NODE_RUNS", "7")
    monkeypatch.setenv("WORKFLOW_DEBUGGER_INLINE_PYTHON", "off")
    monkeypatch.setenv("INTERACTLY_BASE_URL", "https://api.example/workflows")
    monkeypatch.setenv("INTERACTLY_API_KEY", "secret-key")

    settings = read_settings()

    assert settings.max_node_runs == 7
    assert settings.inline_python == "off"
    assert settings.hosted.base_url == "https://api.example/workflows"
    assert settings.hosted.api_key.get_secret_value() == "secret-key"


def test_read_settings_takes_the_first_source(folder, monkeypatch):
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(
        "[workflow_debugger]\nkeep_days = 1\nkeep_runs = 1\nkeep_bytes = 1\nmax_node_runs = 1\n"
        '[interactly]\nteam_id = "toml"\n'
    )
    (folder / "secrets").mkdir()
    (folder / "secrets" / "workflow_debugger_keep_days").write_text("2\n")
    (folder / "secrets" / "workflow_debugger_keep_runs").write_text("2\n")
    (folder / "secrets" / "workflow_debugger_keep_bytes").write_text("2\n")
    (folder / ".env").write_text("WORKFLOW_DEBUGGER_KEEP_DAYS=3\nWORKFLOW_DEBUGGER_KEEP_RUNS=3\nOTHER=3\n")
    monkeypatch.setenv("WORKFLOW_DEBUGGER_KEEP_DAYS", "4")

    settings = read_settings()

    assert (settings.keep_days, settings.keep_runs) == (4, 3)
    assert (settings.keep_bytes, settings.max_node_runs) == (2, 1)
    assert settings.hosted.team_id == "toml"


def test_read_settings_refuses_malformed_toml(folder):
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text("api_key = secret-key")

    with pytest.raises(SettingsError, match=r"secrets\.toml") as raised:
        read_settings()

    assert "secret-key" not in str(raised.value)


@pytest.mark.parametrize("table", ["auth", "connections.live", "workflow_debugger", "interactly"])
def test_read_settings_needs_no_own_table(folder, table):
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(f"[{table}]\nauthor = 'Ada'\nteam_id = 'blue'\n")

    settings = read_settings()

    assert settings.author == ("Ada" if table == "workflow_debugger" else "me")
    assert settings.hosted.team_id == ("blue" if table == "interactly" else "")


def test_read_settings_refuses_a_value_for_a_table(folder):
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text("interactly = 'secret-key'\n")

    with pytest.raises(SettingsError, match=r"interactly in .*secrets\.toml is not a table") as raised:
        read_settings()

    assert "secret-key" not in str(raised.value)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".env", "# für Ada\nWORKFLOW_DEBUGGER_AUTHOR=Ada\n".encode("latin-1")),
        (".env", "WORKFLOW_DEBUGGER_AUTHOR=Ada\n".encode("utf-16")),
        (".streamlit/secrets.toml", "[interactly]\napi_key = 'schlüssel'\n".encode("latin-1")),
        ("secrets/workflow_debugger_encryption_key", "schlüssel".encode("latin-1")),
    ],
)
def test_read_settings_refuses_other_encodings(folder, path, content):
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_bytes(content)

    with pytest.raises(SettingsError) as raised:
        read_settings()

    assert "UTF-8" in str(raised.value)
    assert "schl" not in str(raised.value)


@pytest.mark.parametrize("path", [".env", ".streamlit/secrets.toml"])
def test_read_settings_reports_unreadable_file(folder, path):
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).symlink_to("/proc/self/mem")  # it is a file, which even root cannot read from its start

    with pytest.raises(SettingsError, match=f"{path} cannot be read: "):
        read_settings()


def test_environment_variables_include_the_dotenv_file(folder, monkeypatch):
    (folder / ".env").write_text("WORKFLOW_DEBUGGER_SECRET_A=file\nWORKFLOW_DEBUGGER_SECRET_B=file\n")
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SECRET_A", "process")

    variables = environment_variables()

    assert variables["WORKFLOW_DEBUGGER_SECRET_A"] == "process"
    assert variables["WORKFLOW_DEBUGGER_SECRET_B"] == "file"


def test_unknown_settings_knows_variables_of_other_modules():
    sources = "".join(
        path.read_text(encoding="utf-8") for path in Path(settings_module.__file__).parent.rglob("*.py")
    )
    names = set(re.findall(r'"(WORKFLOW_DEBUGGER_[A-Z_]*[A-Z])"', sources))

    assert unknown_settings(dict.fromkeys(names - {"WORKFLOW_DEBUGGER_RATE_LIMIT"}, "x")) == []
    assert "WORKFLOW_DEBUGGER_API_KEY" in names


def test_unknown_settings_names_the_nearest():
    messages = unknown_settings(
        {
            "WORKFLOW_DEBUGGER_KEEP_DAY": "1",
            "WORKFLOW_DEBUGGER_RATE_LIMIT": "1",
            "WORKFLOW_DEBUGGER_KEEP_DAYS": "1",
            "WORKFLOW_DEBUGGER_SECRET_TOKEN": "1",
            "WORKFLOW_DEBUGGER_CUSTOM_LLM_API_KEY": "1",
            "HOME": "/",
        }
    )

    assert len(messages) == 2
    assert messages[0] == (
        "WORKFLOW_DEBUGGER_KEEP_DAY is not a setting and is ignored. "
        "Did you mean WORKFLOW_DEBUGGER_KEEP_DAYS?"
    )
    assert messages[1].startswith("WORKFLOW_DEBUGGER_RATE_LIMIT is ignored: ")


def test_read_settings_warns_once_of_unknown_name(monkeypatch, caplog):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_KEEP_DAY", "1")

    read_settings()
    read_settings()

    assert [record.getMessage() for record in caplog.records] == [
        "WORKFLOW_DEBUGGER_KEEP_DAY is not a setting and is ignored. "
        "Did you mean WORKFLOW_DEBUGGER_KEEP_DAYS?"
    ]


def test_settings_do_not_show_a_key(monkeypatch):
    monkeypatch.setenv("INTERACTLY_API_KEY", "secret-key")

    assert "secret-key" not in repr(read_settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKFLOW_DEBUGGER_MAX_NODE_RUNS", "many"),
        ("INTERACTLY_TIMEOUT", "-1"),
        ("WORKFLOW_DEBUGGER_RESPONDER", "x"),
    ],
)
def test_malformed_value_is_refused_with_its_name(name, value, monkeypatch):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=name):
        read_settings()


def test_database_url_defaults_to_user_file(monkeypatch):
    assert read_settings().database_url.startswith("sqlite:///")

    monkeypatch.setenv("WORKFLOW_DEBUGGER_DATABASE", "sqlite:///x.db")

    assert read_settings().database_url == "sqlite:///x.db"


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
def test_read_connection_error_names_key_only(name, table, words):
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


def test_allowed_hosts_use_host_header_form():
    settings = Settings(allowed_hosts="Debugger.Example., 10.0.0.7,, ::1, [fe80::1]")

    assert settings.allowed_host_names == {"debugger.example", "10.0.0.7", "[::1]", "[fe80::1]"}


@pytest.mark.parametrize(
    "value", ["*", "*.example", "http://debugger.example", "debugger.example:80", "a/b", "a b"]
)
def test_malformed_allowed_host_is_refused(value, monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_ALLOWED_HOSTS", f"localhost,{value}")

    with pytest.raises(SettingsError, match="WORKFLOW_DEBUGGER_ALLOWED_HOSTS"):
        read_settings()


def test_shown_time_zone_falls_back_to_that_of_the_engine():
    assert Settings().shown_time_zone == "UTC"
    assert Settings(time_zone="Asia/Tokyo").shown_time_zone == "Asia/Tokyo"
    assert (
        Settings(time_zone="Asia/Tokyo", display_time_zone="Europe/Berlin").shown_time_zone == "Europe/Berlin"
    )


@pytest.mark.parametrize("zone", ["Mars/Base", "../etc/passwd", "Europe"])
def test_unknown_time_zone_is_refused(monkeypatch, zone):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DISPLAY_TIME_ZONE", zone)

    with pytest.raises(SettingsError, match=r"DISPLAY_TIME_ZONE.*not a time zone"):
        read_settings()


def test_refusal_keeps_case_of_values(monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_TIME_ZONE", "Europe/Berln")

    with pytest.raises(SettingsError) as caught:
        read_settings()

    assert caught.value.message == (
        "The setting WORKFLOW_DEBUGGER_TIME_ZONE has a value that cannot be used: "
        "'Europe/Berln' is not a time zone such as Europe/Berlin."
    )


def test_prices_are_read_in_their_order():
    settings = Settings(prices="gpt-5.4-mini*=0.25/2 USD, claude-* = 3 / 15 EUR,")

    assert settings.model_prices == (
        ModelPrice("gpt-5.4-mini*", 0.25, 2, "USD"),
        ModelPrice("claude-*", 3, 15, "EUR"),
    )


@pytest.mark.parametrize("entry", ["gpt=1 USD", "gpt=1/2", "=1/2 USD", "gpt=1/-2 USD", "gpt=1/2 dollars"])
def test_malformed_price_is_refused(monkeypatch, entry):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_PRICES", f"claude-*=3/15 USD,{entry}")

    with pytest.raises(SettingsError, match="WORKFLOW_DEBUGGER_PRICES"):
        read_settings()
