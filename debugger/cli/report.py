"""The command ``report``."""

from __future__ import annotations

from debugger.cli.maintenance import exit_on_error
from debugger.cli.output import say


def report() -> None:
    """Print versions and settings without secrets, to be sent with an error.

    Exit code 1 is for a setting that cannot be used.
    """
    from debugger.exports.problem_report import ReportMasker, problem_report
    from debugger.settings import read_settings

    with exit_on_error():
        settings = read_settings()
        say(problem_report(None, settings, ReportMasker(settings)), nl=False)
