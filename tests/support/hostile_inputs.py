"""Patterns, schemas and files that are made to cost much, for `heartbeat.measure_prepared`."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any

from debugger.engine.json_schema import schema_error
from debugger.engine.models.base import Prompt
from debugger.engine.models.script import Script
from debugger.engine.models.scripted import ScriptedModel
from debugger.errors import DebuggerError
from debugger.exports.sheet_files import read_table
from debugger.expressions.limits import LimitError
from debugger.expressions.patterns import search_pattern
from debugger.graph import load_workflow
from debugger.protocol.file_limits import WORKFLOW_FILE
from debugger.protocol.run_file import read_run_file
from debugger.scenarios.opening import UploadedScenario, read_uploads

Call = Callable[[], object]
Case = tuple[Callable[..., Call], tuple[Any, ...]]

_MEGABYTE = 1_048_576
_WORDS = ("word ", 20_000)


def search(pattern: str, part: str, count: int) -> Call:
    """Prepare the search of a pattern in a repeated text that ends in an exclamation mark."""
    return partial(_search, pattern, part * count + "!")


def _search(pattern: str, text: str) -> str:
    try:
        return str(search_pattern(pattern, text))
    except (LimitError, ValueError) as error:
        return str(error)


def answer(pattern: str, rules: int, message: str) -> Call:
    """Prepare the answer to a message by a script of many such rules."""
    lines = "".join(f"    - {{when: '{pattern}', say: x}}\n" for _ in range(rules))
    return partial(_answer, f"version: 1\nworkflow: w\nnodes:\n  a:\n{lines}", message)


def _answer(text: str, message: str) -> str:
    try:
        script = Script.load(text)
        return str(ScriptedModel(script, _Silent()).reply(_prompt(message)))
    except DebuggerError as error:
        return str(error)


class _Silent:
    def reply(self, prompt: Prompt) -> Any:
        """Answer nothing."""
        return "nothing"


def _prompt(message: str) -> Prompt:
    return Prompt("say", "a", "a", "", message, list, {}, 1)


def check_schema(name: str) -> Call:
    """Prepare the check of a value against a schema."""
    schema, value = _SCHEMAS[name]()
    return partial(schema_error, value, schema)


def _doubled(value: Any, times: int) -> Any:
    for _ in range(times):
        value = [value, value]
    return value


def _references(keyword: str) -> dict[str, Any]:
    parts = {f"p{at}": {keyword: [{"$ref": f"#/$defs/p{at + 1}"}] * 2} for at in range(40)}
    return {"$defs": {**parts, "p40": True}, "$ref": "#/$defs/p0"}


def _names(count: int) -> dict[str, int]:
    return {f"name number {at} " + "a" * 40: at for at in range(count)}


_SLOW = r"(\w+\s?)+$"
_SCHEMAS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "patternProperties": lambda: ({"patternProperties": {_SLOW: {}}}, _names(5_000)),
    "many patternProperties": lambda: (
        {"patternProperties": {f"a{{{at}}}b": {} for at in range(2_000)}},
        _names(5_000),
    ),
    "additionalProperties": lambda: (
        {"patternProperties": {_SLOW: {}}, "additionalProperties": {"type": "string"}},
        _names(5_000),
    ),
    "propertyNames": lambda: ({"propertyNames": {"pattern": _SLOW}}, _names(5_000)),
    "pattern": lambda: ({"items": {"pattern": _SLOW}}, ["word " * 100 + "!"] * 5_000),
    "counted pattern": lambda: ({"pattern": "((a{999}){999}){9}"}, "a"),
    "allOf": lambda: (_references("allOf"), 1),
    "anyOf": lambda: (_references("anyOf"), 1),
    "oneOf": lambda: (_references("oneOf"), 1),
    "recursive": lambda: ({"allOf": [{"$ref": "#"}] * 2}, 1),
    "shared value": lambda: ({"type": "object"}, _doubled("a", 40)),
    "shared unique": lambda: ({"uniqueItems": True}, _doubled("a", 40)),
    "shared enum": lambda: ({"enum": [1, 2]}, _doubled("a", 40)),
    "enum": lambda: ({"items": {"enum": [[at] * 50 for at in range(2_000)]}}, [[7] * 49] * 2_000),
    "unique": lambda: ({"uniqueItems": True}, [[at] * 20 for at in range(20_000)]),
    "long messages": lambda: (
        {"anyOf": [{"type": "integer", "minimum": at} for at in range(2_000)]},
        ["x" * 1_000] * 4_000,
    ),
    "deep value": lambda: ({"items": {"$ref": "#"}}, json.loads("[" * 900 + "]" * 900)),
    "wide value": lambda: ({"items": {"type": "string"}}, list(range(480_000))),
    "too wide": lambda: ({"items": {"type": "string"}}, list(range(1_000_000))),
    "contains": lambda: ({"contains": {"pattern": "(a|a)*$"}}, ["a" * 60 + "!"] * 1_000),
}


def upload_scenario(name: str) -> Call:
    """Prepare the reading of an uploaded scenario, as the page does it."""
    return partial(_refused, _open_uploads, {"a.scenario.yaml": _YAML[name]().encode()})


def load_script(name: str) -> Call:
    """Prepare the reading of a script."""
    return partial(_refused, Script.load, _YAML[name]())


def _refused(read: Callable[..., object], *arguments: Any) -> str:
    """Return the type of what was read, or why it was not."""
    try:
        return type(read(*arguments)).__name__
    except DebuggerError as error:
        return str(error)


def _open_uploads(files: dict[str, bytes]) -> list[UploadedScenario]:
    scenarios, errors = read_uploads(files, "w")
    if errors:
        raise errors[0]
    return scenarios


def _aliases(levels: int) -> str:
    lines = [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, levels)]
    return "a0: &a0 [x]\n" + "\n".join(lines)


_HEAD = "version: 1\nname: x\nworkflow: w\nturns:\n  - say: hello\n"
_YAML: dict[str, Callable[[], str]] = {
    "aliases": lambda: _aliases(10),
    "aliases in a scenario": lambda: _HEAD + "rows: &r [" + "a, " * 9 + "]\ndescription: *r\n" + _aliases(10),
    "numbers beside paths": lambda: (
        _HEAD.replace(": w", ": a/w.json") + "script: b/w.script.yaml\ninput:\n"
        "  variables: {" + ",".join(f"a{at}: 7" for at in range(9_900)) + "}\n"
    ),
    "own alias": lambda: "a: &a [*a]",
    "merge": lambda: "a: &a {b: c}\nd:\n  <<: *a\n",
    "alias as key": lambda: "a: &a x\n*a : b",
    "deep lists": lambda: "[" * 100_000,
    "deep mappings": lambda: "".join(f"{' ' * at}a:\n" for at in range(900)),
    "deep dashes": lambda: "- " * 200_000,
    "wide": lambda: _HEAD + "tags: [" + "a," * 200_000 + "]",
    "wide below the limit": lambda: _HEAD + "tags: [" + "a," * 19_000 + "]",
    "wide mapping": lambda: _HEAD + "input: {" + ",".join(f"k{at}: v" for at in range(9_000)) + "}",
    "huge": lambda: _HEAD + "description: |\n" + "  x\n" * 5_000_000,
    "long text": lambda: _HEAD + "description: " + "x " * 119_000,
    "broken lines": lambda: _HEAD + 'description: "' + "x\n  " * 115_000 + '"',
    "empty lines": lambda: _HEAD + "\n" * 490_000,
    "comments": lambda: _HEAD + "# \n" * 160_000,
    "long number": lambda: f"a: {'1' * 400_000}",
    "anchors": lambda: "[" + ",".join(f"&a{at} x" for at in range(15_000)) + "]",
    "same key": lambda: "{" + "a: b," * 9_000 + "}",
    "tags": lambda: "!!python/object/apply:os.system [ls]",
    "costly pattern": lambda: _HEAD + "expect: [{says: {regex: '((a{999}){999}){9}'}}]",
}


def upload_json(reader: str, name: str) -> Call:
    """Prepare the reading of a run file or a workflow."""
    return partial(_refused, read_run_file if reader == "run" else _read_workflow, _JSON[name]())


def _read_workflow(content: bytes) -> object:
    WORKFLOW_FILE.check(content)
    return load_workflow(content)


_ROOM = 4 * _MEGABYTE
_JSON: dict[str, Callable[[], bytes]] = {
    "lists": lambda: b'{"workflow_run":[' + b"[]," * (_ROOM // 3) + b"1]}",
    "objects": lambda: b'{"node_configs":[' + b'{"a":1},' * (_ROOM // 8) + b"1]}",
    "objects below the limit": lambda: b'{"node_configs":[' + b'{"a":1},' * 47_000 + b"1]}",
    "texts": lambda: b'{"workflow_run":[' + b'"ab",' * (_ROOM // 5) + b"1]}",
    "texts below the limit": lambda: b'{"workflow_run":[' + b'"ab",' * 119_000 + b"1]}",
    "floats below the limit": lambda: b'{"node_configs":[' + b"1.5," * 119_000 + b"1]}",
    "keys below the limit": lambda: (
        b'{"node_configs":{' + b",".join(b'"%d":1' % at for at in range(119_000)) + b"}}"
    ),
    "deep": lambda: b'{"workflow_run":' + b"[" * (_ROOM // 2),
    "deep below the limit": lambda: b'{"workflow_run":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "digits": lambda: b'{"workflow_run":' + b"1" * _ROOM + b"}",
    "text": lambda: b'{"workflow_run":"' + b"a" * _ROOM + b'"}',
    "escapes": lambda: b'{"workflow_run":"' + b"\\u00e4" * (_ROOM // 6) + b'"}',
    "same keys": lambda: b"{" + b'"a":1,' * 119_000 + b'"b":1}',
    "nodes": lambda: b'{"node_configs":[' + b'{"logical_id":"a","type":"x"},' * 15_000 + b"1]}",
    "larger": lambda: b"[" + b" " * 21 * _MEGABYTE + b"]",
}


def upload_sheet(name: str) -> Call:
    """Prepare the reading of a sheet to its end."""
    return partial(_refused, _read_sheet, _SHEETS[name]())


def _read_sheet(content: bytes) -> object:
    return sum(1 for _ in read_table(content, "a.csv", "run_id").rows)


def _workbook(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


_ENTITIES = (
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY a%d "%s">' % (at, b"&a%d;" % (at - 1) * 9) for at in range(1, 12))
    + b"]><a>&a11;</a>"
)
_SHEETS: dict[str, Callable[[], bytes]] = {
    "cells": lambda: b"run_id\n" + b"," * 15 * _MEGABYTE,
    "quoted cells": lambda: b"run_id\n" + b'"\n",' * 3 * _MEGABYTE,
    "one cell": lambda: b'run_id\n"' + b"a" * 15 * _MEGABYTE,
    "cell of lines": lambda: b'run_id\n"' + b"\n" * 15 * _MEGABYTE,
    "rows": lambda: b"run_id\n" + b"1\n" * 7 * _MEGABYTE,
    "header": lambda: b"a," * 7 * _MEGABYTE + b"run_id\n1\n",
    "separator": lambda: b"sep=;\n" + b";" * 15 * _MEGABYTE,
    "larger": lambda: b"run_id\n" * 3 * _MEGABYTE,
    "bomb": lambda: _workbook({"xl/workbook.xml": b"<a>" + b" " * 100 * _MEGABYTE}),
    "entities": lambda: _workbook({"xl/workbook.xml": _ENTITIES}),
    "members": lambda: _workbook({f"{at}.xml": b"" for at in range(5_000)}),
    "no workbook": lambda: b"PK\x03\x04" + b"\0" * 15 * _MEGABYTE,
}


def upload_rows(name: str) -> Call:
    """Prepare the reading of a scenario with rows out of a CSV file."""
    files = {"a.scenario.yaml": f"{_HEAD}rows: rows.csv\n".encode(), "rows.csv": _SHEETS[name]()}
    return partial(_refused, _open_uploads, files)


_PATTERNS: tuple[tuple[str, str, int], ...] = (
    ("(a+)+$", "a", 30_000),
    ("(a|a)*$", "a", 30_000),
    ("(a|b|ab)*c", "ab", 40_000),
    (_SLOW, *_WORDS),
    (r"(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x", "y", 90_000),
    (r"(?:.*a){12}", "b" * 20 + "a", 10),
    (r"(?:(?:a?){30}a{30})+b", "a", 50_000),
    (r"(\w)+\d\b", "a", 99_000),
    ("(" * 29 + r"\w" + ")" * 29 + r"*\W\d", "a", 60_000),
    (r"(\w)(\w)" * 40 + r"\W\d", "a", 20_000),
    (r"(?:(\w)*?)*?\d", "a", 99_000),
    (r"(.)(?=.*\1.*\1\d)", "abcdefgh", 10_000),
    (r"(?<=(a|b)*)c\w\d", "ab", 40_000),
    (r"(?:(?=(\w+))\1:)+x", "a", 90_000),
    (r"(?i)[^\W\d_]+\d", "a", 999_000),
    (r"\X*\d", "e\u0301", 400_000),
    ("x" * 1_990 + r"\d", "x", 50_000),
    ("(?i)" + "x" * 1_900 + "y", "x", 50_000),
    (r"x{1,9000}x{1,9000}x{1,9000}y", "x", 50_000),
    ("((a{99}){99}){99}", "a", 10),
    ("((a{999}){999}){9}", "a", 10),
    ("(((a+?){99}+){99}+){99}+", "a", 10),
    ("a{4294967290}", "a", 10),
    ("a{9000}" * 2, "a", 10),
    ("(a|b)" * 99, "a", 20_000),
    ("|".join("ab" * 3 + str(at) for at in range(200)) + "|c", "ab", 40_000),
    ("(?:" * 30 + "a" + ")*" * 30, "a", 50_000),
    ("(" * 5_000, "a", 10),
    ("[" + "a-z" * 600 + "]*!x", "a", 50_000),
    (r"[^\p{Greek}\p{Latin}\p{Thai}]*x", "1", 999_000),
    (r"(?R)?\w\d", "a", 90_000),
    (r"(\w(?1)?\d?)+\W", "a", 90_000),
    (r"(?:abc|\d){e<=5}\W", "a", 90_000),
    (r"(?x)( ( ( a {99} ) {99} ) # )" + "\n{99} )", "a", 10),
    (r"(?:(?:(?:[)]a{99}){99}){99}){99}", "a", 10),
    ("a" * 1_000_000, "a", 10),
    (r"(\w+)\s+\1\s+\1\s+\1", *_WORDS),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a", 90_000),
)

_RULES = (
    (_SLOW, 1_000, "word " * 5_000 + "!"),
    ("(a|a)*$", 200, "a" * 20_000 + "!"),
    ("((a{99}){99}){99}", 1, "a"),
)

CASES: dict[str, Case] = {
    **{f"pattern {at}: {one[0][:40]}": (search, one) for at, one in enumerate(_PATTERNS)},
    **{f"script rules: {one[0]}": (answer, one) for one in _RULES},
    **{f"schema: {name}": (check_schema, (name,)) for name in _SCHEMAS},
    **{f"scenario: {name}": (upload_scenario, (name,)) for name in _YAML},
    **{f"script: {name}": (load_script, (name,)) for name in _YAML},
    **{f"run file: {name}": (upload_json, ("run", name)) for name in _JSON},
    **{f"workflow: {name}": (upload_json, ("workflow", name)) for name in _JSON},
    **{f"sheet: {name}": (upload_sheet, (name,)) for name in _SHEETS},
    **{f"rows: {name}": (upload_rows, (name,)) for name in list(_SHEETS)[:7]},
}
"""By a name that says what is attacked."""
