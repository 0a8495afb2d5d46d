"""Every numeric field of every event is of the type that the wire has for it (``platform.md#events``)."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import get_args

import pytest
from sqlalchemy import select, update

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.inspection import RunInspector
from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel
from debugger.engine.state import RunState
from debugger.engine.variables import VariableEdit
from debugger.protocol.events import EVENT_TYPES
from debugger.protocol.json_codec import decode, encode
from debugger.protocol.runs import TurnInput
from debugger.samples import SAMPLES
from debugger.settings import Settings
from debugger.store.compression import compress, decompress
from debugger.store.schema import turns
from tests.backends.one_turn import is_over, open_backend, step
from tests.support.factories import direct, document, node, say, static, worker, workflow
from tests.support.generated import generate
from tests.support.model_server import said, serving
from tests.support.number_types import FLOATS, INTEGERS, numbers_in, type_of, wrong_numbers

SEEDS = 60
"""Generated workflows: together they have every node type, companions, loops and waiting edges."""


def made_by_hand() -> list[dict]:
    """Return events of the types that no generated workflow causes."""
    interpreter = Interpreter(workflow(say("a"), static("b", "Hello.")), HeuristicModel())
    state = interpreter.begin(TurnInput())
    inspector, events = RunInspector(), []
    for event in interpreter.turn(state, TurnInput.with_message("Tea?"), inspector=inspector):
        if event.type == "start_node_run":
            inspector.edit([VariableEdit("runtime", "cups", 2)])
        events.append(event)
    events += interpreter.turn(state, TurnInput(command="resume"), transfer_to="b")
    broken = Interpreter(workflow(say("a", wait_for_user_message=False)), HeuristicModel())
    events += broken.turn(broken.begin(TurnInput()), TurnInput())
    return [event.to_wire() for event in events]


def documents_and_charts(folder) -> list[dict]:
    """Return events of each connector, run one after the other."""
    update = {"type": "google_docs_update_with_text", "content": "x"}
    operations = [
        {"type": "google_docs_get_document", "document_id_or_url": "doc-1"},
        {"type": "google_docs_update_document", "document_id_or_url": "doc-1", "updates": update},
    ]
    chart = node("chart", "athena_patients_search", full_name="Ann Lee", birthdate="1980-12-31")
    nodes = [node(f"doc{at}", "google_docs", operate_document=each) for at, each in enumerate(operations)]
    backend = open_backend(folder, 0, 0)
    made = backend.create_workflow(document(*nodes, chart, direct("doc0", "doc1"), direct("doc1", "chart")))
    events = backend.execute(made.id, TurnInput()).finish().events
    backend.close()
    return events


def from_samples(folder) -> list[dict]:
    """Return the events of two turns of each sample, a word of the user in the second."""
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{folder}/samples.sqlite3"))
    events = []
    for sample in SAMPLES:
        workflow_id = backend.create_workflow(sample.load_documents()[-1]).id
        first = backend.execute(workflow_id, TurnInput.with_message(None)).finish()
        events += first.events
        if first.is_waiting_for_input:
            second = backend.execute(workflow_id, TurnInput.with_message("Hi."), run_id=first.run_id)
            events += second.finish().events
    backend.close()
    return events


@pytest.mark.parametrize("cls", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_declared_fields_are_classified(cls):
    for name, field in cls.declared_fields.items():
        kinds = get_args(field.annotation) if isinstance(field.annotation, UnionType) else [field.annotation]
        numeric = [kind for kind in kinds if kind in (int, float)]
        assert numeric == [] or numeric == [type_of(name)], name
        assert set(kinds) <= {*numeric, NoneType} or not numeric


def test_events_have_wire_number_types(tmp_path):
    seen, types = set(), set()
    wrong = {}

    def check(events):
        for event in events:
            types.add(event["type"])
            seen.update(name for name, _ in numbers_in(event))
            wrong.update({f"{event['type']}: {name}": why for name, why in wrong_numbers(event).items()})

    for seed in range(SEEDS):
        (tmp_path / str(seed)).mkdir()
        backend = open_backend(tmp_path / str(seed), 0, seed)
        made, sayings = generate(seed)
        workflow_id, run_id = backend.create_workflow(made).id, None
        for text in [None, *sayings]:
            result, events = step(backend, workflow_id, run_id, text)
            check(event.to_wire() for event in events)
            run_id = result.run_id
            if is_over(result):
                break
        record = backend.run(run_id).to_wire()
        wrong.update({f"record: {name}": why for name, why in wrong_numbers(record).items()})
        backend.close()
    check(made_by_hand())
    check(documents_and_charts(tmp_path))
    check(from_samples(tmp_path))

    assert wrong == {}
    assert set(EVENT_TYPES) <= types
    assert (INTEGERS | FLOATS) - seen == {"retry_count", "latency_milliseconds"}  # of a real model only


def test_model_events_have_wire_number_types(tmp_path):
    schema = {"tea": {"type": "string"}, "cups": {"type": "integer"}}
    bad, good = {"tea": "Assam", "cups": "two"}, {"tea": "Assam", "cups": 2}
    answers = [said(None, ("structured_output", each)) for each in (bad, good)]

    with serving(*answers) as server:
        default = f"custom_llm tea-1 {server.url}/v1"
        settings = Settings(
            database=f"sqlite:///{tmp_path}/r.sqlite3", responder="model", default_model=default
        )
        backend = EmbeddedBackend(settings)
        made = backend.create_workflow(document(worker("ask", schema, self_loop=False)))
        result = backend.execute(made.id, TurnInput.with_message("Assam")).finish()
        record = backend.run(result.run_id).to_wire()
        backend.close()

    (usage,) = (event["llm_usage_info"] for event in result.events if event["type"] == "worker_llm")
    assert usage["structured_output_retry_metadata"]["retry_count"] == 1
    assert wrong_numbers(result.to_wire()) == wrong_numbers(record) == {}


def age(backend, run_id) -> None:
    """Rewrite a run's only turn as an earlier release stored it, with fractions of milliseconds."""
    checkpoint = backend.store.checkpoint(run_id)
    state = RunState.from_json(checkpoint.checkpoint)
    for model in state.usage_by_model.values():
        model["milliseconds"] = 12.75
    with backend.store._database.writing() as connection:
        of_run = turns.c.run_id == run_id
        stored = connection.scalar(select(turns.c.events).where(of_run))
        events = decode(decompress(stored))
        for event in events:
            if event.get("llm_usage_info"):
                event["llm_usage_info"]["response_latency_milliseconds"] = 12.75
        values = {"events": compress(encode(events)), "checkpoint": compress(state.to_json())}
        connection.execute(update(turns).where(of_run).values(**values))


def test_stored_floats_are_read(tmp_path):
    """Runs that were stored before 2026-12 have fractions of milliseconds in events and checkpoint."""
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/r.sqlite3"))
    made = backend.create_workflow(document(say("chat")))
    first = backend.execute(made.id, TurnInput.with_message("One")).finish()
    age(backend, first.run_id)

    second = backend.execute(made.id, TurnInput.with_message("Two"), run_id=first.run_id).finish()
    run = backend.run(first.run_id)
    backend.close()

    say_llm = next(event for event in run.finished_turns[0].parsed_events() if event.type == "say_llm")
    assert say_llm.llm_usage_info["response_latency_milliseconds"] == 12.75
    assert wrong_numbers(second.events) == {}
    stats = run.llm_latency_stats
    assert stats["total_latency_milliseconds"] >= 13
    assert stats["call_count"] == 2
    assert wrong_numbers(stats) == {}
