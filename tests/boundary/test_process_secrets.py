"""Secrets of the environment and the settings."""

from __future__ import annotations

from debugger.boundary.process_secrets import secrets_of_process
from debugger.settings import Settings


def test_values_named_like_secrets_are_found(monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "hunter2sesame9")
    monkeypatch.setenv("SMTP_PWD", "/hunter3sesame9")
    monkeypatch.setenv("SIGNING_KEY", "/" + "k" * 5000)

    found = {*secrets_of_process(Settings(database="postgresql://ann:p%40ss12word@host/db"))}

    assert found >= {"hunter2sesame9", "/hunter3sesame9", "/" + "k" * 5000, "p%40ss12word", "p@ss12word"}


def test_folders_and_files_are_no_secrets(monkeypatch, tmp_path):
    monkeypatch.setenv("PWD", "/srv/gone/workflows")
    monkeypatch.setenv("OLDPWD", "/srv/gone/before")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path))

    found = {*secrets_of_process(Settings())}

    assert not found & {"/srv/gone/workflows", "/srv/gone/before", str(tmp_path)}


def test_number_of_tokens_is_no_secret(monkeypatch):
    monkeypatch.setenv("LLM_MAX_TOKENS", "128000")
    monkeypatch.setenv("API_TOKENS", "hunter2sesame9")
    monkeypatch.setenv("DOOR_TOKEN", "128001")

    found = {*secrets_of_process(Settings())}

    assert found >= {"hunter2sesame9", "128001"}
    assert "128000" not in found
