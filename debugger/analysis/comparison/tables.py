"""Tables of two runs: variables, workflow versions and messages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any, Literal

from debugger.analysis.chat import ChatMessage, Role, chat_messages
from debugger.analysis.comparison.alignment import RowStatus
from debugger.analysis.comparison.ignored import IGNORED, NULLS, without_nulls
from debugger.analysis.differences import SIGNS, Difference, Op, Span, differences, readable_diff
from debugger.analysis.variables import Scopes, scopes_at
from debugger.graph.graph import edges_by_source
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import EdgeConfig, NodeConfig, Workflow


@dataclass(frozen=True)
class ComparedVariable:
    """One value, or part of one, in both runs."""

    path: str
    a: Any
    """``None`` where only B has it."""
    b: Any
    op: Literal["same", "added", "removed", "changed"]
    """From A to B: what only B has is ``added``."""

    @property
    def sign(self) -> str:
        """Return ``+``, ``−``, ``~`` or ``=`` for the operation."""
        return "=" if self.op == "same" else SIGNS[self.op]


def variable_rows(
    a: Sequence[TurnLog], b: Sequence[TurnLog], ignoring: Collection[str], *, with_same: bool = False
) -> list[ComparedVariable]:
    """Return the variables of both runs after the last of these turns, those of A first, in their order.

    Of a value that differs in parts each part has a row.

    Args:
        a: The turns of run A, up to the one that is looked at.
        b: The same of run B.
        ignoring: The names of `IGNORED` to ignore, as far as they are about variables.
        with_same: Whether to include variables that are the same in both.
    """
    one, other = _flat(scopes_at(a), ignoring), _flat(scopes_at(b), ignoring)
    rows: list[ComparedVariable] = []
    for path in {**one, **other}:
        before, after = one.get(path), other.get(path)
        if NULLS in ignoring:
            before, after = without_nulls(before), without_nulls(after)
        is_null_in_both = NULLS in ignoring and before is None and after is None
        if path not in other and not is_null_in_both:
            rows.append(ComparedVariable(path, before, None, "removed"))
        elif path not in one and not is_null_in_both:
            rows.append(ComparedVariable(path, None, after, "added"))
        elif found := differences(before, after, path):
            rows += [ComparedVariable(each.path, each.before, each.after, each.op) for each in found]
        elif with_same:
            rows.append(ComparedVariable(path, one.get(path), other.get(path), "same"))
    return rows


def _flat(scopes: Scopes, ignoring: Collection[str]) -> JsonObject:
    """Return all variables by scope and name, without qualified copies."""
    passed = frozenset(name for one in IGNORED if one.name in ignoring for name in one.system_names)
    with_justification = "justifications" not in ignoring
    found = {f"dynamic.{name}": value for name, value in scopes.dynamic.items()}
    found |= {f"system.{name}": value for name, value in scopes.system.items() if name not in passed}
    for thread, values in scopes.runtime.items():
        lead = "runtime" if thread == MAIN_THREAD else f"thread_{thread}"
        found |= {
            f"{lead}.{name}": value
            for name, value in values.items()
            if with_justification or name != "justification"
        }
    found |= {f"workflow.{name}": value for name, value in scopes.workflow.items()}
    return found | {f"input.{name}": value for name, value in scopes.seeds.items()}


Part = Literal["node", "edge", "settings"]

_GRAPH_FIELDS = ("node_configs", "edge_configs")


@dataclass(frozen=True)
class WorkflowChange:
    """A node, edge or group of settings that differs between versions."""

    part: Part
    id: str
    name: str
    """As people know it; of an edge, with the nodes at its ends."""
    op: Op
    """From A to B: what only B has is ``added``."""
    fields: tuple[Difference, ...] = ()
    """What of it changed."""

    @property
    def sign(self) -> str:
        """Return ``+``, ``−`` or ``~`` for the operation."""
        return SIGNS[self.op]


def workflow_changes(a: Workflow, b: Workflow, ignoring: Collection[str] = ()) -> list[WorkflowChange]:
    """Return the differences: nodes, edges, their order where it counts, the settings; empty for none.

    Args:
        a: The workflow of run A.
        b: That of run B.
        ignoring: The names of `IGNORED` to ignore, as far as they are about workflows.
    """
    if NULLS in ignoring:
        a, b = (Workflow.from_wire(without_nulls(one.to_wire())) for one in (a, b))
    names = {node.logical_id: node.label for node in (*a.node_configs, *b.node_configs)}
    changes = [
        *_changes("node", a.node_configs, b.node_configs, names),
        *_changes("edge", a.edge_configs, b.edge_configs, names),
        *_reordered(a, b, names),
    ]
    settings_a, settings_b = (
        {key: value for key, value in one.to_wire().items() if key not in _GRAPH_FIELDS} for one in (a, b)
    )
    if found := [*differences(settings_a, settings_b), *_reordered_nodes(a, b)]:
        changes.append(WorkflowChange("settings", "", "Workflow", "changed", tuple(found)))
    return changes


def _changes(
    part: Part,
    a: Sequence[NodeConfig | EdgeConfig],
    b: Sequence[NodeConfig | EdgeConfig],
    names: Mapping[str, str],
) -> Iterator[WorkflowChange]:
    """Yield the nodes or edges that were added, removed or changed, those of A first."""
    old, new = ({config.logical_id: config for config in configs} for configs in (a, b))
    for config_id, config in {**old, **new}.items():
        name = _edge_name(config, names) if isinstance(config, EdgeConfig) else config.label
        if config_id not in old or config_id not in new:
            yield WorkflowChange(part, config_id, name, "removed" if config_id in old else "added")
        elif found := differences(old[config_id].to_wire(), new[config_id].to_wire()):
            yield WorkflowChange(part, config_id, name, "changed", tuple(found))


def _reordered(a: Workflow, b: Workflow, names: Mapping[str, str]) -> Iterator[WorkflowChange]:
    """Yield the nodes whose edges of a type are evaluated or followed in another order.

    Source: ``platform.md#edge-selection``.
    """
    for kind in ("conditional", "direct", "companion"):
        old, new = (edges_by_source(edge for edge in one.edge_configs if edge.type == kind) for one in (a, b))
        for source in (each for each in old if each in new):
            for change in _order(f"{kind} edges[order]", old[source], new[source]):
                yield WorkflowChange("node", source, names.get(source, source), "changed", (change,))


def _reordered_nodes(a: Workflow, b: Workflow) -> Iterator[Difference]:
    """Yield the changed order of global nodes, whose conditions are evaluated in it."""
    old, new = ([node for node in one.node_configs if node.is_global] for one in (a, b))
    yield from _order("global nodes[order]", old, new)


def _order(
    path: str, a: Sequence[NodeConfig | EdgeConfig], b: Sequence[NodeConfig | EdgeConfig]
) -> Iterator[Difference]:
    """Yield the difference where what both have has another order."""
    before, after = ([each.logical_id for each in one] for one in (a, b))
    order, other = [each for each in before if each in after], [each for each in after if each in before]
    if order != other:
        yield Difference(path, order, other, "changed")


def _edge_name(edge: EdgeConfig, names: Mapping[str, str]) -> str:
    """Return an edge as the names of its ends and its label, if any.

    An unknown end has its id, a missing one ``?``.
    """
    source, destination = (
        names.get(end or "", end or "?")
        for end in (edge.source_node_logical_id, edge.destination_node_logical_id)
    )
    return f"{source} → {destination}" + (f" ({edge.label})" if edge.label else "")


_MOST_LINES = 300
"""Of one turn; more of them are put beside each other in their order, without looking which ones fit."""


@dataclass
class MessagePair:
    """A message of one run or of both."""

    turn: int
    """The turn in run A, or the one that it would be there."""
    role: Role
    a: ChatMessage | None
    b: ChatMessage | None

    @property
    def status(self) -> RowStatus:
        """The comparison of both texts."""
        if self.a is None or self.b is None:
            return "only_b" if self.a is None else "only_a"
        return "same" if self.a.text == self.b.text else "changed"

    @cached_property
    def pieces(self) -> list[Span]:
        """The differing words, if both have a message."""
        return readable_diff(self.a.text, self.b.text) if self.a and self.b else []


def message_pairs(
    a: Sequence[TurnLog], b: Sequence[TurnLog], names: Mapping[str, str] | None = None, *, shift: int = 0
) -> list[MessagePair]:
    """Return the messages of both runs, turn by turn.

    Args:
        a: The turns of run A.
        b: The turns of run B.
        names: The author's node names by id.
        shift: How many turns of A came before the first of B.
    """
    of_a, of_b = _by_turn(chat_messages(a, names), 0), _by_turn(chat_messages(b, names), shift)
    turns = sorted({*of_a, *of_b})
    return [line for turn in turns for line in _lines(turn, of_a.get(turn, []), of_b.get(turn, []))]


def _by_turn(said: Sequence[ChatMessage], shift: int) -> dict[int, list[ChatMessage]]:
    found: dict[int, list[ChatMessage]] = {}
    for message in said:
        found.setdefault(message.turn_number + shift, []).append(message)
    return found


def _lines(turn: int, a: list[ChatMessage], b: list[ChatMessage]) -> Iterator[MessagePair]:
    """Yield the pairs of one turn, matched by role whatever node speaks; many are matched by place alone.

    What one run alone has comes where it was said, A first.
    """
    if max(len(a), len(b)) > _MOST_LINES:
        blocks = [(0, 0, min(len(a), len(b)))]
    else:
        roles_a, roles_b = [message.role for message in a], [message.role for message in b]
        matcher = SequenceMatcher(None, roles_a, roles_b, autojunk=False)
        blocks = [(block.a, block.b, block.size) for block in matcher.get_matching_blocks()]
    at = bt = 0
    for begin_a, begin_b, size in [*blocks, (len(a), len(b), 0)]:
        yield from (MessagePair(turn, message.role, message, None) for message in a[at:begin_a])
        yield from (MessagePair(turn, message.role, None, message) for message in b[bt:begin_b])
        at, bt = begin_a + size, begin_b + size
        pairs = zip(a[begin_a:at], b[begin_b:bt], strict=True)
        yield from (MessagePair(turn, one.role, one, other) for one, other in pairs)
