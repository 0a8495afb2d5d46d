from __future__ import annotations

import pytest

from debugger.engine.fork_state import prepare_fork
from debugger.engine.state import BoundedLoop, RunState, ThreadState
from debugger.engine.variables import VariableEdit
from debugger.errors import ConflictError, InputError
from debugger.graph import Graph
from tests.support.factories import say, workflow

GRAPH = Graph(workflow(say("chat"), say("desk"), say("help")))


def standing(node="chat", **fields):
    state = RunState.at(node)
    for name, value in fields.items():
        setattr(state.main, name, value)
    return state


def test_prepare_fork_records_edits():
    state = standing()
    state.main.runtime_variables = {"gone": 1, "kept": 2}

    prepare_fork(
        state,
        GRAPH,
        [
            VariableEdit("runtime", "gone", is_removal=True),
            VariableEdit("workflow", "level", "gold"),
            VariableEdit("dynamic", "who", None),
        ],
    )

    assert state.main.runtime_variables == {"kept": 2}
    assert state.workflow_variables == {"level": "gold"}
    assert state.dynamic_variables == {"who": None}
    assert [edit["name"] for edit in state.unreported_edits] == ["gone", "level", "who"]
    assert RunState.from_json(state.to_json()) == state


def test_prepare_fork_resets_a_moved_thread():
    state = standing(
        is_waiting=True,
        awaits_second_message=True,
        loop=BoundedLoop("chat", 1, 5.0),
        return_stack=[("help", "chat")],
    )

    prepare_fork(state, GRAPH, start_node="desk")

    main = state.main
    assert (main.position, main.is_waiting, main.awaits_second_message, main.loop, main.return_stack) == (
        "desk",
        False,
        False,
        None,
        [],
    )


def test_prepare_fork_is_all_or_nothing():
    state = standing()
    before = state.to_json()

    with pytest.raises(InputError, match="without a name"):
        prepare_fork(
            state, GRAPH, [VariableEdit("workflow", "x", 1), VariableEdit("workflow", " ", 1)], "desk"
        )
    with pytest.raises(InputError, match="'nowhere' is not in this version"):
        prepare_fork(state, GRAPH, [VariableEdit("workflow", "x", 1)], "nowhere")

    assert state.to_json() == before


def test_prepare_fork_needs_the_threads_nodes():
    state = standing(return_stack=[("lost", "chat")])
    state.threads["0_companion_c"] = ThreadState("0_companion_c", "poll", parent="0")
    state.threads["0_companion_d"] = ThreadState("0_companion_d", "over", parent="0", ended=True)

    with pytest.raises(ConflictError, match=r"'lost' \(thread 0\), 'poll' \(thread 0_companion_c\)"):
        prepare_fork(state, GRAPH)


def test_moved_thread_needs_no_past_node():
    state = standing("lost")

    prepare_fork(state, GRAPH, start_node="desk")

    assert state.main.position == "desk"


def test_a_conversation_that_is_over_cannot_begin_elsewhere():
    with pytest.raises(InputError, match="had ended"):
        prepare_fork(standing(ended=True), GRAPH, start_node="desk")
