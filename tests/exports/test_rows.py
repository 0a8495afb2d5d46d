"""Failures, mocks and time in rows of exports."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from debugger.engine.environment import Environment
from debugger.engine.inspection import RunInspector
from debugger.engine.interpreter import Interpreter
from debugger.engine.mocks import Fault, MockSet, Pin, Target
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.models import HeuristicModel
from debugger.exports.rows import export_rows
from debugger.protocol.runs import Run, TurnInput, background_input
from tests.support.exports import NO_MASKING, csv_rows, exported, options, written
from tests.support.factories import direct, say, static, tool, worker, workflow
from tests.support.timelines import build_timeline

NEW = ("failure_kind", "error_node", "faulted", "mocked", "run_ms", "end_reason")
TWICE = "def twice(n):\n    return 2 * n"


def played(*parts, mocks=()):
    """An exported run of one turn in which pins and faults took effect."""
    interventions = MockSet()
    for each in mocks:
        interventions.put(each)
    world = Environment(sleep=lambda _seconds, _woken: None)
    made = workflow(*parts)
    interpreter = Interpreter(made, HeuristicModel(), environment=world)
    given = TurnInput.with_message("Hello")
    inspector = RunInspector(Interceptor(interventions))
    events = interpreter.turn(interpreter.begin(given), given, inspector=inspector)
    return run_of([event.to_wire() for event in events], made=made)


def run_of(*turns, made=None, inputs=(), **fields):
    """An exported run of turns, each a list of events."""
    given = [*inputs, *[TurnInput.with_message("Hello").to_wire()] * len(turns)]
    pairs = [
        {"run_input": run_input, "run_output": {"events": json.loads(json.dumps(events))}}
        for run_input, events in zip(given, turns, strict=False)
    ]
    record = {"workflow_run_id": "r", "workflow_id": "w", "status": "running", "input_output_pairs": pairs}
    return exported(Run.from_wire(record | fields), made)


def rows(run, shape, *columns):
    return csv_rows(written([run], options(shape=shape, masking=NO_MASKING, columns=columns)))


def last(run, shape="message"):
    """The new columns on the last row of a run."""
    return {name: value for name, value in rows(run, shape, *NEW)[-1].items() if name in NEW[:4]}


@pytest.mark.parametrize("shape", ["message", "turn"])
def test_failed_model_is_on_the_last_row(shape):
    fault = Fault(Target("model", "a"), error="out of tea")
    run = played(say("a", name="Tea desk", default_error_message="Sorry."), mocks=[fault])

    found = rows(run, shape, *NEW)

    assert last(run, shape) == {
        "failure_kind": "model",
        "error_node": "Tea desk",
        "faulted": "true",
        "mocked": "true",
    }
    assert [row["failure_kind"] for row in found[:-1]] == [""] * (len(found) - 1)


def test_failed_model_is_on_its_event():
    fault = Fault(Target("model", "a"), error="out of tea")
    run = played(say("a", name="Tea desk", default_error_message="Sorry."), mocks=[fault])

    found = rows(run, "event", "event_type", *NEW)

    (row,) = [row for row in found if row["failure_kind"]]
    assert (row["event_type"], row["failure_kind"], row["error_node"], row["faulted"]) == (
        "workflow_warning",
        "model",
        "Tea desk",
        "true",
    )
    assert {row["event_type"] for row in found if row["mocked"] == "true"} == {
        "assistant_response",
        "end_node_run",
    }


def test_failure_of_a_silent_turn_has_a_row():
    fault = Fault(Target("model", "a"), error="out of tea")
    run = played(worker("a", {"tea": {"type": "string"}}, name="Sorter", is_start=True), mocks=[fault])

    found = rows(run, "message", "role", "text", *NEW)

    assert (found[-1]["failure_kind"], found[-1]["error_node"]) == ("model", "Sorter")


def test_each_node_that_failed_is_named():
    faults = [Fault(Target("tool", "twice"), error="no"), Fault(Target("model", "b"), error="out of tea")]
    run = played(
        tool("twice", TWICE, {"n": 2}, name="Twice"),
        say("b", name="Desk", wait_for_user_message=False, self_loop=False),
        direct("twice", "b"),
        mocks=faults,
    )

    assert (last(run)["failure_kind"], last(run)["error_node"]) == ("tool; model", "Twice; Desk")


def test_pin_is_mocked_and_no_fault():
    pin = Pin(Target("node", "t"), {"says": ["Frozen"], "output": {"success": True}})
    run = played(tool("t", TWICE), mocks=[pin])

    assert last(run) == {"failure_kind": "", "error_node": "", "faulted": "false", "mocked": "true"}
    found = rows(run, "event", "event_type", *NEW)
    assert [row["event_type"] for row in found if row["mocked"] == "true"] == [
        "assistant_response",
        "end_node_run",
    ]


def test_plain_run_has_no_failure_and_no_mock():
    run = played(static("a", "Hello"))

    for shape in ("turn", "message", "event"):
        assert {tuple(row[name] for name in NEW[:4]) for row in rows(run, shape, *NEW)} == {
            ("", "", "false", "false")
        }


def warning(**fields):
    return {"type": "workflow_warning", "timestamp": 1.0, "warning_message": "Odd.", **fields}


def test_hosted_warning_is_of_unknown_kind():
    assert last(run_of([warning()]), "turn")["failure_kind"] == "unknown"


def test_warning_of_the_configuration_is_no_failure():
    run = run_of([warning(trouble={"kind": "configuration", "node": "a"})])

    assert last(run, "turn")["failure_kind"] == ""
    assert rows(run, "event", *NEW)[0]["failure_kind"] == ""


@pytest.mark.parametrize("source", ["fault", "pin", "manual", "recorded", "simulation"])
def test_event_says_what_answered(source):
    run = run_of(
        [{"type": "say_llm", "timestamp": 1.0, "answered_by": [source], "origin_node_logical_id": "a"}]
    )

    (row,) = rows(run, "event", *NEW)

    assert (row["mocked"], row["faulted"]) == ("true", "true" if source == "fault" else "false")
    assert last(run, "turn")["mocked"] == "true"


def timed(milliseconds):
    metrics = {"e2e_latency_milliseconds": milliseconds}
    start = {"type": "start_workflow", "timestamp": 1.0}
    return [start, {"type": "end_workflow_iteration", "timestamp": 90.0, "iteration_metrics": metrics}]


def test_run_duration_adds_up_turns():
    run = run_of(timed(100), timed(250), timed(50))

    assert [row["run_ms"] for row in rows(run, "turn", *NEW)] == ["100.0", "350.0", "400.0"]


def test_run_duration_is_on_the_last_event_of_a_turn():
    run = run_of(timed(100), timed(250))

    assert [row["run_ms"] for row in rows(run, "event", *NEW)] == ["", "100.0", "", "350.0"]


def test_run_duration_has_background_work():
    given = [TurnInput.with_message("Hello").to_wire(), background_input().to_wire()]
    run = run_of(timed(100), timed(40), inputs=given)

    assert [row["run_ms"] for row in rows(run, "turn", *NEW)] == ["100.0", "140.0"]


def test_end_reason_stays_the_one_of_the_record():
    run = run_of(timed(100), status="failed", termination_source="execution_error")

    for shape in ("turn", "event"):
        assert {row["end_reason"] for row in rows(run, shape, *NEW)} == {"execution_error"}


@pytest.mark.parametrize(("preset", "shape"), [("qa-review", "message"), ("full-events", "event")])
def test_presets_have_the_columns_of_failures(preset, shape):
    run = run_of(timed(100))

    header = written([run], options(preset=preset, shape=shape)).decode("utf-8-sig").splitlines()[0]

    assert set(NEW) <= set(header.split(","))


def test_schema_version_is_that_of_the_columns():
    assert {row["schema_version"] for row in rows(run_of(timed(100)), "event", "schema_version")} == {"3"}


def test_lines_of_json_have_the_columns():
    run = run_of([warning(trouble={"kind": "model", "node": "a", "faulted": True})])
    chosen = options("jsonl", shape="event", masking=NO_MASKING, columns=NEW)

    row = json.loads(written([run], chosen).decode().splitlines()[0])

    assert {name: row[name] for name in NEW} == {
        "failure_kind": "model",
        "error_node": "a",
        "faulted": True,
        "mocked": False,
        "run_ms": 0.0,
        "end_reason": "",
    }


def test_page_names_each_failure():
    run = run_of([warning(trouble={"kind": "model", "node": "a"}, warning_message="No answer <b>.")])

    page = written([run], options("html")).decode()

    assert "<b>Model failed</b> No answer &lt;b&gt;." in page


@pytest.mark.parametrize(
    "personal",
    [
        "4111 1111 1111 1111",
        "ada.moreno+tea@example.org",
        "+49 171 1234567",
        "sk-proj-abcdEFGH12345678",
    ],
)
def test_a_summary_is_masked_before_it_is_cut(personal):
    wires = [
        {"type": "workflow_warning", "warning_message": f"{'x ' * fill}{personal} and more"}
        for fill in range(40, 62)
    ]
    run = run_of(wires)
    parts = {personal[:length] for length in range(3, len(personal))}

    chosen = options(shape="event", columns=["summary"])
    texts = [row["summary"] for row in csv_rows(written([run], chosen))]
    page = written([run], options("html", shape="turn")).decode()

    assert len(texts) == len(wires) and max(map(len, texts)) == 120
    assert not [text for text in texts if any(part in text for part in parts)]
    assert not [part for part in parts if part in page]


def test_a_summary_is_cut_after_a_harmless_number():
    run = run_of([{"type": "workflow_warning", "warning_message": f"{'x ' * 54}1796114953859 and more"}])

    chosen = options(shape="event", columns=["summary"])

    assert csv_rows(written([run], chosen))[0]["summary"].endswith(" 17961149538…")


@pytest.mark.parametrize("shape", ["message", "turn", "event"])
def test_a_fault_that_only_delays_is_a_fault(shape):
    run = played(static("a", "Hello"), mocks=[Fault(Target("node", "a"), delay=0.001)])

    found = rows(run, shape, "faulted")

    assert [row["faulted"] for row in found].count("true") == 1


def peak_of(read):
    """The most memory in use while something is read, in bytes."""
    tracemalloc.start()
    read()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_a_timeline_keeps_summaries_short_and_an_export_none():
    texts = [f"{turn} {'x' * 100_000}" for turn in range(30)]
    run = run_of(*[[{"type": "workflow_warning", "warning_message": text}] for text in texts])

    kept = build_timeline([log for _, log in run.turns()])
    wholes = sum(len(row.event.summary) for row in export_rows(run, "event"))
    record = peak_of(lambda: [None for _ in run.turns()])
    rows_too = peak_of(lambda: [None for _ in export_rows(run, "event")])

    assert {len(row.summary) for row in kept} == {120}
    assert wholes == sum(map(len, texts))
    assert rows_too < record + 1_000_000
