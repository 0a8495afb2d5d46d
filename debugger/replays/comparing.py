"""The first difference between a turn and the same turn on another version: path, variables, words."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile, zip_longest
from typing import Any, Literal

from debugger.analysis.differences import differences
from debugger.analysis.event_fields import text, values_of
from debugger.protocol.events import EdgeEvent, Event
from debugger.protocol.json_codec import encode
from debugger.protocol.turn_logs import TurnLog
from debugger.replays.results import Divergence

_NOTHING = "nothing"
_LONGEST = 200
"""Characters of what is shown of a text or value."""
_BEFORE = 40
"""Those of them that are shown before the first difference of a longer one."""
_REASON = "justification"
"""Variable with the reason of a model, which is words."""


@dataclass(frozen=True)
class Step:
    """A transition, as paths are compared."""

    thread: int
    """Counts the threads of a segment from 0: their ids differ from run to run."""
    source: str
    """Logical id of the node where it is decided."""
    destination: str
    edge: str
    """Logical id of the edge; empty where the transition has none."""
    node: str
    """The name of the source."""
    label: str
    """In words: ``book → Booking intake``."""

    @property
    def ends(self) -> tuple[int, str, str]:
        """Return thread, source and destination."""
        return self.thread, self.source, self.destination

    def is_same(self, other: Step, edges: Container[str]) -> bool:
        """Return whether another version goes the same way.

        Args:
            other: The step there.
            edges: The ids of its edges: of two edges with the same ends the other one is another way, but one
                that was deleted and drawn anew is not.
        """
        return self.ends == other.ends and (self.edge == other.edge or self.edge not in edges)


Kind = Literal["path", "variables", "words"]


def find_divergence(before: TurnLog, after: TurnLog, edges: Container[str]) -> tuple[Kind, Divergence] | None:
    """Return the first difference of two segments: of the path, else of variables, else of words.

    Ids, times, prompts and tokens are not compared. ``None`` where path, variables and words are the same.

    Args:
        before: The segment as it was recorded.
        after: The same on another version.
        edges: The ids of the edges of that version.
    """
    if (found := find_other_path(before, after, edges)) is not None:
        return "path", found
    if (found := _variable_divergence(before, after)) is not None:
        return "variables", found
    if (found := find_other_words(before.events, after.events, before.number)) is not None:
        return "words", found
    return None


def path_of(events: Sequence[Event]) -> Iterator[Step]:
    """Yield the transitions of some events, in order."""
    threads: dict[str, int] = {}
    for event in events:
        if isinstance(event, EdgeEvent) and event.type.endswith("_edge"):
            name = f"{event.edge_name} → " if event.edge_name else "→ "
            yield Step(
                threads.setdefault(event.origin_thread_id or "", len(threads)),
                event.source_node_logical_id or "",
                event.destination_node_logical_id or "",
                event.edge_logical_id or "",
                event.source_label,
                f"{name}{event.destination_label}",
            )


def find_other_path(
    before: TurnLog, after: TurnLog, edges: Container[str], *, is_cut: bool = False
) -> Divergence | None:
    """Return the first transition in which two segments differ; ``None`` where their paths are the same.

    Args:
        before: The segment as it was recorded.
        after: The same on another version.
        edges: The ids of the edges of that version.
        is_cut: Whether the latter ended early, so that a path that is only shorter is no other.
    """
    for old, new in zip_longest(path_of(before.events), path_of(after.events)):
        if old is not None and new is not None and old.is_same(new, edges):
            continue
        if new is None and is_cut:
            return None
        at = old or new
        assert at is not None  # the longer of both has it
        stays = "no transition"
        became = stays if new is None else new.label
        if old is not None and new is not None and old.source != new.source:
            became = f"{new.node}: {new.label}"
        return Divergence(before.number, at.source, at.node, stays if old is None else old.label, became)
    return None


def _variable_divergence(before: TurnLog, after: TurnLog) -> Divergence | None:
    old, new = _variables(before.events), _variables(after.events)
    for thread in dict.fromkeys((*old, *new)):
        was, node_id, node = old.get(thread, ({}, "", ""))
        became = new.get(thread, ({}, "", ""))[0]
        if was == became:
            continue
        for found in differences(was, became):
            old_text, new_text = _shown(found.before, found.after)
            return Divergence(
                before.number,
                node_id,
                node,
                _NOTHING if found.op == "added" else old_text,
                _NOTHING if found.op == "removed" else new_text,
                subject=found.path,
            )
    return None


def _variables(events: Sequence[Event]) -> dict[int, tuple[Mapping[str, Any], str, str]]:
    """Return for each thread its last variables, with id and name of the node that ran last in it."""
    found: dict[int, tuple[Mapping[str, Any], str, str]] = {}
    node: dict[str, tuple[str, str]] = {}
    threads: dict[str, int] = {}
    for event in events:
        thread = event.thread_reference_id or event.origin_thread_id or ""
        if event.type == "end_node_run":
            wire = event.to_wire()
            node[thread] = (
                str(wire.get("origin_node_logical_id") or ""),
                str(wire.get("origin_node_name") or wire.get("origin_node_logical_id") or ""),
            )
        elif event.type == "workflow_show_state":
            values = values_of(event)
            shown = {**values.workflow_runtime_variables, **values.runtime_variables}
            # Those of the engine begin with "_", and one that a node has written is also under the node's id.
            own = {
                name: value
                for name, value in shown.items()
                if not name.startswith("_") and "." not in name and name != _REASON
            }
            found[threads.setdefault(thread, len(threads))] = (own, *node.get(thread, ("", "")))
    return found


def find_other_words(before: Sequence[Event], after: Sequence[Event], number: int) -> Divergence | None:
    """Return the first of the agent's messages that differ; ``None`` where none do.

    Args:
        before: The events as they were recorded.
        after: Those on another version.
        number: The turn.
    """
    for old, new in zip_longest(_words(before), _words(after)):
        if old is not None and new is not None and old[2] == new[2]:
            continue
        at = old or new
        assert at is not None  # the longer of both has it
        node_id, node, _ = at
        was, says = _shown(old[2] if old else "", new[2] if new else "")
        return Divergence(number, node_id, node, was if old else _NOTHING, says if new else _NOTHING)
    return None


def last_node(events: Sequence[Event]) -> tuple[str, str]:
    """Return id and name of the node that began to run last; empty texts without one."""
    for event in reversed(events):
        if event.type == "start_node_run":
            node_id = text(event, "origin_node_logical_id") or ""
            return node_id, text(event, "origin_node_name") or node_id
    return "", ""


def _words(events: Sequence[Event]) -> Iterator[tuple[str, str, str]]:
    """Yield id and name of a node, and what it said, in order."""
    for event in events:
        if event.type == "assistant_response":
            node_id = text(event, "origin_node_logical_id") or ""
            yield node_id, text(event, "origin_node_name") or node_id, str(values_of(event).content or "")


def _shown(before: Any, after: Any) -> tuple[str, str]:
    """Return two values as texts of limited length; of long ones the part where they begin to differ."""
    texts = [value if isinstance(value, str) else encode(value).decode() for value in (before, after)]
    start = 0
    if max(map(len, texts)) > _LONGEST:
        same = takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False))
        start = max(0, sum(1 for _ in same) - _BEFORE)
    old, new = (_cut(text, start) for text in texts)
    return old, new


def _cut(text: str, start: int) -> str:
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
