"""The command ``export``."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import typer

from debugger.cli.maintenance import Database, counted
from debugger.cli.output import say
from debugger.errors import ConflictError, DebuggerError, InputError, NotFoundError, SettingsError
from debugger.protocol.scenario_runs import OUTCOMES

if TYPE_CHECKING:
    from debugger.backends.base import Backend
    from debugger.backends.embedded import EmbeddedBackend
    from debugger.boundary import MaskingOptions
    from debugger.exports.formats import ExportOptions, ExportProgress
    from debugger.exports.records import ExportedRun
    from debugger.exports.sources import RunFilter
    from debugger.settings import Settings

USAGE, INFRASTRUCTURE, INTERRUPTED = 2, 3, 130
"""Exit codes: what was asked for cannot be, the store or the disk failed, Ctrl+C or SIGTERM ended it."""

_KEYS = (
    *("workflow", "status", "version", "since", "until", "tag", "text", "starred", "parent"),
    *("scenario", "outcome"),
)

_RULES = "key, email, card, national_id, birth_date, phone, variable"
File = Annotated[Path | None, typer.Option(help="A report; its folder must exist.")]
MaskingRules = Annotated[str, typer.Option("--mask", help=f"Rules, separated by commas: {_RULES}.")]


def export(
    out: Annotated[Path, typer.Option("--out", help="The file; its folder must exist.")],
    filters: Annotated[
        str,
        typer.Option(
            "--filter",
            help="Runs of the list: workflow=, status=, version=, since=, until=, tag=, text=, starred=yes, "
            "parent=, scenario=, outcome=; separated by spaces; all must hold. 'all' takes every run.",
        ),
    ] = "",
    runs: Annotated[list[str] | None, typer.Option("--run", help="A run's id; may be repeated.")] = None,
    shape: Annotated[
        Literal["turn", "message", "event"] | None,
        typer.Option(help="What a row stands for; by default that of the preset."),
    ] = None,
    columns: Annotated[
        str,
        typer.Option(
            help="qa-review, lex-test-set, full-events, minimal, a saved preset, or columns separated by "
            "commas; also variable:NAME and check:NAME. The help's topic “Columns of exports” lists them."
        ),
    ] = "qa-review",
    file_format: Annotated[
        Literal["csv", "xlsx", "jsonl", "html", "run"] | None,
        typer.Option("--format", help="By default that of the file's extension."),
    ] = None,
    no_mask: Annotated[
        bool, typer.Option("--no-mask", help="Do not mask personal data; secrets stay masked.")
    ] = False,
    rules: MaskingRules = "",
    hidden: Annotated[
        str, typer.Option("--hide", help="Variables to mask wherever they occur, separated by commas.")
    ] = "",
    bom: Annotated[bool, typer.Option("--bom/--no-bom", help="CSV: begin with a byte order mark.")] = False,
    separator: Annotated[str, typer.Option(help="CSV: comma, semicolon or tab.")] = "comma",
    no_guard: Annotated[bool, typer.Option("--no-guard", help="CSV: leave formulas as they are.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
    database: Database = "",
) -> None:
    """Export runs of the store into one file.

    Exit code 2 is for wrong use, 3 for a store or disk that fails, 130 for an interrupted export.
    """
    from debugger.backends import open_embedded
    from debugger.exports.choices import build_options, read_columns, read_separator
    from debugger.exports.csv_files import CsvOptions
    from debugger.exports.presets import PRESETS

    with exit_codes():
        if out.exists() and not force:
            raise ConflictError(f"{out} exists.", advice="Use --force to replace it.")
        with closing(open_embedded(settings_on(database))) as backend:
            masking = masking_options(rules, hidden, no_mask=no_mask)
            saved = {} if columns in PRESETS else backend.store.export_presets.all()
            choices = replace(
                read_columns(columns, saved),
                format=file_format or _format_of(out),
                shape=shape,
                masking=masking,
                csv=CsvOptions(bom, read_separator(separator), not no_guard),
                title="Runs of the store",
            )
            options = build_options(choices, saved)
            ids = _run_ids(backend, filters, runs or [])
            if options.format == "run" and len(ids) > 1 and out.name.endswith(".json"):
                raise InputError(
                    f"{out.name} is the name of one run, and {len(ids)} are exported.",
                    advice="Name it *.runs.zip: several runs are in an archive.",
                )
            is_single = len(ids) == 1 and not out.name.endswith(".zip")
            _write(backend, ids, replace(options, is_single=is_single), out)


def masking_options(rules: str, hidden: str, *, no_mask: bool) -> MaskingOptions:
    """Return the masking rules of the options; all rules where none is named.

    Listed variables add the rule ``variable``.

    Raises:
        InputError: They contradict each other, or there is no such rule.
    """
    from debugger.boundary import RULES, MaskingOptions
    from debugger.exports.choices import split_names

    if no_mask and (rules or hidden):
        raise InputError("--no-mask goes with neither --mask nor --hide.", advice="Leave one of them out.")
    names = frozenset(split_names(rules)) or frozenset(RULES)
    listed = split_names(hidden)
    names |= {"variable"} if listed else frozenset()
    return MaskingOptions(frozenset() if no_mask else names, listed)


def settings_on(database: str) -> Settings:
    """Return the settings with the store of an option, if it names one.

    Raises SettingsError when a value of them cannot be used.
    """
    from debugger.settings import read_settings

    settings = read_settings()
    return settings.model_copy(update={"database": database}) if database else settings


def _format_of(out: Path) -> str:
    """Return the format of a file's extension.

    Raises:
        InputError: No format has it.
    """
    from debugger.exports.formats import EXPORTS

    extensions = {export.extension: name for name, export in EXPORTS.items()} | {".zip": "run"}
    found = next((name for ending, name in extensions.items() if out.name.endswith(ending)), None)
    if found is None:
        raise InputError(
            f"The format of {out.name!r} is not known.", advice=f"Use --format {' or '.join(EXPORTS)}."
        )
    return found


def _run_ids(backend: EmbeddedBackend, filters: str, runs: list[str]) -> list[str]:
    """Return the ids of the runs: those that are named first, then those of the filter, each once.

    Raises:
        InputError: The filter or an id is malformed, or no run was selected.
        NotFoundError: There is no run of a named id.
    """
    from debugger.exports.sources import find_run_ids
    from debugger.protocol.base import check_id

    filters = filters.strip()
    if not filters and not runs:
        raise InputError(
            "No run was selected.", advice="Use --run ID, --filter 'status=failed' or --filter all."
        )
    for run_id in runs:
        backend.store.record(check_id("run", run_id))
    ids = dict.fromkeys(runs)
    if filters:
        ids |= dict.fromkeys(find_run_ids(backend, read_filter(backend, filters)))
    if not ids:
        if filters == "all":
            raise InputError("There is no run.", advice="Name the store with --database.")
        raise InputError(f"No run matches {filters!r}.", advice="Loosen the filter, or use --filter all.")
    return list(ids)


def read_filter(backend: Backend, text: str) -> RunFilter:
    """Return the filter that a text says, such as ``status=failed since=2026-11-01``.

    Raises:
        InputError: A part of it is not known.
    """
    from debugger.exports.sources import RunFilter
    from debugger.protocol.runs import RunSearch

    if text == "all":
        return RunFilter()
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError(
            f"The filter {text!r} cannot be read: {error}.", advice="Close the quotes."
        ) from error
    values: dict[str, str] = {}
    for part in words:
        key, is_set, value = part.partition("=")
        if not is_set or key not in _KEYS or not value:
            raise InputError(
                f"The part {part!r} of the filter is not known.",
                advice=f"Use {', '.join(f'{name}=' for name in _KEYS)} with a value.",
            )
        values[key] = value
    if (starred := values.get("starred", "yes").lower()) not in ("yes", "true", "1"):
        raise InputError(f"The filter cannot have starred={starred}.", advice="Use starred=yes, or omit it.")
    workflow = values.get("workflow")
    search = RunSearch(
        version_number=_version(values.get("version")),
        since=_moment(values.get("since")),
        until=_moment(values.get("until")),
        text=values.get("text", ""),
        tag=values.get("tag", ""),
        starred="starred" in values,
        source_workflow_run_id=values.get("parent", ""),
        scenario=values.get("scenario", ""),
        scenario_outcome=_scenario_outcome(values.get("outcome", "")),
    )
    return RunFilter(find_workflow_id(backend, workflow) if workflow else None, values.get("status"), search)


def _scenario_outcome(wanted: str) -> str:
    """Return the outcome of scenarios in a filter.

    Raises:
        InputError: There is no such outcome.
    """
    if wanted and wanted not in OUTCOMES:
        raise InputError(f"The filter cannot have outcome={wanted}.", advice=f"Use {', '.join(OUTCOMES)}.")
    return wanted


def find_workflow_id(backend: Backend, wanted: str) -> str:
    """Return a workflow's id by id or name.

    Raises:
        InputError: None has that name, or several have.
    """
    from debugger.protocol.base import check_id

    found = {each.id: each.name for each in backend.workflows()}
    if wanted in found:
        return wanted
    named = [workflow_id for workflow_id, name in found.items() if (name or "").lower() == wanted.lower()]
    if len(named) == 1:
        return named[0]
    if not named and len(wanted) == 24:
        return check_id("workflow", wanted)  # it was deleted; its runs stay
    raise InputError(
        f"{len(named) or 'No'} workflow{'s are' if len(named) > 1 else ' is'} named {wanted!r}.",
        advice="Use the workflow's id.",
    )


def _version(text: str | None) -> int | None:
    """Parse the option ``version``; ``None`` without it.

    Raises:
        InputError: It is none.
    """
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise InputError(f"A version is a number, but {text!r} is none.", advice="Use version=3.")
    return int(text)


def _moment(text: str | None) -> datetime | None:
    """Return a moment; one without a zone is in UTC, and ``30d`` is 30 days ago.

    Raises:
        InputError: It is not a date.
    """
    if text is None:
        return None
    try:
        if (ago := re.fullmatch(r"(\d{1,5})([dh])", text, re.ASCII)) is not None:
            unit = "days" if ago[2] == "d" else "hours"
            return datetime.now(UTC) - timedelta(**{unit: int(ago[1])})
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is not a date.",
            advice="Write it as 2026-11-28, 2026-11-28T10:00:00Z, or 30d for 30 days ago.",
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _write(backend: EmbeddedBackend, ids: list[str], options: ExportOptions, out: Path) -> None:
    """Write runs into a file, and print its size, its rows and what was masked on the error output.

    Runs without a row and those that were deleted meanwhile are named there, too. A signal ends it with
    ExportCancelled; then, and after any error, an earlier file of that name stays as it was.
    """
    from debugger.exports.formats import ExportProgress, write_export
    from debugger.exports.sources import RunReader

    reader = RunReader(backend, backend.store)
    progress = ExportProgress()
    with replaced_file(out) as file, cancelled_by_signal(progress.cancelled):
        write_export(file, _shown(reader.read(ids), len(ids), progress), options, progress)
    masked = ", ".join(f"{rule} {number}" for rule, number in sorted(progress.masked.items())) or "nothing"
    state = "masking is off" if options.table.masking.is_off else f"masked: {masked}"
    rows = f", {progress.rows} rows" if progress.rows else ""
    size = out.stat().st_size
    say(f"{out}: {counted(progress.runs, 'run')}{rows}, {size} bytes; {state}.", err=True)
    if progress.rowless_words:
        say(progress.rowless_words, err=True)
    for run_id in reader.missing:
        say(f"Run {run_id} was deleted meanwhile.", err=True)


def _shown(runs: Iterator[ExportedRun], total: int, progress: ExportProgress) -> Iterator[ExportedRun]:
    """Yield runs, and show how far they are where a person looks.

    That is a bar on the error output, if it is a terminal.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("Exporting"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        for run in runs:
            yield run
            bar.update(task, completed=progress.runs + 1)


def report_files(**reports: Path | None) -> dict[str, Path]:
    """Return the reports to write.

    Raises:
        InputError: One is a folder, or in none, or two are the same file.
    """
    files = {name: path for name, path in reports.items() if path}
    for path in files.values():
        if not path.absolute().parent.is_dir():
            raise InputError(f"There is no folder {str(path.parent)!r}.", advice="Create it first.")
        if path.is_dir():
            raise InputError(f"{str(path)!r} is a folder.", advice="Name a file in it.")
    if len({path.resolve() for path in files.values()}) < len(files):
        raise InputError("Two reports have the same file.", advice="Give each a file of its own.")
    return files


@contextmanager
def replaced_file(out: Path, *, is_private: bool = True) -> Iterator[BinaryIO]:
    """Write beside a file, then put the whole in its place; write a device or a pipe itself.

    After an exception of the block the file is as it was before. Raises OSError when it cannot be written.

    Args:
        out: The file.
        is_private: Whether no other user of the machine may read it.
    """
    if out.exists() and not out.is_file():
        with out.open("wb") as device:
            yield device
        return
    out = out.resolve()  # of a link, the file that it names
    beside, mode = out.with_name(f".{out.name}.{secrets.token_hex(4)}"), 0o600 if is_private else 0o666
    try:
        with open(beside, "x+b", opener=lambda path, flags: os.open(path, flags, mode)) as file:
            yield file
        beside.replace(out)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


@contextmanager
def cancelled_by_signal(cancelled: threading.Event, *, second_ends: bool = False) -> Iterator[None]:
    """Let signals cancel the work within the block, so that no partial file stays.

    These are SIGINT and SIGTERM; their earlier handlers are restored at the end. Raises ValueError outside of
    the main thread.

    Args:
        cancelled: Set by a signal.
        second_ends: Whether a second signal ends the process.
    """
    earlier = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in earlier.items():
            signal.signal(number, handler)

    def cancel(number: int, frame: FrameType | None) -> None:
        if second_ends:
            restore()
        cancelled.set()

    for number in earlier:
        signal.signal(number, cancel)
    try:
        yield
    finally:
        restore()


@contextmanager
def exit_codes() -> Iterator[None]:
    """Print errors, with secrets masked, instead of raising them, and exit with the code of their kind.

    That is 2 for an InputError, ConflictError, NotFoundError or SettingsError, 3 for any other DebuggerError
    and for an OSError, 130 for Ctrl+C, without a line, and for a cancelled export. Other exceptions leave
    unchanged.
    """
    from debugger.boundary import release_line
    from debugger.exports.formats import ExportCancelled

    try:
        yield
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ExportCancelled as error:
        say(f"{error}", err=True)
        sys.exit(INTERRUPTED)
    except DebuggerError as error:
        say(f"error: {release_line(str(error))}", err=True)
        is_usage = isinstance(error, InputError | ConflictError | NotFoundError | SettingsError)
        sys.exit(USAGE if is_usage else INFRASTRUCTURE)
    except OSError as error:
        say(f"error: The file cannot be written: {error.strerror or error}.", err=True)
        sys.exit(INFRASTRUCTURE)
