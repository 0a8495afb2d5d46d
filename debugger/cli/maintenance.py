"""The commands that maintain the store (``backup``, ``restore``, ``prune``), and what others share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from debugger.cli.output import say
from debugger.errors import DebuggerError, InputError, SettingsError, StoreDamagedError
from debugger.telemetry.logs import escape_controls
from debugger.telemetry.progress import follow_progress

if TYPE_CHECKING:
    from rich.progress import TaskID

    from debugger.settings import Settings
    from debugger.store import Limits, Pruning

_MAX_LINES = 20

Database = Annotated[str, typer.Option(help="URL of the store; the user's own by default.")]


def backup(
    file: Annotated[Path, typer.Argument(help="The backup; an earlier one of that name is replaced.")],
    database: Database = "",
    team: Annotated[
        str, typer.Option(help="A team of an earlier version, whose store is backed up instead.")
    ] = "",
) -> None:
    """Write the whole store into one file, while others use it.

    Of a damaged SQLite file, what can be read is written into a new file, what cannot is listed, and the exit
    code is 1, as it is for any other error.
    """
    from debugger.store import back_up, team_url

    with exit_on_error():
        url = store_url(database)
        url = team_url(url, team) if team else url
        try:
            with shown_progress():
                counts = back_up(url, file)
        except StoreDamagedError as error:
            _back_up_readable(url, file, error)
        say(f"{file}: {_rows_words(counts)}, {_bytes(file.stat().st_size)}.")


def _back_up_readable(url: str, file: Path, damage: StoreDamagedError) -> NoReturn:
    """Write what can be read of a damaged store into a new file, list what cannot, and exit with code 1.

    Raises StoreDamagedError with the first damage when nothing can be read, and InputError when there is a
    file of that name or it cannot be written.
    """
    from debugger.store import back_up_readable

    try:
        with shown_progress():
            counts, lost = back_up_readable(url, file)
    except StoreDamagedError:
        advice = "Nothing of it can be read: move it away, and restore an earlier backup."
        raise StoreDamagedError(damage.message, advice=advice) from damage
    say(f"error: {damage.message}", err=True)
    say(f"{file}: {_rows_words(counts)}, {_bytes(file.stat().st_size)}; all that can be read.")
    say(f"{counted(len(lost), 'row')} cannot be read:", err=True)
    for line in lost[:_MAX_LINES]:
        say(f"  {escape_controls(line)}", err=True)
    if len(lost) > _MAX_LINES:
        say(f"  … and {len(lost) - _MAX_LINES} more", err=True)
    say("Move the database away, and restore this backup or an earlier one.", err=True)
    sys.exit(1)


def restore(
    file: Annotated[Path, typer.Argument(help="A backup, of a database of any kind.")],
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Delete the store's content first; without this, the store must be empty."
        ),
    ] = False,
    database: Database = "",
) -> None:
    """Replace the store by a backup; keys are valid or revoked as in the backup.

    It is replaced as a whole or not at all. Exit code 1 is for a file that is no whole backup, a store that
    is not empty without --replace, and a store that fails.
    """
    from debugger.store import restore as restore_backup

    with exit_on_error():
        with shown_progress():
            counts = restore_backup(store_url(database), file, replace=replace)
        say(f"Restored {_rows_words(counts)}.")


def prune(
    days: Annotated[
        float | None, typer.Option(min=0, help="Days that a run is kept after its last turn.")
    ] = None,
    runs: Annotated[int | None, typer.Option(min=0, help="Runs to keep.")] = None,
    size: Annotated[
        int | None, typer.Option("--bytes", min=0, help="Bytes that workflows and runs may take.")
    ] = None,
    marked: Annotated[
        bool,
        typer.Option(
            "--marked", help="Also delete runs that are starred, tagged, commented, rated or noted on."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete them; without it, they are only shown.")] = False,
    database: Database = "",
) -> None:
    """List the runs beyond the limits; with --yes, delete them.

    The default limits are WORKFLOW_DEBUGGER_KEEP_DAYS, _KEEP_RUNS and _KEEP_BYTES.

    Runs that users have deleted are removed after WORKFLOW_DEBUGGER_KEEP_DELETED_DAYS; suite runs
    and replays after the days alone.
    """
    from debugger.settings import read_settings
    from debugger.store import Store

    with exit_on_error():
        settings = read_settings()
        with shown_progress():
            opened = Store(store_url(database))
        with closing(opened) as store:
            expired = store.hidden.find_expired(settings.keep_deleted_days)
            limits = _limits(settings, days, runs, size, marked, is_required=not expired)
            if expired:
                say(f"{counted(len(expired), 'deleted run')} can no longer be restored and would be deleted.")
            suites = store.suites.find_expired(limits.days) if limits.days is not None else []
            if suites:
                say(f"{counted(len(suites), 'suite run')} would be deleted.")
            replays = store.replays.find_expired(limits.days) if limits.days is not None else []
            if replays:
                say(f"{counted(len(replays), 'replay')} would be deleted.")
            pruning = store.plan_pruning(limits)
            for line in _plan_lines(pruning):
                say(line)
            if not pruning.candidates and not expired and not suites and not replays:
                return
            if not yes:
                say("Nothing was deleted; use --yes to delete them.")
                return
            with shown_progress():
                count = store.hidden.prune(settings.keep_deleted_days) + store.prune(pruning)
            say(f"Deleted {counted(count, 'run')}.")
            if limits.days is not None and (gone := store.suites.prune(limits.days)):
                say(f"Deleted {counted(gone, 'suite run')}.")
            if limits.days is not None and (gone := store.replays.prune(limits.days)):
                say(f"Deleted {counted(gone, 'replay')}.")
            store.compact()


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print an expected error in one sentence, and exit with code 1.

    That is a DebuggerError, with secrets masked, on the error output; one that the user has not caused has a
    second line. Other exceptions leave unchanged.
    """
    try:
        yield
    except DebuggerError as error:
        from debugger.boundary import release_line

        say(f"error: {release_line(str(error))}", err=True)
        is_of_user = error.status < HTTPStatus.INTERNAL_SERVER_ERROR or isinstance(error, SettingsError)
        if not is_of_user:
            say("For help, send this with the output of: workflow-debugger report", err=True)
        sys.exit(1)


@contextmanager
def shown_progress() -> Iterator[None]:
    """Show the progress of the block on a terminal, a line for each step.

    The terminal is that of the error output; elsewhere nothing is shown. Errors of the block leave unchanged.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.update(tasks[step], completed=done, total=total)

        with follow_progress(report):
            yield


def day(seconds: float) -> str:
    """Return the day of a time in UTC; a question mark for an invalid one."""
    try:
        return str(datetime.fromtimestamp(seconds, UTC).date())
    except (OSError, OverflowError, TypeError, ValueError):
        return "?"


def store_url(database: str) -> str:
    """Return the URL of the store: the option's, or that of the settings.

    Raises SettingsError when a setting cannot be used.
    """
    from debugger.settings import read_settings

    return database or read_settings().database_url


def _limits(
    settings: Settings,
    days: float | None,
    runs: int | None,
    size: int | None,
    marked: bool,
    *,
    is_required: bool,
) -> Limits:
    """Return the limits of the options, by default those of the settings.

    Raises:
        InputError: There is no limit at all, and there has to be one.
    """
    from debugger.store import Limits

    limits = Limits(
        settings.keep_days if days is None else days,
        settings.keep_runs if runs is None else runs,
        settings.keep_bytes if size is None else size,
        marked,
    )
    if is_required and limits.days is limits.runs is limits.size is None:
        raise InputError(
            "No limit is set.",
            advice="Set one, as in --days 90, --runs 10000 or --bytes 1000000000.",
        )
    return limits


def _plan_lines(pruning: Pruning) -> Iterator[str]:
    """Yield the lines that show what would be deleted.

    That is a summary, up to `_MAX_LINES` runs with the number of more, and how many stay all the same.
    """
    size = sum(run.size for run in pruning.candidates)
    yield (
        f"{len(pruning.candidates)} of {counted(pruning.runs, 'run')} would be deleted, "
        f"with {_bytes(size)} of {_bytes(pruning.size)}."
    )
    for run in pruning.candidates[:_MAX_LINES]:
        cells = (
            escape_controls(run.run_id),
            day(run.updated_at),
            counted(run.turn_count, "turn"),
            _bytes(run.size),
            escape_controls(run.workflow_name or ""),
        )
        yield "  " + "  ".join(cells).rstrip()
    if len(pruning.candidates) > _MAX_LINES:
        yield f"  … and {len(pruning.candidates) - _MAX_LINES} more"
    if pruning.kept:
        yield (
            f"{counted(pruning.kept, 'run')} beyond the limits will stay: "
            "a user has marked them (--marked deletes these, too), or a turn is in progress or interrupted."
        )


def _rows_words(counts: dict[str, int]) -> str:
    """Return the numbers of workflows, runs and turns in words; a table that is not there counts as 0."""
    parts = (
        (counts.get("workflows", 0), "workflow"),
        (counts.get("runs", 0), "run"),
        (counts.get("turns", 0), "turn"),
    )
    return ", ".join(counted(number, noun) for number, noun in parts)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 run``, ``2 runs``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _bytes(size: float) -> str:
    """Return a size with its unit, from bytes to GB, in steps of 1000."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
