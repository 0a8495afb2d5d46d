"""The command ``check``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from debugger.engine.nodes import NODE_TYPES
from debugger.engine.super_nodes import SUPER_NODE
from debugger.errors import DebuggerError, InputError
from debugger.graph import Graph, load_workflow
from debugger.graph import check as problems_of
from debugger.graph.checks import format_problem

_KNOWN = frozenset({*NODE_TYPES, SUPER_NODE})


def check(
    files: Annotated[list[str], typer.Argument(help="Workflows as JSON; '-' reads standard input.")],
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print an object for each problem.")] = False,
) -> None:
    """Report problems of workflows: exit code 1 with errors, 2 when a file cannot be read."""
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
        graph = Graph(workflow)
        for problem in problems:
            as_object = json.dumps({"file": file, **asdict(problem)}) if as_json else None
            typer.echo(as_object or format_problem(problem, graph))
    errors, warnings = levels.count("error"), levels.count("warning")
    if not as_json:
        typer.echo(", ".join(_summary(len(files) - unreadable, errors, warnings)))
    raise typer.Exit(2 if unreadable else int(bool(errors or (strict and warnings))))


def _content(file: str) -> bytes:
    """Read a file or standard input.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"The file cannot be read: {reason}.", advice="Check the path.") from error


def _summary(checked: int, errors: int, warnings: int) -> Iterator[str]:
    for number, noun in ((checked, "workflow"), (errors, "error"), (warnings, "warning")):
        yield f"{number} {noun}{'' if number == 1 else 's'}"
