"""The command line: a module per group of commands, imported when used."""

from __future__ import annotations

import gc
import io
import sys
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class _Command(NamedTuple):
    module: str
    help: str
    """The first sentence of its docstring: the list of commands imports no module."""


COMMANDS = {
    "app": _Command("app", "Start the app, until Ctrl+C; the default without a command."),
    "serve": _Command("server", "Serve the platform's API from the embedded engine."),
    "check": _Command(
        "check", "Report problems of files: exit code 1 with errors, 2 when a file cannot be read."
    ),
    "test": _Command("test", "Run scenarios and check their expectations."),
    "replay": _Command("replay", "Play recorded runs on another version, and show which of them differ."),
    "coverage": _Command("coverage", "Show what of their workflow versions recorded runs have covered."),
    "affected": _Command(
        "affected",
        "Show which scenarios and stored runs the changes between two workflow versions affect.",
    ),
    "export": _Command("export", "Export runs of the store into one file."),
    "graph": _Command("graph", "Write a picture of a workflow, with or without the path of a run."),
    "keys": _Command("keys", "Manage the API keys of users of the server."),
    "backup": _Command("maintenance", "Write the whole store into one file, while others use it."),
    "restore": _Command(
        "maintenance", "Replace the store by a backup; keys are valid or revoked as in the backup."
    ),
    "prune": _Command("maintenance", "List the runs beyond the limits; with --yes, delete them."),
    "report": _Command("report", "Print versions and settings without secrets, to be sent with an error."),
}


class _Commands(TyperGroup):
    """Group whose commands are placeholders until one is used."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=known.help) for name, known in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, name and load_command(name), rest


def load_command(name: str) -> Any:
    """Return a command that can be called, or a group of such.

    Imports its module; the objects that are there then are excluded from garbage collection.

    Raises:
        KeyError: There is no such command.
    """
    # Modules stay until the end: each search for garbage among them made `keys list` 0.2 s slower, and the
    # start and end of `serve` too (2026-11-28, CPU, 0.8 and 1.9 s before).
    gc.disable()
    try:
        found = getattr(import_module(f"{__name__}.{COMMANDS[name].module}"), name)
    finally:
        gc.enable()
    gc.freeze()
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False)
        single.command()(found)
        found = single
    command = get_command(found)
    command.name = name
    return command


main = typer.Typer(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Step conversational AI workflows.",
)


@main.callback(invoke_without_command=True)
def _commands(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Step conversational AI workflows.

    Without a command the app is started; with ``--version`` the version is printed, and the process exits.
    Prints characters that the standard output has not as escapes, from now on.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # A name may have characters that the terminal or the file of a log has not.
        sys.stdout.reconfigure(errors="backslashreplace")
    if version:
        from importlib import metadata

        typer.echo(f"workflow-debugger {metadata.version('workflow-debugger')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        load_command("app")([], parent=context)
