"""The command ``replay``."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, NamedTuple

import typer

from debugger.cli.export import (
    INTERRUPTED,
    File,
    MaskingRules,
    cancelled_by_signal,
    exit_codes,
    masking_options,
    read_filter,
    replaced_file,
    report_files,
    settings_on,
)
from debugger.cli.maintenance import Database, counted
from debugger.cli.output import say
from debugger.cli.test import FAILED
from debugger.errors import DebuggerError, InputError, NotFoundError

if TYPE_CHECKING:
    from debugger.backends.base import Backend
    from debugger.boundary import Boundary
    from debugger.protocol.workflow import Workflow
    from debugger.replays.job import ReplayJob
    from debugger.replays.replayer import Replayer
    from debugger.replays.reports import Register, ReplayReport
    from debugger.replays.results import ReplayResult, ReplayVerdict
    from debugger.scenarios.connections import Connections
    from debugger.store import ReplayRepository, ReplayTarget, Store

DEFAULT_FAIL_ON = "words,variables,path,failed"
"""What is known to differ. A run that could not be compared is neither right nor wrong."""


def replay(
    runs: Annotated[list[str] | None, typer.Argument(help="Ids of runs.", show_default=False)] = None,
    filters: Annotated[
        str,
        typer.Option(
            "--filter",
            help="Runs of the list, as of the command export: 'workflow=\"Front desk\" since=30d'; all parts "
            "must hold.",
        ),
    ] = "",
    version: Annotated[
        str,
        typer.Option(metavar="NUMBER|FILE", help="The version to play: its number, or a file with it."),
    ] = "",
    backend: Annotated[
        str, typer.Option(help="The connection whose runs are played: hosted, or its name.")
    ] = "embedded",
    threads: Annotated[int, typer.Option(min=1, max=64, help="Runs that are played at once.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted replay on the same version.")
    ] = False,
    fail_on: Annotated[
        str,
        typer.Option(
            metavar="VERDICTS",
            help="Verdicts that fail unless their group is accepted, separated by commas: words, variables, "
            "path, failed, needs_model, not_comparable; or none.",
        ),
    ] = DEFAULT_FAIL_ON,
    junit: File = None,
    json: File = None,
    csv: File = None,
    no_mask: Annotated[
        bool, typer.Option("--no-mask", help="Do not mask personal data in reports; secrets stay masked.")
    ] = False,
    rules: MaskingRules = "",
    hidden: Annotated[
        str, typer.Option("--hide", help="Variables to mask in reports, separated by commas.")
    ] = "",
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Play nothing: write the recorded answers of one run, for a scenario."
        ),
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="GROUP", help="Play nothing: accept a group, for all later replays."),
    ] = None,
    comment: Annotated[str, typer.Option(help="Why the groups are accepted.")] = "",
    database: Database = "",
) -> None:
    """Play recorded runs on another version, and show which of them differ.

    The user's messages are played with the recorded answers; no model is asked, and no service is called.

    Exit code 1: a run differs, 2: wrong use, 3: a server or the store failed, 130: interrupted.
    """
    from debugger.replays.job import ReplayJob
    from debugger.scenarios.connections import Connections

    with exit_codes():
        verdicts = read_verdicts(fail_on)
        files = report_files(junit=junit, json=json, csv=csv)
        masking = masking_options(rules, hidden, no_mask=no_mask)
        _check_use(runs or [], version, accept or [], comment, record=record)
        if accept or record is not None:
            unused: dict[str, object] = {
                "--filter": filters if record is not None else "",
                "--comment": comment if record is not None else "",
                "--threads": threads != 1,
                "--resume": resume,
                "--fail-on": fail_on != DEFAULT_FAIL_ON,
                "--junit": junit,
                "--json": json,
                "--csv": csv,
                "--mask": rules,
                "--no-mask": no_mask,
                "--hide": hidden,
            }
            _reject_unused("--accept" if accept else "--record", unused)
        with closing(Connections(settings_on(database))) as connections:
            store, author = connections.embedded.store, connections.settings.author
            source = connections.backend(backend)
            if accept:
                for key in accept:
                    _accept(store.replays, source, key, filters, author, comment)
                return
            if record is not None:
                _write_recording(connections, source, (runs or [])[0], record)
                return
            chosen = _choose(source, filters, runs or [])
            played = _open_version(connections, source, chosen.workflow_id, version)
            target = played.target._replace(connection="" if backend == "embedded" else backend)
            earlier = store.replays.find_interrupted(target) if resume else None
            if resume:
                stored = earlier.counts.total() if earlier else 0
                say(f"{counted(stored, 'result')} of an interrupted replay.", err=True)
            job = ReplayJob(
                played.replayer.replay,
                store.replays,
                target,
                chosen.run_ids,
                started_by=author,
                selected=chosen.number,
                threads=threads,
                replay_id=earlier.id if earlier else "",
            )
            _run(job)
            register = _register(source, store, played.replayer.workflow)
            report = _report(job, source, store, played.replayer.workflow, verdicts)
            _print_end(report, job)
            _write_reports(files, replace(report, masking=masking, register=register))
    sys.exit(INTERRUPTED if job.is_cancelled else FAILED if report.failures else 0)


def read_verdicts(text: str) -> frozenset[ReplayVerdict]:
    """Return the verdicts that fail, as ``path,failed``; empty for ``none``.

    Raises:
        InputError: One of them is not known, or none is named.
    """
    from debugger.exports.choices import split_names
    from debugger.replays.results import REPLAY_VERDICTS

    if text.strip() == "none":
        return frozenset()
    names = [name.replace("-", "_") for name in split_names(text)]
    known = [verdict for verdict in REPLAY_VERDICTS if verdict != "same"]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise InputError(
            f"There is no verdict {unknown[0]!r}." if unknown else "--fail-on names no verdict.",
            advice=f"Use {', '.join(known)}, or none.",
        )
    return frozenset(verdict for verdict in known if verdict in names)


def _check_use(
    runs: list[str], version: str, accept: list[str], comment: str, *, record: Path | None
) -> None:
    """Raise InputError where the options contradict each other, or one is missing."""
    if record is not None:
        if len(runs) != 1 or version or accept:
            raise InputError("--record is for one run.", advice="Name a run, and leave out --version.")
        return
    if accept and (runs or version):
        raise InputError("--accept plays nothing.", advice="Leave out runs and --version.")
    if accept and not comment.strip():
        raise InputError("An accepted group needs a reason.", advice="Write it by --comment.")
    if comment and not accept:
        raise InputError("--comment is for accepted groups.", advice="Name one by --accept.")
    if not accept and not version:
        raise InputError("No version is named.", advice="Use --version 7, or --version workflow.json.")


def _reject_unused(action: str, options: Mapping[str, object]) -> None:
    """Raise InputError where an option is given that an action which plays nothing does not use."""
    given = [name for name, value in options.items() if value]
    if given:
        raise InputError(f"{action} plays nothing.", advice=f"Leave out {' and '.join(given)}.")


def _accept(
    replays: ReplayRepository, source: Backend, key: str, filters: str, author: str, comment: str
) -> None:
    """Accept a group of the workflow that the filter names, or of the only one that has it, and print it.

    Raises:
        NotFoundError: No replay has it.
        InputError: Several workflows have it.
    """
    found = replays.find_workflows(key)
    wanted = read_filter(source, filters).workflow_id if filters.strip() else None
    found = [each for each in found if wanted in (None, each)]
    if not found:
        raise NotFoundError(f"No replay has a group {key!r}.", advice="Take its key from a replay's output.")
    if len(found) > 1:
        raise InputError(
            f"Replays of {len(found)} workflows have the group {key}.",
            advice=f"Name one, as in --filter workflow={found[0]}.",
        )
    replays.accept(found[0], key, accepted_by=author, comment=comment.strip())
    say(f"Accepted the group {key} of the workflow {found[0]}.")


def _write_recording(connections: Connections, source: Backend, run_id: str, path: Path) -> None:
    """Write the recorded answers of a run into a file.

    Raises:
        NotFoundError: There is no such run.
        InputError: Its events do not have all answers, or there is no such folder.
    """
    from debugger.protocol.base import check_id
    from debugger.replays.replayer import Replayer

    if not path.absolute().parent.is_dir():
        raise InputError(f"There is no folder {str(path.parent)!r}.", advice="Create it first.")
    run = source.record(check_id("run", run_id)).run
    options = connections.embedded.engine_options
    replayer = Replayer(source, run.workflow_id, run.version_number, options=options)
    text = replayer.record(run_id).to_text()
    with replaced_file(path, is_private=False) as file:
        file.write(text.encode())
    say(f"{path}: {path.stat().st_size} bytes.", err=True)


class _Chosen(NamedTuple):
    """The runs to play."""

    workflow_id: str
    run_ids: Iterable[str]
    """Those of the filter are read page by page."""
    number: int
    """As far as it is known."""


def _choose(source: Backend, filters: str, runs: list[str]) -> _Chosen:
    """Return the named runs, and those of the filter that are of the same workflow.

    Raises:
        InputError: None was selected, or they are of several workflows, or which one is not said.
        NotFoundError: There is no run of a named id.
    """
    from debugger.exports.sources import read_run_ids
    from debugger.protocol.base import check_id

    if not runs and not filters.strip():
        raise InputError("No run was selected.", advice="Use --filter 'workflow=\"Front desk\" since=30d'.")
    runs = list(dict.fromkeys(runs))
    workflows = dict.fromkeys(source.record(check_id("run", each)).run.workflow_id for each in runs)
    wanted = read_filter(source, filters) if filters.strip() else None
    if wanted is not None and wanted.workflow_id is not None:
        workflows |= {wanted.workflow_id: None}
    if not workflows:
        raise InputError(
            "The filter names no workflow.", advice="Add it: --filter 'workflow=\"Front desk\" since=30d'."
        )
    if len(workflows) > 1:
        raise InputError(
            f"The runs are of {len(workflows)} workflows.", advice="Replay those of one workflow at a time."
        )
    [workflow_id] = workflows
    if wanted is None:
        return _Chosen(workflow_id, runs, len(runs))
    wanted = replace(wanted, workflow_id=workflow_id)
    named = frozenset(runs)
    others = (each for each in read_run_ids(source, wanted) if each not in named)
    # Read before the number: a search may first have to index the runs.
    first = list(islice(others, 1))
    if not runs and not first:
        raise InputError(f"No run matches {filters!r}.", advice="Loosen the filter.")
    number = max(len(runs) + len(first), wanted.page(source, 1, 1).total)
    return _Chosen(workflow_id, chain(runs, first, others), number)


class _Played(NamedTuple):
    """The version that is played."""

    replayer: Replayer
    target: ReplayTarget


def _open_version(connections: Connections, source: Backend, workflow_id: str, version: str) -> _Played:
    """Return the version of a number or a file.

    Raises:
        InputError: The file cannot be read.
        NotFoundError: There is no such version.
        WorkflowError: The file is no workflow.
    """
    from debugger.cli.check import read_content
    from debugger.graph import load_workflow
    from debugger.protocol.json_codec import encode
    from debugger.replays.replayer import Replayer
    from debugger.store import ReplayTarget

    is_number = version.isascii() and version.isdigit()
    document = None if is_number else load_workflow(read_content(version))
    number = int(version) if is_number else 0
    options = connections.embedded.engine_options
    replayer = Replayer(source, workflow_id, number, document, options=options)
    digest = hashlib.sha256(encode(replayer.workflow.to_wire())).hexdigest()
    file = "" if is_number else Path(version).name
    return _Played(replayer, ReplayTarget(workflow_id, number, digest, file))


def _run(job: ReplayJob) -> None:
    """Play the runs, shown by a bar on a terminal; a signal ends it early, a second one the process.

    Raises the error that ended it early.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    cancelled = threading.Event()
    with (
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
        cancelled_by_signal(cancelled, second_ends=True),
    ):
        task = bar.add_task("", total=job.selected)
        job.start()
        while not job.wait(0.1):
            if cancelled.is_set():
                job.cancel()
            differing = job.counts.total() - job.counts["same"]
            words = f"{differing} not the same" if differing else ""
            bar.update(task, completed=job.done, total=max(job.selected, job.done), description=words)
    if job.error is not None:
        say(f"{counted(job.counts.total(), 'result')} stored; --resume continues from there.", err=True)
        raise job.error


def _report(
    job: ReplayJob, source: Backend, store: Store, other: Workflow, verdicts: frozenset[ReplayVerdict]
) -> ReplayReport:
    """Return the report of a replay that has ended, for a terminal."""
    from debugger.replays.groups import read_groups
    from debugger.replays.reports import KEYS_ONLY, ReplayReport

    stored = store.replays.find(job.replay_id)
    if stored is None:
        raise NotFoundError("The replay was deleted meanwhile.", advice="Start it again.")
    groups = read_groups(source, store.replays, stored, other=other)
    return ReplayReport(store.replays, stored, groups, other.name or "", verdicts, KEYS_ONLY)


def _register(source: Backend, store: Store, other: Workflow) -> Register:
    """Return the function that begins the run of a result at a boundary.

    The names of both versions are kept in texts; the values of the run that rules mask are registered.
    """
    from debugger.boundary import own_names
    from debugger.exports.sources import RunReader
    from debugger.exports.table import register_values

    reader, names = RunReader(source, store), list(own_names(other))

    def register(boundary: Boundary, result: ReplayResult) -> None:
        try:
            run = reader.run(result.run_id)
        except DebuggerError:  # it was deleted, or a server does not answer
            boundary.begin_run(names)
            return
        boundary.begin_run([*own_names(run.workflow), *names])
        register_values(boundary, run)

    return register


def _print_end(report: ReplayReport, job: ReplayJob) -> None:
    """Print the groups, what was not played, and the summary."""
    from debugger.replays.reports import NOT_COMPARED, text_lines

    for line in text_lines(report):
        say(line)
    if job.missing:
        say(f"{counted(job.missing, 'run')} deleted meanwhile.", err=True)
    if job.is_cancelled:
        say("Interrupted; --resume continues from there.", err=True)
    counts = report.replay.counts
    if counts and set(counts) <= NOT_COMPARED:
        say("Warning: No run could be compared.", err=True)


def _write_reports(files: Mapping[str, Path], report: ReplayReport) -> None:
    """Write the reports by kind, and print their sizes on the error output.

    Raises OSError when one cannot be written.
    """
    from debugger.replays.reports import write_json, write_junit

    writers: dict[str, Callable[[BinaryIO, ReplayReport], None]] = {
        "junit": write_junit,
        "json": write_json,
        "csv": _write_csv,
    }
    for name, path in files.items():
        with replaced_file(path, is_private=False) as file:
            writers[name](file, report)
        say(f"{path}: {path.stat().st_size} bytes.", err=True)


def _write_csv(file: BinaryIO, report: ReplayReport) -> None:
    from debugger.exports.csv_files import CsvOptions, write_csv
    from debugger.replays.reports import CSV_COLUMNS, csv_rows

    write_csv(file, CSV_COLUMNS, csv_rows(report), CsvOptions())
