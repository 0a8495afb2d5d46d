"""Runs of the embedded engine as any backend records them."""

from __future__ import annotations

from debugger.graph.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.engine.test_interpreter import HIDDEN, Play
from tests.support.decisions import as_recorded


def played_turns(*parts, says=(None,), **config) -> tuple[Graph, list[TurnLog]]:
    """Return the workflow and the turns of a run with these messages.

    Nodes and edges are as in the factories.
    """
    play, turns = Play(*parts, options=HIDDEN, **config), []
    for number, said in enumerate(says, 1):
        play.turn(said)
        turns.append(TurnLog(number, TurnInput.with_message(said), as_recorded(play.events)))
    return Graph(play.interpreter.workflow), turns
