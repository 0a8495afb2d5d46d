from __future__ import annotations

from typing import Any

import pytest

from debugger.engine.state import RunState
from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult
from debugger.engine.tools.inline_python import InlinePythonTool
from debugger.engine.tools.runner import call_tool, make_tool, write_result
from debugger.errors import InputError
from debugger.expressions import Scope
from debugger.protocol.workflow import NodeConfig

NODE = NodeConfig.from_wire({"logical_id": "node_a", "name": "A"})


class Echo(Tool):
    """Gives back what it was called with, or fails where it is told to."""

    Config = ToolConfig

    def __init__(self, config: Any) -> None:
        self.config = config

    def call(self, arguments: dict[str, Any], context: ToolContext) -> ToolResult:
        if arguments.get("fail"):
            return ToolResult(success=False, error="It was told to fail.")
        return ToolResult(success=True, result=arguments)


def echo(**fields: Any) -> Echo:
    return Echo(ToolConfig.from_wire({"type": "echo", **fields}))


def context(**runtime: Any) -> ToolContext:
    return ToolContext(scope=Scope(runtime=runtime), timeout=1)


def test_workflow_arguments_are_added_to_callers():
    tool = echo(variable_arguments=[{"argument_name": "city", "variable_path": "place"}])

    called = call_tool(tool, {"city": "Rome", "day": 1}, context(place="Kiel"))

    assert (called.success, called.result) == (True, {"city": "Kiel", "day": 1})


def test_missing_required_argument_fails_before_call():
    tool = echo(variable_arguments=[{"argument_name": "city", "variable_path": "place", "required": True}])

    called = call_tool(tool, {}, context())

    assert not called.success
    assert called.error.startswith("The argument 'city' is required")


def test_missing_required_part_is_a_failure():
    mapping = {"target_variable_name": "city", "result_path": "city", "required": True}

    called = call_tool(echo(result_variable_mappings=[mapping]), {"day": 1}, context())

    assert (called.success, called.result) == (False, None)
    assert called.error == ("The variable 'city' is required, but the result has nothing at 'city'.")
    assert called.parts == ({}, {}, {}, None)


def test_result_and_parts_are_written_to_scopes():
    mappings = [
        {"target_variable_name": "place", "result_path": "city"},
        {"target_variable_name": "shared", "result_path": "day", "scope": "workflow"},
    ]
    tool = echo(result_variable_mappings=mappings, expand_result_into_runtime_variables=True)
    state = RunState.at("node_a")

    called = call_tool(tool, {"city": "Kiel", "day": 1, "result": 2}, context())
    write_result(called, "result", NODE, state, state.main)

    plain = {name: value for name, value in state.main.runtime_variables.items() if "." not in name}
    assert plain == {"result": called.result, "city": "Kiel", "day": 1, "place": "Kiel"}
    assert state.main.runtime_variables["node_a.place"] == state.main.runtime_variables["A.place"] == "Kiel"
    assert state.workflow_variables == {"shared": 1}
    assert state.main.runtime_variables["node_a.shared"] == 1


def test_mapping_may_use_the_result_name():
    state = RunState.at("node_a")
    mapping = {"target_variable_name": "result", "result_path": "city"}

    called = call_tool(echo(result_variable_mappings=[mapping]), {"city": "Kiel"}, context())
    write_result(called, "result", NODE, state, state.main)

    assert state.main.runtime_variables["result"] == "Kiel"


def test_failed_call_writes_null_and_no_part():
    state = RunState.at("node_a")
    state.main.runtime_variables.update(result=1, place="Rome")
    mapping = {"target_variable_name": "place", "result_path": "city"}

    called = call_tool(echo(result_variable_mappings=[mapping]), {"fail": True}, context())
    write_result(called, "result", NODE, state, state.main)

    assert called.error == "It was told to fail."
    assert state.main.runtime_variables == {
        "result": None,
        "node_a.result": None,
        "A.result": None,
        "place": "Rome",
    }


def test_tool_is_made_by_its_type():
    tool = make_tool({"type": "inline_python", "name": "add", "signature": "Adds."})

    assert isinstance(tool, InlinePythonTool)
    assert (tool.config.name, tool.config.signature) == ("add", "Adds.")


def test_null_is_the_default_of_fields():
    flag = "ignore_content_received_during_llm_tool_call_specification"

    tool = make_tool({"type": "inline_python", flag: None, "variable_arguments": None})

    assert getattr(tool.config, flag) is False
    assert tool.config.variable_arguments == []


def test_unsupported_tool_fails_every_call():
    tool = make_tool({"type": "teleport", "name": "beam"})

    result = tool.call({}, ToolContext(scope=Scope(), timeout=1))

    assert not result.success
    assert result.error.startswith(
        "The tool 'beam' is of type 'teleport', which the embedded engine does not run; it runs "
    )
    assert "inline_python" in result.error


def test_a_tool_without_a_type_is_refused():
    with pytest.raises(InputError, match="type: Field required"):
        make_tool({"name": "beam"})
