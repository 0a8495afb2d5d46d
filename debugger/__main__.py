"""The command line: ``python -m debugger serve``, ``check``, ``keys``, and what looks after the store."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from debugger.backends import open_embedded
from debugger.backends.base_url import is_loopback
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.super_nodes import SUPER_NODE
from debugger.engine.tools.sandbox import python_status
from debugger.errors import DebuggerError, InputError
from debugger.graph import Graph, Problem, load_workflow
from debugger.graph import check as problems_of
from debugger.graph.checks import format_problem
from debugger.keys import keys
from debugger.protocol.workflow import Workflow
from debugger.server import serve as serve_backend
from debugger.server.connections import ConnectionLimits, read_proxies
from debugger.server.turn_limiter import MAX_CONCURRENT_TURNS, TurnLimiter
from debugger.settings import read_settings
from debugger.upkeep import upkeep

logger = logging.getLogger(__name__)

_KNOWN = frozenset({*NODE_TYPES, SUPER_NODE})

main = typer.Typer(add_completion=False, no_args_is_help=True, help="Step conversational AI workflows.")
main.add_typer(upkeep)
main.add_typer(keys, name="keys")


class InlinePython(StrEnum):
    """The ways in which Python code of a workflow runs."""

    off = "off"
    sandboxed = "sandboxed"
    unsafe = "unsafe"


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
            help="Bearer key that may be shared, an administrator's; people's own are made by `keys add`.",
        ),
    ] = "",
    inline_python: Annotated[
        InlinePython | None, typer.Option(help="The way in which Python code of a workflow runs.")
    ] = None,
    max_turns: Annotated[
        int, typer.Option(min=1, help="Turns executed at once; more of them wait.")
    ] = MAX_CONCURRENT_TURNS,
    max_turns_per_key: Annotated[
        int, typer.Option(min=0, help="The same of one API key; 0: a quarter of all.")
    ] = 0,
    max_connections: Annotated[
        int, typer.Option(min=1, help="Connections at once; fewer where file descriptors are few.")
    ] = ConnectionLimits.total,
    max_connections_per_address: Annotated[
        int, typer.Option(min=0, help="The same from one address; 0: no such limit.")
    ] = ConnectionLimits.per_address,
    header_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds until the headers of a request are complete.")
    ] = ConnectionLimits.header_seconds,
    body_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds from there until its body is.")
    ] = ConnectionLimits.body_seconds,
    forwarded_allow_ips: Annotated[
        str,
        typer.Option(
            help="Addresses of proxies, by commas, whose X-Forwarded-For is believed; none by default."
        ),
    ] = "",
) -> None:
    """Serve the platform's API from the embedded engine."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = read_settings()
        chosen: dict[str, str] = {"database": database} if database else {}
        if inline_python is not None:
            chosen["inline_python"] = inline_python.value
        if not is_loopback(host):
            settings = settings.beyond_loopback()
        settings = settings.model_copy(update=chosen)
        logger.info("Inline Python: %s", python_status(settings.inline_python).description)
        backend = open_embedded(settings)
    except DebuggerError as error:
        _give_up(error)
    try:
        serve_backend(
            backend,
            host,
            port,
            api_key or None,
            turns=TurnLimiter(max_turns, max_turns_per_key),
            limits=ConnectionLimits(
                total=max_connections,
                per_address=max_connections_per_address,
                header_seconds=header_timeout,
                body_seconds=body_timeout,
                trusted_proxies=read_proxies(forwarded_allow_ips),
            ),
        )
    except DebuggerError as error:
        _give_up(error)
    finally:
        backend.close()


@main.command()
def check(
    files: Annotated[list[str], typer.Argument(help="Workflows as JSON; '-' reads standard input.")],
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print an object for each problem.")] = False,
) -> None:
    """Tell what is wrong with workflows: exit code 1 with errors, 2 when a file cannot be read."""
    levels: list[str] = []
    unreadable = 0
    for file in files:
        try:
            workflow = load_workflow(_content(file))
        except DebuggerError as error:
            typer.echo(f"{file}: {error}", err=True)
            unreadable += 1
            continue
        problems = problems_of(workflow, _KNOWN)
        levels += [problem.level for problem in problems]
        if len(files) > 1 and not as_json:
            typer.echo(f"{file}:")
        for line in _told(file, workflow, problems, as_json=as_json):
            typer.echo(line)
    errors, warnings = levels.count("error"), levels.count("warning")
    if not as_json:
        typer.echo(", ".join(_summary(len(files) - unreadable, errors, warnings)))
    raise typer.Exit(2 if unreadable else int(bool(errors or (strict and warnings))))


def _told(file: str, workflow: Workflow, problems: list[Problem], *, as_json: bool) -> Iterator[str]:
    """A line for each problem."""
    graph = Graph(workflow)
    for problem in problems:
        yield json.dumps({"file": file, **asdict(problem)}) if as_json else format_problem(problem, graph)


def _content(file: str) -> bytes:
    """What a file holds.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"The file cannot be read: {reason}.", advice="Is the path right?") from error


def _summary(checked: int, errors: int, warnings: int) -> Iterator[str]:
    for number, noun in ((checked, "workflow"), (errors, "error"), (warnings, "warning")):
        yield f"{number} {noun}{'' if number == 1 else 's'}"


def _give_up(error: DebuggerError) -> NoReturn:
    typer.echo(f"error: {error}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
