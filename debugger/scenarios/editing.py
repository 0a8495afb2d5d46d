"""Changes of a scenario file that leave its comments, order and formatting alone."""

from __future__ import annotations

import difflib
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from debugger.engine.models.yaml_lines import read_yaml
from debugger.errors import InputError
from debugger.protocol.base import JsonObject

_ODD_BREAK = re.compile(r"[\x85\u2028\u2029]")
_WIDTH = 100_000
"""A text is never broken into lines that its author did not write."""


def write_yaml(value: Any) -> str:
    """Return a JSON value as YAML, lists of short texts on one line."""
    out = io.StringIO()
    _yaml().dump(_laid_out(value), out)
    return out.getvalue()


def rewrite(source: str, wanted: JsonObject) -> str:
    """Return a file with another content; only the lines of what differs change.

    Args:
        source: The text of a YAML file with a mapping.
        wanted: The content, as JSON.

    Raises:
        InputError: The file is no YAML, or uses something that cannot be changed in place.
    """
    read_plain(source)  # what costs too much is refused before the other reader gets it
    try:
        root = _yaml().compose(source)
        edits = list(_edits(source, root, wanted, 0))
    except YAMLError as error:
        raise InputError(f"The file is no YAML: {error}", advice="Correct it first.") from error
    line_break = "\r\n" if "\r\n" in source else "\n"
    text = source
    # From the end on; of several at one place the last one first, so that they come out in their order.
    for _, (begin, end, new) in sorted(
        enumerate(edits), key=lambda each: (*each[1][:2], each[0]), reverse=True
    ):
        text = text[:begin] + new.replace("\n", line_break) + text[end:]
    try:
        is_right = read_plain(text) == wanted
    except InputError:
        is_right = False
    if not is_right:
        raise InputError(
            "The file cannot be changed in place, as by an anchor or a tag in it.",
            advice="Save the scenario as a new file.",
        )
    return text


def read_plain(source: str) -> Any:
    """Return the content of a YAML text as JSON; times stay texts.

    Raises:
        InputError: It cannot be read.
    """
    return read_yaml(source).plain()


class _Representer(RoundTripRepresenter):
    """Writes floats as the loader reads them: ``1.0e-07``, as ``1e-07`` is a text for it."""

    def represent_float(self, data: float) -> ScalarNode:
        """Return the node of a number."""
        node: ScalarNode = super().represent_float(data)
        digits, mark, exponent = node.value.partition("e")
        if mark and "." not in digits:
            node.value = f"{digits}.0e{exponent}"
        return node


_Representer.add_representer(float, _Representer.represent_float)


def _yaml() -> YAML:
    """Return a writer of YAML with the indents and the line length of scenario files."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _laid_out(value: Any) -> Any:
    """Return a JSON value for ruamel, with lists of plain values on one line, texts of lines as literals."""
    if isinstance(value, Mapping):
        return {key: _laid_out(inner) for key, inner in value.items()}
    if isinstance(value, list):
        if all(not isinstance(inner, Mapping | list) for inner in value):
            items = CommentedSeq(map(_quoted, value))
            items.fa.set_flow_style()
            return items
        return CommentedSeq(_laid_out(inner) for inner in value)
    if isinstance(value, str) and "\n" in value and _can_be_literal(value):
        return LiteralScalarString(value)
    return _quoted(value) if isinstance(value, str) and _ODD_BREAK.search(value) else value


def _quoted(value: Any) -> Any:
    """Return a value of a line whose texts are quoted where readers of YAML disagree.

    For some of them a question mark in a plain text begins a key, and a colon at its begin a value.
    """
    if isinstance(value, Mapping):
        return {key: _quoted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_quoted(inner) for inner in value]
    is_odd = isinstance(value, str) and ("?" in value or value[:1] == ":" or _ODD_BREAK.search(value))
    return DoubleQuotedScalarString(value) if is_odd else value


def _can_be_literal(text: str) -> bool:
    return text.isprintable() or all(
        line.isprintable() and line == line.rstrip() for line in text.split("\n")
    )


def _plain(node: Node | None) -> Any:
    """Return the content of a node as JSON, as the loader reads it; ``None`` without a node."""
    if isinstance(node, MappingNode):
        return {_name(key): _plain(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_plain(item) for item in node.value]
    if node is None:
        return None
    kind = str(node.tag).rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return node.value.lower() == "true"
    if kind in ("int", "float"):
        return read_yaml(node.value).value  # as the loader, for which 017 and 0x10 are texts
    return node.value.replace("\a", "") if _style(node) == ">" else node.value  # where ruamel noted a fold


def _name(key: Node) -> str:
    """Return the text of a key, whatever its type, as the loader does."""
    return str(key.value)


def _style(node: Node) -> str | None:
    """Return the quotes of a text, or ``>`` or ``|``."""
    return node.style if isinstance(node, ScalarNode) else None


Edit = tuple[int, int, str]
"""Begin and end of what is replaced, and the text in its place."""


def _edits(source: str, node: Node, wanted: Any, column: int) -> Iterator[Edit]:
    """Yield the changes that make a node hold a value; none where it does already.

    Args:
        source: The text.
        node: The node.
        wanted: Its value.
        column: The indentation of the line that the node begins on.

    Raises:
        InputError: A list is within a line of another one.
    """
    if json.dumps(_plain(node), sort_keys=True) == json.dumps(wanted, sort_keys=True):
        return
    if isinstance(node, MappingNode) and not node.flow_style and isinstance(wanted, Mapping) and wanted:
        yield from _mapping_edits(source, node, wanted)
    elif isinstance(node, SequenceNode) and not node.flow_style and isinstance(wanted, list) and wanted:
        yield from _sequence_edits(source, node, wanted)
    elif (pairs := _flow_pairs(node, wanted)) is not None:
        is_json = _is_json(source, node)
        for inner, value in pairs:
            if isinstance(inner, ScalarNode) and (is_json or isinstance(value, Mapping | list)):
                if _plain(inner) != value:
                    new = json.dumps(value, ensure_ascii=False) if is_json else _flow(value)
                    yield inner.start_mark.index, _end(source, inner), new
            else:
                yield from _edits(source, inner, value, column)
    else:
        new, begin, end = _inline(source, node, wanted, column), node.start_mark.index, _end(source, node)
        if begin == node.end_mark.index:  # nothing: the value follows its colon or dash
            begin = end = len(source[:begin].rstrip())
            new = new if new.startswith("\n") else f" {new}"
        elif new.startswith("\n"):
            begin = len(source[:begin].rstrip(" "))
        yield begin, end, new


def _flow_pairs(node: Node, wanted: Any) -> list[tuple[Node, Any]] | None:
    """Return what is in brackets with the values that it shall have; ``None`` where its shape changes."""
    if isinstance(node, MappingNode) and isinstance(wanted, Mapping):
        names = [_name(key) for key, _ in node.value]
        if set(names) == set(wanted):
            return [(value, wanted[name]) for name, (_, value) in zip(names, node.value, strict=True)]
    elif isinstance(node, SequenceNode) and isinstance(wanted, list) and len(node.value) == len(wanted):
        return list(zip(node.value, wanted, strict=True))
    return None


def _mapping_edits(source: str, node: MappingNode, wanted: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield the changes of a mapping's lines: values that differ, keys that go, then new keys after the last.

    Raises:
        InputError: A list in it is within a line of another one.
    """
    column = node.start_mark.column
    names = [_name(key) for key, _ in node.value]
    begins = [key.start_mark.index for key, _ in node.value]
    for place, (name, (_, value)) in enumerate(zip(names, node.value, strict=True)):
        if name in wanted:
            yield from _edits(source, value, wanted[name], column)
        elif _line_begin(source, begins[place]) is not None:
            yield _line_begin(source, begins[place]) or 0, _line_end(source, _end(source, value)), ""
        else:  # beside the dash of a list
            yield begins[place], begins[place + 1], ""
    added = {name: value for name, value in wanted.items() if name not in names}
    if added:
        yield _after(source, node, _block(added, column))


def _sequence_edits(source: str, node: SequenceNode, wanted: list[Any]) -> Iterator[Edit]:
    """Yield the changes of a list's lines: items that differ, that go and that are new.

    An item that shares a key with the one in its place is changed inside, any other is replaced.

    Raises:
        InputError: The list is within a line of another one.
    """
    column, items = node.start_mark.column, node.value
    dashes = [source.rfind("-", 0, item.start_mark.index) for item in items]
    spans = [
        (_line_begin(source, dash), _line_end(source, _end(source, item)))
        for dash, item in zip(dashes, items, strict=True)
    ]
    before, after = ([json.dumps(each, sort_keys=True) for each in side] for side in (_plain(node), wanted))
    if len(before) == len(after):
        differ = [place for place, each in enumerate(before) if each != after[place]]
        if len(differ) == 1 and _keys(_plain(items[differ[0]])) & _keys(wanted[differ[0]]):
            yield from _edits(source, items[differ[0]], wanted[differ[0]], column)
            return
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for _, i1, i2, j1, j2 in (code for code in matcher.get_opcodes() if code[0] != "equal"):
        paired = min(i2 - i1, j2 - j1)
        for place, value in zip(range(i1, i1 + paired), wanted[j1 : j1 + paired], strict=True):
            if _keys(_plain(items[place])) & _keys(value):
                yield from _edits(source, items[place], value, column)
            else:
                yield *_checked(spans[place]), _block([value], column)
        for begin, end in map(_checked, spans[i1 + paired : i2]):
            yield begin, end, ""
        if new := wanted[j1 + paired : j2]:
            place, block = i1 + paired, _block(new, column)
            begin = _checked(spans[0])[0]
            yield _after(source, items[place - 1], block) if place else (begin, begin, block)


def _keys(value: Any) -> set[str]:
    return set(value) if isinstance(value, Mapping) else {""}


def _checked(span: tuple[int | None, int]) -> tuple[int, int]:
    """Return the begin and end of an item's lines.

    Raises:
        InputError: It has no line of its own.
    """
    begin, end = span
    if begin is None:
        raise InputError(
            "The file has a list within a line of another one, which cannot be changed in place.",
            advice="Save the scenario as a new file.",
        )
    return begin, end


def _after(source: str, node: Node, block: str) -> Edit:
    """Return the insertion of lines after a node."""
    place = _line_end(source, _end(source, node))
    return place, place, block if source[place - 1] == "\n" else f"\n{block}"


def _line_begin(source: str, index: int) -> int | None:
    """Return the begin of a line; ``None`` where something is before the index."""
    begin = source.rfind("\n", 0, index) + 1
    return None if source[begin:index].strip() else begin


def _line_end(source: str, index: int) -> int:
    """Return the place after the line of an index."""
    found = source.find("\n", index)
    return len(source) if found < 0 else found + 1


def _end(source: str, node: Node) -> int:
    """Return the end of a node, without comments and blank lines after it."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(source, last[1] if isinstance(last, tuple) else last)
    begin: int = node.start_mark.index
    return begin + len(source[begin : node.end_mark.index].rstrip())


def _block(value: Any, column: int) -> str:
    """Return a mapping or list as lines at a column."""
    out = io.StringIO()
    _yaml().dump([_laid_out(inner) for inner in value] if isinstance(value, list) else _laid_out(value), out)
    lines = out.getvalue().splitlines(keepends=True)
    own = len(lines[0]) - len(lines[0].lstrip(" "))
    return "".join(" " * column + line[own:] if line.strip() else line for line in lines)


def _inline(source: str, node: Node, wanted: Any, column: int) -> str:
    """Return a value in the place of a node, in its quotes; JSON stays JSON."""
    if isinstance(node, MappingNode | SequenceNode) and _is_json(source, node):
        return json.dumps(wanted, ensure_ascii=False)
    if isinstance(wanted, str) and _style(node) == '"':
        return json.dumps(wanted, ensure_ascii=False)
    if isinstance(wanted, str) and _style(node) == "'" and wanted.isprintable():
        return "'" + wanted.replace("'", "''") + "'"
    if isinstance(wanted, Mapping | list) and wanted and source[: node.start_mark.index].rstrip()[-1:] == ":":
        is_flow = isinstance(node, MappingNode | SequenceNode) and node.flow_style
        return _flow(wanted) if is_flow else f"\n{_block(wanted, column + 2)}".rstrip("\n")
    return _flow(wanted)


def _is_json(source: str, node: Node) -> bool:
    """Return whether a node's own text is valid JSON."""
    try:
        json.loads(source[node.start_mark.index : _end(source, node)])
    except ValueError:
        return False
    return True


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    yaml = _yaml()
    yaml.default_flow_style = True
    out = io.StringIO()
    yaml.dump(_quoted(value) if isinstance(value, Mapping) else [_quoted(value)], out)
    text = out.getvalue().strip()
    return text if isinstance(value, Mapping) else text[1:-1]
