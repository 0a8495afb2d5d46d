from __future__ import annotations

import random
from typing import Any

import pytest

from debugger.engine.environment import Environment
from debugger.engine.execution import ExecutionResult
from debugger.engine.interpreter import Interpreter
from debugger.engine.options import EngineOptions
from debugger.engine.state import RunState
from debugger.errors import InputError
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.engine.test_interpreter import Listener
from tests.support.factories import direct, node, say, static, tool, when, worker, workflow

COUNT = "def count(n):\n    return int(n) + 1 if str(n).isdigit() else 1\n"


class Clock:
    """A clock that only moves when it is told to, or when someone sleeps."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def environment(self) -> Environment:
        return Environment(now=lambda: self.seconds, random=random.Random(7), sleep=self.sleep)

    def sleep(self, seconds: float, _woken: Any) -> None:
        self.seconds += seconds


class Background:
    """A run with background work: its state goes through JSON between segments, as in the store."""

    def __init__(self, *parts: Any, options: EngineOptions | None = None, **config: Any) -> None:
        self.clock = Clock()
        options = options or EngineOptions(start_events=False)
        self.interpreter = Interpreter(
            workflow(*parts, **config), Listener(), options, self.clock.environment()
        )
        self.saved: bytes | None = None
        self.events: list[Event] = []
        self.end: ExecutionResult | None = None

    def turn(self, text: str | None = None, **fields: Any) -> list[str]:
        given = TurnInput.with_message(text, **fields)
        state = RunState.from_json(self.saved) if self.saved else self.interpreter.begin(given)
        return self._pull(state, self.interpreter.turn(state, given))

    def pump(self, after: float = 0) -> list[str]:
        self.clock.seconds += after
        state = RunState.from_json(self.saved)
        return self._pull(state, self.interpreter.pump(state))

    def transfer(self, destination: str) -> list[str]:
        state = RunState.from_json(self.saved)
        turn_input = TurnInput(command="resume")
        return self._pull(state, self.interpreter.turn(state, turn_input, transfer_to=destination))

    def _pull(self, state: RunState, events: Any) -> list[str]:
        self.events = []
        while True:
            try:
                self.events.append(next(events))
            except StopIteration as stop:
                self.end = stop.value
                self.saved = state.to_json()
                return [event.type for event in self.events]

    def one(self, event_type: str) -> dict[str, Any]:
        (found,) = [event.to_wire() for event in self.events if event.type == event_type]
        return found

    def said(self) -> list[str]:
        return [event.to_wire()["content"] for event in self.events if event.type == "assistant_response"]


def fork(source: str, destination: str, thread_id: str | None = None) -> dict[str, Any]:
    config = {"is_companion_thread": True, "thread_id": thread_id}
    return direct(source, destination, companion_thread_config=config)


def waking(source: str, destination: str, expression: str | None, **config: Any) -> dict[str, Any]:
    settings = {"enabled": True, "trigger_mode": "on_node_completion", **config}
    return when(source, destination, expression, evaluate_while_waiting_config=settings)


def poller(node_id: str = "poll", **retry: Any) -> dict[str, Any]:
    """Counts its attempts in ``[[attempts]]``."""
    settings = {"enabled": True, "max_retries": 10, "time_between_retries": 2, **retry}
    made = tool(node_id, COUNT, {"n": "[[attempts]]"}, result_runtime_variable_name="attempts")
    return {**made, "self_loop_config": settings}


def lab() -> list[dict[str, Any]]:
    """The graph of ``platform.md#event-order``: a poller in the background wakes the node that waits."""
    return [
        node("entry", "no_op"),
        say("chat"),
        poller(),
        node("landing", "no_op"),
        static("ready", "Your results are here after [[thread_labpoll.attempts]] checks."),
        direct("entry", "chat"),
        fork("entry", "poll", "labpoll"),
        when("poll", "landing", "[[attempts]] >= 3"),
        waking("chat", "ready", "[[thread_labpoll.attempts]] >= 3", trigger_node_logical_ids=["poll"]),
    ]


BLOCK = ["start_node_run", "end_node_run", "workflow_show_state"]
SPOKEN = ["start_node_run", "say_static", "assistant_response", "end_node_run", "workflow_show_state"]


def test_fork_runs_the_companions_first_step():
    run = Background(*lab())

    types = run.turn()

    assert types == [
        *BLOCK,
        "companion_edge",
        "direct_edge",
        "workflow_navigation_message",
        *BLOCK,
        "self_loop_delay",
        "busy_wait_for_user_message",
        "end_workflow_iteration",
        "workflow_ready_for_input",
    ]
    forked = run.one("companion_edge")
    assert (forked["origin_thread_id"], forked["thread_reference_id"]) == ("0_companion_labpoll", "labpoll")
    assert (forked["edge_logical_id"], forked["edge_run_id"]) == ("edge_entry_poll", "1")
    assert (forked["source_node_name"], forked["destination_node_name"]) == ("Entry", "Poll")
    delay = run.one("self_loop_delay")
    assert (delay["origin_thread_id"], delay["attempt_number"], delay["delay_seconds"]) == (
        "0_companion_labpoll",
        2,
        2.0,
    )
    assert run.one("workflow_ready_for_input")["active_companion_thread_ids"] == ["0_companion_labpoll"]
    assert run.end.status == "waiting_for_user_input"
    assert (run.end.has_background_work, run.end.has_active_companions) == (True, True)
    # The poller has run once already, so the edge that it wakes can be judged at once.
    assert run.end.next_due is None


def test_poller_has_the_recorded_events():
    run = Background(*lab())
    run.turn()

    first = run.pump(after=2)
    boundaries = [event.to_wire() for event in run.events[-2:]]
    second = run.pump(after=2)

    assert first == [*BLOCK, "self_loop_delay", "companion_step_boundary", "waiting_evaluation_boundary"]
    assert boundaries[0]["companion_thread_id"] == "0_companion_labpoll"
    assert (boundaries[0]["attempts_completed"], boundaries[0]["still_active"]) == (2, True)
    assert boundaries[1]["parked_node_logical_id"] == "chat"
    assert [boundaries[1][key] for key in ("edges_evaluated", "transitioned", "still_waiting")] == [
        1,
        False,
        True,
    ]
    assert second == [
        *BLOCK,
        "conditional_edge",
        "workflow_navigation_message",
        *BLOCK,
        "end_thread",
        "companion_step_boundary",
        "waiting_condition_matched",
        "conditional_edge",
        "workflow_navigation_message",
        *SPOKEN,
        "end_thread",
        "waiting_evaluation_boundary",
        "end_workflow",
    ]
    matched = run.one("waiting_condition_matched")
    assert matched["condition_expression"] == "[[thread_labpoll.attempts]] >= 3"
    assert matched["hydrated_condition_expression"] == "3 >= 3"
    assert matched["trigger_mode"] == "on_node_completion"
    assert (matched["trigger_node_logical_id"], matched["trigger_node_completion_count"]) == ("poll", 3)
    assert matched["transitions_this_wait"] == 1
    assert matched["guardrail_redirected_from_logical_id"] is None
    assert run.said() == ["Your results are here after 3 checks."]
    assert run.one("companion_step_boundary")["still_active"] is False
    assert run.one("waiting_evaluation_boundary")["transitioned"] is True
    assert (run.end.status, run.end.has_background_work) == ("completed", False)


def test_early_pump_changes_nothing():
    run = Background(*lab())
    run.turn()
    run.pump()
    before = run.saved

    types = run.pump(after=1)

    assert types == []
    assert run.saved == before
    assert run.end.next_due == 1_000_002.0


def test_pump_is_no_turn():
    run = Background(*lab())
    run.turn()
    run.pump(after=2)

    state = RunState.from_json(run.saved)

    assert (state.turn_number, state.segments) == (1, 2)
    assert run.end.run_input["miscellaneous"] == {"background": True}


def test_companion_without_delay_ends_at_once():
    parts = [part if part.get("logical_id") != "poll" else poller(time_between_retries=0) for part in lab()]
    run = Background(*parts)

    types = run.turn()

    assert types.count("self_loop_delay") == 2
    steps = [event.to_wire() for event in run.events if event.type == "companion_step_boundary"]
    assert [(step["attempts_completed"], step["still_active"]) for step in steps] == [(2, True), (3, False)]
    assert types.index("end_thread") + 1 == len(types) - types[::-1].index("companion_step_boundary") - 1
    ended = run.one("end_thread")
    assert (ended["origin_thread_id"], ended["last_node_logical_id"]) == ("0_companion_labpoll", "landing")
    assert (run.end.has_active_companions, run.end.has_background_work) == (False, True)
    run.pump()
    assert run.said() == ["Your results are here after 3 checks."]
    assert run.end.status == "completed"


def test_turn_runs_no_companion_step():
    run = Background(*lab())
    run.turn()

    types = run.turn("hello")

    assert run.said() == ["You said: hello"]
    assert {event.origin_thread_id for event in run.events} == {"0", None}
    assert types[-1] == "workflow_ready_for_input"
    assert run.end.has_background_work


def test_threads_read_each_others_variables():
    run = Background(
        node("entry", "no_op"),
        tool("mine", "def mine():\n    return 'main'\n", result_runtime_variable_name="who"),
        static("tell", "[[who]] [[thread_side.who]] [[thread_0.who]]"),
        tool("theirs", "def theirs():\n    return 'side'\n", result_runtime_variable_name="who"),
        direct("entry", "mine"),
        fork("entry", "theirs", "side"),
        direct("mine", "tell"),
    )

    run.turn()

    assert run.said() == ["main side main"]
    shown = [event.to_wire() for event in run.events if event.type == "workflow_show_state"]
    assert {one["thread_id"]: one["thread_reference_id"] for one in shown} == {
        "0": "0",
        "0_companion_side": "side",
    }


def test_companion_reads_seeds_as_the_main_threads():
    flow = Background(
        node("entry", "no_op"),
        say("chat"),
        tool("own", "def own():\n    return 'side'\n", result_runtime_variable_name="name"),
        static("tell", "[[name]] [[thread_0.name]] [[thread_0.who]] [[thread_side.who]]"),
        direct("entry", "chat"),
        fork("entry", "own", "side"),
        direct("own", "tell"),
    )

    flow.turn(runtime_variables={"name": "Ada", "who": {"id": 7}})

    assert flow.said() == ["side Ada {'id': 7} [[thread_side.who]]"]


def test_companions_outlive_the_conversation():
    run = Background(
        node("entry", "no_op"),
        static("bye", "Bye"),
        poller(max_retries=1),
        direct("entry", "bye"),
        fork("entry", "poll", "side"),
    )

    types = run.turn()

    assert types[-1] == "end_workflow_iteration"
    assert (run.end.status, run.end.has_active_companions) == ("running", True)
    assert run.end.next_due == 1_000_002.0
    with pytest.raises(InputError, match="only its companion threads still run"):
        run.turn("hello?")
    types = run.pump(after=2)
    assert types == [
        *BLOCK,
        "self_loop_exhausted",
        "end_thread",
        "companion_step_boundary",
        "end_workflow",
    ]
    assert run.end.status == "completed"


def test_poller_expires():
    run = Background(
        node("entry", "no_op"),
        say("chat"),
        poller(max_retries=None, expiry_time=3),
        node("late", "no_op"),
        direct("entry", "chat"),
        fork("entry", "poll", "side"),
        when("poll", "late", "[[self_loop_outcome]] == 'expiry_time'"),
    )
    run.turn()
    run.pump(after=2)

    types = run.pump(after=1)

    assert types[:3] == ["self_loop_exhausted", "conditional_edge", "workflow_navigation_message"]
    assert run.one("self_loop_exhausted")["outcome"] == "expiry_time"
    assert run.one("self_loop_exhausted")["total_attempts"] == 2
    assert not run.end.has_background_work


def test_stopping_the_run_stops_its_companions():
    run = Background(*lab())
    run.turn()

    run.turn(command="stop")

    assert (run.end.status, run.end.has_background_work) == ("cancelled", False)


def test_fork_without_id_gets_a_random_one():
    run = Background(
        node("entry", "no_op"),
        static("main", "Main"),
        static("side", "Side"),
        direct("entry", "main"),
        fork("entry", "side"),
    )

    run.turn()

    thread_id = run.one("companion_edge")["origin_thread_id"]
    assert thread_id.startswith("0_companion_")
    assert len(thread_id.removeprefix("0_companion_")) == 36


def test_second_fork_leaves_running_companion():
    run = Background(
        node("entry", "no_op", is_start=True),
        say("chat", self_loop=False),
        poller(),
        direct("entry", "chat"),
        fork("entry", "poll", "side"),
        direct("chat", "entry"),
    )
    run.turn()

    run.turn("again")

    assert "still runs" in run.one("workflow_warning")["warning_message"]
    assert [event.type for event in run.events].count("companion_edge") == 0


def test_ended_companion_can_be_forked_again():
    run = Background(
        node("entry", "no_op", is_start=True),
        say("chat", self_loop=False),
        poller(max_retries=0),
        direct("entry", "chat"),
        fork("entry", "poll", "side"),
        direct("chat", "entry"),
    )
    run.turn()

    run.turn("again")

    thread = RunState.from_json(run.saved).threads["0_companion_side"]
    assert thread.runtime_variables["attempts"] == 1
    assert thread.completions == {"poll": 2}


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ([direct("entry", "a"), direct("entry", "b")], "Exactly one may be"),
        ([direct("entry", "a"), fork("entry", "chat", "x")], "never gets a message"),
        ([direct("entry", "a"), fork("entry", "b", "x"), direct("b", "a")], "share nodes"),
        ([direct("entry", "a"), fork("entry", "b", "no/slash")], "thread_id"),
        (
            [direct("entry", "a"), fork("entry", "b", "x"), direct("b", "c"), fork("b", "d", "y")],
            "inside the one of",
        ),
    ],
)
def test_invalid_fork_fails_the_run(parts, named):
    nodes = [node("entry", "no_op"), *(static(name, name) for name in "abcd"), say("chat")]
    run = Background(*nodes, *parts)

    types = run.turn()

    assert types[-1] == "workflow_error"
    assert named in run.end.error
    assert run.end.status == "failed"


def test_flag_of_only_edge_is_ignored():
    run = Background(static("a", "A"), static("b", "B"), fork("a", "b", "side"))

    run.turn()

    assert run.said() == ["A", "B"]
    assert {event.origin_thread_id for event in run.events} == {"0", None}


def test_companion_sees_the_chat_at_fork():
    run = Background(
        say("hello", wait_for_user_message=True, self_loop=False, is_start=True),
        node("entry", "no_op"),
        say("chat"),
        worker("note", {"word": {"type": "string"}}, wait_for_user_message=False),
        direct("hello", "entry"),
        direct("entry", "chat"),
        fork("entry", "note", "side"),
    )
    run.turn()

    run.turn("good morning")

    prompt = run.interpreter.model.prompts[-1]
    assert prompt.node_logical_id == "note"
    heard = [message["content"] for message in prompt.history()]
    assert heard[:2] == ["good morning", "You said: good morning"]
    assert len([text for text in heard if text.startswith("[Internal-only memo]")]) == 1


def test_companions_do_not_hop_to_global_nodes():
    settings = {"is_global": True, "condition": {"condition_expression": "1 == 1"}}
    run = Background(
        node("entry", "no_op"),
        say("chat"),
        node("side", "no_op"),
        static("help", "Help", global_node_config=settings),
        direct("entry", "chat"),
        fork("entry", "side", "side"),
    )

    run.turn()

    assert run.one("end_thread")["last_node_logical_id"] == "side"


def test_tick_edge_waits_between_evaluations():
    run = Background(
        say("chat"),
        static("late", "It is late."),
        waking(
            "chat",
            "late",
            "[[x]] == 1",
            trigger_mode="on_every_background_tick",
            min_seconds_between_evaluations=30,
        ),
    )
    run.turn()

    first, second, third = run.pump(), run.pump(after=29), run.pump(after=1)

    assert first == ["waiting_evaluation_boundary"]
    assert second == []
    assert third == ["waiting_evaluation_boundary"]
    assert run.end.next_due == run.clock.seconds + 30
    assert run.end.has_background_work
    assert not run.end.has_active_companions


def test_waiting_edge_has_a_transition_limit():
    run = Background(
        say("chat"),
        static("nudge", "Still there?"),
        waking(
            "chat",
            "nudge",
            "isAbsent([[x]])",
            trigger_mode="on_every_background_tick",
            min_seconds_between_evaluations=1,
            max_transitions_per_wait=2,
        ),
        direct("nudge", "chat"),
    )
    run.turn()

    said = []
    for _ in range(4):
        run.pump(after=1)
        said += run.said()
    silent = run.end.has_background_work
    ready = run.turn("yes")[-1]

    assert said == ["Still there?", "Still there?"]
    assert silent is False
    assert ready == "workflow_ready_for_input"
    assert run.end.has_background_work


def test_woken_thread_reports_ready_for_input():
    run = Background(
        say("chat"),
        static("nudge", "Still there?"),
        waking(
            "chat",
            "nudge",
            "isAbsent([[x]])",
            trigger_mode="on_every_background_tick",
            min_seconds_between_evaluations=1,
        ),
        direct("nudge", "chat"),
    )
    run.turn()

    types = run.pump()

    assert types[-3:] == [
        "busy_wait_for_user_message",
        "waiting_evaluation_boundary",
        "workflow_ready_for_input",
    ]
    assert run.one("waiting_evaluation_boundary")["still_waiting"] is True
    assert run.end.hint["origin_node_logical_id"] == "chat"


def test_waiting_edge_can_escalate():
    run = Background(
        say("chat"),
        static("guard", "No.", is_guardrail_node=True),
        static("human", "A person will call you."),
        waking(
            "chat",
            "guard",
            "isAbsent([[x]])",
            trigger_mode="on_every_background_tick",
            min_seconds_between_evaluations=1,
        ),
        guardrail_strikes_config={
            "max_guardrail_nodes_before_escalation": 1,
            "escalation_node_logical_id": "human",
        },
    )
    run.turn()

    types = run.pump()

    at = types.index("waiting_condition_matched")
    assert types[at + 1] == "guardrail_escalation_edge"
    assert run.one("waiting_condition_matched")["guardrail_redirected_from_logical_id"] == "guard"
    assert run.said() == ["A person will call you."]


def test_waiting_condition_error_fails_the_run():
    run = Background(
        say("chat"),
        static("b", "B"),
        waking(
            "chat",
            "b",
            "'a' < 3",
            trigger_mode="on_every_background_tick",
            min_seconds_between_evaluations=1,
        ),
    )
    run.turn()

    types = run.pump()

    assert types == ["workflow_error"]
    assert run.end.status == "failed"
    assert run.end.error.startswith("Error evaluating condition expression")


def test_transfer_continues_at_its_node():
    run = Background(say("chat"), static("desk", "Front desk."), direct("desk", "chat"))
    run.turn()

    types = run.transfer("desk")

    assert types == [
        "force_transfer_to_node",
        *SPOKEN,
        "direct_edge",
        "workflow_navigation_message",
        "busy_wait_for_user_message",
        "end_workflow_iteration",
        "workflow_ready_for_input",
    ]
    moved = run.one("force_transfer_to_node")
    assert (moved["origin_node_logical_id"], moved["destination_node_logical_id"]) == ("chat", "desk")


def test_transfer_to_missing_node_is_rejected():
    run = Background(say("chat"))
    run.turn()

    with pytest.raises(InputError, match="'nowhere' is not in this version"):
        run.transfer("nowhere")


def test_node_awaits_a_second_message():
    options = EngineOptions(start_events=False, linger_after_reply=True)
    run = Background(say("sum", self_loop=False), static("bye", "Bye"), direct("sum", "bye"), options=options)
    run.turn()

    first, second = run.turn("that is all"), run.turn("fine")

    assert first[-3:] == [
        "busy_wait_for_user_message",
        "end_workflow_iteration",
        "workflow_ready_for_input",
    ]
    assert "start_node_run" in first
    assert second[:3] == ["user_messages", "direct_edge", "workflow_navigation_message"]
    assert run.said() == ["Bye"]


@pytest.mark.parametrize("pause", [0, 2])
def test_retry_without_a_bound_meets_the_looping_guard(pause):
    options = EngineOptions(start_events=False, max_node_runs=20)
    retry = {"enabled": True, "time_between_retries": pause}
    run = Background(node("poll", "no_op", self_loop_config=retry), options=options)

    types = run.turn()

    assert types.count("start_node_run") == 20
    assert run.end.status == "aborted_looping_risk"


@pytest.mark.parametrize("bound", ["max_retries", "expiry_time"])
def test_last_node_that_the_looping_guard_allows_is_retried(bound):
    run = Background(
        node("entry", "no_op"),
        node("poll", "no_op", self_loop_config={"enabled": True, "time_between_retries": 1, bound: 3}),
        direct("entry", "poll"),
        options=EngineOptions(start_events=False, max_node_runs=2),
    )

    run.turn()

    assert run.one("self_loop_exhausted")["outcome"] == bound
    assert run.end.status == "completed"


def test_time_ends_a_retry_without_a_pause():
    retry = {"enabled": True, "expiry_time": 60}
    late = when("poll", "late", "[[self_loop_outcome]] == 'expiry_time'")
    run = Background(node("poll", "no_op", self_loop_config=retry), static("late", "Too late."), late)

    types = run.turn()

    assert run.one("self_loop_exhausted")["total_attempts"] == 100 + 59
    assert run.said() == ["Too late."]
    assert run.end.status == "completed"
    assert types.count("workflow_warning") == 1
    delays = [event.to_wire()["delay_seconds"] for event in run.events if event.type == "self_loop_delay"]
    assert delays[:99] == [0.0] * 99
    assert set(delays[99:]) == {1.0}


def test_time_ends_a_companions_retry_without_a_pause():
    run = Background(
        node("entry", "no_op"),
        say("chat"),
        poller(max_retries=None, expiry_time=2, time_between_retries=0),
        direct("entry", "chat"),
        fork("entry", "poll", "side"),
        options=EngineOptions(start_events=False, max_node_runs=5),
    )

    types = run.turn()

    assert (types.count("start_node_run"), types.count("companion_step_boundary")) == (1 + 5, 4)
    assert types[-1] == "workflow_ready_for_input"
    assert run.pump() == []
    assert run.end.next_due == 1_000_001.0
    later = run.pump(after=1)
    assert later.count("companion_step_boundary") == 1
    assert (types.count("workflow_warning"), later.count("workflow_warning")) == (1, 0)
    assert run.pump(after=1)[0] == "self_loop_exhausted"
    assert not run.end.has_active_companions


def test_seen_completion_arms_no_edge():
    run = Background(*lab())
    run.turn()

    run.turn("hello")

    assert run.pump() == []


def test_pump_result_has_the_hint():
    run = Background(*lab())
    run.turn()

    run.pump(after=2)

    assert run.end.status == "waiting_for_user_input"
    assert run.end.hint["type"] == "busy_wait_for_user_message"
    assert run.end.hint["origin_node_logical_id"] == "chat"


def test_paused_run_does_no_background_work():
    run = Background(*lab())
    run.turn()
    run.turn(command="pause")

    pumped = run.pump(after=5)

    assert (pumped, run.end.status, run.end.has_background_work) == ([], "paused", False)
    run.turn(command="resume")
    assert run.end.status == "waiting_for_user_input"
    assert "companion_step_boundary" in run.pump()


def test_companions_worker_keeps_the_forked_chat():
    heard = []

    class Hearer(Listener):
        def reply(self, prompt):
            heard.append((prompt.node_logical_id, [message["content"] for message in prompt.history()]))
            return super().reply(prompt)

    poll = worker("poll", {"x": {}}, wait_for_user_message=False)
    run = Background(
        node("entry", "no_op"),
        say("chat"),
        {**poll, "self_loop_config": {"enabled": True, "max_retries": 3, "time_between_retries": 1}},
        worker("beside", wait_for_user_message=False),
        direct("entry", "chat"),
        fork("entry", "poll", "bg"),
        {**direct("poll", "beside"), "type": "companion"},
    )
    run.interpreter.model = Hearer()
    first = TurnInput.with_message("before")
    state = run.interpreter.begin(first)
    log = TurnLog(1, first, list(run.interpreter.turn(state, first)))
    second = TurnInput.with_message("after")
    log_2 = TurnLog(2, second, list(run.interpreter.turn(state, second, past=lambda: [log])))
    run.clock.seconds += 2

    list(run.interpreter.pump(state, past=lambda: [log, log_2]))

    of_companion = [words for node_id, words in heard if node_id in ("poll", "beside")]
    assert of_companion == [["before"]] * 4


def test_companion_reaches_no_global_node():
    everywhere_if = {"is_global": True, "condition": {"condition_expression": "1 == 1"}}
    desk = static("desk", "Here I am.", global_node_config=everywhere_if)
    parts = [node("entry", "no_op"), say("chat"), node("side", "no_op"), desk]
    run = Background(*parts, direct("entry", "chat"), fork("entry", "side", "bg"))
    run.turn(start_node_logical_id="side")
    assert run.said() == ["Here I am."]
    run.saved = None

    run.turn()

    assert run.said() == []


def test_waiting_edge_needs_an_expression():
    run = Background(say("chat"), static("b", "B"), waking("chat", "b", None, **EVERY_SECOND))

    run.turn()

    assert not run.end.has_background_work
    assert run.pump(after=5) == []


def test_waiting_condition_warns_once():
    run = Background(say("chat"), static("b", "B"), waking("chat", "b", "[[n]] >= 3", **EVERY_SECOND))
    run.turn()

    first, second = run.pump(after=2), run.pump(after=2)

    assert first == ["workflow_warning", "waiting_evaluation_boundary"]
    assert second == ["waiting_evaluation_boundary"]


def test_nothing_is_transferred_once_the_conversation_is_over():
    run = Background(
        node("entry", "no_op"), static("b", "B"), poller(), direct("entry", "b"), fork("entry", "poll", "bg")
    )
    run.turn()

    with pytest.raises(InputError, match="has ended"):
        run.transfer("b")


def test_second_message_retries_a_bounded_loop():
    options = EngineOptions(start_events=False, linger_after_reply=True)
    retry = {"enabled": True, "max_retries": 1}
    run = Background(say("chat", self_loop=False, self_loop_config=retry), options=options)
    run.turn("one")

    types = run.turn("two")

    assert "self_loop_delay" in types
    assert run.said() == ["You said: two"]
    assert "self_loop_exhausted" in run.turn("three")


EVERY_SECOND = {"trigger_mode": "on_every_background_tick", "min_seconds_between_evaluations": 1}


def test_background_work_continues_after_clock_set_back():
    poller_run = Background(*lab())
    tick = waking("chat", "b", "[[x]] == 1", **EVERY_SECOND)
    edge_run = Background(say("chat"), static("b", "B"), tick)
    for run in (poller_run, edge_run):
        run.turn()
    edge_run.pump(after=2)

    attempt, judged = poller_run.pump(after=-3600), edge_run.pump(after=-3600)

    assert "companion_step_boundary" in attempt
    assert judged == ["waiting_evaluation_boundary"]
    assert poller_run.pump(after=1) == []
