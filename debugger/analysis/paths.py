"""The ways that a run takes through its graph, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from debugger.analysis.decisions import OUTCOME_LABELS, DecisionLog, DecisionRecord
from debugger.analysis.event_fields import EventFields, text
from debugger.analysis.node_origins import label_of
from debugger.analysis.timeline import shorten
from debugger.analysis.transitions import (
    TRANSITION_TYPES,
    EdgeIndex,
    Transition,
    read_transition,
    transition_condition,
)
from debugger.graph.graph import Graph
from debugger.protocol.events import reference_id
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog

BETWEEN = " > "
"""Separates the nodes and edges of a path."""
END = "(end)"
"""The name of what follows the last node."""

_KIND_WORDS = {
    "direct_edge": "always",
    "self_loop_edge": "stays",
    "conditional_edge": "condition",
    "reverse_conditional_edge": "back",
    "companion_edge": "starts in parallel",
    "guardrail_escalation_edge": "guardrails escalate",
    "force_transfer_to_node": "moved manually",
}
_FILLED = re.compile(r"Condition expression '(.*)' holds", re.DOTALL)
"""The reason of an edge whose condition held, with the values of that moment."""
_MAX_WORDS = 60
"""Characters of a condition that labels an edge without a name."""


@dataclass(frozen=True, slots=True)
class PathStep:
    """One transition, in words."""

    event_index: int
    """The index of its event in the run."""
    thread: str
    """``"0"``, or the configured id of a companion."""
    source: str
    """The label of its source, with the super nodes around it."""
    edge: str
    """The edge's name, else its condition, else its kind."""
    destination: str
    """The label of its destination, or `END`."""
    source_id: str
    destination_id: str
    edge_id: str
    condition: str
    """The condition as its author wrote it; empty for an edge without one."""
    verdict: str
    """The decision in words: ``model chose (rule 5)``."""


class PathReader:
    """Reads the transitions of a run turn by turn."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._edges = EdgeIndex(graph.workflow.edge_configs, graph.nodes)
        self._log = DecisionLog(graph)
        self._step_count = 0

    def add_turn(self, turn: TurnLog, events: Sequence[EventFields]) -> list[PathStep]:
        """Return the transitions of the next turn, in order; turns must come one after the other."""
        self._log.add_turn(turn, events)
        decisions = {record.index: record for record in self._log.all}
        self._log.forget()
        return [
            self._step(event, turn, index, decisions.get(index))
            for index, event in enumerate(events, start=self._log.event_count - len(events))
            if event.type in TRANSITION_TYPES
        ]

    def _step(self, event: EventFields, turn: TurnLog, index: int, record: DecisionRecord | None) -> PathStep:
        """Return a transition in words, and count it."""
        self._step_count += 1
        taken = read_transition(event, self._edges, self._step_count, turn.number, index)
        condition = transition_condition(taken, self._edges, self._graph.nodes)
        return PathStep(
            event_index=index,
            thread=reference_id(taken.thread_id) or MAIN_THREAD,
            source=self._label(taken.source, text(event.event, "source_node_name")),
            edge=_words(taken, condition),
            destination=self._label(taken.destination, text(event.event, "destination_node_name")) or END,
            source_id=taken.source or "",
            destination_id=taken.destination or "",
            edge_id=taken.edge_id or "",
            condition=condition,
            verdict=_verdict(record),
        )

    def _label(self, node_id: str | None, name: str | None) -> str:
        if node_id is None:
            return ""
        names = self._graph.names
        return label_of(node_id, names.get(node_id) or name or node_id, names)


def path_text(steps: Sequence[PathStep]) -> str:
    """Return a path: ``Intent desk > book > Booking intake``.

    Each thread has its own; those of companions have the thread's id in front.
    """
    threads = dict.fromkeys(step.thread for step in steps)
    paths = {thread: _path([step for step in steps if step.thread == thread]) for thread in threads}
    return "; ".join(
        path if thread == MAIN_THREAD else f"[{thread}] {path}" for thread, path in paths.items()
    )


def edges_text(steps: Sequence[PathStep]) -> str:
    """Return the edges alone, in order: ``book > incomplete``."""
    return BETWEEN.join(step.edge for step in steps)


def conditions_text(steps: Sequence[PathStep]) -> str:
    """Return the conditions of the edges that have one."""
    return _lines([(step.edge, step.condition) for step in steps], len(steps) > 1)


def verdicts_text(steps: Sequence[PathStep]) -> str:
    """Return how each edge was decided."""
    return _lines([(step.edge, step.verdict) for step in steps], len(steps) > 1)


def _path(steps: Sequence[PathStep]) -> str:
    """Return nodes and edges of steps as one text; a source is repeated only where the path jumps."""
    parts: list[str] = []
    at = ""
    for step in steps:
        if step.source != at:
            parts.append(step.source)
        parts += [step.edge, step.destination]
        at = step.destination
    return BETWEEN.join(part for part in parts if part)


def _lines(texts: Sequence[tuple[str, str]], is_named: bool) -> str:
    lines = (f"{edge}: {text}" if is_named and edge != text else text for edge, text in texts if text)
    return " | ".join(dict.fromkeys(lines))


def _words(taken: Transition, condition: str) -> str:
    """Return a transition in words: the edge's name, else its condition, shortened, else its kind."""
    if taken.edge_name:
        return taken.edge_name
    if taken.kind == "conditional_edge" and condition:
        return shorten(" ".join(condition.split()), _MAX_WORDS)
    return _KIND_WORDS.get(taken.kind, taken.kind.replace("_", " "))


def _verdict(record: DecisionRecord | None) -> str:
    """Return how an edge was decided, with the model's words or the filled condition.

    It is empty for direct edges and self loops, and without a decision.
    """
    if record is None or record.outcome in ("direct", "loop"):
        return ""
    label, why = OUTCOME_LABELS[record.outcome], record.words or record.reason
    filled = _FILLED.fullmatch(why)
    why = filled[1] if filled else why
    return f"{label} ({why})" if why else label
