"""The command ``affected``, and what it shares with ``test --affected-by``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from debugger.cli.check import is_workflow_file, read_content
from debugger.cli.export import (
    exit_codes,
    find_workflow_id,
    read_filter,
    replaced_file,
    report_files,
    settings_on,
)
from debugger.cli.maintenance import Database, counted
from debugger.cli.output import say
from debugger.errors import DebuggerError, InputError
from debugger.telemetry.logs import escape_controls

if TYPE_CHECKING:
    from debugger.analysis.affected import ChangeEffect
    from debugger.backends.base import Backend
    from debugger.scenarios.affected import AffectedReport, Findings, NamedVersion
    from debugger.scenarios.connections import Connections
    from debugger.scenarios.suite import Case

TEXT = "text"
_VERSION_HELP = (
    "a file with a workflow as JSON, '-' for standard input; else the id or the name of a stored workflow, "
    "whose active version is meant, or with @NUMBER another one: 'Front desk@3'"
)


def affected(
    old: Annotated[str, typer.Argument(help=f"The version that has run: {_VERSION_HELP}.")],
    new: Annotated[
        str,
        typer.Argument(help="The changed version: the same; a number is a version of the first workflow."),
    ],
    scenarios: Annotated[
        list[Path] | None,
        typer.Option("--scenarios", metavar="PATH", help="A scenario, or a folder of *.scenario.yaml."),
    ] = None,
    filters: Annotated[
        str,
        typer.Option(
            "--filter",
            help="Look at these runs of the workflow alone, as of the command export: 'since=30d'.",
        ),
    ] = "",
    backend: Annotated[
        str, typer.Option(help="The connection that has stored versions and runs: hosted, or its name.")
    ] = "embedded",
    reports: Annotated[
        list[str] | None,
        typer.Option("--report", metavar="text|FILE", help="text prints it, FILE.json is a report."),
    ] = None,
    database: Database = "",
) -> None:
    """Show which scenarios and stored runs the changes between two workflow versions affect.

    Scenarios are played on the old version in memory; no model is asked, and no service is called.

    Exit code 2: wrong use, 3: a server or the store failed.
    """
    from debugger.scenarios.affected import AffectedReport, Findings, find_runs, version_effects
    from debugger.scenarios.connections import Connections
    from debugger.scenarios.suite import load_cases

    with exit_codes():
        wanted = list(dict.fromkeys(reports or [TEXT]))
        files = _check_reports(wanted)
        cases = load_cases(scenarios) if scenarios else None
        with closing(Connections(settings_on(database))) as connections:
            source = connections.backend(backend)
            before = read_version(old, source)
            after = read_version(new, source, before.workflow_id)
            effects = version_effects(before.workflow, after.workflow, source.workflow)
            runs, found = Findings((), 0), None
            if effects:
                runs = find_runs(source, _run_ids(source, before, filters), effects, after.workflow)
            if cases is not None:
                found = _find_scenarios(connections, cases, before, effects)
        _write(AffectedReport(before, after, effects, runs, found), wanted, files)


def read_version(wanted: str, backend: Backend, workflow_id: str = "") -> NamedVersion:
    """Return the version that a text names.

    Args:
        wanted: A file, ``-``, or a workflow's id or name, with ``@`` and a number or without.
        backend: Has the stored workflows.
        workflow_id: The workflow of which a number alone is a version; empty for none.

    Raises:
        InputError: It cannot be read, or no workflow has the name.
        NotFoundError: There is no such version.
        WorkflowError: The file is no workflow.
    """
    from debugger.graph import load_workflow
    from debugger.scenarios.affected import NamedVersion

    if is_workflow_file(wanted):
        return NamedVersion(load_workflow(read_content(wanted)), file=Path(wanted).as_posix())
    name, _, digits = wanted.rpartition("@")
    if workflow_id and _is_number(wanted):
        name, digits = workflow_id, wanted
    if name and _is_number(digits) and not any(each.name == wanted for each in backend.workflows()):
        found, number = find_workflow_id(backend, name), int(digits)
    else:
        found = find_workflow_id(backend, wanted)
        number = backend.workflow_summary(found).active_version_number or 0
    return NamedVersion(backend.workflow(found, number), found, number)


def find_affected(connections: Connections, cases: Sequence[Case], old: str) -> list[Case]:
    """Return the cases with those that the changes since an old version affect first, and print how many.

    Args:
        connections: The connections.
        cases: The scenarios; the workflow that each names is the new version.
        old: The old version, see `read_version`.

    Raises:
        DebuggerError: The old version cannot be read.
    """
    from debugger.scenarios.affected import affected_first

    found = _find_scenarios(connections, cases, read_version(old, connections.embedded), None)
    for each in found.affected:
        if each.reason:
            say(f"Counts as affected: {escape_controls(each.id)}: {escape_controls(each.reason)}.", err=True)
    number = len(found.affected)
    say(f"{number} of {counted(len(cases), 'scenario')} affected; these run first.", err=True)
    return affected_first(cases, found)


def _find_scenarios(
    connections: Connections,
    cases: Sequence[Case],
    old: NamedVersion,
    effects: Sequence[ChangeEffect] | None,
) -> Findings:
    from debugger.scenarios.affected import AffectedScenarios, Findings, find_scenarios

    if effects is not None and not effects:
        return Findings((), len(cases))
    with AffectedScenarios(connections, old, effects) as judge:
        return find_scenarios(cases, judge)


def _run_ids(backend: Backend, old: NamedVersion, filters: str) -> Iterator[str]:
    """Return the ids of the stored runs of a workflow; of a file it is found by its logical id.

    Raises InputError where the filter is wrong.
    """
    from debugger.exports.sources import RunFilter, read_run_ids
    from debugger.scenarios.preparation import logical_id_of

    wanted = read_filter(backend, filters) if filters.strip() else RunFilter()
    if wanted.workflow_id is not None:
        return read_run_ids(backend, wanted)
    workflow_ids, logical_id = [old.workflow_id], old.workflow.config.logical_id
    if not old.workflow_id:
        rows = backend.workflows() if logical_id else []
        workflow_ids = [row.id for row in rows if logical_id_of(row.id, backend) == logical_id]
    return chain.from_iterable(
        read_run_ids(backend, replace(wanted, workflow_id=each)) for each in workflow_ids
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _check_reports(wanted: Sequence[str]) -> Mapping[str, Path]:
    """Return the files of reports by their names.

    Raises InputError where one has no known format, or cannot be written.
    """
    files = {name: Path(name) for name in wanted if name != TEXT}
    for name, path in files.items():
        if path.suffix != ".json":
            raise InputError(f"There is no report {name!r} of this command.", advice="Use text or FILE.json.")
    return report_files(**files)


def _write(report: AffectedReport, wanted: Sequence[str], files: Mapping[str, Path]) -> None:
    """Print the report, and write its files.

    Raises DebuggerError where one cannot be written.
    """
    from debugger.scenarios.reports.affected import text_lines, write_json

    if TEXT in wanted:
        for line in text_lines(report):
            say(escape_controls(line))
    for path in files.values():
        try:
            with replaced_file(path, is_private=False) as file:
                write_json(file, report)
        except OSError as error:
            raise DebuggerError(f"The report {path} cannot be written: {error.strerror or error}.") from error
        say(f"{path}: {path.stat().st_size} bytes.", err=True)
