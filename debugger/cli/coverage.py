"""The command ``coverage``, and what it shares with ``test --coverage``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from debugger.cli.export import exit_codes, read_filter, replaced_file, report_files, settings_on
from debugger.cli.maintenance import Database
from debugger.cli.output import say
from debugger.errors import DebuggerError, InputError
from debugger.telemetry.logs import escape_controls

if TYPE_CHECKING:
    from debugger.scenarios.coverage import VersionCoverage

FAILED = 1
"""The exit code where less is covered than was asked for."""
TEXT = "text"
_SUFFIXES = (".html", ".json")

FailUnder = Annotated[
    float | None,
    typer.Option(min=0, max=100, help="Fail where less than this percentage of all edges is covered."),
]


def coverage(
    runs: Annotated[list[str] | None, typer.Argument(help="Ids of runs.", show_default=False)] = None,
    filters: Annotated[
        str,
        typer.Option(
            "--filter",
            help="Runs of the list, as of the command export: 'workflow=\"Front desk\" since=30d'; all parts "
            "must hold.",
        ),
    ] = "",
    backend: Annotated[
        str, typer.Option(help="The connection that has the runs: hosted, or its name.")
    ] = "embedded",
    report: Annotated[
        str, typer.Option(metavar="text|FILE", help="text prints it, FILE.html and FILE.json are reports.")
    ] = TEXT,
    fail_under: FailUnder = None,
    database: Database = "",
) -> None:
    """Show what of their workflow versions recorded runs have covered.

    Exit code 1: less than --fail-under is covered, 2: wrong use, 3: a server or the store failed.
    """
    from debugger.exports.sources import read_run_ids
    from debugger.protocol.base import check_id
    from debugger.scenarios.connections import Connections
    from debugger.scenarios.coverage import runs_coverage

    with exit_codes():
        check_coverage_file(report)
        named = [check_id("run", each) for each in dict.fromkeys(runs or [])]
        if not named and not filters.strip():
            raise InputError(
                "No run was selected.", advice="Use --filter 'workflow=\"Front desk\" since=30d'."
            )
        with closing(Connections(settings_on(database))) as connections:
            source = connections.backend(backend)
            for run_id in named:
                source.record(run_id)  # a run that is named must be there
            known = frozenset(named)
            wanted = read_run_ids(source, read_filter(source, filters)) if filters.strip() else iter(())
            others = (each for each in wanted if each not in known)
            versions = runs_coverage(source, chain(named, others))
        if not versions:
            raise InputError("No run was found whose workflow is known.", advice="Loosen the filter.")
        report_coverage(versions, report)
        is_enough = check_share(versions, fail_under)
    sys.exit(0 if is_enough else FAILED)


def check_coverage_file(report: str, others: Mapping[str, Path] | None = None) -> None:
    """Raise InputError where a report of coverage has no known format, or its file cannot be written.

    Args:
        report: ``text`` or the file; empty for none.
        others: Other reports, which need other files.
    """
    if report in ("", TEXT):
        return
    path = Path(report)
    if path.suffix not in _SUFFIXES:
        raise InputError(
            f"There is no report of coverage {report!r}.", advice="Use text, FILE.html or FILE.json."
        )
    report_files(**(others or {}), coverage=path)


def report_coverage(versions: Sequence[VersionCoverage], report: str) -> None:
    """Print the coverage of some versions, or write it into a file.

    Args:
        versions: The coverage.
        report: ``text`` or the file; empty for none.

    Raises:
        DebuggerError: The file cannot be written.
    """
    from debugger.scenarios.reports.coverage import COVERAGE_REPORTS, text_lines

    if report == TEXT:
        for line in text_lines(versions):
            say(escape_controls(line))
    elif report:
        path = Path(report)
        try:
            with replaced_file(path, is_private=False) as file:
                COVERAGE_REPORTS[path.suffix](file, versions)
        except OSError as error:
            raise DebuggerError(f"The report {path} cannot be written: {error.strerror or error}.") from error
        say(f"{path}: {path.stat().st_size} bytes.", err=True)


def check_share(versions: Sequence[VersionCoverage], fail_under: float | None) -> bool:
    """Return whether enough of all edges is covered; print it where it is not.

    Args:
        versions: The coverage.
        fail_under: The least share in percent; ``None`` for any.
    """
    from debugger.scenarios.coverage import edge_count

    edges = edge_count(versions)
    if fail_under is None or edges.percent >= fail_under:
        return True
    found = f"{edges.covered} of {edges.total} edges are covered, {edges.percent:.1f} %"
    say(f"{found}: less than {fail_under:g} %.", fg=typer.colors.RED, bold=True)
    return False
