"""The command line: a module for each group of commands."""

from __future__ import annotations

import typer

from debugger.cli.check import check
from debugger.cli.export import export
from debugger.cli.keys import keys
from debugger.cli.maintenance import maintenance
from debugger.cli.server import serve
from debugger.cli.test import test

main = typer.Typer(add_completion=False, no_args_is_help=True, help="Step conversational AI workflows.")
main.add_typer(maintenance)
main.add_typer(keys, name="keys")
main.command()(serve)
main.command()(check)
main.command()(export)
main.command()(test)


@main.callback()
def _commands() -> None:
    """Step conversational AI workflows."""
