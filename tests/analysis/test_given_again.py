from __future__ import annotations

from debugger.analysis.caller_input import input_again, inputs_again
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput, turn_logs
from debugger.settings import Settings
from tests.factories import document, say


def test_what_a_record_adds_to_an_input_is_taken_off_again(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    kept = backend.create_workflow(document(say("chat"), defaults={"shop": "Leaf", "open": True}))
    first = TurnInput.saying(None, dynamic_variables={"name": "Ada"}, runtime_variables={"seed": 1})
    second = TurnInput.saying("hi", dynamic_variables={"shop": "Root", "open": 1}, command="data")
    run_id = backend.execute(kept.id, first).finish().run_id
    backend.execute(kept.id, second, run_id=run_id).finish()

    found = inputs_again(turn_logs(backend.run(run_id)), backend.workflow(kept.id))
    backend.close()

    assert [one.dynamic_variables for one in found] == [{"name": "Ada"}, {"shop": "Root", "open": 1}]
    assert [one.runtime_variables for one in found] == [{"seed": 1}, {}]
    assert [one.command for one in found] == ["start", "data"]
    assert found[1].messages == second.messages


def test_an_input_that_was_never_recorded_is_given_as_it_is():
    given = TurnInput.saying("hi", dynamic_variables={"shop": "Leaf"})

    assert input_again(given, {"shop": "Leaf"}) is given
