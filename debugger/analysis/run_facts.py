"""Summary of a run for lists of runs.

It is derived from the turns of a run alone, so it can be cached as long as the run gets no other turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain, groupby
from typing import Self

from debugger.analysis.position import Position
from debugger.analysis.run_projection import Projections
from debugger.analysis.timeline import shorten
from debugger.analysis.trouble import WARNING_KINDS
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.events import COMPANION, TroubleKind
from debugger.protocol.turn_logs import TurnLog

FORMAT_VERSION = 4
"""Counts up when a field of `RunSummary` changes its meaning or was wrong; older ones are then made anew."""

MAX_PATH = 200
"""Nodes of a path that a summary has in order; its counts have all of them."""


@dataclass(frozen=True)
class EdgeUse:
    """An edge, or a transition without one, that a run took."""

    source: str
    """Node id; empty at the begin of a run."""
    destination: str
    """Node id; empty where it ended the run."""
    label: str
    """The edge's name, else the kind of the transition."""
    count: int


@dataclass(frozen=True)
class RunSummary:
    """The facts on a run that only its events have."""

    first_words: str = ""
    """The first message of the user, else of the agent."""
    last_words: str = ""
    """The last message of either."""
    turns: int = 0
    """Turns of the user, without background work."""
    troubles: dict[TroubleKind, int] = field(default_factory=dict)
    """Counts by kind of trouble, with warnings of the configuration."""
    error_type: str = ""
    """``workflow_error``, ``node_expired`` or, for any other failed answer, ``node_failure``; the gravest."""
    duration_ms: float | None = None
    """From the first event to the last, the time in which the user was silent included."""
    working_ms: float = 0.0
    """The time that the turns took."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    path: tuple[str, ...] = ()
    """The nodes of the main thread in the order in which it entered them, at most `MAX_PATH`."""
    visits: dict[str, int] = field(default_factory=dict)
    """Number of entries, from 1, of each node that any thread reached."""
    edges: dict[str, EdgeUse] = field(default_factory=dict)
    """The taken edges by `path_id`."""
    last_node: str = ""
    """The node that the main thread is at; empty before the first one."""
    names: dict[str, str] = field(default_factory=dict)
    """The names of the nodes above by id."""

    @property
    def failures(self) -> int:
        """Return the number of errors and failed answers."""
        return sum(number for kind, number in self.troubles.items() if kind not in WARNING_KINDS)

    @property
    def problems(self) -> int:
        """Return the number of failures and of warnings whose cause is unknown."""
        return sum(number for kind, number in self.troubles.items() if kind != "configuration")

    def to_json(self) -> JsonObject:
        """Return the summary as a JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: JsonObject) -> Self:
        """Read what `to_json` returned."""
        edges = {key: EdgeUse(**edge) for key, edge in value["edges"].items()}
        return cls(**{**value, "path": tuple(value["path"]), "edges": edges})


def summarize(turns: Iterable[TurnLog], graph: Graph) -> RunSummary:
    """Return the summary of a run; of one without turns all is empty.

    Args:
        turns: Its turns and pieces of background work.
        graph: The workflow that ran; nodes that it does not have are named as the events name them.
    """
    seen = Projections(graph, graph.names)
    for turn in turns:
        seen.add_turn(turn)
    place = seen.position.position(None)
    calls = [call for step in seen.steps for call in step.calls]
    said = [message for message in seen.chat.messages if message.message is not None]
    user = [message for message in said if message.role == "user"]
    own = [row for row in seen.turn_rows if not row.is_background]
    times = [row.at_ms for row in seen.timeline.rows if row.at_ms is not None]
    return RunSummary(
        first_words=shorten((user or said)[0].text) if said else "",
        last_words=shorten(said[-1].text) if said else "",
        turns=len(own),
        troubles=dict(Counter(row.trouble.kind for row in seen.timeline.rows if row.trouble is not None)),
        error_type=_error_type(seen),
        duration_ms=round(max(times), 3) if times else None,
        working_ms=round(sum(row.duration_ms or 0.0 for row in seen.turn_rows), 3),
        prompt_tokens=sum(call.prompt_tokens for call in calls),
        completion_tokens=sum(call.completion_tokens for call in calls),
        path=tuple(_path(place))[:MAX_PATH],
        visits=place.entries,
        edges=_edges(place),
        last_node=place.current or "",
        names=_names(place, graph.names),
    )


def _error_type(seen: Projections) -> str:
    for kind in ("workflow_error", "node_expired"):
        if seen.types[kind]:
            return kind
    return "node_failure" if any(row.failures for row in seen.turn_rows) else ""


def _path(place: Position) -> Iterator[str]:
    """Yield the main thread's nodes in order, without repetitions in a row."""
    ways = [
        (taken.source, taken.destination)
        for taken in place.transitions
        if COMPANION not in (taken.thread_id or "") and taken.kind != "companion_edge"
    ]
    # No event leaves a node that was skipped: the next one begins where the thread arrived.
    nodes = [next(iter(place.first_visit), None), *chain.from_iterable(ways), place.current]
    return (node for node, _ in groupby(filter(None, nodes)))


def _edges(place: Position) -> dict[str, EdgeUse]:
    """Return the edges that were taken, by `path_id`, in the order of first use."""
    used: dict[str, EdgeUse] = {}
    for key, path in place.path_counts.by_edge.items():
        first = path.first
        label = first.edge_name or first.kind.removesuffix("_edge").replace("_", " ")
        used[key] = EdgeUse(first.source or "", first.destination or "", label, path.count)
    return used


def _names(place: Position, names: dict[str, str]) -> dict[str, str]:
    """Return the names of the nodes that a run entered or left, by id."""
    taken = [path.first for path in place.path_counts.by_edge.values()]
    ends = (node for made in taken for node in (made.source, made.destination))
    wanted = dict.fromkeys((*place.first_visit, *ends, place.current))
    known = place.missing_nodes | names
    return {node: known.get(node, node) for node in wanted if node}
