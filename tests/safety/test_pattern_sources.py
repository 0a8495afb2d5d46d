"""Texts of others reach no regular expression engine but that of ``debugger/expressions/patterns.py``."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2] / "debugger"
ALLOWED = {
    ("boundary/rules.py", "compiled"): "patterns of this module's own table",
    ("boundary/rules.py", "opaque_pattern"): "names of a run, escaped: alternatives of literals",
    ("engine/models/extraction.py", "find_values"): "patterns of this module's own table",
    ("engine/models/yaml_lines.py", ""): "patterns of this module's own table",
    ("engine/outbound/secrets.py", "__init__"): "values that are hidden, escaped: alternatives of literals",
    ("exports/csv_files.py", ""): "made of this module's own constants",
    ("exports/import_plan.py", ""): "marks of the program, escaped",
    ("graph/checks/tools.py", "_is_in_request"): "one name of a tool's argument, escaped",
    ("scenarios/expectation_rows.py", ""): "made of this module's own constants",
    ("scenarios/expectation_rows.py", "stable_parts"): "values of a run, escaped: alternatives of literals",
    ("views/panels/demo.py", ""): "names of the built-in rules, which are this program's",
    ("views/panels/help/topics.py", "_beginning"): "one word of a search, escaped",
}
"""The functions in which a pattern is put together, each with the reason why it is none of another's."""
_METHODS = {
    "compile",
    "search",
    "match",
    "fullmatch",
    "sub",
    "subn",
    "split",
    "findall",
    "finditer",
    "template",
}


def unbounded_patterns(source: str) -> list[str]:
    """Return the functions, by name, that hand `re` a pattern which is not written there."""
    found: list[str] = []

    def visit(node: ast.AST, function: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        if isinstance(node, ast.ImportFrom) and node.module in ("re", "regex"):
            found.append(f"{function} imports from {node.module}")
        if isinstance(node, ast.Import) and any(
            each.name in ("re", "regex") and each.asname for each in node.names
        ):
            found.append(f"{function} renames a module")
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in ("re", "regex")
            and node.func.attr in _METHODS
            and not (node.args and _is_literal(node.args[0]))
        ):
            found.append(function)
        for child in ast.iter_child_nodes(node):
            visit(child, function)

    visit(ast.parse(source), "")
    return found


def _is_literal(node: ast.AST) -> bool:
    """Return whether an expression is a text, or put together of texts and constants of a module."""
    if isinstance(node, ast.JoinedStr):
        values = (part.value for part in node.values if isinstance(part, ast.FormattedValue))
        return all(isinstance(each, ast.Name) and each.id.isupper() for each in values)
    return isinstance(node, ast.Constant)


def test_only_patterns_of_the_program_reach_re():
    found = {
        (path.relative_to(ROOT).as_posix(), function)
        for path in ROOT.rglob("*.py")
        if path.relative_to(ROOT).as_posix() != "expressions/patterns.py"
        for function in unbounded_patterns(path.read_text(encoding="utf-8"))
    }

    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set()


def test_a_pattern_of_another_would_be_found():
    sources = {
        "def f(text): re.search(text, '')": ["f"],
        "def f(text): re.compile(f'{text}')": ["f"],
        "from re import compile": [" imports from re"],
        "import regex as r": [" renames a module"],
        "def f(text): re.search('a', text); re.compile(rf'{_A}b')": [],
    }

    assert {source: unbounded_patterns(source) for source in sources} == sources
