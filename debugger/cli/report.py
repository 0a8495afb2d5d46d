"""The command ``report``."""

from __future__ import annotations

import typer

from debugger.cli.maintenance import exit_on_error


def report() -> None:
    """Print versions and settings without secrets, to be sent with an error."""
    from debugger.exports.problem_report import ReportMasker, problem_report
    from debugger.settings import read_settings

    with exit_on_error():
        settings = read_settings()
        typer.echo(problem_report(None, settings, ReportMasker(settings)), nl=False)
