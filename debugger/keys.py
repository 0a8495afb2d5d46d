"""The commands that look after the keys of people: ``keys add``, ``list`` and ``revoke``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

import typer

from debugger.store import ApiKey, ApiKeys, Role, Store
from debugger.upkeep import Database, day, main_url, told_errors

_MAIN = "-"
"""Stands for the team of the main store, which has no name."""

keys = typer.Typer(no_args_is_help=True, help="Look after the keys that let people use the server.")


@keys.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose key it is; what they do on the server bears this name.")],
    role: Annotated[
        Role,
        typer.Option(help="read: see; review: also comment, rate; run: also run turns; admin: all."),
    ],
    team: Annotated[
        str, typer.Option(help="The team whose data they see; those of the main store by default.")
    ] = "",
    database: Database = "",
) -> None:
    """Make a key for somebody. It is printed this once; nobody can look it up later."""
    with _opened(database) as known:
        key, shown = known.add(name, role, team or None)
        # The key alone on the standard output, so that it can be piped to where it is needed.
        typer.echo(f"Key {key.id} for {key.person}: {_rights(key)}. It is not shown again:", err=True)
        typer.echo(shown)


@keys.command(name="list")
def list_keys(database: Database = "") -> None:
    """Show whose keys there are, but not the keys."""
    with _opened(database) as known:
        lines = [
            (key.id, key.person, key.role, key.team or _MAIN, day(key.created_at), _revoked(key))
            for key in known.all()
        ]
        for line in _columns([("ID", "PERSON", "ROLE", "TEAM", "MADE", "REVOKED"), *lines]):
            typer.echo(line)


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows it.")],
    database: Database = "",
) -> None:
    """Let a key open nothing any more, on every server within two seconds."""
    with _opened(database) as known:
        known.revoke(key_id)
        typer.echo(f"Key {key_id} is revoked.")


@contextmanager
def _opened(database: str) -> Iterator[ApiKeys]:
    with told_errors(), closing(Store(main_url(database))) as store:
        yield store.api_keys


def _rights(key: ApiKey) -> str:
    return f"role {key.role}, {f'team {key.team}' if key.team else 'no team'}"


def _revoked(key: ApiKey) -> str:
    return "" if key.revoked_at is None else day(key.revoked_at)


def _columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
