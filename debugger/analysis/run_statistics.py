"""Statistics of many runs: drop-off, shares of edges, ends, percentiles.

Everything here is counted from summaries, see `debugger.analysis.run_facts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import quantiles

from debugger.analysis.run_facts import EdgeUse, RunSummary
from debugger.protocol.events import TroubleKind
from debugger.protocol.runs import TERMINAL_STATUSES, RunStatus

PERCENTILES = (50, 90, 95)


@dataclass(frozen=True)
class CountedRun:
    """A run as the statistics count it."""

    run_id: str
    version_number: int
    status: RunStatus
    day: str
    """The day on which it began, as ``2026-07-01``."""
    end_reason: str
    """See `end_reason`."""
    summary: RunSummary

    @property
    def is_over(self) -> bool:
        """Return whether the run takes no further turn."""
        return self.status in TERMINAL_STATUSES


def end_reason(status: RunStatus, termination_source: str | None, summary: RunSummary) -> str:
    """Return a run's end in words, of a failed one with its reason; its status while it is not over."""
    if status == "failed":
        reason = termination_source or summary.error_type or "unknown error"
        detail = summary.error_type if summary.error_type not in ("", reason) else ""
        words = f"{reason}, {detail}" if detail else reason
        return f"failed: {words.replace('_', ' ')}"
    if status == "aborted_looping_risk":
        return "stopped: looping"
    return status.replace("_", " ")


@dataclass(frozen=True)
class NodeFlow:
    """The runs that came by one node."""

    node: str
    name: str
    reached: int
    """Runs that reached it."""
    visits: int
    """Number of their entries."""
    ended: int
    """Runs that are over and whose main thread was there last."""
    waiting: int
    """Runs that are not over and whose main thread is there."""
    share: float
    """Share of all runs that reached it, from 0 to 1."""

    @property
    def continued(self) -> int:
        """The runs that reached it and went on from it."""
        return self.reached - self.ended - self.waiting

    @property
    def drop_off(self) -> float:
        """The share of its runs that came no further, from 0 to 1."""
        return (self.ended + self.waiting) / self.reached


@dataclass(frozen=True)
class EdgeFlow:
    """The runs that took one edge."""

    edge: str
    source: str
    destination: str
    source_name: str
    destination_name: str
    label: str
    runs: int
    """Runs that took it."""
    taken: int
    """Number of times that they took it."""
    share: float
    """Share of the transitions from its source that took it, from 0 to 1."""


def node_flows(runs: Sequence[CountedRun]) -> list[NodeFlow]:
    """Return each node that some run reached, by its first place in a path, then by runs; empty without runs.

    Nodes that no path has, as those of companion threads, come last.
    """
    reached, visits, ended, waiting = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    places: dict[str, int] = {}
    names: dict[str, str] = {}
    for run in runs:
        summary = run.summary
        reached.update(set(summary.visits) | ({summary.last_node} - {""}))
        visits.update(summary.visits)
        names |= summary.names
        if summary.last_node:
            (ended if run.is_over else waiting)[summary.last_node] += 1
        for place, node in enumerate(dict.fromkeys(summary.path)):
            places[node] = min(place, places.get(node, place))
    order = sorted(reached, key=lambda node: (places.get(node, len(places)), -reached[node], node))
    return [
        NodeFlow(
            node,
            names.get(node, node),
            reached[node],
            visits[node],
            ended[node],
            waiting[node],
            reached[node] / len(runs),
        )
        for node in order
    ]


def edge_flows(runs: Sequence[CountedRun]) -> list[EdgeFlow]:
    """Return each edge that some run took, the most taken first, then by id; empty without runs."""
    used: dict[str, EdgeUse] = {}
    sources: dict[str, set[str]] = {}
    by_runs, taken, leaving = Counter[str](), Counter[str](), Counter[str]()
    names: dict[str, str] = {}
    for run in runs:
        names |= run.summary.names
        for key, edge in run.summary.edges.items():
            used.setdefault(key, edge)
            sources.setdefault(key, set()).add(edge.source)  # another one in another version
            by_runs[key] += 1
            taken[key] += edge.count
            leaving[edge.source] += edge.count
    flows = [
        EdgeFlow(
            key,
            edge.source,
            edge.destination,
            names.get(edge.source, edge.source or "Start"),
            names.get(edge.destination, edge.destination or "the end"),
            edge.label,
            by_runs[key],
            taken[key],
            taken[key] / sum(leaving[source] for source in sources[key]),
        )
        for key, edge in used.items()
    ]
    return sorted(flows, key=lambda flow: (-flow.taken, flow.edge))


@dataclass(frozen=True)
class Share:
    """A part of the runs."""

    name: str
    runs: int
    share: float
    """From 0 to 1."""


def end_reasons(runs: Sequence[CountedRun]) -> list[Share]:
    """Return each reason of an end, the most frequent first."""
    counts = Counter(run.end_reason for run in runs)
    return [Share(name, count, count / len(runs)) for name, count in counts.most_common()]


@dataclass(frozen=True)
class Percentiles:
    """Durations and tokens of some runs; each at `PERCENTILES`, empty without values."""

    group: str
    runs: int
    duration_ms: tuple[float, ...]
    """From the first event of a run to its last."""
    working_ms: tuple[float, ...]
    """The time that the turns of a run took."""
    tokens: tuple[float, ...]


def by_version(runs: Iterable[CountedRun]) -> list[Percentiles]:
    """Return the percentiles of each version."""
    return _grouped(runs, lambda run: run.version_number, lambda version: f"v{version}")


def by_day(runs: Iterable[CountedRun]) -> list[Percentiles]:
    """Return the percentiles of each day."""
    return _grouped(runs, lambda run: run.day, str)


def percentiles(values: Sequence[float]) -> tuple[float, ...]:
    """Return the values at `PERCENTILES`, between two values in proportion."""
    if len(values) < 2:
        return tuple(values) * len(PERCENTILES)
    cuts = quantiles(values, n=100, method="inclusive")
    return tuple(cuts[percent - 1] for percent in PERCENTILES)


def _grouped(
    runs: Iterable[CountedRun], key: Callable[[CountedRun], int | str], name: Callable[[int | str], str]
) -> list[Percentiles]:
    """Return the percentiles of runs by a key, in its order; durations that are not known are left out."""
    groups: dict[int | str, list[RunSummary]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run.summary)
    return [
        Percentiles(
            name(group),
            len(groups[group]),
            percentiles([one.duration_ms for one in groups[group] if one.duration_ms is not None]),
            percentiles([one.working_ms for one in groups[group]]),
            percentiles([float(one.prompt_tokens + one.completion_tokens) for one in groups[group]]),
        )
        for group in sorted(groups)  # the keys of one grouping are of one kind
    ]


@dataclass(frozen=True)
class TroubleCount:
    """The runs with one kind of trouble."""

    kind: TroubleKind
    runs: int
    times: int
    """Count of its occurrences in them."""
    share: float
    """Share of all runs, from 0 to 1."""


def trouble_counts(runs: Sequence[CountedRun]) -> list[TroubleCount]:
    """Return each kind of trouble that occurred, that of the most runs first; empty without any."""
    times = Counter[TroubleKind]()
    for run in runs:
        times.update(run.summary.troubles)
    found = Counter(kind for run in runs for kind in run.summary.troubles)
    return [
        TroubleCount(kind, number, times[kind], number / len(runs)) for kind, number in found.most_common()
    ]


@dataclass(frozen=True)
class PathFilter:
    """A part of the picture, by which runs are chosen."""

    kind: str
    """``reached``, ``stopped`` (the last node), ``edge``, ``reason``, ``trouble``."""
    key: str
    """The id of the node or the edge, the reason, or the kind of trouble."""
    label: str = ""
    """In words: ``stopped at Booking``."""

    def fits(self, run: CountedRun) -> bool:
        """Return whether a run is chosen.

        The kind ``reached`` includes the last node; an unknown kind compares the reason of the end.
        """
        summary = run.summary
        if self.kind == "reached":
            return self.key in summary.visits or self.key == summary.last_node
        if self.kind == "stopped":
            return self.key == summary.last_node
        if self.kind == "edge":
            return self.key in summary.edges
        if self.kind == "trouble":
            return self.key in summary.troubles
        return self.key == run.end_reason


@dataclass(frozen=True)
class Flow:
    """The runs that took one step of a path."""

    step: int
    """Of the source, from 1."""
    source: str
    destination: str
    runs: int


def path_flows(runs: Sequence[CountedRun], steps: int) -> list[Flow]:
    """Count the runs that took each of the first steps."""
    counts = Counter[tuple[int, str, str]]()
    for run in runs:
        path = run.summary.path[: steps + 1]
        counts.update((step, *pair) for step, pair in enumerate(pairwise(path), start=1))
    return [Flow(*key, runs=count) for key, count in sorted(counts.items())]
