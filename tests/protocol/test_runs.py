from __future__ import annotations

import pytest

from debugger.errors import InputError
from debugger.protocol.runs import ExecuteRequest, Run, TurnInput, TurnResult, background_input, unwrap_run
from debugger.protocol.turn_logs import LazyRun, turn_logs

RUN_ID = "665f0c2b9a3e4d5f6a7b8c90"


def test_an_execute_request_is_written_back_unchanged():
    wire = {
        "run_input": {
            "thread_to_node_inputs": {"0": {"node_run_inputs": [], "odd": 1}},
            "command": "data",
            "x": 1,
        },
        "run_id": RUN_ID,
        "later": {"unknown": True},
    }

    request = ExecuteRequest.from_wire(wire)

    assert request.to_wire() == wire
    assert list(request.to_wire()) == list(wire)
    assert request.run_input.command == "data"


def test_a_short_run_input_takes_the_documented_defaults():
    given = TurnInput.from_wire({})

    assert given.command == "start"
    assert given.dynamic_variables == given.runtime_variables == given.miscellaneous == {}
    assert given.version_number is None
    assert given.messages == []


def test_a_command_that_is_not_in_the_protocol_is_refused_by_name():
    with pytest.raises(InputError, match="command"):
        TurnInput.from_wire({"command": "continue"})


def test_an_input_can_say_something_in_the_main_thread():
    given = TurnInput.with_message("Tomorrow at nine", command="data", dynamic_variables={"clinic": "North"})

    assert [message["content"] for message in given.messages] == ["Tomorrow at nine"]
    assert given.to_wire()["thread_to_node_inputs"]["0"]["node_run_inputs"][0]["type"] == "llm"
    assert given.dynamic_variables == {"clinic": "North"}


def test_an_input_without_a_message_still_names_the_main_thread():
    assert TurnInput.with_message(None).to_wire()["thread_to_node_inputs"] == {"0": {"node_run_inputs": []}}


def test_a_field_that_an_input_cannot_have_is_an_error_also_where_it_is_made_here():
    with pytest.raises(InputError, match="command"):
        TurnInput.with_message("Hi", command="begin")
    with pytest.raises(InputError, match="run_by"):
        TurnInput.with_message("Hi", run_by=7)


def test_two_inputs_share_nothing():
    first, second = TurnInput.with_message("Hi", run_by="Ada"), TurnInput.with_message("Hi", run_by="Ada")

    first.dynamic_variables["tea"] = "Assam"
    first.thread_to_node_inputs["0"].node_run_inputs[0].miscellaneous["cup"] = 1

    assert second.dynamic_variables == {}
    assert second.thread_to_node_inputs["0"].node_run_inputs[0].miscellaneous == {}


def test_an_input_is_the_same_whether_it_is_made_here_or_read():
    made = TurnInput.with_message("Hi", command="data", run_by="Ada")

    assert made == TurnInput.from_wire(made.to_wire())


def test_a_result_without_a_required_field_is_refused_by_name():
    with pytest.raises(InputError, match="is_completed"):
        TurnResult.from_wire(
            {"run_id": RUN_ID, "status": "completed", "turn_number": 1, "is_waiting_for_input": False}
        )


@pytest.mark.parametrize(
    "wrap", [lambda run: run, lambda run: {"workflow_run": run}, lambda run: _answer(run)]
)
def test_a_run_is_found_in_every_wrapping(wrap):
    inner = {"workflow_run_id": RUN_ID, "workflow_id": "665f00000000000000000001", "status": "completed"}

    run = unwrap_run(wrap(inner))

    assert run.workflow_run_id == RUN_ID
    assert run.is_over


def test_id_of_a_record_reaches_its_run():
    inner = {"workflow_id": "665f00000000000000000001", "status": "completed"}

    assert unwrap_run(_answer(inner)["workflow_run"]).workflow_run_id == RUN_ID
    assert unwrap_run(_answer({**inner, "workflow_run_id": None})).workflow_run_id == RUN_ID


def test_the_times_of_a_record_reach_its_run():
    inner = {"workflow_run_id": RUN_ID, "workflow_id": "665f00000000000000000001", "status": "failed"}

    assert unwrap_run(_answer(inner)).created_at == "2026-07-01T10:00:00Z"


def test_a_row_of_the_list_may_carry_null_instead_of_turns():
    run = Run.from_wire(
        {"workflow_run_id": RUN_ID, "workflow_id": "w", "status": "running", "input_output_pairs": None}
    )

    assert run.input_output_pairs == []


@pytest.mark.parametrize("name", ["logical_id", "version_number", "comments", "evaluation_run_info"])
def test_null_in_a_record_means_the_default(name):
    inner = {"workflow_run_id": RUN_ID, "workflow_id": RUN_ID, "status": "completed"}
    pair = {"run_input": None, "run_output": {"events": None}, "comments": None, "ratings": None}

    run = Run.from_wire({**inner, name: None, "input_output_pairs": [pair]})

    assert getattr(run, name) == getattr(Run.from_wire(inner), name)
    assert [(log.number, log.message, list(log.events)) for log in turn_logs(run)] == [(1, "", [])]
    assert LazyRun.of(run).turns[0]().to_wire()["run_input"] == {}


def test_odd_values_of_a_record_can_be_packed():
    deep = "end"
    for _ in range(300):
        deep = [deep]
    variables = {"deep": deep, "half \ud83d": 1}
    pair = {"run_input": {"dynamic_variables": variables}, "run_output": {"events": []}}
    inner = {"workflow_run_id": RUN_ID, "workflow_id": RUN_ID, "status": "completed"}

    record = LazyRun.of(Run.from_wire({**inner, "input_output_pairs": [pair]}))

    assert record.turns[0]().run_input["dynamic_variables"] == variables


def test_the_turns_of_a_record_are_read_with_their_input_and_events():
    pair = {
        "run_input": TurnInput.with_message("hi").to_wire(),
        "run_output": {"events": [{"type": "assistant_response", "content": "Hello"}]},
    }
    run = Run.from_wire(
        {
            "workflow_run_id": RUN_ID,
            "workflow_id": "w",
            "status": "running",
            "input_output_pairs": [pair, pair],
        }
    )

    turns = turn_logs(run)

    assert [(turn.number, turn.message) for turn in turns] == [(1, "hi"), (2, "hi")]
    assert turns[1].events[0].summary == "agent: Hello"


def _answer(run):
    record = {"_id": RUN_ID, "created_at": "2026-07-01T10:00:00Z", "workflow_run": run}
    return {"workflow_run": record, "feedback_users": {}}


def record_of(*pairs):
    """A run out of run inputs with the types of their events."""
    return Run.from_wire(
        {
            "workflow_run_id": RUN_ID,
            "workflow_id": RUN_ID,
            "status": "running",
            "input_output_pairs": [
                {
                    "run_input": given.to_wire(),
                    "run_output": {"events": [{"type": name, "companion_thread_id": "c"} for name in types]},
                }
                for given, types in pairs
            ],
        }
    )


def test_background_work_bears_the_number_of_the_turn_before_it():
    run = record_of(
        (TurnInput.with_message(None), ["start_workflow"]),
        (background_input(), ["companion_step_boundary"]),
        (background_input(), ["waiting_condition_matched"]),
        (TurnInput.with_message("Hi", command="data"), ["user_messages"]),
    )

    found = [(log.number, log.is_background) for log in turn_logs(run)]

    assert found == [(1, False), (1, True), (1, True), (2, False)]


def test_background_work_without_an_event_is_passed_over():
    run = record_of((TurnInput.with_message(None), []), (background_input(), []))

    assert [log.number for log in turn_logs(run)] == [1]


@pytest.mark.parametrize(
    ("given", "event", "expected"),
    [
        (TurnInput(command="data"), "companion_step_boundary", True),
        (TurnInput(command="data"), "waiting_condition_matched", True),
        (TurnInput(command="data"), "say_static", False),
        (TurnInput(command="stop"), "companion_step_boundary", False),
        (TurnInput.with_message("Hi", command="data"), "companion_step_boundary", False),
        (
            TurnInput.with_message("Hi", command="data", miscellaneous={"background": True}),
            "say_static",
            False,
        ),
    ],
)
def test_background_work_of_another_backend_is_known_by_its_events(given, event, expected):
    run = record_of((TurnInput.with_message(None), []), (given, [event]))

    assert turn_logs(run)[1].is_background is expected


def test_turn_with_a_companions_step_is_no_background_work():
    events = ["companion_step_boundary", "end_workflow_iteration"]
    run = record_of((TurnInput.with_message(None), []), (TurnInput(command="data"), events))

    assert [(log.number, log.is_background) for log in turn_logs(run)] == [(1, False), (2, False)]


def test_the_first_turn_is_a_turn_whatever_its_events():
    run = record_of((background_input(), ["companion_step_boundary"]))

    assert [(log.number, log.is_background) for log in turn_logs(run)] == [(1, False)]


def test_when_work_is_due_never_goes_over_the_wire():
    result = TurnResult(
        run_id=RUN_ID,
        status="running",
        turn_number=1,
        is_waiting_for_input=False,
        is_completed=False,
        next_due=1785200000.0,
    )

    assert "next_due" not in result.to_wire()


@pytest.mark.parametrize("read", [TurnInput.from_wire, TurnInput.model_validate])
def test_secrets_of_node_inputs_are_not_written(read):
    secret = {"type": "base_node", "secret_variables": {"pin": "hunter2"}, "override_url": "u"}
    threads = {"0": {"node_run_inputs": [secret, {"type": "llm"}]}, "1": {}}

    turn_input = read({"command": "data", "thread_to_node_inputs": threads})

    wire = turn_input.to_wire()
    assert "hunter2" not in str(wire)
    assert wire["thread_to_node_inputs"]["0"]["node_run_inputs"][0]["override_url"] == "u"
    assert secret["secret_variables"] == {"pin": "hunter2"}
