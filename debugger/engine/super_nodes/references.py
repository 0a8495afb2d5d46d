"""References of an inner workflow, rewritten for the expanded one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from debugger.engine.tools.arguments import FALLBACK
from debugger.expressions.limits import MAX_PATH_CHARACTERS, path_problem
from debugger.expressions.placeholders import Placeholder, names_inside, placeholders
from debugger.expressions.references import Namespace
from debugger.graph.nesting import as_reference
from debugger.protocol.base import JsonObject

_OTHERS_TEXTS = frozenset({"encapsulated_workflow_config", "super_node_interface"})
"""Fields of an inner super node that speak of its own workflow, not of the one around it."""
_ARGUMENT_FIELD = "variable_path"
"""The field of an argument of a tool, whose ``source`` says which variables are meant."""
_VARIABLE_FIELDS = frozenset(
    {
        "input_runtime_variable_name",
        "dedup_key_runtime_variable_name",
        "keys_to_retain_runtime_variable_name",
    }
)
"""Fields that name a variable to read, without brackets around it."""
_THREAD = re.compile(r"thread_[^.\[\]]+\.")
_NAME = re.compile(r"[^.\[\]]+")
_FIELD_VALUES = "field_values"
"""The field of a super node that has the values of its interface."""
_NO_WORD = re.compile(r"[^A-Za-z0-9_]")
_BRACKETS = {"dynamic": ("{{", "}}"), "runtime": ("[[", "]]")}

Aliases = Mapping[str, Placeholder]
"""References that a super node sets for dynamic variables, by the name of the variable."""


class _OuterPath(NamedTuple):
    """A dynamic variable of an inner workflow by the outer one's name."""

    namespace: Namespace
    head: str
    """The name that replaces the inner one."""
    rest: str

    @property
    def path(self) -> str:
        """Return the whole path."""
        return self.head + self.rest


TRIGGERS: Final = "trigger_node_logical_ids"


class Renaming:
    """Prefixes of ids and variable paths of one inner workflow.

    Rewritten are node-qualified variables, ``[[ask.name]]`` to ``[[booking/ask.name]]``, in texts, conditions
    and code and in the fields that name a variable. A variable that is qualified by a node's name stays, for
    names do; so does the id of a companion thread.

    Args:
        super_node_id: The super node's id in the expanded workflow.
        ids: The ids of the inner workflow's nodes.
        aliases: The dynamic variables inside that stand for one outside; they are rewritten, too.

    Source: ``platform.md#node-runs`` and ``platform.md#variables``.
    """

    def __init__(self, super_node_id: str, ids: Collection[str], aliases: Aliases) -> None:
        self._prefix: Final = f"{super_node_id}/"
        self._ids: Final = ids
        self._longest: Final = min(max(map(len, ids), default=0), MAX_PATH_CHARACTERS)
        self._aliases: Final = aliases

    def id(self, inner: str) -> str:
        """Return a node's or an edge's id in the expanded workflow."""
        return f"{self._prefix}{inner}"

    def optional_id(self, inner: Any) -> Any:
        """Return the same as `id`; other values than texts stay."""
        return self.id(inner) if isinstance(inner, str) else inner

    def value(self, value: Any) -> Any:
        """Return a copy of any JSON value with the variables in its texts and path fields rewritten.

        Raises:
            RecursionError: It is nested too deep.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            copy = {key: self._field(key, each) for key, each in value.items()}
            written = value.get(_ARGUMENT_FIELD)
            return {**copy, **self._argument(value, written)} if isinstance(written, str) else copy
        if isinstance(value, list):
            return [self.value(each) for each in value]
        return value

    def text(self, text: str) -> str:
        """Return a text with the variables in it rewritten; the same text where there are none."""
        if "[[" not in text and not (self._aliases and "{{" in text):
            return text
        parts, end = [], 0
        for placeholder in placeholders(text):
            parts += [text[end : placeholder.start], self._reference(placeholder)]
            end = placeholder.end
        return "".join((*parts, text[end:]))

    def path(self, path: str) -> str:
        """Return a variable's path with an inner node's prefixed id; unchanged where it names no inner node.

        A leading ``thread_….`` stays, and the shortest id counts.
        """
        thread = _THREAD.match(path)
        lead = thread[0] if thread else ""
        rest = path[len(lead) :]
        end = rest.find(".")
        while 0 < end <= self._longest:
            if rest[:end] in self._ids:
                return f"{lead}{self._prefix}{rest}"
            end = rest.find(".", end + 1)
        return path

    def _reference(self, placeholder: Placeholder) -> str:
        """Return a placeholder's text with the outer workflow's names: ``{{phone.home | upcase}}``.

        Filters and what else it has stay; one that names nothing inside is unchanged.
        """
        namespace, path, expression = placeholder.namespace, placeholder.path, placeholder.expression
        for start, name in reversed(names_inside(placeholder) if self._aliases else []):
            alias = self._aliases.get(name)
            if alias is not None and alias.namespace == "dynamic":  # no other can be an argument of a filter
                expression = expression[:start] + alias.path + expression[start + len(name) :]
        if namespace == "runtime":
            expression = self.path(path) + expression[len(path) :]
        elif outer := self._outer(path):
            namespace, head, rest = outer
            expression = head + expression[len(path) - len(rest) :]
        opening, closing = _BRACKETS[namespace]
        return opening + placeholder.text[2:-2].replace(placeholder.expression, expression, 1) + closing

    def _argument(self, written: JsonObject, path: str) -> JsonObject:
        """Return the changed fields of an argument that the workflow sets itself; often none.

        One of the source ``auto`` whose path is rewritten gets a fallback to the dynamic variable.
        """
        source, outer = written.get("source"), self._outer(path)
        if source == "dynamic":
            return {} if outer is None else {"source": outer.namespace, _ARGUMENT_FIELD: outer.path}
        inside = self.path(path)
        if source == "runtime" or (outer is None and inside == path):
            return {_ARGUMENT_FIELD: inside}
        fallback = {"source": "dynamic", "path": path}
        if outer is not None:
            fallback = {"source": outer.namespace, "path": outer.path}
        return {_ARGUMENT_FIELD: inside, FALLBACK: fallback}

    def _outer(self, path: str) -> _OuterPath | None:
        """Return the outer variable that a dynamic one stands for, else ``None``.

        The rest of the path behind the name stays.
        """
        bare = path.removeprefix("global.")
        name = _NAME.match(bare)
        alias = self._aliases.get(name[0]) if name else None
        return _OuterPath(alias.namespace, alias.path, bare[name.end() :]) if name and alias else None

    def _field(self, name: str, value: Any) -> Any:
        """Return the rewritten value of a field: as a path, as values of an interface, or as any value.

        What speaks of an inner super node's own workflow stays.
        """
        if name in _OTHERS_TEXTS:
            return value
        if name == _FIELD_VALUES and isinstance(value, dict):
            return {key: self.value(as_reference(each)) for key, each in value.items()}
        is_path = name in _VARIABLE_FIELDS and isinstance(value, str)
        return self.path(value) if is_path else self.value(value)


def rename_edge(edge: JsonObject, renaming: Renaming) -> JsonObject:
    """Return a copy of an inner workflow's edge with the expanded workflow's ids, triggers included.

    A missing end is ``None`` in it. Raises RecursionError where the edge is nested too deep.
    """
    ends = ("logical_id", "source_node_logical_id", "destination_node_logical_id")
    copy: JsonObject = renaming.value(edge)
    waiting = copy.get("evaluate_while_waiting_config")
    if isinstance(waiting, dict) and isinstance(waiting.get(TRIGGERS), list):
        waiting[TRIGGERS] = [renaming.optional_id(trigger) for trigger in waiting[TRIGGERS]]
    return {**copy, **{name: renaming.optional_id(edge.get(name)) for name in ends}}


def new_reference(super_node_id: str, name: str, taken: Collection[str]) -> Placeholder:
    """Return a reference to a dynamic variable that one super node has for itself.

    Args:
        super_node_id: The super node; ``booking/pay`` and ``caller`` give ``{{booking_pay__caller}}``.
        name: The variable's name inside.
        taken: Names that the new variable must not have.
    """
    own = _NO_WORD.sub("_", f"_{super_node_id}__{name}").lstrip("_") or "_"
    own = own if own[0].isalpha() else f"s_{own}"
    while own in taken:
        own += "_"
    return placeholders(f"{{{{{own}}}}}")[0]


def reference_in(value: Any) -> Placeholder | None:
    """Return the reference that makes up a whole value, without filters; ``None`` for any other value.

    A variable's value is not filled in again, so that ``{{phone}}`` as the value of ``caller`` would stay as
    it is written. Inner texts get ``{{phone}}`` in place of ``{{caller}}`` instead.
    """
    if not isinstance(value, str):
        return None
    found = placeholders(value.strip())
    is_all = len(found) == 1 and found[0].text == value.strip()
    is_plain = is_all and found[0].expression == found[0].path and not path_problem(found[0].path)
    return found[0] if is_plain else None
