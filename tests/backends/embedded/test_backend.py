from __future__ import annotations

import functools
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from debugger.backends import open_embedded
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.engine.nodes import NODE_TYPES
from debugger.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    NotStartableError,
    RunEndedError,
    TurnInProgressError,
)
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.settings import Settings
from tests.support.companions import lab
from tests.support.factories import direct, document, node, say, static, tool, when, worker

UNKNOWN = "665f00000000000000000001"


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def later(backend):
    """Another backend on the same store, whose clock is two minutes ahead."""
    return EmbeddedBackend(backend.settings, world=Environment(now=lambda: time.time() + 120))


def test_an_empty_store_is_given_the_samples_once(tmp_path):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3")
    first = open_embedded(settings)
    names = [row.name for row in first.workflows()]
    first.delete_workflow(first.workflows()[0].id)
    first.close()

    again = open_embedded(settings)

    assert len(names) == 4
    assert len(again.workflows()) == 3
    again.close()


def test_turn_is_recorded_with_its_last_event(backend):
    workflow = backend.create_workflow(document(static("a", "Hello")))

    result = backend.execute(workflow.id, TurnInput.with_message(None, run_by="qa")).finish()

    run = backend.run(result.run_id)
    assert (run.status, run.run_by, run.version_name) == ("completed", "qa", "Initial Version")
    assert run.input_output_pairs[0].run_output.events == result.events
    assert backend.runs(workflow_id=workflow.id).total == 1


def test_abandoned_turn_leaves_no_trace(backend):
    workflow = backend.create_workflow(document(static("a", "Hello")))
    events = iter(backend.execute(workflow.id, TurnInput.with_message(None)))
    next(events)

    events.close()

    assert backend.runs().total == 0


def test_run_keeps_its_first_version(backend):
    workflow = backend.create_workflow(
        document(say("chat"), static("bye", "Bye 0"), when("chat", "bye", "1 == 1"))
    )
    backend.store.create_version(
        workflow.id, document=document(say("chat"), static("bye", "Bye 1"), when("chat", "bye", "1 == 1"))
    )
    run_id = backend.execute(workflow.id, TurnInput.with_message(None)).finish().run_id
    backend.activate_version(workflow.id, 1)

    old = backend.execute(workflow.id, TurnInput.with_message("hi"), run_id=run_id, version_number=1).finish()
    new = backend.execute(workflow.id, TurnInput.with_message("hi")).finish()
    chosen = backend.execute(workflow.id, TurnInput.with_message("hi"), version_number=0).finish()
    loose = backend.execute(workflow.id, TurnInput.with_message("hi", version_number=1)).finish()

    assert [_said(result)[-1] for result in (old, new, chosen, loose)] == ["Bye 0", "Bye 1", "Bye 0", "Bye 1"]


def test_second_turn_is_rejected_during_first(backend):
    workflow = backend.create_workflow(document(say("chat")))
    run_id = backend.execute(workflow.id, TurnInput.with_message(None)).finish().run_id
    first = iter(backend.execute(workflow.id, TurnInput.with_message("one"), run_id=run_id))
    next(first)

    with pytest.raises(ConflictError):
        backend.execute(workflow.id, TurnInput.with_message("two"), run_id=run_id).finish()

    assert [event.type for event in first][-1] == "workflow_ready_for_input"
    assert len(backend.run(run_id).input_output_pairs) == 2


def test_a_run_that_is_over_takes_no_turn(backend):
    workflow = backend.create_workflow(document(static("a", "Hello")))
    run_id = backend.execute(workflow.id, TurnInput.with_message(None)).finish().run_id

    with pytest.raises(RunEndedError, match="completed"):
        backend.execute(workflow.id, TurnInput.with_message("more"), run_id=run_id).finish()


def test_failed_turn_is_recorded_with_error(backend):
    workflow = backend.create_workflow(document(static("a", "Hello"), direct("a", "nowhere")))

    result = backend.execute(workflow.id, TurnInput.with_message(None)).finish()

    run = backend.run(result.run_id)
    assert (result.status, result.is_completed) == ("failed", True)
    assert "nowhere" in result.error
    assert (run.status, run.termination_source) == ("failed", "execution_error")


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda b, w: b.execute("not an id", TurnInput.with_message(None)), InputError),
        (lambda b, w: b.execute(UNKNOWN, TurnInput.with_message(None)).finish(), NotFoundError),
        (lambda b, w: b.execute(w, TurnInput.with_message("x"), run_id=UNKNOWN).finish(), NotFoundError),
        (lambda b, w: b.execute(w, TurnInput.with_message("x"), version_number=9).finish(), NotFoundError),
        (lambda b, w: b.execute(w, TurnInput.with_message(None, command="stop")), InputError),
        (lambda b, w: b.run("nope"), InputError),
        (lambda b, w: b.run(UNKNOWN), NotFoundError),
        (lambda b, w: b.workflow(UNKNOWN), NotFoundError),
    ],
)
def test_ids_that_lead_nowhere_are_told(backend, call, error):
    workflow = backend.create_workflow(document(static("a", "Hello")))

    with pytest.raises(error):
        call(backend, workflow.id)


def test_empty_workflow_is_stored_but_not_run(backend):
    workflow = backend.create_workflow(document(name="Empty"))

    with pytest.raises(NotStartableError, match="No start node found"):
        backend.execute(workflow.id, TurnInput.with_message(None)).finish()


def test_run_continues_in_reopened_store(tmp_path):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
    first = EmbeddedBackend(settings)
    workflow = first.create_workflow(document(static("a", "One", "Two"), say("chat"), direct("a", "chat")))
    run_id = first.execute(workflow.id, TurnInput.with_message(None)).finish().run_id
    first.close()

    again = EmbeddedBackend(settings)
    result = again.execute(workflow.id, TurnInput.with_message("hello"), run_id=run_id).finish()

    assert (result.turn_number, result.status) == (2, "waiting_for_user_input")
    again.close()


def test_killed_process_leaves_last_finished_turn(tmp_path):
    database = f"sqlite:///{tmp_path}/runs.sqlite3"
    child = subprocess.Popen(
        [sys.executable, "-c", _LOOPING_CHILD, database],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    workflow_id, run_id = child.stdout.readline().split()
    assert child.stdout.readline() == "in the middle\n"

    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()

    backend = EmbeddedBackend(Settings(database=database, responder="rules"))
    run = backend.run(run_id)
    result = backend.execute(workflow_id, TurnInput.with_message("again"), run_id=run_id).finish()
    assert len(run.input_output_pairs) == 2
    assert run.status == "waiting_for_user_input"
    assert result.turn_number == 3
    backend.close()


def test_secrets_are_not_stored(backend, tmp_path):
    inner = {**document(say("chat")), "secret_variables": {"token": "planted-secret"}}
    backend.create_workflow({"workflow": {"workflow_config": inner}})
    workflow = backend.create_workflow(inner)
    given = TurnInput.from_wire(
        {**TurnInput.with_message("x").to_wire(), "secret_variables": {"k": "planted-secret"}}
    )

    result = backend.execute(workflow.id, given).finish()

    assert "planted-secret" not in str(result.to_wire())
    assert all(b"planted-secret" not in path.read_bytes() for path in tmp_path.iterdir())


def test_backend_lists_node_types_of_engine(backend):
    assert backend.node_types == {*NODE_TYPES, "super_node"}
    assert backend.node_types > {"no_op", "say_llm", "say_static", "tool_node", "worker_llm"}


def _said(result):
    return [event["content"] for event in result.events if event["type"] == "assistant_response"]


_LOOPING_CHILD = textwrap.dedent(
    """
    import signal
    import sys
    from debugger.backends.embedded import EmbeddedBackend
    from debugger.protocol.runs import TurnInput
    from debugger.settings import Settings
    from tests.support.factories import document, say

    backend = EmbeddedBackend(Settings(database=sys.argv[1], responder="rules"))
    workflow = backend.create_workflow(document(say("chat")))
    run_id = backend.execute(workflow.id, TurnInput.with_message(None)).finish().run_id
    backend.execute(workflow.id, TurnInput.with_message("one"), run_id=run_id).finish()
    print(workflow.id, run_id, flush=True)
    second = backend.execute(workflow.id, TurnInput.with_message("two"), run_id=run_id)
    for number, event in enumerate(second):
        if number == 3:
            print("in the middle", flush=True)
            signal.pause()
    """
)


def test_first_turn_reading_chat_history_runs(backend):
    collector = worker("facts", {"email": {"type": "string"}}, wait_for_user_message=False)
    opening = say("opening", wait_for_user_message=False, self_loop=False)
    workflow = backend.create_workflow(document(opening, collector, direct("opening", "facts")))

    result = backend.execute(workflow.id, TurnInput.with_message("write to ada@example.com")).finish()

    shown = [event for event in result.events if event["type"] == "workflow_show_state"]
    assert result.status == "completed"
    assert shown[-1]["runtime_variables"]["email"] == "ada@example.com"


def test_too_deep_input_is_rejected(backend):
    workflow = backend.create_workflow(document(static("a", "Hello")))
    deep = functools.reduce(lambda inner, _: [inner], range(100_000), [])

    with pytest.raises(InputError, match="cannot be written as JSON"):
        backend.execute(workflow.id, TurnInput.with_message(None, dynamic_variables={"deep": deep})).finish()


@pytest.mark.parametrize(
    ("parts", "config", "named"),
    [
        (
            [node("a", "say_llm")],
            {"main_response_config": {"prompt": ["Talk."]}},
            "prompt that is not a text: ['Talk.']",
        ),
    ],
)
def test_meaningless_field_value_fails_run_by_name(backend, parts, config, named):
    workflow = backend.create_workflow(document(*parts, **config))

    result = backend.execute(workflow.id, TurnInput.with_message("hello")).finish()

    assert result.status == "failed"
    assert named in result.error
    assert backend.run(result.run_id).termination_source == "execution_error"


@pytest.mark.parametrize(
    ("part", "named"),
    [
        (say("a", 5), "main_response_config.prompt"),
        (
            tool("a", "", {"x": functools.reduce(lambda inner, _: [inner], range(500), [])}),
            "nested too deep",
        ),
    ],
)
def test_unreadable_node_is_skipped_with_warning(backend, part, named):
    workflow = backend.create_workflow(document(part))

    result = backend.execute(workflow.id, TurnInput.with_message("hello")).finish()

    told = [event["warning_message"] for event in result.events if event["type"] == "workflow_warning"]
    assert result.status == "completed"
    assert named in told[0]


def test_first_record_names_its_version(backend):
    workflow = backend.create_workflow(lab(pause=60))
    first = backend.execute(workflow.id, TurnInput.with_message(None)).finish()
    late = later(backend)

    late.pump(workflow.id, first.run_id).finish()

    run = backend.run(first.run_id)
    assert (run.version_name, len(run.input_output_pairs)) == ("Initial Version", 2)
    late.close()


def test_unrecorded_step_adds_no_pair(backend):
    workflow = backend.create_workflow(lab(pause=60))
    first = backend.execute(workflow.id, TurnInput.with_message(None)).finish()

    judged = backend.pump(workflow.id, first.run_id).finish()
    again = backend.pump(workflow.id, first.run_id).finish()

    assert [event["type"] for event in judged.events] == ["waiting_evaluation_boundary"]
    assert again.events == []
    assert len(backend.run(first.run_id).input_output_pairs) == 1


def test_result_tells_when_step_is_due(backend):
    workflow = backend.create_workflow(lab(pause=60))
    began = time.time()
    first = backend.execute(workflow.id, TurnInput.with_message(None)).finish()

    judged = backend.pump(workflow.id, first.run_id).finish()

    assert first.next_due is None  # a condition waits to be judged at once
    assert 55 < judged.next_due - began < 65


def test_step_is_rejected_during_a_turn(backend):
    workflow = backend.create_workflow(lab(pause=60))
    first = backend.execute(workflow.id, TurnInput.with_message(None)).finish()
    turn = backend.execute(workflow.id, TurnInput.with_message("Well?"), run_id=first.run_id)
    events = iter(turn)
    next(events)

    with pytest.raises(ConflictError):
        backend.pump(workflow.id, first.run_id).finish()

    assert list(events)
    assert turn.result.turn_number == 2


def test_turn_is_refused_while_a_step_is_executed(backend):
    other, late = EmbeddedBackend(backend.settings), later(backend)
    workflow = backend.create_workflow(lab(pause=60))
    first = backend.execute(workflow.id, TurnInput.with_message(None)).finish()
    step = late.pump(workflow.id, first.run_id)
    next(step)

    with pytest.raises(TurnInProgressError):
        other.execute(workflow.id, TurnInput.with_message("Well?"), run_id=first.run_id)
    during = backend.run(first.run_id).status
    step.close()
    other.execute(workflow.id, TurnInput.with_message("Well?"), run_id=first.run_id).finish()

    assert during == first.status
    assert [log.message for log in turn_logs(backend.run(first.run_id))] == ["", "Well?"]
    other.close()
    late.close()


def test_calls_are_counted_over_all_turns(backend):
    workflow = backend.create_workflow(document(say("chat")))
    first = backend.execute(workflow.id, TurnInput.with_message("one")).finish()

    backend.execute(workflow.id, TurnInput.with_message("two"), run_id=first.run_id).finish()

    run = backend.run(first.run_id)
    assert (run.llm_token_usage["call_count"], run.llm_latency_stats["call_count"]) == (2, 2)
