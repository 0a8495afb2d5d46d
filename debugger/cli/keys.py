"""The commands for API keys of users: ``keys add``, ``list`` and ``revoke``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from debugger.cli.maintenance import Database, day, exit_on_error, store_url
from debugger.cli.output import say
from debugger.telemetry.logs import escape_controls

if TYPE_CHECKING:
    from debugger.store import ApiKeys

keys = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Manage the API keys of users of the server."
)


@keys.command()
def add(
    name: Annotated[str, typer.Argument(help="The user's name, shown at their comments and workflows.")],
    role: Annotated[
        Literal["read", "review", "run", "admin"],
        typer.Option(
            help="read: view; review: also comment and rate; run: also run turns; admin: everything."
        ),
    ],
    database: Database = "",
) -> None:
    """Create a key. It is printed once and cannot be read later.

    The key is all of the standard output; its id and owner are on the error output. Exit code 1 is for a name
    that cannot be used, and for a store that fails.
    """
    from debugger.store import Role

    with _opened(database) as known:
        key, secret = known.add(name, Role(role))
        # The key alone on the standard output, so that it can be piped to another program.
        say(
            f"Key {key.id} for {escape_controls(key.person)}: role {key.role}. It is not shown again:",
            err=True,
        )
        say(secret)


@keys.command(name="list")
def list_keys(database: Database = "") -> None:
    """List the users that have keys, without the keys.

    Revoked keys are listed, too, with the day. Exit code 1 is for a store that fails.
    """
    with _opened(database) as known:
        lines = [
            (
                escape_controls(key.id),
                escape_controls(key.person),
                key.role,
                escape_controls(key.team or "-"),
                day(key.created_at),
                "" if key.revoked_at is None else day(key.revoked_at),
            )
            for key in known.all()
        ]
        rows = [("ID", "USER", "ROLE", "TEAM", "CREATED", "REVOKED"), *lines]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            say("  ".join(cells).rstrip())


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows it.")],
    database: Database = "",
) -> None:
    """Revoke a key; every server rejects it within two seconds.

    A key that was revoked before stays so. Exit code 1 is for an unknown id, and for a store that fails.
    """
    with _opened(database) as known:
        known.revoke(key_id)
        say(f"Key {key_id} is revoked.")


@contextmanager
def _opened(database: str) -> Iterator[ApiKeys]:
    from debugger.store import Store

    with exit_on_error(), closing(Store(store_url(database), permits_teams=True)) as store:
        yield store.api_keys
