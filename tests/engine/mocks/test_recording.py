from __future__ import annotations

import threading

import pytest

from debugger.engine.environment import Environment, SeededEnvironment
from debugger.engine.mocks.interceptor import PERSON
from debugger.engine.mocks.recording import (
    CallRecorder,
    CallRequest,
    MissError,
    RecordedCall,
    RecordedTurn,
    first_difference,
)
from debugger.engine.models.base import Reply
from debugger.engine.run_in_memory import run
from debugger.errors import InputError, RunError
from debugger.protocol.workflow import Workflow
from tests.support.factories import direct, say, static, when, worker, workflow
from tests.support.generated import SEEDS, generate
from tests.support.replays import BEGAN, Clock, play, talk, without_ids

BACKGROUND = {"command": "data", "miscellaneous": {"background": True}}


def asked(text, node="a", kind="model", name="say"):
    return CallRequest(kind, node, name, {"system": text})


def having(*texts, **options):
    """A recorder that plays an answer for each text."""
    calls = [RecordedCall(1, asked(text), {"text": f"to {text}"}, 500) for text in texts]
    return CallRecorder(calls, plays=True, **options)


def test_a_played_run_has_the_events_of_its_run():
    made = workflow(
        worker("read", {"n": {"type": "integer"}}),
        say("chat"),
        static("end", "Bye"),
        direct("read", "chat"),
        when("chat", "end", freeform="the user says bye"),
    )
    recorder = CallRecorder()
    recorded = talk(made, ["3 please", "bye"], recorder)

    played, player = play(made, ["3 please", "bye"], recorder)

    assert without_ids(played) == without_ids(recorded)
    assert player.unused == [] and player.misses == []


@pytest.mark.parametrize("seed", SEEDS)
def test_generated_workflows_play_as_they_ran(seed):
    made, texts = generate(seed)
    texts = [text for text in texts if not text.startswith("/")]
    recorder = CallRecorder()
    recorded = talk(Workflow.from_wire(made), texts, recorder)

    played, player = play(Workflow.from_wire(made), texts, recorder)

    assert without_ids(played) == without_ids(recorded)
    assert player.misses == []


def test_equal_requests_get_their_answers_in_order():
    recorder = having("x", "y", "x")
    recorder.recorded[2].answer["text"] = "second"

    found = [recorder.find(asked(text)).answer["text"] for text in ("x", "x", "y")]

    assert found == ["to x", "second", "to y"]
    with pytest.raises(MissError, match="No answer is recorded for this call of the model of the node 'a'"):
        recorder.find(asked("x"))


def test_answer_of_the_same_turn_is_preferred():
    calls = [RecordedCall(turn, asked("x"), {"text": f"of turn {turn}"}) for turn in (1, 2)]
    recorder = CallRecorder(calls, plays=True)
    for turn in (1, 2):
        recorder.begin_turn(turn, {}, Environment(), 1)

    found = [recorder.find(asked("x")).answer["text"] for _ in calls]

    assert found == ["of turn 2", "of turn 1"]


def test_ids_and_times_make_no_other_request():
    recorder = having("call_0123456789abcdef0123456789abcdef at 2026-12-02T10:00:00Z")

    found = recorder.find(asked("call_ffffffffffffffffffffffffffffffff at 2027-01-01 09:30:00.5"))

    assert found is not None


def test_request_of_another_node_is_a_miss():
    recorder = having("x")

    with pytest.raises(MissError):
        recorder.find(asked("x", node="b"))

    assert recorder.unused == list(recorder.recorded)


def test_miss_may_use_the_next_answer_of_the_node():
    recorder = having("x", on_miss="recorded")

    assert recorder.find(asked("z")).answer == {"text": "to x"}
    assert [miss.difference.where for miss in recorder.misses] == ["system"]
    with pytest.raises(MissError):  # no answer is left to use
        recorder.find(asked("z"))


def test_miss_may_be_called_and_is_recorded():
    recorder = having("x", on_miss="live")

    assert recorder.find(asked("z")) is None
    recorder.begin(asked("z"))
    recorder.end({"text": "new"})

    assert [call.answer["text"] for call in recorder.calls] == ["new"]
    assert len(recorder.unused) == 1


def test_played_turn_has_the_recorded_time_and_chance():
    recorder = having("x", recorded_turns=[RecordedTurn(1, 1000.0, {}, 7)])

    world = recorder.begin_turn(1, {}, Environment(), 8)
    began, drawn = world.now(), world.draw()
    recorder.find(asked("x"))
    answered = world.now()
    world.sleep(60, threading.Event())

    assert (began, answered, world.now()) == (1000.0, 1000.5, 1060.5)
    assert drawn == SeededEnvironment(Environment(), 7).draw()
    assert recorder.turns == [RecordedTurn(1, 1000.0, {}, 7)]


def test_run_with_time_and_chance_in_its_prompts_plays():
    made = workflow(say("chat", "It is {{now}}, the number is {{rand_int}}, the word {{rand_str}}."))
    recorder = CallRecorder()
    recorded = talk(made, ["Hi", "Ho"], recorder)

    played, player = play(made, ["Hi", "Ho"], recorder, clock=Clock(BEGAN + 99_999), chance=2)

    assert player.misses == []
    assert without_ids(played) == without_ids(recorded)


def test_answer_without_a_call_is_not_recorded():
    recorder = CallRecorder()
    recorder.end({"text": "lost"})
    recorder.begin(asked("x"))
    recorder.begin_turn(2, {}, Environment(), 0)
    recorder.end({"text": "lost"})

    assert recorder.calls == []


@pytest.mark.parametrize(
    ("recorded", "now", "words"),
    [
        ({"a": 1}, {"a": 1}, None),
        (
            {"system": "for 3 rooms"},
            {"system": "for 2 rooms"},
            "'system' has 'for 2 rooms' instead of 'for 3 rooms'",
        ),
        ({"history": [{"c": "x"}]}, {"history": [{"c": "y"}]}, "'history 1 c' has 'y' instead of 'x'"),
        ({"history": ["x"]}, {"history": ["x", "y"]}, "'history 2' is new: 'y'"),
        ({"tools": ["x"]}, {}, "'tools' is missing, which was '[\"x\"]'"),
        ({"n": 1}, {"n": 2}, "'n' is '2' instead of '1'"),
        (
            {"t": "k" * 99 + "x" + "m" * 99},
            {"t": "k" * 99 + "y" + "m" * 99},
            f"'t' has {'…' + 'k' * 40 + 'y' + 'm' * 39 + '…'!r} instead of ",
        ),
    ],
)
def test_difference_is_in_words(recorded, now, words):
    found = first_difference(recorded, now)

    assert (found is None) if words is None else found.text.startswith(words)


def test_background_work_that_finds_nothing_is_no_turn_of_its_own():
    recorder = CallRecorder()
    for seconds in (1.0, 2.0, 3.0):
        recorder.begin_turn(2, BACKGROUND, Environment(now=lambda at=seconds: at), 0)

    assert [(turn.number, turn.at) for turn in recorder.turns] == [(2, 3.0)]


def test_used_call_belongs_to_the_turn_that_used_it():
    recorder = having("x")
    recorder.begin_turn(5, {}, Environment(), 0)
    recorder.find(asked("x"))

    assert [call.turn for call in recorder.calls] == [5]


def test_of_requests_that_differ_in_ids_the_equal_one_is_preferred():
    first, second = (f"order {digit * 8}-1111-1111-1111-111111111111" for digit in "12")

    assert having(first, second).find(asked(second)).answer == {"text": f"to {second}"}


class Stopping:
    """A model that asks its user to correct something."""

    def reply(self, prompt):
        raise RunError("The model 'tea' has no key.", advice="Set one.")


def test_error_of_a_model_that_stops_the_run_plays():
    made = workflow(say("chat"))
    recorder = CallRecorder()
    recorded = talk(made, ["Hi"], recorder, model=Stopping())

    played, player = play(made, ["Hi"], recorder)

    assert without_ids(played) == without_ids(recorded)
    assert [event["error_message"] for event in played if event["type"] == "workflow_error"] == [
        "The model 'tea' has no key. Set one."
    ]
    assert player.misses == [] and player.unused == []


def test_second_run_of_a_recorder_is_refused():
    made = workflow(say("chat"))
    for texts in (["Hi"], ["Hi", "Ho"]):
        recorder = CallRecorder()
        talk(made, texts, recorder)
        turns, calls = list(recorder.turns), list(recorder.calls)

        with pytest.raises(InputError, match="one run"):
            talk(made, texts, recorder)

        assert (recorder.turns, recorder.calls) == (turns, calls)
        with pytest.raises(InputError, match="one run"):
            list(run(made, texts, recorder=recorder))


def test_second_run_without_calls_is_refused():
    made = workflow(static("a", "Hi"), static("b", "Bye"), direct("a", "b"))
    recorder = CallRecorder()
    talk(made, [None], recorder)

    with pytest.raises(InputError, match="one run"):
        talk(made, [None], recorder)

    assert [turn.number for turn in recorder.turns] == [1]


def test_turn_may_follow_background_work_without_calls():
    recorder = CallRecorder()
    recorder.begin_turn(2, BACKGROUND, Environment(), 0)
    recorder.begin_turn(2, {"command": "data"}, Environment(), 0)

    with pytest.raises(InputError, match="one run"):
        recorder.begin_turn(2, {"command": "data"}, Environment(), 0)


class Person:
    """A user who answers for the model after half a minute."""

    def __init__(self, clock):
        self.clock = clock

    def asks(self, _prompt):
        return True

    def ask(self, _prompt, _fallback, _cancelled):
        self.clock.seconds += 30
        return Reply("I thought about it.", model=PERSON)


def test_time_of_a_manual_answer_is_played_as_pause():
    made = workflow(say("chat", self_loop_config={"enabled": True, "expiry_time": 20}))
    recorder, clock = CallRecorder(), Clock()
    recorded = talk(made, ["Hi"], recorder, clock=clock, manual_input=Person(clock))

    played, player = play(made, ["Hi"], recorder)

    times = [[event["timestamp"] for event in events] for events in (recorded, played)]
    pauses = [[event.get("paused_intervals") for event in events] for events in (recorded, played)]
    assert times[0] == times[1] and times[0][-1] >= BEGAN + 30
    assert pauses[0] == pauses[1] and any(pauses[0])
    assert "expiry_time" in str(recorded) and "expiry_time" in str(played)
    assert player.misses == []
