"""Workflows read from the text of a JSON file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError

from debugger.errors import InputError, InputJsonError, WorkflowError
from debugger.graph.labels import shorten
from debugger.protocol.base import first_problem
from debugger.protocol.file_limits import WORKFLOW_FILE
from debugger.protocol.workflow import EdgeConfig, Workflow, unwrap_document

_EDGE_TYPES = get_args(EdgeConfig.model_fields["type"].annotation)
_MOST_DIGITS = 4300
"""Python reads no longer whole numbers from a text."""
_EXCERPT = 60
"""So many characters of a long line are shown on either side of a fault."""
_TEXTS_OR_NUMBERS = re.compile(r'"(?:[^"\\]|\\.)*"|(-?(?:Infinity|NaN|\d[\d.eE+-]*))')
_HALF_CHARACTER = re.compile(
    r"\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(\\ud[89a-f][0-9a-f]{2})", re.IGNORECASE
)


def load_workflow(text: str | bytes) -> Workflow:
    """Read a workflow document in any of its wrappings.

    Args:
        text: The content of the file. Bytes may be UTF-8, UTF-16 or UTF-32, byte order mark or not.

    Raises:
        InputJsonError: It is not JSON; the message shows the line and points at the fault.
        WorkflowError: It is JSON, but not a workflow: no object, or nothing in it has a list of nodes.
        InputError: It is too large, or a node or an edge is not what it has to be; the message has its
            position and name.
    """
    data = _parsed(_decoded(text))
    if not isinstance(data, Mapping):
        raise WorkflowError(
            f"This is not a workflow: the text holds {_kind(data)}, not an object.",
            advice="Export the workflow with its nodes and edges (?fully_hydrate=true) and import that file.",
        )
    document = unwrap_document(data)
    _check_configs(document)
    try:
        return Workflow.from_document(document)
    except InputError as error:
        if isinstance(error.__cause__, ValidationError):
            raise InputError(_explained(document, error.__cause__)) from error
        raise


def _decoded(text: str | bytes) -> str:
    """Return the text of a file without a byte order mark, from UTF-8, UTF-16 or UTF-32.

    Raises InputJsonError at the first byte that is not of the detected encoding.
    """
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    encoding = json.detect_encoding(text)
    try:
        return text.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding, "ignore")
        rest = error.object[error.start :].decode(encoding, "replace")
        raise _not_json(
            f"a byte that is not {encoding.upper().removesuffix('-SIG')}",
            before + rest,
            len(before),
            advice="Save the file as UTF-8.",
        ) from error


def _parsed(text: str) -> Any:
    """Return the JSON value in a text.

    Raises InputJsonError where the text is empty or not JSON, or has a number without a finite value or half
    of a character. Raises InputError where it is too large or nested too deeply.
    """
    if not text.strip():
        raise InputJsonError("The text is empty.", line=1, column=1, advice="Enter the JSON of a workflow.")
    WORKFLOW_FILE.check_json(text)
    try:
        data = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except json.JSONDecodeError as error:
        end = len(text.rstrip())
        if error.pos >= end:
            what, advice = "the text ends here, in the middle", "Is the file complete?"
            raise _not_json(what, text, end, advice=advice) from error
        what = error.msg.removesuffix(" at").removesuffix(" starting")
        raise _not_json(what[0].lower() + what[1:], text, error.pos) from error
    except RecursionError as error:
        raise InputError("The JSON is nested too deeply to be a workflow.") from error
    except ValueError as error:
        raise _not_json(
            "a number that JSON does not have or that is too large", text, _odd_number(text)
        ) from error
    _check_characters(text)
    return data


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(written)
    return number


def _odd_number(text: str) -> int:
    """Return the position of the first number that cannot be read."""
    numbers = (match for match in _TEXTS_OR_NUMBERS.finditer(text) if match[1])
    return next((match.start() for match in numbers if _is_odd(match[1])), 0)


def _is_odd(number: str) -> bool:
    digits = number.removeprefix("-")
    return len(digits) > _MOST_DIGITS if digits.isdigit() else not math.isfinite(float(number))


def _check_characters(text: str) -> None:
    """Refuse halves of surrogate pairs, which cannot be stored or sent.

    Raises InputJsonError at the first one that is written as an escape.
    """
    for match in _HALF_CHARACTER.finditer(text):
        if match[1]:
            raise _not_json(
                f"half of a character, {match[1]}",
                text,
                match.start(),
                advice="Remove it, or complete the pair.",
            )


def _not_json(what: str, text: str, position: int, *, advice: str = "") -> InputJsonError:
    """Return the error for a position in a text, with an excerpt of its line and a caret below the place."""
    start = text.rfind("\n", 0, position) + 1
    line, column = text.count("\n", 0, start) + 1, position - start + 1
    whole = text[start:].split("\n", 1)[0]
    left = max(0, column - 1 - _EXCERPT)
    shown = "".join(c if c.isprintable() else " " for c in whole[left : column - 1 + _EXCERPT])
    caret = " " * (column - 1 - left) + "^"
    return InputJsonError(
        f"Not JSON at line {line}, column {column}: {what}.\n{shown}\n{caret}",
        line=line,
        column=column,
        advice=advice or "Correct the file where the caret points.",
    )


def _check_configs(document: Mapping[str, Any]) -> None:
    """Refuse a document whose nodes or edges are not objects with an id, or with an edge of an unknown type.

    Raises WorkflowError where the nodes are no list, else InputError. Edges that are no list are not checked.
    """
    nodes = document.get("node_configs")
    if not isinstance(nodes, list):
        raise WorkflowError(
            f"This is not a workflow: it has edges, but as 'node_configs' {_kind(nodes)} instead of a list.",
            advice="Export the workflow with its nodes and edges (?fully_hydrate=true) and import that file.",
        )
    for index, node in enumerate(nodes):
        _check_id(f"Node {index + 1}", node)
    edges = document.get("edge_configs")
    for index, edge in enumerate(edges if isinstance(edges, list) else ()):
        _check_id(f"Edge {index + 1}", edge)
        if edge.get("type") not in _EDGE_TYPES:
            raise InputError(
                f"{_named(f'Edge {index + 1}', edge)} has {_value(edge, 'type')}.",
                advice=f"An edge is one of: {', '.join(_EDGE_TYPES)}.",
            )


def _check_id(position: str, config: Any) -> None:
    """Refuse a node or an edge that is no object, or has no text as its id, with an InputError.

    An empty text is none; the error names the position.
    """
    if not isinstance(config, Mapping):
        raise InputError(f"{position} is {_kind(config)}, not an object.")
    logical_id = config.get("logical_id")
    if not isinstance(logical_id, str) or not logical_id:
        raise InputError(
            f"{_named(position, config)} has {_value(config, 'logical_id')}.",
            advice="Give it a text as 'logical_id' that nothing else in the workflow has.",
        )


def _explained(document: Mapping[str, Any], fault: ValidationError) -> str:
    """Describe pydantic's first error, by the node's or edge's position and name.

    An error elsewhere in the document is described as `first_problem` has it.
    """
    found = fault.errors(include_url=False, include_context=False)[0]
    match found["loc"]:
        case ("node_configs" | "edge_configs" as key, int(index), *path):
            noun = "Node" if key == "node_configs" else "Edge"
            where = _named(f"{noun} {index + 1}", document[key][index])
            return f"{where} cannot be read: {'.'.join(map(str, path))}: {found['msg']}."
        case _:
            return f"The workflow cannot be read: {first_problem(fault)}."


def _named(position: str, config: Mapping[str, Any]) -> str:
    """Return the position with the name, else the id, and with the ends of an edge, in brackets.

    Without any of these it is the position alone.
    """
    names = (config.get("name"), config.get("logical_id"))
    ends = config.get("source_node_logical_id"), config.get("destination_node_logical_id")
    described = [repr(shorten(name, 60)) for name in names if isinstance(name, str) and name][:1]
    if any(ends):
        described.append(shorten(f"from {ends[0] or 'nowhere'} to {ends[1] or 'nowhere'}", 120))
    return f"{position} ({', '.join(described)})" if described else position


def _value(config: Mapping[str, Any], key: str) -> str:
    if config.get(key) in (None, ""):
        return f"no '{key}'"
    return f"the '{key}' {shorten(json.dumps(config[key], ensure_ascii=False), 60)}"


def _kind(value: Any) -> str:
    """Return what a JSON value is, for people.

    ``None`` is ``nothing``; what is no object, list, text, true or false is ``a number``.
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    kinds = ((Mapping, "an object"), (list, "a list"), (str, "a text"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "a number")
