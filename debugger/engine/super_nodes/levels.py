"""One workflow in the place of a super node: its nodes and edges with the ids of the expanded workflow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from debugger.engine.super_nodes.aliases import Aliases
from debugger.engine.super_nodes.ends import Paths, paths_of
from debugger.engine.super_nodes.mappings import Filled
from debugger.engine.super_nodes.models import ModelRule
from debugger.engine.super_nodes.placeholder import Placeholder, is_expandable
from debugger.engine.super_nodes.references import Renaming, renamed_edge
from debugger.engine.super_nodes.settings import baked
from debugger.errors import RunError
from debugger.graph.checks import LLM_FLAGS
from debugger.graph.nesting import ORIGIN, SCOPE
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import as_bool


@dataclass(frozen=True)
class Level:
    """One workflow among those that are joined."""

    name: str
    stored: JsonObject
    """The document as it was found, before values were written into it."""
    nodes: list[JsonObject]
    edges: list[JsonObject]
    is_start: bool = True
    """Whether a run can begin at its start node."""
    rule: ModelRule = field(default_factory=ModelRule)
    placeholder: Placeholder | None = None
    """The super node in whose place it is; none for the author's own."""
    parent: Level | None = None
    origin: tuple[str, ...] = ()
    """The super nodes around it, outermost first."""
    start: str = ""
    paths: Paths = field(default_factory=Paths)
    aliases: Aliases = field(default_factory=dict)
    """The dynamic variables in it that stand for one outside."""

    @property
    def placeholders(self) -> list[Placeholder]:
        """The super nodes in it that are replaced."""
        return [Placeholder(node) for node in self.nodes if is_expandable(node)]

    @property
    def around(self) -> Iterator[tuple[str, JsonObject]]:
        """Name and document of it and of those around it, innermost first."""
        level: Level | None = self
        while level is not None:
            yield level.name, level.stored
            level = level.parent


@dataclass
class Gate:
    """Where one comes into a super node and where one leaves it."""

    placeholder: Placeholder
    entry: str
    """The inner node by which one comes in."""
    terminals: list[str]
    """The inner nodes at which its workflow ends."""
    models: list[str]
    """The inner nodes that call a model, on the way of the main thread."""

    @cached_property
    def exits(self) -> list[str]:
        """The nodes from which a conditional edge leaves: those that call a model, and those at the end."""
        return list(dict.fromkeys((*self.models, *self.terminals)))


def level_inside(
    placeholder: Placeholder, parent: Level, name: str, stored: JsonObject, filled: Filled
) -> Level:
    """Make the level of a super node.

    Args:
        placeholder: The super node.
        parent: The level that it is in.
        name: The name of the workflow that it stands for.
        stored: That workflow's document.
        filled: The same with the super node's values in it.

    Raises:
        RunError: The workflow has no start node, a prompt that is no text, or is nested too deep.
    """
    config = filled.document.get("workflow_config") or {}
    written = filled.document.get("node_configs") or []
    rule = ModelRule.inside(parent.rule, placeholder, config)
    aliases = _aliases(parent, filled)
    renaming = Renaming(placeholder.id, {str(node["logical_id"]) for node in written}, aliases)
    start = renaming.id(_start_of(placeholder, name, written))
    is_start = parent.is_start and as_bool(placeholder.field("is_start"), False)
    origin = (*parent.origin, placeholder.id)
    try:
        nodes = [_inner_node(baked(node, config, rule), renaming, origin) for node in written]
        edges = [renamed_edge(edge, renaming) for edge in filled.document.get("edge_configs") or []]
    except RecursionError as error:
        raise RunError(
            f"{placeholder} stands for {name!r}, in which objects and lists are nested too deep.",
            advice="Make the fields of its nodes and edges flatter.",
        ) from error
    for node in nodes:
        node["is_start"] = is_start and node["logical_id"] == start
    paths = paths_of(nodes, edges, start)
    return Level(
        name, stored, nodes, edges, is_start, rule, placeholder, parent, origin, start, paths, aliases
    )


def gate_of(placeholder: Placeholder, level: Level, gates: dict[str, Gate]) -> Gate:
    """Where one comes into a super node's level and leaves it, given the gates of the super nodes in it."""
    kinds = {str(node["logical_id"]): node for node in reversed(level.nodes)}
    models: list[str] = []
    terminals: list[str] = []
    for node_id in level.paths.main:
        inner = gates.get(node_id)
        if inner is not None:
            models += inner.models
        elif kinds[node_id].get("type") in LLM_FLAGS and not as_bool(kinds[node_id].get("disabled"), False):
            models.append(node_id)
    for node_id in level.paths.terminal:
        terminals += gates[node_id].terminals if node_id in gates else [node_id]
    entry = gates[level.start].entry if level.start in gates else level.start
    return Gate(placeholder, entry, terminals, models)


def _start_of(placeholder: Placeholder, name: str, nodes: list[JsonObject]) -> str:
    start = next((node for node in nodes if _is_start(node)), None)
    if start is None:
        raise RunError(
            f"{placeholder} stands for {name!r}, which has no start node.",
            advice="Set 'is_start' on one enabled node of that workflow.",
        )
    return str(start["logical_id"])


def _is_start(node: JsonObject) -> bool:
    return as_bool(node.get("is_start"), False) and not as_bool(node.get("disabled"), False)


def _aliases(parent: Level, filled: Filled) -> Aliases:
    """Those of the super node, and those around it that it gives no other value for."""
    around = {name: each for name, each in parent.aliases.items() if name not in filled.dynamic_variables}
    return {**around, **filled.aliases}


def _inner_node(node: JsonObject, renaming: Renaming, origin: tuple[str, ...]) -> JsonObject:
    node_id = renaming.id(str(node["logical_id"]))
    copy: JsonObject = {**renaming.value(node), "logical_id": node_id, ORIGIN: list(origin)}
    settings = copy.get("global_node_config")
    if isinstance(settings, dict) and as_bool(settings.get("is_global"), False):
        copy["global_node_config"] = {**settings, SCOPE: origin[-1]}
    return copy
