from __future__ import annotations

from typing import Any

import pytest

from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel
from debugger.protocol.runs import TurnInput
from tests.support.factories import direct, node, say, static, tool, when, workflow

ECHO = "def echo(**given):\n    return given\n"


class Play:
    """A run of one workflow, turn by turn."""

    def __init__(self, *parts: Any):
        self.interpreter = Interpreter(workflow(*parts), HeuristicModel())
        self.state: Any = None
        self.end: Any = None
        self.wire: list[dict[str, Any]] = []

    def turn(self, text: str | None = None, **fields: Any) -> None:
        given = TurnInput.with_message(text, **fields)
        self.state = self.state or self.interpreter.begin(given)
        self.wire = []
        turn = self.interpreter.turn(self.state, given)
        while True:
            try:
                self.wire.append(next(turn).to_wire())
            except StopIteration as stop:
                self.end = stop.value
                return

    def states(self) -> list[dict[str, Any]]:
        return [event for event in self.wire if event["type"] == "workflow_show_state"]

    def said(self) -> list[str]:
        return [event["content"] for event in self.wire if event["type"] == "assistant_response"]


def echo(node_id: str, arguments: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    """A node whose tool gives back what it was called with."""
    part = tool(node_id, ECHO, arguments)
    part["tool_config"] |= config
    return part


def test_tool_arguments_are_native_and_come_first():
    bindings = [
        {"argument_name": "cups", "variable_path": "order.cups"},
        {"argument_name": "shop", "variable_path": "shop", "source": "dynamic"},
        {"argument_name": "kind", "source": "literal", "literal_value": ["black", 1]},
        {
            "argument_name": "size",
            "variable_path": "size",
            "default": "large",
            "expose_to_llm": True,
            "override_provided_value": False,
        },
    ]
    given = {"cups": "[[order]]", "size": "small", "note": "[[order.cups]]"}
    play = Play(echo("a", given, variable_arguments=bindings))

    play.turn(runtime_variables={"order": {"cups": 2}}, dynamic_variables={"shop": {"city": "Kiel"}})

    assert play.states()[0]["runtime_variables"]["tool_result"] == {
        "cups": 2,
        "size": "small",
        "note": "2",
        "shop": {"city": "Kiel"},
        "kind": ["black", 1],
    }


def test_placeholder_that_stays_in_an_argument_warns():
    play = Play(echo("a", {"who": "Ms {{nmae}}", "deep": [{"n": "[[gone]] {{ cups | nope }}"}]}))

    play.turn(dynamic_variables={"name": "Ann", "cups": 2})

    assert [event["warning_message"] for event in play.wire if event["type"] == "workflow_warning"] == [
        "No value for {{nmae}}; it is left as it is written.",
        "No value for {{ cups | nope }}; it is left as it is written.",
    ]


def test_arguments_are_looked_up_in_each_call():
    bindings = [{"argument_name": "before", "variable_path": "tool_result.before", "default": "nothing"}]
    count = "def count(before):\n    return {'before': (before, 1)[before == 'nothing'] + 1}\n"
    part = tool("a", count)
    part["tool_config"]["variable_arguments"] = bindings
    again = when("a", "a", "[[tool_result.before]] < 4")
    play = Play(part, static("end", "[[tool_result.before]]"), again, when("a", "end", "true"))

    play.turn()

    assert [state["runtime_variables"]["tool_result"]["before"] for state in play.states()[:3]] == [2, 3, 4]


def test_qualified_variable_can_be_an_argument():
    bindings = [{"argument_name": "x", "variable_path": "a.tool_result.cups"}]
    play = Play(echo("a", {"cups": "3"}), echo("b", variable_arguments=bindings), direct("a", "b"))

    play.turn()

    assert play.states()[1]["runtime_variables"]["tool_result"] == {"x": "3"}


def test_missing_required_argument_fails_the_call_only():
    bindings = [{"argument_name": "cups", "variable_path": "order.cups", "required": True}]
    part = echo("a", variable_arguments=bindings)
    play = Play(
        part, static("b", "[[tool_result_error]]"), when("a", "b", "[[tool_result_success]] == false")
    )

    play.turn()

    variables = play.states()[0]["runtime_variables"]
    assert (variables["tool_result"], variables["tool_result_success"]) == (None, False)
    assert play.said() == [
        "The argument 'cups' is required, but neither a runtime nor a dynamic variable 'order.cups' "
        "has a value."
    ]
    (output,) = [event["run_output"] for event in play.wire if event["type"] == "end_node_run"][:1]
    assert (output["success"], output["tool_result"]) == (False, None)
    assert output["error_message"] == play.said()[0]
    assert play.end.status == "completed"


def test_mapped_parts_are_thread_variables():
    mappings = [
        {"target_variable_name": "first", "result_path": "slots[0].time"},
        {"target_variable_name": "last", "result_path": "slots[9].time", "default": "none"},
    ]
    part = tool("a", "def a():\n    return {'slots': [{'time': '9:00'}]}\n")
    part["tool_config"]["result_variable_mappings"] = mappings
    play = Play(part, static("b", "[[first]] [[a.first]] [[A.last]]"), direct("a", "b"))

    play.turn()

    assert play.said() == ["9:00 9:00 none"]
    variables = play.states()[0]["runtime_variables"]
    assert variables["tool_result"] == {"slots": [{"time": "9:00"}]}
    assert variables["tool_result_success"] is True
    assert variables["tool_result_error"] is None


def test_workflow_mapping_is_seen_in_later_turns():
    mappings = [{"target_variable_name": "attempts", "result_path": "n", "scope": "workflow"}]
    part = echo("a", {"n": "3"}, result_variable_mappings=mappings)
    line = static("b", "[[attempts]] [[a.attempts]]")
    play = Play(
        static("start", "[[attempts]]"),
        part,
        line,
        say("wait", wait_for_user_message=True),
        static("later", "Still [[attempts]]"),
        direct("start", "a"),
        direct("a", "b"),
        direct("b", "wait"),
        direct("wait", "later"),
    )

    play.turn(runtime_variables={"attempts": "seed"})
    first = play.states()
    said = play.said()
    play.turn("hi")

    assert said == ["seed", "3 3"]
    assert "attempts" not in first[0]["workflow_runtime_variables"]
    assert first[1]["workflow_runtime_variables"]["attempts"] == "3"
    assert "attempts" not in first[1]["runtime_variables"]
    assert first[1]["runtime_variables"]["a.attempts"] == "3"
    assert play.said()[-1] == "Still 3"
    assert play.states()[-1]["workflow_runtime_variables"]["attempts"] == "3"


def test_missing_required_part_fails_the_call():
    mappings = [
        {"target_variable_name": "n", "result_path": "n"},
        {"target_variable_name": "code", "result_path": "booking.code", "required": True},
    ]
    part = echo("a", {"n": "new"}, result_variable_mappings=mappings)
    play = Play(
        echo("old", {"n": "old"}, expand_result_into_runtime_variables=True), part, direct("old", "a")
    )

    play.turn()

    variables = play.states()[1]["runtime_variables"]
    assert (variables["tool_result"], variables["tool_result_success"]) == (None, False)
    assert variables["tool_result_error"] == (
        "The variable 'code' is required, but the result has nothing at 'booking.code'."
    )
    assert variables["n"] == "old"
    assert "code" not in variables
    assert play.end.status == "completed"


def test_a_tool_that_fails_maps_nothing():
    part = tool("a", "def a():\n    raise ValueError('no stock')\n")
    part["tool_config"]["result_variable_mappings"] = [{"target_variable_name": "x", "default": 1}]
    play = Play(part)

    play.turn()

    variables = play.states()[0]["runtime_variables"]
    assert "x" not in variables
    assert "no stock" in variables["tool_result_error"]


def test_expanded_result_never_replaces_the_outcome():
    data = {"city": "Kiel", "_trace": 1, "price_success": "x", "price_error": "x", "price": "x"}
    part = echo("a", {**data, "a.price_success": "x"}, expand_result_into_runtime_variables=True)
    part["tool_config"]["result_runtime_variable_name"] = "price"
    play = Play(part)

    play.turn()

    variables = play.states()[0]["runtime_variables"]
    assert (variables["city"], variables["a.city"], variables["A.city"]) == ("Kiel", "Kiel", "Kiel")
    assert "_trace" not in variables
    assert (variables["price_success"], variables["price_error"]) == (True, None)
    assert (variables["a.price_success"], variables["A.price_error"]) == (True, None)
    assert variables["price"]["city"] == "Kiel"


def test_mapping_may_use_the_result_name():
    mappings = [{"target_variable_name": "tool_result", "result_path": "city"}]
    play = Play(echo("a", {"city": "Kiel"}, result_variable_mappings=mappings))

    play.turn()

    variables = play.states()[0]["runtime_variables"]
    assert (variables["tool_result"], variables["a.tool_result"]) == ("Kiel", "Kiel")
    assert variables["tool_result_success"] is True


@pytest.mark.parametrize(
    ("own", "of_the_tool", "effective"),
    [
        ("price", "cost", "price"),
        ("tool_result", "cost", "cost"),
        ("", "cost", "cost"),
        ("tool_result", "tool_result", "tool_result"),
        ("", "", "tool_result"),
    ],
)
def test_node_result_name_wins(own, of_the_tool, effective):
    part = echo("a", result_runtime_variable_name=of_the_tool)
    part["result_runtime_variable_name"] = own
    play = Play(part)

    play.turn()

    assert play.states()[0]["runtime_variables"][effective] == {}
    assert play.states()[0]["runtime_variables"][f"{effective}_success"] is True


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (
            {"variable_arguments": [{"argument_name": "class", "variable_path": "x"}]},
            ["variable_arguments.0.argument_name", "'class' is a keyword"],
        ),
        (
            {"variable_arguments": [{"argument_name": "x", "variable_path": "y"}] * 2},
            ["variable_arguments", "argument_name 'x' is there more than once"],
        ),
        ({"variable_arguments": [{"argument_name": "x"}]}, ["variable_arguments.0", "variable_path"]),
        (
            {
                "variable_arguments": [
                    {"argument_name": "x", "variable_path": "y", "override_provided_value": False}
                ]
            },
            ["variable_arguments.0", "expose_to_llm", "override_provided_value"],
        ),
        (
            {"result_variable_mappings": [{"target_variable_name": "_x"}]},
            ["result_variable_mappings.0.target_variable_name", "underscore"],
        ),
        (
            {"result_variable_mappings": [{"target_variable_name": "x"}] * 2},
            ["result_variable_mappings", "target_variable_name 'x' is there more than once"],
        ),
    ],
)
def test_unreadable_tool_is_reported_and_skipped(config, told):
    play = Play(echo("a", **config))

    play.turn()

    (warning,) = [event for event in play.wire if event["type"] == "workflow_warning"]
    for words in ("'A'", *told):
        assert words in warning["warning_message"]
    assert play.states() == []


@pytest.mark.parametrize("scope", ["thread", "workflow"])
@pytest.mark.parametrize("name", ["price_success", "price_error"])
def test_node_that_maps_onto_outcome_is_skipped(name, scope):
    part = echo("a", result_variable_mappings=[{"target_variable_name": name, "scope": scope}])
    part["result_runtime_variable_name"] = "price"
    play = Play(part)

    play.turn()

    [warning] = [event["warning_message"] for event in play.wire if event["type"] == "workflow_warning"]
    assert play.end.status == "completed"
    assert warning == (
        "Node 'A' (a) was skipped: as a tool_node it cannot be read. "
        f"Node 'A' maps a result onto target_variable_name {name!r}, where it says whether the call "
        "succeeded. Choose another name than price_success and price_error."
    )


def test_run_counts_as_tool_call():
    play = Play(echo("a"))

    play.turn()

    (end,) = [event for event in play.wire if event["type"] == "end_workflow_iteration"]
    assert end["iteration_metrics"]["tool_call_count"] == 1


def test_only_actual_outcome_names_are_reserved():
    mappings = [{"target_variable_name": "cost_success", "result_path": "city"}]
    part = echo("a", {"city": "Kiel"}, result_variable_mappings=mappings)
    part["tool_config"]["result_runtime_variable_name"] = "cost"
    part["result_runtime_variable_name"] = "price"
    play = Play(part)

    play.turn()

    assert play.states()[0]["runtime_variables"]["cost_success"] == "Kiel"


def test_missing_tool_is_failed_call():
    play = Play(
        node("stock", "tool_node"),
        static("no", "No"),
        when("stock", "no", "[[tool_result_success]] == false"),
    )

    play.turn()

    assert play.said() == ["No"]
    (warning,) = [event["warning_message"] for event in play.wire if event["type"] == "workflow_warning"]
    assert warning == "Node 'Stock' has no tool_config. Its call counts as failed."
