"""The outline of a page: all that a browser is told of its elements, as text.

``UPDATE_OUTLINES=1 pytest tests/views/test_outlines.py`` writes the files anew; read their difference.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

FOLDER = Path(__file__).parent / "outlines"
_WIDTH = 200
_LONGEST = 400
"""A longer text is a document, which its own tests read."""
_LEFT_OUT = {
    *("id", "formId", "jsContent", "jsSourcePath", "htmlContent", "cssContent", "cssSourcePath"),
    *("isolateStyles", "flexContainer", "widthConfig", "allowEmpty", "mixedJson", "svg", "body", "heard"),
}
"""Ids and numbers of uses, what containers have by default, and the files of components, which have tests of
their own."""
_CHANGING = (
    ("id", re.compile(r"[0-9a-f]{32}|[0-9a-f]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
    (
        "digest",
        re.compile(r'(?:(?<=version: ")|(?<=ground: ")|(?<=version": ")|(?<=ground": "))[0-9a-f]{16}\b'),
    ),
    ("id", re.compile(r"(?<=[…·] )[0-9a-f]{6}\b|(?<=…)[0-9a-f]{6}\b|(?<=_)[0-9a-f]{8}-[0-9a-f-]*")),
    ("id", re.compile(r"(?<=run\\\\-)[0-9a-f]{6}\b")),
    ("time", re.compile(r"\b\d{8}T\d{6}Z|(?<=\"(?:min|max)\": \")\d{4}-\d\d-\d\d")),
    ("duration", re.compile(r"(?<=Duration of the turn: )[\d.]+ m?s\b")),
    (
        "random",
        re.compile(
            r'(?<="rand_int", ")\d+|(?<="rand_float", ")[\d.]+|(?<="rand_str", ")[^,]+|(?<="rand_bool", ")\w+'
        ),
    ),
    ("folder", re.compile(r"/[\w./-]*pytest-of-[\w./-]*")),
    ("address", re.compile(r"\b\d{15}\b")),
    ("version", re.compile(r"\b\d+\.\d+\.\d+(?:\.\w+)?\b")),
)
"""What another process, day or release draws otherwise."""


def check_outline(text: str, name: str) -> None:
    """Compare an outline with the file of this name.

    Raises AssertionError, with the lines that differ.
    """
    file, text = FOLDER / f"{name}.txt", _mask(text)
    if os.environ.get("UPDATE_OUTLINES"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    known = file.read_text(encoding="utf-8").splitlines()
    differing = list(unified_diff(known, text.splitlines(), str(file.name), "drawn", n=0, lineterm=""))
    assert not differing, "\n".join(differing)


def outline(app: AppTest) -> str:
    """Return the elements of a page, one or more lines each; what is drawn in a container is indented."""
    return _mask("\n".join(_element(app._tree, 0)) + "\n")


def _mask(text: str) -> str:
    for name, changing in _CHANGING:
        text = changing.sub(f"<{name}>", text)
    return text


def _element(node: Any, depth: int) -> Iterator[str]:
    fields = _fields(getattr(node, "proto", None))
    kind = fields.pop("componentName", None) or str(getattr(node, "type", ""))
    children = list(getattr(node, "children", {}).values())
    if fields or not children:
        yield from _value(kind, fields, depth)
        depth += 1
    for child in children:
        yield from _element(child, depth)


def _fields(proto: Any) -> dict[str, Any]:
    """Return what a protocol buffer sets, with JSON in its texts read."""
    if not hasattr(proto, "DESCRIPTOR"):
        return {}
    return _read(MessageToDict(proto))


def _read(value: Any) -> Any:
    match value:
        case dict():
            read = {name: _read(each) for name, each in value.items() if name not in _LEFT_OUT}
            return {name: each for name, each in read.items() if each not in (None, "", [], {}, False)}
        case list():
            return [_read(each) for each in value]
        case str() if value[:1] in ("{", "["):
            try:
                return _read(json.loads(value))
            except ValueError:
                return value
        case str() if len(value) > _LONGEST:
            return f"{value[:_LONGEST]} … {len(value):,} characters"
    return value


def _value(name: str, value: Any, depth: int) -> Iterator[str]:
    """Yield a named value on one line, or its parts on lines of their own where that would be too long."""
    indent = "  " * depth
    line = f"{indent}{name}: {json.dumps(value, ensure_ascii=False)}"
    if len(line) <= _WIDTH or not isinstance(value, dict | list) or not value:
        yield line
        return
    yield f"{indent}{name}:"
    parts = value.items() if isinstance(value, dict) else (("-", each) for each in value)
    for key, each in parts:
        yield from _value(key, each, depth + 1)


def new_lines(before: str, after: str) -> str:
    """Return the lines of an outline that another before it does not have, in order."""
    known = {line.strip() for line in before.splitlines()}
    found = [line for line in after.splitlines() if line.strip() not in known]
    return "\n".join(found) or "nothing is new"
