"""The commands that look after the store: ``backup``, ``restore`` and ``prune``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from debugger.errors import DebuggerError, InputError, NotFoundError
from debugger.settings import Settings, read_settings
from debugger.store import Limits, Pruning, Store, back_up, url_of_team
from debugger.store import restore as restore_backup

_MOST_LINES = 20

upkeep = typer.Typer()

Database = Annotated[str, typer.Option(help="URL of the store; the user's own by default.")]
Team = Annotated[str, typer.Option(help="The team whose store it is; the main one by default.")]


@upkeep.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to; a file of that name is replaced.")],
    database: Database = "",
    team: Team = "",
) -> None:
    """Write all that the store holds into one file, while others go on."""
    with told_errors():
        counts = back_up(_url(database, team), file)
        typer.echo(f"{file}: {_counted(counts)}, {_bytes(file.stat().st_size)}.")


@upkeep.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup, of a database of any kind.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Let what the store holds go; without it, it must be empty.")
    ] = False,
    database: Database = "",
    team: Team = "",
) -> None:
    """Make the store what a backup holds; the main one's also says which keys are good."""
    with told_errors():
        typer.echo(f"Restored {_counted(restore_backup(_url(database, team), file, replace=replace))}.")


@upkeep.command()
def prune(
    days: Annotated[
        float | None, typer.Option(min=0, help="Days that a run is kept after its last turn.")
    ] = None,
    runs: Annotated[int | None, typer.Option(min=0, help="Runs that are kept.")] = None,
    size: Annotated[
        int | None, typer.Option("--bytes", min=0, help="Bytes that workflows and runs may take.")
    ] = None,
    marked: Annotated[
        bool,
        typer.Option(
            "--marked", help="Let runs go too that are starred, tagged, commented, rated or noted on."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete them; without it, they are only shown.")] = False,
    database: Database = "",
    team: Team = "",
) -> None:
    """Show the runs that have been kept for long enough, and with --yes delete them.

    What is not said here is taken from WORKFLOW_DEBUGGER_KEEP_DAYS, _KEEP_RUNS and _KEEP_BYTES.
    """
    with told_errors():
        settings = read_settings()
        limits = _limits(settings, days, runs, size, marked)
        with closing(Store(_url(database, team))) as store:
            pruning = store.what_would_go(limits)
            for line in _shown(pruning):
                typer.echo(line)
            if not pruning.gone:
                return
            if not yes:
                typer.echo("Nothing was deleted; say --yes to delete them.")
                return
            typer.echo(f"Deleted {_number(store.prune(pruning), 'run')}.")
            store.compact()


@contextmanager
def told_errors() -> Iterator[None]:
    """End with a sentence where something goes wrong that a person can act on."""
    try:
        yield
    except DebuggerError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)


def day(seconds: float) -> str:
    """Return the day of a time; a question mark where a damaged database holds no time."""
    try:
        return str(datetime.fromtimestamp(seconds, UTC).date())
    except (OverflowError, TypeError, ValueError):
        return "?"


def main_url(database: str) -> str:
    """The URL of the main store: the one that was named, or the user's own."""
    return database or read_settings().database_url


def _url(database: str, team: str) -> str:
    """The URL of a store.

    Raises:
        NotFoundError: There is no such team. One is made by its first key, not by a slip of the pen here.
    """
    url = main_url(database)
    if not team:
        return url
    with closing(Store(url)) as main:
        teams = {key.team for key in main.api_keys.all() if key.team is not None}
    if team not in teams:
        raise NotFoundError(
            f"There is no team {team!r}; {_told_teams(teams)}.",
            advice=f"Add a key of it first: python -m debugger keys add NAME --role admin --team {team}",
        )
    return url_of_team(url, team)


def _told_teams(teams: set[str]) -> str:
    return f"there are {', '.join(sorted(teams))}" if teams else "there is none at all"


def _limits(
    settings: Settings, days: float | None, runs: int | None, size: int | None, marked: bool
) -> Limits:
    """What may be kept: as asked, else as set.

    Raises:
        InputError: There is no limit at all.
    """
    limits = Limits(
        settings.keep_days if days is None else days,
        settings.keep_runs if runs is None else runs,
        settings.keep_bytes if size is None else size,
        marked,
    )
    if limits.days is limits.runs is limits.size is None:
        raise InputError(
            "There is no limit to what is kept.",
            advice="Say one, as in --days 90, --runs 10000 or --bytes 1000000000.",
        )
    return limits


def _shown(pruning: Pruning) -> Iterator[str]:
    """What would go, in words."""
    size = sum(run.size for run in pruning.gone)
    yield (
        f"{len(pruning.gone)} of {_number(pruning.runs, 'run')} would go, "
        f"with {_bytes(size)} of {_bytes(pruning.size)}."
    )
    for run in pruning.gone[:_MOST_LINES]:
        told = (
            run.run_id,
            day(run.updated_at),
            _number(run.turn_count, "turn"),
            _bytes(run.size),
            run.workflow_name or "",
        )
        yield "  " + "  ".join(told).rstrip()
    if len(pruning.gone) > _MOST_LINES:
        yield f"  … and {len(pruning.gone) - _MOST_LINES} more"
    if pruning.spared:
        yield (
            f"{_number(pruning.spared, 'run')} beyond the limits will stay: "
            "somebody has marked them (--marked lets these go), or a turn is under way."
        )


def _counted(counts: dict[str, int]) -> str:
    told = (
        (counts.get("workflows", 0), "workflow"),
        (counts.get("runs", 0), "run"),
        (counts.get("turns", 0), "turn"),
    )
    return ", ".join(_number(number, noun) for number, noun in told)


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _bytes(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
