"""Metrics of a run: tokens and latency by node, turn and run."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from statistics import median
from typing import Any

from debugger.analysis.run_statistics import PERCENTILES, percentiles
from debugger.analysis.steps import ModelCall, Step, TurnRow
from debugger.analysis.timeline import TimelineRow
from debugger.settings import ModelPrice


@dataclass(frozen=True)
class Spread:
    """A distribution of durations, in milliseconds (``platform.md#usage``)."""

    total: float
    median: float
    """Of an even count the mean of the middle two."""
    p95: float
    """95 of 100 are at most this, between two values in proportion."""
    highest: float


@dataclass(frozen=True)
class CallMetrics:
    """Latency and tokens of model calls."""

    calls: int
    latency: Spread | None
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


@dataclass(frozen=True)
class NodeMetrics(CallMetrics):
    """Time and tokens of one node."""

    node_logical_id: str
    node_name: str
    runs: int
    failures: int
    time: Spread | None
    """Of the node runs; ``None`` without any duration."""
    share: float
    """Of the time of all node runs, from 0 to 1."""


@dataclass(frozen=True)
class RunMetrics(CallMetrics):
    """Time and tokens of a run, or of some of its turns."""

    turns: int
    node_runs: int
    time: Spread | None
    """Of the turns, end to end."""


def node_metrics(steps: Iterable[Step]) -> list[NodeMetrics]:
    """Return a row for each node that ran, the slowest in total first; empty without node runs."""
    by_node: dict[str, list[Step]] = {}
    for step in steps:
        if step.kind == "node" and step.node_logical_id is not None:
            by_node.setdefault(step.node_logical_id, []).append(step)
    whole = sum(step.duration_ms or 0.0 for runs in by_node.values() for step in runs)
    found = [_of_node(node, runs, whole) for node, runs in by_node.items()]
    return sorted(found, key=lambda each: -(each.time.total if each.time else 0.0))


def run_metrics(turns: Sequence[TurnRow], steps: Sequence[Step]) -> RunMetrics:
    """Return the sums over turns and steps.

    Background work is not counted as a turn, but its node runs and model calls are.
    """
    calls = [call for step in steps for call in step.calls]
    own = [turn for turn in turns if not turn.is_background]
    return RunMetrics(
        turns=len(own),
        node_runs=sum(step.kind == "node" for step in steps),
        time=spread([turn.duration_ms for turn in own if turn.duration_ms is not None]),
        **_of_calls(calls),
    )


def spread(milliseconds: Sequence[float]) -> Spread | None:
    """Return the distribution of durations; ``None`` without any."""
    if not milliseconds:
        return None
    return Spread(
        total=sum(milliseconds),
        median=median(milliseconds),
        p95=percentiles(milliseconds)[PERCENTILES.index(95)],
        highest=max(milliseconds),
    )


@dataclass(frozen=True)
class Costs:
    """The costs of model calls."""

    by_currency: dict[str, float]
    unpriced: int
    """Calls that used tokens of a model without a price, or did not say how many were read and written."""

    def __str__(self) -> str:
        """Return the amounts as text: ``0.0123 USD``; empty without any."""
        return " + ".join(f"{amount:,.4f} {currency}" for currency, amount in self.by_currency.items())


def costs(calls: Iterable[ModelCall], prices: Sequence[ModelPrice]) -> Costs:
    """Return the costs of model calls, by the first price whose pattern fits, per million tokens.

    Calls that cannot be priced are counted and left out of the sums.
    """
    by_currency: dict[str, float] = {}
    unpriced = 0
    for call in calls:
        model = call.model.lower()
        price = next((price for price in prices if fnmatchcase(model, price.pattern.lower())), None)
        is_known = call.prompt_tokens + call.completion_tokens > 0 or call.total_tokens == 0
        if price is None or not is_known:
            unpriced += call.total_tokens > 0
            continue
        amount = call.prompt_tokens * price.input + call.completion_tokens * price.output
        by_currency[price.currency] = by_currency.get(price.currency, 0.0) + amount / 1_000_000
    return Costs(by_currency, unpriced)


def _of_node(node: str, runs: list[Step], whole: float) -> NodeMetrics:
    """Return the row of one node; its name is that of the last run.

    Args:
        node: Its id.
        runs: Its node runs, at least one.
        whole: The milliseconds of all node runs.
    """
    calls = [call for step in runs for call in step.calls]
    time = spread([step.duration_ms for step in runs if step.duration_ms is not None])
    return NodeMetrics(
        node_logical_id=node,
        node_name=runs[-1].node_name,
        runs=len(runs),
        failures=sum(step.trouble == "failure" for step in runs),
        time=time,
        share=time.total / whole if time and whole else 0.0,
        **_of_calls(calls),
    )


def _of_calls(calls: Sequence[ModelCall]) -> dict[str, Any]:
    """Return number, latency and tokens of model calls by field of `CallMetrics`."""
    return {
        "calls": len(calls),
        "latency": spread([call.latency_ms for call in calls if call.latency_ms is not None]),
        "prompt_tokens": sum(call.prompt_tokens for call in calls),
        "completion_tokens": sum(call.completion_tokens for call in calls),
        "total_tokens": sum(call.total_tokens for call in calls),
    }


@dataclass(frozen=True)
class NodeTime:
    """The time of all runs of one node."""

    total_ms: float
    share: float
    """Of what the runs of all nodes took, from 0 to 1."""


def node_times(rows: Iterable[TimelineRow], nodes: Container[str] = ()) -> dict[str, NodeTime]:
    """Return the time of each node of the graph, by id.

    Nodes inside a super node count for it.

    Node runs without a duration are left out. The time that the user took to answer is not counted.

    Args:
        rows: The events.
        nodes: The ids of nodes inside super nodes that count for themselves.
    """
    totals: dict[str, float] = {}
    for row in rows:
        node = row.node_logical_id if row.node_logical_id in nodes else row.drawn_node
        if node is not None and row.duration_ms is not None:
            totals[node] = totals.get(node, 0.0) + row.duration_ms
    whole = sum(totals.values())
    return {node: NodeTime(total, total / whole if whole else 0.0) for node, total in totals.items()}


def percent(share: float) -> str:
    """Return a share as text: ``43 %``, ``<1 %``, ``0 %``; ``100 %`` only for all."""
    if 0.99 < share < 1:
        return ">99 %"
    return "<1 %" if 0 < share < 0.01 else f"{share:.0%}".replace("%", " %")
