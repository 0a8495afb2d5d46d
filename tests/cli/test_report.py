from __future__ import annotations

from typer.testing import CliRunner

from debugger.cli import main


def test_report_prints_versions_and_no_secret(monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DATABASE", "postgresql://ada:planted@db.example/runs")
    monkeypatch.setenv("INTERACTLY_API_KEY", "planted-key")

    result = CliRunner().invoke(main, ["report"])

    assert result.exit_code == 0
    assert "Database: postgresql\n" in result.stdout
    assert "hosted.api_key: set\n" in result.stdout
    assert "planted" not in result.stdout


def test_error_of_program_names_report(tmp_path):
    (tmp_path / "runs.sqlite3").write_text("no database" * 100)

    result = CliRunner().invoke(
        main, ["prune", "--days", "1", "--database", f"sqlite:///{tmp_path}/runs.sqlite3"]
    )

    assert result.exit_code == 1
    assert "workflow-debugger report" in result.stderr


def test_wrong_setting_names_no_report(monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_RESPONDER", "nobody")

    result = CliRunner().invoke(main, ["report"])

    assert result.exit_code == 1
    assert "WORKFLOW_DEBUGGER_RESPONDER" in result.stderr
    assert "workflow-debugger report" not in result.stderr


def test_error_of_user_names_no_report(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DATABASE", f"sqlite:///{tmp_path}/runs.sqlite3")

    result = CliRunner().invoke(main, ["prune"])

    assert result.exit_code == 1
    assert "report" not in result.stderr
