"""The command line: ``python -m debugger serve``."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from typing import Annotated, NoReturn

import typer

from debugger.backends import open_embedded
from debugger.errors import DebuggerError
from debugger.server import serve as serve_backend
from debugger.settings import read_settings

main = typer.Typer(add_completion=False, no_args_is_help=True, help="Step conversational AI workflows.")


class InlinePython(StrEnum):
    """Whether Python code in a workflow may run."""

    off = "off"
    isolated = "isolated"


@main.callback()
def _commands() -> None:
    """Step conversational AI workflows."""


@main.command()
def serve(
    host: Annotated[str, typer.Option(help="Interface to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: a free one.")] = 8611,
    database: Annotated[str, typer.Option(help="URL of the store; the user's own by default.")] = "",
    api_key: Annotated[
        str,
        typer.Option(
            envvar="WORKFLOW_DEBUGGER_API_KEY",
            show_envvar=True,
            help="Bearer key that callers must send; none by default.",
        ),
    ] = "",
    inline_python: Annotated[
        InlinePython | None, typer.Option(help="Whether Python code in a workflow may run.")
    ] = None,
) -> None:
    """Serve the platform's API from the embedded engine."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = read_settings()
        chosen: dict[str, str] = {"database": database} if database else {}
        if inline_python is not None:
            chosen["inline_python"] = inline_python.value
        backend = open_embedded(settings.model_copy(update=chosen))
    except DebuggerError as error:
        _give_up(error)
    try:
        serve_backend(backend, host, port, api_key or None)
    except DebuggerError as error:
        _give_up(error)
    finally:
        backend.close()


def _give_up(error: DebuggerError) -> NoReturn:
    typer.echo(f"error: {error}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
