from __future__ import annotations

import time
from contextlib import closing

import pytest

from debugger.backends.base import FoundTurn
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.embedded.python_consents import PythonPermits
from debugger.backends.embedded.run_loader import InterpreterCache
from debugger.engine.environment import Environment
from debugger.engine.options import PythonStatus
from debugger.errors import ConflictError, InputError, NotFoundError
from debugger.protocol.runs import SentTurn, TurnInput
from debugger.settings import Settings
from tests.support.companions import lab
from tests.support.factories import document, node, say, static

UNKNOWN = "665f00000000000000000001"


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def saying(text=None, client_turn_id=None):
    misc = {} if client_turn_id is None else {"client_turn_id": client_turn_id}
    return TurnInput.with_message(text, miscellaneous=misc)


def sent(turn_input, run_id, number, at=None):
    return SentTurn(turn_input, run_id, number, time.time() if at is None else at)


def chatting(backend):
    workflow_id = backend.create_workflow(document(say("chat"))).id
    return workflow_id, backend.execute(workflow_id, saying("hello")).finish().run_id


def test_find_turn_by_its_client_turn_id(backend):
    workflow_id, run_id = chatting(backend)
    mine = saying("mine", "c1")
    absent = backend.find_turn(workflow_id, sent(mine, run_id, 2))
    stream = backend.execute(workflow_id, mine, run_id=run_id)
    running = backend.find_turn(workflow_id, sent(mine, run_id, 2))
    result = stream.finish()
    backend.execute(workflow_id, saying("theirs"), run_id=run_id).finish()

    found = backend.find_turn(workflow_id, sent(mine, run_id, 2))

    assert absent == FoundTurn("absent", None, run_id, 0)
    assert running == FoundTurn("running", None, run_id, 0)
    assert (found.state, found.run_id, found.newer_turns) == ("finished", run_id, 1)
    assert found.result.to_wire() == result.to_wire()


def test_find_turn_counts_the_turns_of_others(backend):
    workflow_id, run_id = chatting(backend)
    for text in ("one", "two"):
        backend.execute(workflow_id, saying(text), run_id=run_id).finish()

    named = backend.find_turn(workflow_id, sent(saying("mine", "c1"), run_id, 2))
    unnamed = backend.find_turn(workflow_id, sent(saying("mine"), run_id, 2))

    assert named == unnamed == FoundTurn("absent", None, run_id, 2)


def test_find_first_turn_by_its_client_turn_id(backend):
    workflow_id = backend.create_workflow(document(say("chat"))).id
    mine = saying("hello", "c1")
    backend.execute(workflow_id, saying("hello")).finish()
    absent = backend.find_turn(workflow_id, sent(mine, None, 1))
    result = backend.execute(workflow_id, mine).finish()

    found = backend.find_turn(workflow_id, sent(mine, None, 1))

    assert absent == FoundTurn("absent")
    assert (found.state, found.run_id, found.newer_turns) == ("finished", result.run_id, 0)


def test_find_turn_by_number_and_text(backend):
    workflow_id, run_id = chatting(backend)
    stream = backend.execute(workflow_id, saying("mine"), run_id=run_id)
    running = backend.find_turn(workflow_id, sent(saying("mine"), run_id, 2))
    result = stream.finish()

    found = backend.find_turn(workflow_id, sent(saying("mine"), run_id, 2))
    other_text = backend.find_turn(workflow_id, sent(saying("other"), run_id, 2))
    other_number = backend.find_turn(workflow_id, sent(saying("mine"), run_id, 3))

    assert (running.state, running.newer_turns) == ("running", 0)
    assert (found.state, found.newer_turns) == ("finished", 0)
    assert found.result.to_wire() == result.to_wire()
    assert (other_text.state, other_text.newer_turns) == ("absent", 1)
    assert (other_number.state, other_number.newer_turns) == ("absent", 0)


def test_find_turn_passes_over_background_work(backend):
    workflow_id = backend.create_workflow(lab(pause=60, checks=3)).id
    first = backend.execute(workflow_id, saying()).finish()
    late = EmbeddedBackend(backend.settings, world=Environment(now=lambda: time.time() + 120))
    stepped = late.pump(workflow_id, first.run_id).finish()
    late.close()
    result = backend.execute(workflow_id, saying("Well?"), run_id=first.run_id).finish()

    found = backend.find_turn(workflow_id, sent(saying("Well?"), first.run_id, 2))

    assert stepped.record_length == 2
    assert (found.result.turn_number, found.result.record_length) == (2, 3)
    assert found.result.events == [event for event in result.events if event in found.result.events]


def test_find_first_turn_by_text_and_time(backend):
    workflow_id = backend.create_workflow(document(say("chat"))).id
    began = time.time()
    backend.execute(workflow_id, saying("other")).finish()
    result = backend.execute(workflow_id, saying("mine")).finish()

    found = backend.find_turn(workflow_id, sent(saying("mine"), None, 1, began))
    later = backend.find_turn(workflow_id, sent(saying("mine"), None, 1, began + 3600))
    stream = backend.execute(workflow_id, saying("mine"))
    both = backend.find_turn(workflow_id, sent(saying("mine"), None, 1, began))
    stream.close()

    assert (found.state, found.run_id) == ("finished", result.run_id)
    assert later == FoundTurn("absent")
    assert both == FoundTurn("ambiguous")


def test_find_turn_raises_what_decides_nothing(backend):
    workflow_id, run_id = chatting(backend)
    backend.execute(workflow_id, saying("mine", "c1"), run_id=run_id).finish()

    with pytest.raises(NotFoundError):
        backend.find_turn(workflow_id, sent(saying("mine"), UNKNOWN, 2))
    with pytest.raises(InputError):
        backend.find_turn(workflow_id, sent(saying("mine"), "nonsense", 2))
    with pytest.raises(ConflictError):
        backend.find_turn(workflow_id, sent(saying("mine", "c1"), None, 1))


def test_stored_result_tells_of_background_work(backend):
    workflow_id = backend.create_workflow(lab(pause=60)).id
    first = backend.execute(workflow_id, saying(None, "c1")).finish()

    again = backend.execute(workflow_id, saying(None, "c1")).finish()

    assert first.has_background_work
    assert again.to_wire() == {**first.to_wire(), "events": again.events}
    assert (again.next_due, again.next_input_hint) == (first.next_due, first.next_input_hint)
    assert [event for event in first.events if event in again.events] == again.events


def words(result):
    return [event["content"] for event in result.events if event["type"] == "assistant_response"]


@pytest.mark.parametrize("changed", ["own", "inner"])
def test_change_of_another_process_counts(tmp_path, monkeypatch, changed):
    monkeypatch.setattr("debugger.backends.embedded.run_loader.FRESH_SECONDS", 0.0)
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
    ours, theirs = EmbeddedBackend(settings), EmbeddedBackend(settings)
    with closing(ours), closing(theirs):
        inner_id = ours.create_workflow(document(static("hi", "old"))).id
        outer = document(node("all", "super_node", super_workflow_id=inner_id))
        workflow_id = inner_id if changed == "own" else ours.create_workflow(outer).id
        before = ours.execute(workflow_id, saying()).finish()

        theirs.store.catalogue.replace_document(inner_id, 0, document(static("hi", "new")))

        assert words(before) == ["old"]
        assert words(ours.execute(workflow_id, saying()).finish()) == ["new"]


def test_change_during_making_counts_at_once():
    documents, made = {"tea": "old"}, []

    def make(workflow_id, version_number):
        made.append(documents[workflow_id])
        if len(made) == 1:  # another thread changes the workflow, which has been read
            documents[workflow_id] = "new"
            cache.forget(workflow_id)
        return made[-1], frozenset()

    permits = PythonPermits(None, None, PythonStatus("off", ""))
    cache = InterpreterCache(make, permits, lambda ids: dict.fromkeys(ids, 1.0))

    assert [cache.get_or_make("tea", 0) for _ in range(3)] == ["old", "new", "new"]
    assert made == ["old", "new"]


def test_run_whose_caller_is_gone_is_refused(backend):
    there = {"is_global": True, "condition": {"condition_expression": "isPresent([[x]])"}}
    back = {"condition_freeform": "back"}
    desk = say("desk", global_node_config={**there, "reverse_conditional_edge": back})
    workflow_id = backend.create_workflow(document(say("chat"), desk)).id
    begun = TurnInput.with_message("hi", runtime_variables={"x": 1})
    run_id = backend.execute(workflow_id, begun).finish().run_id
    backend.store.catalogue.replace_document(workflow_id, 0, document(desk))
    backend.renew(workflow_id)

    with pytest.raises(ConflictError, match=r"'chat'.*Run the turn again in another run"):
        backend.execute(workflow_id, saying("hello"), run_id=run_id)

    assert backend.run(run_id).status == "waiting_for_user_input"
