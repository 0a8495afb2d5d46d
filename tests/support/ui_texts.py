"""Texts that users read on the page, in the CLI and in the REST API.

`collect` finds them in the source: labels, helps, errors with their advice, sentences, and the docstrings
that Typer and OpenAPI show. ``python -m tests.support.ui_texts`` prints them as a table, for review.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "debugger"

_OTHER_FOLDERS = ("samples/", "store/migrations/", "protocol/")
"""Content, SQL, and the platform's own words."""
_DRAWN_ARGUMENTS = {
    "label",
    "help",
    "text",
    "advice",
    "placeholder",
    "caption",
    "message",
    "title",
    "description",
}
_DRAWN_FIRST = {
    *("button", "caption", "checkbox", "error", "info", "markdown", "success", "toast", "warning", "write"),
    *("subheader", "header", "title", "expander", "popover", "tabs", "text_input", "text_area", "selectbox"),
    *("radio", "toggle", "pills", "segmented_control", "multiselect", "number_input", "date_input", "metric"),
    *("download_button", "file_uploader", "dialog", "spinner", "progress", "status", "plain", "echo"),
    *("TextColumn", "NumberColumn", "CheckboxColumn", "SelectboxColumn", "LinkColumn", "ListColumn", "Text"),
}
"""Calls whose first argument is drawn."""
_DRAWN_SECOND = {"Column"}
"""Calls whose second argument is drawn, and the third where it is a text."""
_COMMANDS = {"get", "post", "put", "patch", "delete", "websocket", "command", "callback"}
"""Decorators of functions whose docstring is shown."""
_SENTENCE = re.compile(r"[A-Za-z“”’'(][\w“”’'(){},;:.-]* +[\w“”’'({]")
_LABEL = re.compile(r"(:material/\w+: )?[A-Z][a-z]+( [\w“”]+)* ?…?$")
_CODE = re.compile(
    r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|ALTER|DROP|VACUUM|WITH|BEGIN|LOCK|SET|FROM|WHERE)\b"
    r"|^\s*ORDER BY\b"
    r"|^\n|^import |^'self'|; ?(charset|Path|filename|HttpOnly)\b"
    r"|^\s*(<|--|\.[a-z]|@|\(\?)|[;{]\s*\n|^[\w-]+: [\w-]+;|\\[sdwb]"
)


class UiText(NamedTuple):
    """A text in a source file; ``{…}`` is a value that is filled in."""

    path: str
    line: int
    text: str


@cache
def collect(package: Path = PACKAGE) -> tuple[UiText, ...]:
    """Read the texts of a package, in the order of files and lines; scripts of the browser come last."""
    texts: list[UiText] = []
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if not name.startswith(_OTHER_FOLDERS):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            texts += sorted(
                {UiText(name, *found) for found in _texts(tree, is_page=name.startswith("views/"))}
            )
    for path in sorted(package.rglob("*.js")):
        name = path.relative_to(package).as_posix()
        texts += [UiText(name, *found) for found in _script_texts(path.read_text(encoding="utf-8"))]
    return tuple(texts)


def table(texts: Iterable[UiText]) -> str:
    """Return the document that lists texts; a text that a file has twice is listed once."""
    rows = dict.fromkeys((text.path, " ".join(text.text.split()).replace("|", "\\|")) for text in texts)
    return "\n".join(
        [
            "# Texts of the user interface",
            "",
            "Labels, helps, errors and sentences of the page, the CLI and the REST API, for review. `{…}` is",
            "a value that is filled in.",
            "",
            "| Place | Text |",
            "| --- | --- |",
            *(f"| `{path}` | {text} |" for path, text in rows),
            "",
        ]
    )


def _texts(tree: ast.Module, *, is_page: bool) -> Iterator[tuple[int, str]]:
    drawn, hidden = _drawn_and_hidden(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in hidden:
            text = _joined(node)
            is_text = id(node) in drawn or _is_sentence(text) or (is_page and _LABEL.match(text))
            if is_text and re.search("[A-Za-z]", text.replace("{…}", "")):
                yield node.lineno, text
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_command(node):
            yield node.lineno, ast.get_docstring(node) or ""


def _drawn_and_hidden(tree: ast.Module) -> tuple[set[int], set[int]]:
    """Return the ids of the literals that are drawn for certain, and of those that no user reads."""
    drawn: set[int] = set()
    hidden: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            hidden.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            hidden |= {id(part) for part in node.values if isinstance(part, ast.Constant)}
        elif isinstance(node, ast.Call):
            name = _name(node.func)
            is_log = isinstance(node.func, ast.Attribute) and _name(node.func.value) in {
                "_log",
                "log",
                "logger",
            }
            if is_log or name in {"TypeVar", "ParamSpec"}:
                hidden |= {id(part) for part in ast.walk(node)}
            arguments = [keyword.value for keyword in node.keywords if keyword.arg in _DRAWN_ARGUMENTS]
            if name in _DRAWN_FIRST or name.endswith("Error"):
                arguments += node.args[:1]
            if name in _DRAWN_SECOND:
                arguments += node.args[1:3]
            drawn |= {id(value) for argument in arguments for value in _values(argument)}
    return drawn, hidden


def _values(node: ast.expr) -> Iterator[ast.expr]:
    """Return the literals that an argument may be."""
    if isinstance(node, ast.IfExp):
        yield from (*_values(node.body), *_values(node.orelse))
    elif isinstance(node, ast.BoolOp | ast.List | ast.Tuple):
        for value in node.values if isinstance(node, ast.BoolOp) else node.elts:
            yield from _values(value)
    else:
        yield node


def _joined(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{…}" for part in node.values)


def _is_sentence(text: str) -> bool:
    return bool(_SENTENCE.search(text)) and not _CODE.search(text)


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    calls = [decorator.func for decorator in node.decorator_list if isinstance(decorator, ast.Call)]
    return any(_name(call) in _COMMANDS for call in calls)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _script_texts(script: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(script.splitlines(), 1):
        for quoted in re.findall(r'"([^"\n]*)"|`([^`\n]*)`', line.split(" // ")[0]):
            text = re.sub(r"\$\{[^}]*\}", "{…}", "".join(quoted))
            if re.match(r"[A-Z][a-z]", text) and _is_sentence(text):
                yield number, text


if __name__ == "__main__":
    print(table(collect()), end="")
