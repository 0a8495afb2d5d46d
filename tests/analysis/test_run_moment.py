from __future__ import annotations

from dataclasses import replace

from debugger.analysis.run_moment import effects_until, moment_at, steps_until
from debugger.analysis.run_projection import RunProjection
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.factories import say, workflow

START = 1_700_000_000.0


def event(kind, at, node=None, **fields):
    of_node = {"origin_node_logical_id": node, "origin_node_name": node} if node else {}
    return {"type": kind, "timestamp": START + at, **of_node, **fields}


def call(node, at):
    return {"at": START + at, "node_logical_id": node, "kind": "http", "call_class": "read", "target": node}


def turn(number, *events, effects=()):
    pair = {"iteration_end_state_miscellaneous": {"side_effects": list(effects)}}
    closing = event("end_workflow_iteration", 100.0 * number + 90, run_input_output_pair=pair)
    return TurnLog(number, TurnInput(), [parse_event(each) for each in (*events, closing)])


def run():
    """Two turns of four and three events; the second call of the first turn has no time."""
    first = turn(
        1,
        event("start_node_run", 100, "ask"),
        event("end_node_run", 101, "ask"),
        event("start_node_run", 102, "save"),
        effects=[call("ask", 100.5), {**call("save", 0), "at": None}],
    )
    second = turn(
        2,
        event("start_node_run", 200, "ask"),
        event("end_node_run", 202, "ask"),
        effects=[call("ask", 201)],
    )
    return RunProjection(Graph(workflow(say("ask")))).read([first, second])


def test_steps_until_event_within_turn():
    turns, steps = steps_until(run(), 1)

    assert [(row.number, row.events, row.steps) for row in turns] == [(1, 2, 1)]
    assert [(step.node_name, step.duration_ms) for step in steps] == [("ask", 1000.0)]


def test_steps_until_unfinished_node_run():
    turns, steps = steps_until(run(), 4)

    assert [(row.number, row.events) for row in turns] == [(1, 4), (2, 1)]
    assert [(step.index, step.duration_ms) for step in steps] == [(0, 1000.0), (1, None), (2, None)]


def test_steps_until_last_event_are_all():
    found = run()

    assert steps_until(found, 6) == (found.turn_rows, found.steps)


def test_effects_until_event_by_turn_and_time():
    found = run()
    effects = found.side_effects.effects({})
    counts = [len(effects_until(found, effects, event)) for event in range(7)]

    assert counts == [0, 1, 1, 2, 2, 3, 3]


def test_effects_of_earlier_background_step_stay():
    steps = [
        turn(
            1,
            event("start_node_run", at, node),
            event("end_node_run", at + 2, node),
            effects=[call(node, at + 1)],
        )
        for at, node in ((100, "poll"), (110, "store"))
    ]
    found = RunProjection(Graph(workflow(say("ask")))).read(
        [replace(step, is_background=True) for step in steps]
    )
    effects = found.side_effects.effects({})

    counts = [len(effects_until(found, effects, event)) for event in range(6)]

    assert counts == [0, 1, 1, 1, 2, 2]


def test_moment_after_pause_is_paused():
    at_ask = {"origin_node_logical_id": "ask"}
    wait = TurnLog(1, TurnInput(), [parse_event({"type": "busy_wait_for_user_message", **at_ask})])
    pause = TurnLog(2, TurnInput(), [parse_event({"type": kind}) for kind in ("pause_event", "pause_thread")])
    resumed = TurnLog(3, TurnInput(), [parse_event({"type": "start_node_run", **at_ask})])
    graph = Graph(workflow(say("ask")))
    found = RunProjection(graph).read([wait, pause, resumed])

    statuses = [moment_at(found, event, graph, {}).status for event in range(4)]

    assert statuses == ["waiting_for_user_input", "waiting_for_user_input", "paused", "running"]
    assert moment_at(found, 2, graph, {}).hint.sentence == "The run is paused: resume it."
