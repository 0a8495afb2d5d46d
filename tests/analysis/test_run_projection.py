from __future__ import annotations

from debugger.analysis.chat import chat_messages
from debugger.analysis.position import position
from debugger.analysis.run_projection import RunProjection
from debugger.analysis.side_effects import side_effects
from debugger.analysis.variables import Snapshots
from debugger.engine.models import HeuristicModel
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.factories import direct, node, say, static, when, worker, workflow
from tests.support.super_nodes import Run
from tests.support.timelines import build_timeline


class Counted(list):
    """Events that count how often somebody goes through them."""

    def __init__(self, events):
        super().__init__(events)
        self.walks = 0

    def __iter__(self):
        self.walks += 1
        return super().__iter__()


def tea_room():
    order = {"count": {"type": "integer"}}
    return workflow(
        say("desk", self_loop=False),
        worker("reader", order),
        node("sort", "no_op"),
        static("tea", "Tea."),
        node("gone", "http_request", url="http://127.0.0.1:9/"),
        direct("desk", "reader"),
        direct("reader", "sort"),
        when("sort", "tea", "[[count]] < 5"),
        when("sort", "gone", "[[count]] >= 5"),
        direct("tea", "desk"),
        direct("gone", "desk"),
    )


def turn(number, *events):
    return TurnLog(number, TurnInput(), [parse_event(event) for event in events])


def test_read_incrementally_equals_read_at_once():
    drawn = tea_room()
    played = Run(drawn, HeuristicModel())
    turns = [turn(1, *played.turn(None))]
    index = RunProjection(Graph(drawn))

    for number in range(2, 9):
        index.read(turns)
        turns.append(TurnLog(number, TurnInput.with_message(f"{number} teas")))
        for event in played.turn(f"{number} teas"):
            turns[-1].add(parse_event(event))
            told = index.read(turns)

            assert told.timeline.rows == build_timeline(turns, index.names)
            assert told.position.position("running") == position(turns, index.graph, "running")
            assert told.chat.messages == chat_messages(turns, index.names)
            assert told.side_effects.effects({}) == side_effects(turns, {}, index.names)


def test_read_projects_finished_turns_once():
    over = turn(1, {"type": "start_workflow"}, {"type": "start_thread"})
    over.events = Counted(over.events)
    turns = [over, turn(2, {"type": "user_messages"}), turn(3, {"type": "user_messages"})]
    index = RunProjection(Graph(workflow(say("desk"))))
    index.read(turns)
    walks = over.events.walks

    turns[2].add(parse_event({"type": "end_thread"}))
    told = index.read(turns)

    assert [row.type for row in told.timeline.rows][-1] == "end_thread"
    assert over.events.walks == walks


def test_read_result_is_unchanged_by_growth():
    turns = [turn(1, {"type": "start_workflow"})]
    index = RunProjection(Graph(workflow(say("desk"))))
    told = index.read(turns)

    turns[0].add(parse_event({"type": "start_thread"}))

    assert len(told.turns[0].events) == len(told.timeline.rows) == 1


def test_read_forgets_removed_turns():
    turns = [turn(number, {"type": "user_messages"}) for number in range(1, 7)]
    index = RunProjection(Graph(workflow(say("desk"))))
    index.read(turns)

    told = index.read(turns[:2])

    assert [row.turn_number for row in told.timeline.rows] == [1, 2]


def test_variables_continue_after_committed_turns():
    def shows(number):
        return {"type": "workflow_show_state", "runtime_variables": {"0": {"count": number}}}

    turns = [turn(number, {"type": "user_messages"}, shows(number)) for number in range(1, 4)]
    index = RunProjection(Graph(workflow(say("desk"))))
    for over in turns[:2]:
        index.commit(over)

    gone_on = index.variables().catch_up(turns)

    assert gone_on.all == Snapshots().catch_up(turns).all
    assert gone_on.event_count == 6
    assert index.variables().event_count == 4
