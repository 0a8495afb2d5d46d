from __future__ import annotations

import copy

import pytest

from debugger.analysis.chat import spoken_messages
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.engine.models.base import Reply
from debugger.engine.prepared_workflow import prepare
from debugger.errors import InputError
from debugger.graph import Graph
from debugger.protocol.runs import Run, TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.replays.playback import Playback
from debugger.session.playing import has_other_turns, play_record
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.companions import lab
from tests.support.factories import direct, document, node, say, static, tool, when
from tests.support.http_server import HttpServer
from tests.support.no_sockets import no_sockets
from tests.support.replays import Clock


class Answers:
    """A model that says which answer it is."""

    def __init__(self):
        self.count = 0

    def reply(self, prompt):
        self.count += 1
        chosen = prompt.choices[0] if prompt.choices and "book" in prompt.message else None
        return Reply(text=f"Answer {self.count}.", chosen=chosen, model="fake")


@pytest.fixture
def model():
    return Answers()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend(tmp_path, model, clock):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3")
    opened = EmbeddedBackend(settings, model=model, world=Environment(now=clock.now, sleep=clock.sleep))
    yield opened
    opened.close()


def desk():
    return document(
        say("chat"),
        static("booked", "Booked."),
        say("after"),
        when("chat", "booked", freeform="the user books"),
        direct("booked", "after"),
    )


def recorded(backend, workflow, *texts):
    """The record of a run; background work has a step after each turn that leaves some."""
    workflow_id = backend.create_workflow(workflow).id
    result = backend.execute(workflow_id, TurnInput.with_message(None)).finish()
    for text in texts:
        given = TurnInput.with_message(text, command="data")
        result = backend.execute(workflow_id, given, run_id=result.run_id).finish()
    return backend.run(result.run_id)


def changed(run, change):
    """The record with each event as a function returns it; ``None`` leaves it out."""
    wire = copy.deepcopy(dict(run.to_wire()))
    for pair in wire["input_output_pairs"]:
        output = pair["run_output"]
        output["events"] = [kept for event in output["events"] if (kept := change(event)) is not None]
    return Run.from_wire(wire)


def session_of(backend, run):
    workflow = backend.workflow(run.workflow_id, run.version_number)
    graph = Graph(prepare(workflow, backend.workflow).workflow)
    playback = Playback(run, graph, backend.seed(run.workflow_run_id))
    return DebugSession(backend, run.workflow_id, run.version_number, playback=playback)


def play(session):
    forward = play_record(session, session.backend.store.forks)
    session.replay_inputs(forward)
    assert forward.wait(20)
    session.poll()
    return forward


def test_run_is_played_as_recorded_and_nothing_is_asked(backend, model):
    run = recorded(backend, desk(), "hello", "book it", "thanks")
    asked = model.count
    session = session_of(backend, run)

    with no_sockets():
        forward = play(session)

    assert (forward.problem, model.count) == ("", asked)
    assert session.playback.lines == ["turns 1 to 4: as recorded"]
    assert session.playback.first_difference is None
    assert session.run_id != run.workflow_run_id
    assert [message.text for message in spoken_messages(session.turns)] == [
        message.text for message in spoken_messages(turn_logs(run))
    ]


def test_origin_is_stored_with_verdict(backend):
    run = recorded(backend, desk(), "hello")
    session = session_of(backend, run)

    play(session)

    origin = backend.store.forks.of(session.run_id)
    assert (origin.source_run_id, origin.way) == (run.workflow_run_id, "played")
    assert origin.fidelity["verdict"] == "verified"


def test_planted_edge_is_first_difference_of_its_turn(backend):
    def elsewhere(event):
        if event["type"].endswith("_edge") and event["destination_node_logical_id"] == "booked":
            return {**event, "destination_node_logical_id": "after"}
        return event

    session = session_of(backend, changed(recorded(backend, desk(), "hello", "book it", "thanks"), elsewhere))

    play(session)

    lines = session.playback.lines
    assert lines[0] == "turns 1 to 2: as recorded"
    assert lines[1].startswith("turn 3, Chat: ") and " instead of " in lines[1]
    assert session.playback.first_difference.difference == lines[1]
    fidelity = backend.store.forks.of(session.run_id).fidelity
    assert fidelity["verdict"] == "differs"
    assert fidelity["sentence"] == f"First difference from the record: {lines[1]}."


def test_missing_answer_fails_run_and_asks_nobody(backend, model):
    seen = []

    def without_second(event):
        if event["type"] == "say_llm":
            seen.append(event)
            return None if len(seen) == 2 else event
        return event

    session = session_of(backend, changed(recorded(backend, desk(), "one", "two", "three"), without_second))
    asked = model.count

    forward = play(session)

    assert (session.status, model.count) == ("failed", asked)
    sentence = "No answer is recorded for this call of the model of the node 'chat' (say)."
    assert sentence in session.playback.lines[-1]
    assert (forward.done, forward.total) == (3, 4)
    assert forward.problem == "The run had ended (failed) before input 4 of 4."
    assert backend.store.forks.of(session.run_id).fidelity["verdict"] == "differs"


def test_played_run_takes_no_other_input(backend, model):
    session = session_of(backend, recorded(backend, desk(), "hello"))
    play(session)
    asked = model.count

    session.send("book it")
    assert session.wait(10)

    assert "takes no input but the recorded one" in str(session.error)
    assert (len(session.turns), model.count) == (2, asked)
    session.send_command("pause")
    assert "takes no input" in str(session.error)
    session.stop()
    assert session.wait(10)
    assert session.is_over


def test_rest_is_played_on_after_stop_and_reload(backend):
    session = session_of(backend, recorded(backend, desk(), "hello", "book it", "thanks"))
    forward = play_record(session, backend.store.forks)
    forward._on_first_turn = lambda _: forward.stop()
    session.replay_inputs(forward)
    assert forward.wait(20)
    session.poll()

    assert forward.problem == "Stopped after 1 of 4 inputs; its record can be played on."
    assert session.playback.lines == ["turn 1: as recorded"]
    again = DebugSession.open(backend, session.run_id, playback=session.playback)
    play(again)
    assert again.playback.lines == ["turns 1 to 4: as recorded"]
    assert len(again.turns) == 4


def test_turns_of_another_session_are_told_from_those_played(backend):
    session = session_of(backend, recorded(backend, desk(), "hello", "thanks"))
    forward = play_record(session, backend.store.forks)
    forward._on_first_turn = lambda _: forward.stop()
    session.replay_inputs(forward)
    assert forward.wait(20)
    assert not has_other_turns(session)
    other = DebugSession.open(backend, session.run_id)
    other.send("Something else")
    assert other.wait(10)

    again = DebugSession.open(backend, session.run_id, playback=session.playback)

    assert has_other_turns(again)
    assert not has_other_turns(other)


def test_breakpoint_pauses_and_variables_can_be_read(backend):
    session = session_of(backend, recorded(backend, desk(), "hello"))
    session.stepping.arm("node")
    forward = play_record(session, backend.store.forks)

    session.replay_inputs(forward)
    assert session.wait_until_idle(10)

    assert session.stop_point is not None and "Before" in session.stop_point.text
    assert session.pending_edits() is not None
    session.stepping.resume()
    assert forward.wait(20)
    assert session.playback.lines == ["turns 1 to 2: as recorded"]


def stepped(backend, clock, steps):
    """The record of a run with steps of background work."""
    workflow_id = backend.create_workflow(lab(pause=2, checks=9)).id
    result = backend.execute(workflow_id, TurnInput.with_message(None)).finish()
    for _ in range(steps):
        clock.seconds += 3
        result = backend.pump(workflow_id, result.run_id).finish()
    return backend.run(result.run_id)


def test_background_work_is_played_as_recorded_and_not_by_itself(backend, clock):
    session = session_of(backend, stepped(backend, clock, 3))

    play(session)

    assert [turn.is_background for turn in session.turns] == [False, True, True, True]
    assert session.playback.lines == ["turn 1: as recorded"]
    assert session.background.has_work and not session.background.is_due
    count = len(session.turns)
    clock.seconds += 3
    session.tick()
    session.advance()
    assert session.wait(10)
    assert len(session.turns) == count
    assert "takes no input" in str(session.error)


def test_step_that_finds_nothing_to_do_ends_play(backend, clock):
    wire = copy.deepcopy(dict(stepped(backend, clock, 2).to_wire()))
    first, step, last = wire["input_output_pairs"]
    wire["input_output_pairs"] = [first, step, copy.deepcopy(step), last]  # the second is not due yet
    session = session_of(backend, Run.from_wire(wire))

    forward = play(session)

    assert session.playback.lines[-1] == "turn 1, background work: nothing instead of the recorded step"
    assert (forward.done, forward.problem) == (3, session.playback.problem)
    assert "the rest cannot be played" in forward.problem


@pytest.mark.parametrize("kind", ["python", "http"])
def test_tool_or_service_without_answer_is_not_called_although_it_might_be(tmp_path, kind):
    settings = Settings(
        database=f"sqlite:///{tmp_path}/live.sqlite3",
        inline_python="unsafe",
        outbound_read="live",
        responder="rules",
    )
    with HttpServer() as server:
        call = node("call", "http_request", url=f"{server.url}/slots")
        marked = f"def call():\n    open({str(tmp_path / 'ran')!r}, 'a').write('x')\n    return 3\n"
        first = call if kind == "http" else tool("call", marked)
        backend = EmbeddedBackend(settings)
        run = recorded(backend, document(first, say("chat"), direct("call", "chat")))
        calls = len(server.received), (tmp_path / "ran").exists() and (tmp_path / "ran").read_text()
        assert calls == ((1, False) if kind == "http" else (0, "x"))
        session = session_of(backend, changed(run, without_end_of("call")))

        with no_sockets():
            play(session)

        assert (session.status, session.playback.lines[-1].split(": ")[1][:21]) == (
            "failed",
            "No answer is recorded",
        )
        assert calls == (len(server.received), (tmp_path / "ran").exists() and (tmp_path / "ran").read_text())
        backend.close()


def without_end_of(node_id):
    return lambda event: (
        None if (event["type"], event.get("origin_node_logical_id")) == ("end_node_run", node_id) else event
    )


def test_fork_of_part_of_run_is_refused(backend):
    run = recorded(backend, desk(), "hello", "thanks")
    fork = backend.fork(run.workflow_run_id, 2)
    given = TurnInput.with_message("thanks", command="data")
    backend.execute(run.workflow_id, given, run_id=fork).finish()

    with pytest.raises(InputError, match="It is a fork that begins in the middle of another run"):
        session_of(backend, backend.run(fork))
