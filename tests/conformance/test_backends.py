"""Promises of every backend; the last tests compare backends.

The hosted one is there twice: its turns go by requests, or over a socket with live events.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.hosted import HostedBackend
from debugger.errors import (
    ConflictError,
    DebuggerError,
    InputError,
    NotFoundError,
    NotStartableError,
    RunEndedError,
    WorkflowError,
)
from debugger.protocol.events import AssistantResponseEvent, UserMessagesEvent
from debugger.protocol.runs import CLIENT_TURN_ID, RunSearch, TurnInput, TurnResult
from debugger.protocol.turn_logs import turn_logs
from debugger.settings import HostedSettings, Settings
from tests.backends.server_process import KEY, server_process
from tests.support.companions import lab, watchful
from tests.support.factories import direct, document, say, static, tool, when

UNKNOWN = "665f00000000000000000001"
KINDS = ["embedded", "hosted", "live"]

VOLATILE = re.compile(
    r"logical_id|timestamp|run_id|workflow_run_id|workflow_id|id|created_at|updated_at|.*milliseconds"
    r"|client_turn_id|ai_message_turn_id|llm_response_id|now|date|time|year|month|day|hour|minute|iso_datetime|day_of_week|timestamp_ms|rand_.*"
)
"""Keys whose values differ from run to run: ids, moments, durations, chance."""


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedded")
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{folder}/runs.sqlite3"))
    yield backend
    backend.close()


def remote_backend(folder, **settings):
    """A hosted backend on a server in a process of its own."""
    with server_process(folder) as (_, url):
        backend = HostedBackend(HostedSettings(base_url=url, api_key=KEY, timeout=30, **settings))
        yield backend
        backend.close()


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    yield from remote_backend(tmp_path_factory.mktemp("hosted"), live_events="off")


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    for backend in remote_backend(tmp_path_factory.mktemp("live")):
        yield backend
        assert backend.capabilities.reason_against("live_events") is None


@pytest.fixture(params=["hosted", "live"])
def remote(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=KINDS)
def backend(request):
    return request.getfixturevalue(request.param)


def shop(**fields):
    """Greets, then asks for tea until it is done."""
    parts = [
        static("greet", "Welcome to {{shop}}"),
        say("ask", "Which tea?"),
        static("bye", "Enjoy your [[tea]]"),
        direct("greet", "ask"),
        when("ask", "bye", "[[done]] == true", name="served"),
    ]
    return {
        **document(*parts, defaults={"shop": "Leaf"}, logical_id="workflow_shop"),
        "name": "Shop",
        **fields,
    }


def begin(backend, graph=None, **fields):
    """A new workflow and the result of a first turn."""
    workflow = backend.create_workflow(graph or shop())
    turn_input = TurnInput.with_message(None, miscellaneous=named(), **fields)
    return workflow.id, backend.execute(workflow.id, turn_input).finish()


def go_on(backend, workflow_id, run_id, text, *, number=None, cancelled=None, **fields):
    turn_input = TurnInput.with_message(text, command="data", miscellaneous=named(), **fields)
    stream = backend.execute(
        workflow_id, turn_input, run_id=run_id, expected_turn_number=number, cancelled=cancelled
    )
    return stream.finish()


def named():
    """Return a client turn id of its own."""
    return {CLIENT_TURN_ID: str(uuid.uuid4())}


def serve_tea(backend):
    """Run a whole conversation; return run id and three results."""
    workflow_id, first = begin(backend, run_by="qa", dynamic_variables={"shop": "Leaf & Co"})
    second = go_on(backend, workflow_id, first.run_id, "Hm.")
    third = go_on(
        backend, workflow_id, first.run_id, "Assam", runtime_variables={"done": True, "tea": "Assam"}
    )
    return first.run_id, [first, second, third]


def texts(result):
    return [event["content"] for event in result.events if event["type"] == "assistant_response"]


def steady(value):
    """The same JSON without what differs from run to run."""
    if isinstance(value, dict):
        rest = {key: part for key, part in value.items() if key != CLIENT_TURN_ID}
        return {key: "*" if VOLATILE.fullmatch(key) else steady(part) for key, part in rest.items()}
    return [steady(part) for part in value] if isinstance(value, list) else value


# Workflows


def test_new_workflow_is_found_first_by_name(backend):
    made = backend.create_workflow(shop(name="Oolong 100%", description="Sells tea"))

    found = backend.workflows("OOLONG 100%")

    assert [(row.id, row.name, row.description) for row in found] == [(made.id, "Oolong 100%", "Sells tea")]
    assert found[0].active_version_number == made.active_version_number == 0
    assert backend.workflows()[0].id == made.id
    assert backend.workflow_summary(made.id).name == "Oolong 100%"
    assert backend.workflows("no such tea") == []


def test_document_without_name_gets_a_name(backend):
    made = backend.create_workflow(document(static("a", "Hello"), name=None), name="Chosen")

    assert backend.workflow_summary(made.id).name == "Chosen"


def test_graph_comes_back_complete(backend):
    odd = {"future": {"deep": [1, 2**70, 0.1, None, "ü\u2028"]}, "dynamic_variables": {"a": {}}}
    graph = shop(**odd)
    graph["node_configs"][0]["hue"] = {"r": 1}

    made = backend.create_workflow(graph)

    assert backend.workflow(made.id).to_wire() == graph
    assert list(backend.workflow(made.id).to_wire()) == list(graph)
    assert backend.workflow(made.id, 0).to_wire() == graph


def test_secrets_of_document_are_not_stored(backend):
    made = backend.create_workflow(shop(secret_variables={"pin": "hunter2"}))

    assert backend.workflow(made.id).to_wire() == shop()


def test_deleted_workflow_leaves_its_runs(backend):
    workflow_id, result = begin(backend)

    backend.delete_workflow(workflow_id)

    for call in (backend.workflow, backend.workflow_summary, backend.versions, backend.delete_workflow):
        with pytest.raises(NotFoundError):
            call(workflow_id)
    with pytest.raises(NotFoundError):
        backend.execute(workflow_id, TurnInput.with_message(None)).finish()
    assert backend.run(result.run_id).workflow_id == workflow_id


@pytest.mark.parametrize(
    "graph, error",
    [
        ({}, WorkflowError),
        ({"name": "Shop"}, WorkflowError),
        ({"node_configs": [{"name": "no id"}]}, InputError),
        ({"node_configs": [], "edge_configs": [{"logical_id": "e", "type": "odd"}]}, InputError),
    ],
)
def test_document_without_workflow_is_refused(backend, graph, error):
    with pytest.raises(error):
        backend.create_workflow(graph)


# Versions


def test_versions_are_copied_named_and_activated(backend):
    workflow = backend.create_workflow(shop())

    second = backend.create_version(workflow.id, version_name="Second", mark_as_active=True)
    third = backend.create_version(workflow.id, source_version_number=0)
    before = backend.versions(workflow.id)
    backend.activate_version(workflow.id, 0)
    after = backend.versions(workflow.id)

    assert (second.version_number, second.version_name, second.is_active) == (1, "Second", True)
    assert (third.version_number, third.version_name, third.is_active) == (2, None, False)
    assert [version.version_number for version in before] == [0, 1, 2]
    assert [version.version_name for version in before] == ["Initial Version", "Second", None]
    assert [version.is_active for version in before] == [False, True, False]
    assert [version.is_active for version in after] == [True, False, False]
    assert backend.workflow_summary(workflow.id).active_version_number == 0
    assert backend.workflow(workflow.id, 2).to_wire() == shop()


def test_a_version_carries_no_graph(backend):
    workflow = backend.create_workflow(shop())

    assert "greet" not in str(backend.versions(workflow.id)[0].to_wire())


def test_run_keeps_its_starting_version(backend):
    workflow = backend.create_workflow(shop())
    backend.create_version(workflow.id, version_name="Second", mark_as_active=True)
    inputs = [
        (TurnInput.with_message(None), None),
        (TurnInput.with_message(None), 0),
        (TurnInput.with_message(None, version_number=0), None),
        (TurnInput.with_message(None, version_number=1), 0),
    ]

    runs = [
        backend.execute(workflow.id, turn_input, version_number=number).finish().run_id
        for turn_input, number in inputs
    ]
    backend.activate_version(workflow.id, 0)
    backend.execute(workflow.id, TurnInput.with_message("Hm."), run_id=runs[0], version_number=0).finish()

    records = [backend.run(run_id) for run_id in runs]
    assert [record.version_number for record in records] == [1, 0, 1, 0]
    assert [record.version_name for record in records] == ["Second", "Initial Version"] * 2


# Turns


def test_first_turn_runs_until_it_awaits_input(backend):
    workflow = backend.create_workflow(shop())
    stream = backend.execute(workflow.id, TurnInput.with_message(None))

    events = list(stream)

    result = stream.result
    assert [event.to_wire() for event in events] == result.events
    assert {type(event) for event in events} > {AssistantResponseEvent}
    assert texts(result)[0] == "Welcome to Leaf"
    assert (result.status, result.turn_number, result.error) == ("waiting_for_user_input", 1, None)
    assert (result.is_waiting_for_input, result.is_completed) == (True, False)
    assert result.next_input_hint["type"] == "busy_wait_for_user_message"
    assert result.next_input_hint["origin_node_logical_id"] == "ask"
    assert result.next_input_hint in result.events
    assert stream.run_id == result.run_id


def test_later_turn_takes_the_message(backend):
    workflow_id, first = begin(backend)

    stream = backend.execute(workflow_id, TurnInput.with_message("Hm."), run_id=first.run_id)
    heard = [event for event in stream if isinstance(event, UserMessagesEvent)]

    assert heard[0].messages[0]["content"] == "Hm."
    assert heard[0].messages[0]["id"]
    assert (stream.result.turn_number, stream.result.run_id) == (2, first.run_id)


def test_a_run_ends_where_its_graph_does(backend):
    _, results = serve_tea(backend)

    assert [result.status for result in results] == ["waiting_for_user_input"] * 2 + ["completed"]
    assert [result.turn_number for result in results] == [1, 2, 3]
    assert texts(results[-1])[-1] == "Enjoy your Assam"
    assert (results[-1].is_completed, results[-1].is_waiting_for_input) == (True, False)
    assert results[-1].next_input_hint is None
    assert results[-1].events[-1]["type"] == "end_workflow"


def test_failed_run_has_its_error_as_data(backend):
    _, result = begin(backend, document(static("a", "Hello"), direct("a", "nowhere")))

    assert (result.status, result.is_completed) == ("failed", True)
    assert "nowhere" in result.error
    assert backend.run(result.run_id).status == "failed"


def test_a_waiting_run_is_stopped_for_good(backend):
    workflow_id, first = begin(backend)

    result = backend.execute(workflow_id, TurnInput(command="stop"), run_id=first.run_id).finish()

    assert (result.status, result.is_completed, result.run_id) == ("cancelled", True, first.run_id)
    assert backend.run(first.run_id).status == "cancelled"
    with pytest.raises(RunEndedError):
        go_on(backend, workflow_id, first.run_id, "More")


def test_finished_run_takes_no_turn(backend):
    workflow_id, first = begin(backend, document(static("a", "Hello")))

    with pytest.raises(RunEndedError):
        go_on(backend, workflow_id, first.run_id, "More")

    assert len(backend.run(first.run_id).input_output_pairs) == 1


def test_events_arrive_during_the_turn_where_streamed(backend):
    slow = tool("slow", "import time\ndef slow():\n    time.sleep(1)\n    return 1\n")
    graph = document(static("a", "Hello"), slow, say("ask"), direct("a", "slow"), direct("slow", "ask"))
    workflow = backend.create_workflow(graph, name="Slow")

    moments = [time.monotonic() for _ in backend.execute(workflow.id, TurnInput.with_message(None))]

    is_live = backend.capabilities.reason_against("live_events") is None
    assert (moments[-1] - moments[0] > 0.8) is is_live


def test_second_concurrent_turn_is_refused(backend):
    endless = tool("endless", "def endless():\n    while True:\n        pass\n")
    workflow_id, first = begin(backend, document(say("ask"), endless, when("ask", "endless", "1 == 1")))
    together = threading.Barrier(2)
    was_refused = threading.Event()

    def turn(text):
        together.wait()
        try:
            return go_on(backend, workflow_id, first.run_id, text, number=2, cancelled=was_refused)
        except DebuggerError as error:
            was_refused.set()
            return error

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(turn, ["one", "two"]))

    refused, result = sorted(outcomes, key=lambda outcome: isinstance(outcome, TurnResult))
    assert isinstance(refused, ConflictError)
    assert isinstance(result, TurnResult)
    assert len(backend.run(first.run_id).input_output_pairs) == 2


def test_a_turn_under_way_is_cancelled(backend):
    endless = tool("endless", "def endless():\n    while True:\n        pass\n")
    workflow_id, first = begin(backend, document(say("ask"), endless, when("ask", "endless", "1 == 1")))
    cancelled = threading.Event()
    stream = backend.execute(
        workflow_id, TurnInput.with_message("go"), run_id=first.run_id, cancelled=cancelled
    )
    threading.Timer(0.3, cancelled.set).start()

    result = stream.finish()

    assert (result.status, result.is_completed, result.run_id) == ("cancelled", True, first.run_id)
    assert backend.run(first.run_id).status == "cancelled"


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda backend, known: backend.workflow("nope"), InputError),
        (lambda backend, known: backend.workflow_summary(UNKNOWN.upper()), InputError),
        (lambda backend, known: backend.versions(UNKNOWN), NotFoundError),
        (lambda backend, known: backend.workflow(UNKNOWN), NotFoundError),
        (lambda backend, known: backend.workflow(known, 9), NotFoundError),
        (lambda backend, known: backend.create_version(UNKNOWN), NotFoundError),
        (lambda backend, known: backend.create_version(known, source_version_number=9), NotFoundError),
        (lambda backend, known: backend.activate_version(known, 9), NotFoundError),
        (lambda backend, known: backend.run("../x"), InputError),
        (lambda backend, known: backend.run(UNKNOWN), NotFoundError),
        (lambda backend, known: backend.runs(page=0), InputError),
        (lambda backend, known: backend.execute("nope", TurnInput()).finish(), InputError),
        (lambda backend, known: backend.execute(known, TurnInput(), run_id="nope").finish(), InputError),
        (lambda backend, known: backend.execute(UNKNOWN, TurnInput()).finish(), NotFoundError),
        (lambda backend, known: backend.execute(known, TurnInput(), run_id=UNKNOWN).finish(), NotFoundError),
        (
            lambda backend, known: backend.execute(known, TurnInput(), version_number=9).finish(),
            NotFoundError,
        ),
        (lambda backend, known: backend.execute(known, TurnInput(command="stop")).finish(), InputError),
    ],
)
def test_unknown_ids_are_distinguished(backend, call, error):
    known = backend.create_workflow(shop()).id

    with pytest.raises(error) as raised:
        call(backend, known)

    assert raised.value.message


def test_turn_needs_the_workflow_of_its_run(backend):
    _, first = begin(backend)
    other = backend.create_workflow(shop())

    with pytest.raises(InputError):
        go_on(backend, other.id, first.run_id, "More")


def test_graph_without_start_is_refused(backend):
    workflow = backend.create_workflow({**document(), "name": "Empty"})

    with pytest.raises(NotStartableError, match="No start node found"):
        backend.execute(workflow.id, TurnInput.with_message(None)).finish()


# Background work


def pump_all(backend, workflow_id, run_id):
    """Advance background work until there is none: the result of each step."""
    results = []
    while not results or results[-1].has_background_work:
        time.sleep(0.05)  # another process keeps the time
        results.append(backend.pump(workflow_id, run_id).finish())
    return results


def types(*results):
    return [event["type"] for result in results for event in result.events]


def test_turn_reports_background_work(backend):
    _, first = begin(backend, lab(pause=30, name="Lab"))
    _, other = begin(backend)

    assert (first.status, first.has_active_companions, first.has_background_work) == (
        "waiting_for_user_input",
        True,
        True,
    )
    assert (other.has_active_companions, other.has_background_work) == (False, False)


def test_background_work_ends_the_run(backend):
    workflow_id, first = begin(backend, lab(pause=1, checks=2, name="Lab"))

    steps = pump_all(backend, workflow_id, first.run_id)

    last = steps[-1]
    assert (last.status, last.is_completed, last.is_waiting_for_input) == ("completed", True, False)
    assert (last.has_active_companions, last.has_background_work) == (False, False)
    assert {step.turn_number for step in [first, *steps]} == {1}
    assert {step.run_id for step in steps} == {first.run_id}
    assert types(*steps).count("companion_step_boundary") == 1
    happened = types(last)
    assert happened.index("waiting_condition_matched") + 1 == happened.index("conditional_edge", 5)
    assert happened[-1] == "end_workflow"
    assert texts(last) == ["Your results are here after 2 checks."]
    assert backend.run(first.run_id).status == "completed"


def test_background_step_before_its_time_changes_nothing(backend):
    workflow_id, first = begin(backend, lab(pause=30, name="Lab"))
    judged = backend.pump(workflow_id, first.run_id).finish()
    before = backend.run(first.run_id).to_wire()

    step = backend.pump(workflow_id, first.run_id).finish()

    assert types(judged) == ["waiting_evaluation_boundary"]
    assert (step.events, step.status, step.turn_number) == ([], "waiting_for_user_input", 1)
    assert (step.has_active_companions, step.has_background_work) == (True, True)
    assert backend.run(first.run_id).to_wire() == before


def test_background_step_without_work_changes_nothing(backend):
    workflow_id, first = begin(backend)

    step = backend.pump(workflow_id, first.run_id).finish()

    assert (step.events, step.status, step.has_background_work) == ([], "waiting_for_user_input", False)
    assert len(backend.run(first.run_id).input_output_pairs) == 1


def test_background_work_is_recorded_apart_from_turns(backend):
    workflow_id, first = begin(backend, lab(pause=1, checks=2, name="Lab"))
    steps = pump_all(backend, workflow_id, first.run_id)

    logs = turn_logs(backend.run(first.run_id))

    assert [log.is_background for log in logs] == [False] + [True] * (len(logs) - 1)
    assert {log.number for log in logs} == {1}
    assert [event.type for log in logs for event in log.events] == [
        event["type"]
        for result in [first, *steps]
        for event in result.events
        if event["type"] != "waiting_evaluation_boundary" or event["transitioned"]
    ]
    assert [log.message for log in logs if log.is_background and log.message] == []


def test_background_work_is_not_counted_as_turns(backend):
    workflow_id, first = begin(backend, lab(pause=1, checks=30, name="Lab"))
    while "companion_step_boundary" not in types(backend.pump(workflow_id, first.run_id).finish()):
        time.sleep(0.05)

    second = go_on(backend, workflow_id, first.run_id, "How long?")

    assert (second.turn_number, second.has_background_work) == (2, True)
    logs = turn_logs(backend.run(first.run_id))
    assert [(log.number, log.is_background) for log in logs] == [(1, False), (1, True), (2, False)]


def test_false_waiting_condition_is_streamed_and_not_stored(backend):
    workflow_id, first = begin(backend, {**watchful(), "name": "Watchful"})

    step = backend.pump(workflow_id, first.run_id).finish()

    assert types(step) == ["waiting_evaluation_boundary"]
    assert step.has_background_work
    assert "waiting_evaluation_boundary" not in str(backend.run(first.run_id).to_wire())
    assert go_on(backend, workflow_id, first.run_id, "Hm.").turn_number == 2


def test_a_step_under_way_is_cancelled(backend):
    endless = "def poll(n):\n    while str(n).isdigit():\n        pass\n    return 1\n"
    graph = lab(pause=1, checks=2, name="Lab")
    for part in graph["node_configs"]:
        if part["logical_id"] == "poll":
            part["tool_config"]["code"] = endless
    workflow_id, first = begin(backend, graph)
    cancelled = threading.Event()
    threading.Timer(1.5, cancelled.set).start()

    result = first
    while not result.is_completed:
        time.sleep(0.05)
        result = backend.pump(workflow_id, first.run_id, cancelled=cancelled).finish()

    assert cancelled.is_set()
    assert backend.run(first.run_id).status == "cancelled"


def test_finished_run_has_no_background_work(backend):
    workflow_id, first = begin(backend, document(static("a", "Hello")))

    with pytest.raises(RunEndedError):
        backend.pump(workflow_id, first.run_id).finish()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda backend, known, run_id: backend.pump(known, UNKNOWN), NotFoundError),
        (lambda backend, known, run_id: backend.pump("nope", run_id), InputError),
        (lambda backend, known, run_id: backend.pump(known, "nope"), InputError),
        (lambda backend, known, run_id: backend.pump(UNKNOWN, run_id), InputError),
    ],
)
def test_background_work_of_unknown_ids_is_distinguished(backend, call, error):
    known, first = begin(backend)

    with pytest.raises(error) as raised:
        call(backend, known, first.run_id).finish()

    assert raised.value.message


# Records


def test_record_holds_every_streamed_event(backend):
    run_id, results = serve_tea(backend)

    run = backend.run(run_id)

    assert [turn.run_output.events for turn in run.input_output_pairs] == [
        result.events for result in results
    ]
    assert (run.workflow_run_id, run.status, run.run_by) == (run_id, "completed", "qa")
    assert run.created_at <= run.updated_at


def test_runs_are_listed_newest_first_without_turns(backend):
    workflow_id, first = begin(backend)
    later = [backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id for _ in range(2)]
    go_on(backend, workflow_id, later[1], "Assam", runtime_variables={"done": True})

    both = backend.runs(workflow_id=workflow_id, size=2)
    rest = backend.runs(workflow_id=workflow_id, size=2, page=2)
    done = backend.runs(workflow_id=workflow_id, status="completed")

    assert [run.workflow_run_id for run in both.rows] == [later[1], later[0]]
    assert [run.workflow_run_id for run in rest.rows] == [first.run_id]
    assert (both.total, rest.total, done.total) == (3, 3, 1)
    assert [run.workflow_run_id for run in done.rows] == [later[1]]
    assert all(run.input_output_pairs == [] for run in both.rows)


def test_secrets_of_input_are_not_stored(backend):
    workflow_id, first = begin(backend)
    turn_input = TurnInput.from_wire(
        {"command": "data", "secret_variables": {"pin": "hunter2"}, "future": "field"}
    )

    result = backend.execute(workflow_id, turn_input, run_id=first.run_id).finish()

    assert "hunter2" not in str([result.to_wire(), backend.run(first.run_id).to_wire()])


# The two side by side


def test_same_conversation_has_same_events_and_record(embedded, remote):
    (own_id, own), (other_id, other) = serve_tea(embedded), serve_tea(remote)

    assert [steady(result.to_wire()) for result in other] == [steady(result.to_wire()) for result in own]
    assert steady(remote.run(other_id).to_wire()) == steady(embedded.run(own_id).to_wire())


def test_fields_not_compared_exist_on_both_sides(embedded, remote):
    (_, own), (_, other) = serve_tea(embedded), serve_tea(remote)

    for mine, theirs in zip(own, other, strict=True):
        for event, twin in zip(mine.events, theirs.events, strict=True):
            assert type(event["timestamp"]) is type(twin["timestamp"]) is float
            assert event["logical_id"].rpartition("_")[0] == twin["logical_id"].rpartition("_")[0]


def test_same_background_work_has_same_events_and_record(embedded, remote):
    outcomes = []
    for backend in (embedded, remote):
        workflow_id, first = begin(backend, lab(pause=1, checks=2, name="Lab"))
        steps = pump_all(backend, workflow_id, first.run_id)
        happened = [event for step in steps for event in step.events]
        outcomes.append((steady(happened), steady(backend.run(first.run_id).to_wire())))

    assert outcomes[1] == outcomes[0]


def test_runs_are_found_by_text_and_start(backend):
    workflow_id, first = begin(backend)
    second = backend.execute(workflow_id, TurnInput.with_message(None)).finish()
    go_on(backend, workflow_id, second.run_id, "Assam from the quokka", runtime_variables={"done": True})
    now = datetime.now(UTC)

    def found(**wanted):
        rows = backend.runs(workflow_id=workflow_id, search=RunSearch(**wanted)).rows
        return [run.workflow_run_id for run in rows]

    assert found(text="QUOKKA assam") == [second.run_id]
    assert found(since=now - timedelta(hours=1)) == [second.run_id, first.run_id]
    assert found(since=now + timedelta(hours=1)) == []
    assert found(until=now - timedelta(hours=1)) == []
    assert found(source_workflow_run_id=first.run_id) == []
