"""The command ``check``."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from debugger.cli.maintenance import counted
from debugger.cli.output import say, say_json
from debugger.errors import DebuggerError, InputError
from debugger.telemetry.logs import escape_controls

if TYPE_CHECKING:
    from debugger.protocol.base import JsonObject
    from debugger.scenarios.mistakes import Problem


def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="Workflows as JSON, scenarios (*.scenario.yaml) and scripts (*.yaml); '-' reads a workflow "
            "from standard input."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print an object for each problem.")] = False,
    schema: Annotated[
        Literal["scenario", "script"] | None,
        typer.Option("--schema", help="Print the JSON Schema of these files."),
    ] = None,
) -> None:
    """Report problems of files: exit code 1 with errors, 2 when a file cannot be read.

    Warnings count as errors with --strict alone. Without a file and without --schema the exit code is 2, too.
    """
    if schema is not None:
        from debugger.scenarios.schema import SCHEMAS

        say_json(SCHEMAS[schema](), indent=2)
        return
    if not files:
        say("There is no file to check. Name one, or use --schema.", err=True)
        raise typer.Exit(2)
    levels: list[str] = []
    kinds: Counter[str] = Counter()
    for file in files:
        try:
            kind, found = _problems(file)
        except DebuggerError as error:
            say(f"{escape_controls(file)}: {error}", err=True)
            kinds["unreadable file"] += 1
            continue
        kinds[kind] += 1
        if kind == "workflow" and found and len(files) > 1 and not as_json:
            say(f"{escape_controls(file)}:")
        for level, text, as_object in found:
            levels.append(level)
            if as_json:
                say_json({"file": file, **as_object})
            else:
                say(escape_controls(text))
    errors, warnings = levels.count("error"), levels.count("warning")
    if not as_json:
        nouns = ("workflow", "scenario", "script", "unreadable file")
        checked = [(kinds[noun], noun) for noun in nouns if kinds[noun]]
        parts = (*checked, (errors, "error"), (warnings, "warning"))
        say(", ".join(counted(number, noun) for number, noun in parts))
    raise typer.Exit(2 if kinds["unreadable file"] else int(bool(errors or (strict and warnings))))


def _problems(file: str) -> tuple[str, list[tuple[str, str, JsonObject]]]:
    """Return the kind of a file and its problems: level, text and object.

    By its name it is a scenario, any other YAML file a script, and all else a workflow.

    Raises:
        DebuggerError: It cannot be read.
    """
    if not file.endswith((".yaml", ".yml")):
        from debugger.engine.nodes import NODE_TYPES
        from debugger.engine.super_nodes import SUPER_NODE
        from debugger.graph import Graph, load_workflow
        from debugger.graph import check as problems_of
        from debugger.graph.checks import format_problem

        workflow = load_workflow(read_content(file))
        graph = Graph(workflow)
        found = problems_of(workflow, frozenset({*NODE_TYPES, SUPER_NODE}), NODE_TYPES)
        return "workflow", [(each.level, format_problem(each, graph), asdict(each)) for each in found]
    from debugger.scenarios.loading import SUFFIX

    kind = "scenario" if file.endswith(SUFFIX) else "script"
    return kind, [
        (
            "error",
            f"{Path(file).as_posix()}:{each.line}:{each.column}: {each.message}",
            {"level": "error", **asdict(each)},
        )
        for each in _mistakes(file, kind)
    ]


def _mistakes(file: str, kind: str) -> list[Problem]:
    """Return the mistakes of a scenario, or the first one of a script; none where it can be used.

    Raises InputError when the file cannot be read, or a script is not UTF-8.
    """
    from debugger.engine.models import Script
    from debugger.engine.models.yaml_lines import YamlError
    from debugger.scenarios.loading import load_scenario
    from debugger.scenarios.mistakes import Problem, ScenarioFileError

    try:
        if kind == "scenario":
            load_scenario(Path(file))
        else:
            Script.load(read_content(file).decode("utf-8-sig"))
    except ScenarioFileError as error:
        return error.problems
    except YamlError as error:
        return [Problem.of(error)]
    except UnicodeDecodeError as error:
        raise InputError("The file is not UTF-8.", advice="Save it as UTF-8.") from error
    return []


def read_content(file: str) -> bytes:
    """Read a file or standard input.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        advice = "Name the files in it." if isinstance(error, IsADirectoryError) else "Check the path."
        raise InputError(f"The file cannot be read: {reason}.", advice=advice) from error


def is_workflow_file(workflow: str) -> bool:
    """Return whether a workflow is in a file or a pipe; one that ends with ``.json`` is, if it exists or not.

    A text that is too long for a path is a name.
    """
    path = Path(workflow)
    if workflow == "-" or path.suffix.lower() == ".json":
        return True
    try:
        return path.exists() and not path.is_dir()
    except OSError:
        return False
