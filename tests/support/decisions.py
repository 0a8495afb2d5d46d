"""Runs whose decisions are looked at."""

from __future__ import annotations

from debugger.analysis.decisions import DecisionLog, Explainer, Explanation
from debugger.analysis.variables import Snapshots
from debugger.graph.graph import Graph
from debugger.protocol.events import Event, parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow
from tests.engine.test_interpreter import HIDDEN, Play


def explained(workflow: Workflow, turns: list[TurnLog]) -> list[Explanation]:
    """Every decision of a run, explained."""
    graph = Graph(workflow)
    log, moments = DecisionLog(graph).catch_up(turns), Snapshots().catch_up(turns)
    explainer = Explainer(graph, moments, {})
    return [explainer.explain(record) for record in log.all]


def played(*parts, says=(None,), **config) -> list[Explanation]:
    """Return the decisions of a run with these messages.

    Nodes and edges are as in the factories.
    """
    play = Play(*parts, options=HIDDEN, **config)
    turns = []
    for number, text in enumerate(says, 1):
        play.turn(text)
        run_input = TurnInput.with_message(text)
        turns.append(TurnLog(number, run_input, as_recorded(play.events)))
    return explained(play.interpreter.workflow, turns)


def as_recorded(events: list[Event]) -> list[Event]:
    """Events as a record gives them back."""
    return [parse_event(event.to_wire()) for event in events]


def verdicts(found: Explanation) -> dict[str, str]:
    """Return the verdict on each way out, by target and kind."""
    return {f"{each.kind} {each.destination or ''}".strip(): each.outcome for each in found.candidates}


def why(found: Explanation, destination: str | None) -> str:
    """The sentence on the way to a node."""
    return next(each.why for each in found.candidates if each.destination == destination)
