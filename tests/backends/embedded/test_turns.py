from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.nodes import NODE_TYPES
from debugger.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    RunEndedError,
    StaleTurnError,
    TurnInProgressError,
)
from debugger.protocol.json_codec import decode
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.backends.counting_process import (
    TYPE,
    CountedCall,
    answer,
    await_calls,
    begin,
    calls,
    counted,
    kill,
)
from tests.support.factories import direct, document, say, static


@pytest.fixture(autouse=True)
def _counted_calls(monkeypatch):
    monkeypatch.setitem(NODE_TYPES, TYPE, CountedCall)


@pytest.fixture
def backend(url):
    backend = EmbeddedBackend(Settings(database=url, responder="rules"))
    yield backend
    backend.close()


def saying(text=None, client_turn_id=None, **fields):
    misc = {} if client_turn_id is None else {"client_turn_id": client_turn_id}
    return TurnInput.with_message(text, miscellaneous=misc, **fields)


def chatting(backend):
    """Return a workflow and a run of it that waits for the user after turn 1."""
    workflow_id = backend.create_workflow(document(say("chat"))).id
    return workflow_id, backend.execute(workflow_id, saying()).finish().run_id


def test_conflict_raised_by_execute_names_no_turn(backend):
    workflow_id, run_id = chatting(backend)
    first = backend.execute(workflow_id, saying("one"), run_id=run_id)

    with pytest.raises(TurnInProgressError, match=run_id):
        backend.execute(workflow_id, saying("two"), run_id=run_id)
    with pytest.raises(TurnInProgressError):
        backend.pump(workflow_id, run_id)

    assert first.finish().turn_number == 2


def test_stale_turn_executes_nothing(backend, tmp_path):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    run_id = backend.execute(workflow_id, saying()).finish().run_id
    for number in (2, 3):
        backend.execute(workflow_id, saying("hi"), run_id=run_id, expected_turn_number=number).finish()

    def refused(expected):
        with pytest.raises(StaleTurnError) as caught:
            backend.execute(workflow_id, saying("hi"), run_id=run_id, expected_turn_number=expected)
        assert caught.value.turn_number == 3
        return caught.value.message

    assert refused(2) == f"Run {run_id} has turns 2 to 3 that this client has not seen."
    assert refused(3) == f"Run {run_id} has turn 3 that this client has not seen."
    assert refused(9) == f"Run {run_id} has 3 turns, and this client expects its next turn to be 9."
    assert len(calls(tmp_path)) == 3
    assert backend.revision(run_id).status == "waiting_for_user_input"


def test_new_run_begins_with_turn_1(backend):
    workflow_id = backend.create_workflow(document(say("chat"))).id

    with pytest.raises(StaleTurnError):
        backend.execute(workflow_id, saying(), expected_turn_number=2)

    assert backend.execute(workflow_id, saying(), expected_turn_number=1).finish().turn_number == 1


def test_stale_turn_of_ended_run_names_newer(backend):
    workflow_id, run_id = chatting(backend)
    backend.execute(workflow_id, saying(command="stop"), run_id=run_id).finish()

    with pytest.raises(StaleTurnError):
        backend.execute(workflow_id, saying("hi"), run_id=run_id, expected_turn_number=2)
    with pytest.raises(RunEndedError):
        backend.execute(workflow_id, saying("hi"), run_id=run_id, expected_turn_number=3)


@pytest.mark.parametrize("expected", [2, None])
def test_one_of_many_threads_executes_a_turn(backend, tmp_path, expected):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    run_id = backend.execute(workflow_id, saying()).finish().run_id
    (tmp_path / "wait").touch()
    together = threading.Barrier(4, timeout=20)
    others = [backend, EmbeddedBackend(backend.settings)]

    def attempt(number):
        together.wait()
        try:
            stream = others[number % 2].execute(
                workflow_id, saying("hi"), run_id=run_id, expected_turn_number=expected
            )
        except TurnInProgressError:
            return None
        (tmp_path / "continue").touch()
        return stream

    with ThreadPoolExecutor(4) as threads:
        streams = [stream for stream in threads.map(attempt, range(4)) if stream is not None]
    [stream] = streams
    result = stream.finish()

    assert (result.turn_number, result.record_length) == (2, 2)
    assert len(calls(tmp_path)) == 2
    others[1].close()


@pytest.mark.parametrize("first", [True, False])
def test_one_of_two_processes_executes_a_turn(backend, url, tmp_path, first):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    run_id = None if first else backend.execute(workflow_id, saying()).finish().run_id
    before = len(calls(tmp_path))
    job = {"run_id": run_id, "barrier": True}
    job |= {"client_turn_id": "c1"} if first else {"text": "hi", "expected": 2}
    processes = [begin(url, workflow_id, tmp_path, **job) for _ in range(2)]
    while len(list(tmp_path.glob("ready-*"))) < 2:
        assert all(process.poll() is None for process in processes)
        time.sleep(0.01)
    (tmp_path / "go").touch()

    answers = [answer(process) for process in processes]

    assert len(calls(tmp_path)) == before + 1
    if first:
        assert answers[0]["run_id"] == answers[1]["run_id"]
        assert backend.runs().total == 1
    else:
        [error] = [told["error"] for told in answers if "error" in told]
        assert error in ("StaleTurnError", "TurnInProgressError")
        assert len(backend.run(run_id).input_output_pairs) == 2


def test_turn_of_a_killed_process_lapses_at_once(backend, url, tmp_path):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    run_id = backend.execute(workflow_id, saying()).finish().run_id
    (tmp_path / "wait").touch()
    child = begin(url, workflow_id, tmp_path, run_id=run_id, text="lost")
    await_calls(tmp_path, 2)
    with pytest.raises(TurnInProgressError):
        backend.execute(workflow_id, saying("mine"), run_id=run_id)
    during = backend.revision(run_id)

    kill(child)

    after = backend.revision(run_id)
    [unfinished] = backend.notes.read_unfinished_turns(run_id)
    assert (during.status, during.turn_number, during.record_length) == ("running", 2, 1)
    assert (after.status, after.turn_number, after.record_length) == ("waiting_for_user_input", None, 1)
    assert TurnInput.from_wire(decode(unfinished.input_json)).messages[0]["content"] == "lost"
    (tmp_path / "continue").touch()
    result = backend.execute(workflow_id, saying("mine"), run_id=run_id, expected_turn_number=2).finish()
    assert result.turn_number == 2
    assert backend.notes.read_unfinished_turns(run_id) == []


def test_first_turn_of_killed_process_fails_run(backend, url, tmp_path):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    (tmp_path / "wait").touch()
    child = begin(url, workflow_id, tmp_path, text="lost")
    await_calls(tmp_path, 1)
    [during] = backend.runs(workflow_id=workflow_id).rows
    run_id = during.workflow_run_id
    with pytest.raises(TurnInProgressError):
        backend.execute(workflow_id, saying("mine"), run_id=run_id)

    kill(child)

    [after] = backend.runs(workflow_id=workflow_id).rows
    assert during.status in ("started", "running")
    assert (after.status, after.termination_source) == ("failed", "stale_run_reaper")
    with pytest.raises(RunEndedError, match="failed"):
        backend.execute(workflow_id, saying("mine"), run_id=run_id)
    with pytest.raises(NotFoundError, match="no finished turn"):
        backend.fork(run_id, 1)
    assert backend.record(run_id).turns == []


def test_interrupted_turn_is_found_on_opening(backend, url, tmp_path):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    (tmp_path / "wait").touch()
    child = begin(url, workflow_id, tmp_path)
    await_calls(tmp_path, 1)
    kill(child)

    later = EmbeddedBackend(backend.settings)

    assert [run.status for run in later.store.runs()[0]] == ["failed"]
    later.close()


def test_repeated_turn_of_a_killed_process_is_executed(backend, url, tmp_path):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    (tmp_path / "wait").touch()
    child = begin(url, workflow_id, tmp_path, client_turn_id="c1")
    await_calls(tmp_path, 1)
    repeated = backend.execute(workflow_id, saying(None, "c1"))

    kill(child)
    (tmp_path / "continue").touch()
    result = repeated.finish()

    assert sorted(run.status for run in backend.runs().rows) == ["failed", "waiting_for_user_input"]
    assert backend.run(result.run_id).status == "waiting_for_user_input"
    assert len(calls(tmp_path)) == 2


def test_input_error_leaves_no_claim(backend):
    workflow_id, run_id = chatting(backend)
    wrong = TurnInput.from_wire({"thread_to_node_inputs": {"7": {"node_run_inputs": []}}})

    for given_id in (run_id, None):
        with pytest.raises(InputError):
            backend.execute(workflow_id, wrong, run_id=given_id)

    assert backend.revision(run_id).status == "waiting_for_user_input"
    assert backend.runs().total == 1
    assert backend.execute(workflow_id, saying("hi"), run_id=run_id).finish().turn_number == 2


@pytest.mark.parametrize("pulled", [0, 2])
@pytest.mark.parametrize("way", ["close", "garbage"])
def test_abandoned_stream_releases_its_claim(backend, pulled, way):
    workflow_id, run_id = chatting(backend)
    for given_id in (run_id, None):
        stream = backend.execute(workflow_id, saying("lost"), run_id=given_id)
        for _ in range(pulled):
            next(stream)
        if way == "close":
            stream.close()
        del stream

    assert backend.runs().total == 1
    assert backend.revision(run_id).status == "waiting_for_user_input"
    result = backend.execute(workflow_id, saying("hi"), run_id=run_id, expected_turn_number=2).finish()
    assert len(backend.run(run_id).input_output_pairs) == result.record_length == 2


def test_turn_that_raises_releases_its_claim(backend, monkeypatch):
    workflow_id, run_id = chatting(backend)
    with monkeypatch.context() as patch:
        patch.setattr(backend.store.claims, "finish", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            backend.execute(workflow_id, saying("lost"), run_id=run_id).finish()

    assert backend.revision(run_id).status == "waiting_for_user_input"
    assert backend.execute(workflow_id, saying("hi"), run_id=run_id).finish().turn_number == 2


def test_deleted_run_rejects_its_late_turn(backend):
    workflow_id, run_id = chatting(backend)
    stream = backend.execute(workflow_id, saying("late"), run_id=run_id)

    backend.store.delete_run(run_id)

    with pytest.raises(NotFoundError):
        stream.finish()
    assert backend.runs().total == 0


def test_run_in_progress_can_be_forked(backend):
    workflow_id, run_id = chatting(backend)
    stream = backend.execute(workflow_id, saying("one"), run_id=run_id)

    fork_id = backend.fork(run_id, 2)
    result = backend.execute(workflow_id, saying("other"), run_id=fork_id).finish()

    assert result.turn_number == 2
    assert stream.finish().turn_number == 2
    assert len(backend.run(fork_id).input_output_pairs) == 2


def test_secret_variables_are_not_stored_with_the_claim(backend):
    workflow_id, run_id = chatting(backend)
    given = TurnInput.from_wire({**saying("x").to_wire(), "secret_variables": {"k": "planted-secret"}})

    stream = backend.execute(workflow_id, given, run_id=run_id)

    assert "planted-secret" not in str(backend.run(run_id).to_wire())
    stream.close()


def test_stop_of_stopped_run_answers_the_same(backend):
    workflow_id, run_id = chatting(backend)
    first = backend.execute(workflow_id, saying(command="stop"), run_id=run_id).finish()

    second = backend.execute(workflow_id, saying(command="stop"), run_id=run_id)
    events = list(second)

    assert second.result.to_wire() == first.to_wire()
    assert [event.to_wire() for event in events] == first.events
    assert len(backend.run(run_id).input_output_pairs) == 2
    with pytest.raises(RunEndedError):
        backend.execute(workflow_id, saying("more"), run_id=run_id)


def test_stop_of_a_completed_run_is_refused(backend):
    workflow_id = backend.create_workflow(document(static("a", "Hello"))).id
    run_id = backend.execute(workflow_id, saying()).finish().run_id

    with pytest.raises(RunEndedError, match="completed"):
        backend.execute(workflow_id, saying(command="stop"), run_id=run_id)


def test_repeated_turn_is_answered_from_the_record(backend, tmp_path):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    first = backend.execute(workflow_id, saying(None, "c1")).finish()
    second = backend.execute(workflow_id, saying("you", "c2"), run_id=first.run_id).finish()
    backend.execute(workflow_id, saying("more", "c3"), run_id=first.run_id).finish()

    again = backend.execute(workflow_id, saying(None, "c1")).finish()
    named = backend.execute(workflow_id, saying(None, "c1"), run_id=first.run_id).finish()
    later = backend.execute(
        workflow_id, saying("you", "c2"), run_id=first.run_id, expected_turn_number=2
    ).finish()

    assert again.to_wire() == named.to_wire() == first.to_wire()
    assert later.to_wire() == second.to_wire()
    assert (first.record_length, again.record_length, later.record_length) == (1, 1, 2)
    assert len(calls(tmp_path)) == 3
    assert backend.runs().total == 1


@pytest.mark.parametrize("command", ["data", "stop"])
def test_repeated_last_turn_is_answered_from_record(backend, command):
    flow = document(
        static("a", "Hello"),
        say("chat", self_loop=False),
        static("b", "Bye"),
        direct("a", "chat"),
        direct("chat", "b"),
    )
    workflow_id = backend.create_workflow(flow).id
    run_id = backend.execute(workflow_id, saying()).finish().run_id
    last = backend.execute(workflow_id, saying("bye", "c1", command=command), run_id=run_id).finish()

    again = backend.execute(workflow_id, saying("bye", "c1", command=command), run_id=run_id).finish()

    assert last.is_completed
    assert again.to_wire() == last.to_wire()


def test_repeated_failed_turn_is_answered_with_its_error(backend):
    workflow_id = backend.create_workflow(document(static("a", "Hello"), direct("a", "nowhere"))).id
    first = backend.execute(workflow_id, saying(client_turn_id="c1")).finish()

    again = backend.execute(workflow_id, saying(client_turn_id="c1")).finish()

    assert "nowhere" in first.error
    assert again.to_wire() == first.to_wire()


def test_repeated_turn_may_fit_no_more(backend):
    """It names the node at which the conversation was, or a start node that was removed since."""
    graph = document(say("first", self_loop=False), say("second"), direct("first", "second"))
    workflow_id = backend.create_workflow(graph).id
    begins = saying("one", "c1", start_node_logical_id="first")
    before = backend.execute(workflow_id, begins).finish()
    run_id = backend.execute(workflow_id, saying()).finish().run_id
    addressed = {"type": "llm", "node_logical_id": "first", "messages": [{"type": "human", "content": "two"}]}
    named = {**saying(None, "c2").to_wire(), "thread_to_node_inputs": {"0": {"node_run_inputs": [addressed]}}}
    second = backend.execute(workflow_id, TurnInput.from_wire(named), run_id=run_id).finish()

    again = backend.execute(workflow_id, TurnInput.from_wire(named), run_id=run_id).finish()
    backend.store.catalogue.replace_document(workflow_id, 0, document(say("other")))
    backend.renew(workflow_id)
    begun_again = backend.execute(workflow_id, begins).finish()

    assert again.to_wire() == second.to_wire()
    assert begun_again.run_id == before.run_id
    assert len(backend.run(run_id).input_output_pairs) == 2
    assert backend.store.runs(workflow_id).total == 2


def test_client_turn_id_of_other_run_conflicts(backend):
    workflow_id, run_id = chatting(backend)
    other_id = backend.create_workflow(document(say("chat"))).id
    backend.execute(workflow_id, saying("hi", "c1"), run_id=run_id).finish()
    _, another_run = workflow_id, backend.execute(workflow_id, saying()).finish().run_id

    for given_workflow, given_run in ((workflow_id, another_run), (workflow_id, None), (other_id, None)):
        with pytest.raises(ConflictError, match="'c1' names turn 2"):
            backend.execute(given_workflow, saying("hi", "c1"), run_id=given_run)

    assert len(backend.run(another_run).input_output_pairs) == 1
    assert backend.runs().total == 2


def test_client_turn_id_of_abandoned_turn_is_reusable(backend):
    workflow_id, run_id = chatting(backend)
    backend.execute(workflow_id, saying("hi", "c1"), run_id=run_id).close()

    assert backend.execute(workflow_id, saying("hi", "c1"), run_id=run_id).finish().turn_number == 2


def test_too_long_client_turn_id_is_refused(backend):
    workflow_id, run_id = chatting(backend)

    with pytest.raises(InputError, match="201 characters"):
        backend.execute(workflow_id, saying("hi", "c" * 201), run_id=run_id)


@pytest.mark.parametrize("first", [True, False])
def test_repeated_turn_waits_for_the_one_in_progress(backend, url, tmp_path, first):
    workflow_id = backend.create_workflow(counted(tmp_path)).id
    run_id = None if first else backend.execute(workflow_id, saying()).finish().run_id
    text = None if first else "hi"
    before = len(calls(tmp_path))
    (tmp_path / "wait").touch()
    child = begin(url, workflow_id, tmp_path, run_id=run_id, text=text, client_turn_id="c1")
    await_calls(tmp_path, before + 1)

    repeated = backend.execute(workflow_id, saying(text, "c1"), run_id=run_id)
    known = repeated.run_id
    (tmp_path / "continue").touch()
    result = repeated.finish()

    told = answer(child)
    assert known == result.run_id == told["run_id"]
    assert result.events == told["events"]
    assert len(calls(tmp_path)) == before + 1


def test_repeated_turn_is_awaited_until_cancelled(backend):
    workflow_id, run_id = chatting(backend)
    first = backend.execute(workflow_id, saying("hi", "c1"), run_id=run_id)
    cancelled = threading.Event()
    repeated = backend.execute(workflow_id, saying("hi", "c1"), run_id=run_id, cancelled=cancelled)

    cancelled.set()

    with pytest.raises(TurnInProgressError, match="sent before"):
        repeated.finish()
    assert first.finish().turn_number == 2


def test_record_for_nodes_has_finished_turns_only(backend):
    workflow_id, run_id = chatting(backend)
    stream = backend.execute(workflow_id, saying("hi"), run_id=run_id)

    read, shown = backend._load_run(run_id), backend.run(run_id)

    assert (len(read["input_output_pairs"]), len(shown.input_output_pairs)) == (1, 2)
    stream.close()


def test_run_bears_name_given_at_creation(backend):
    flow = backend.create_workflow(document(static("a", "Hello"), name="Inner"), name="Given")

    result = backend.execute(flow.id, TurnInput.with_message(None)).finish()

    assert backend.run(result.run_id).to_wire()["workflow_name"] == "Given"
