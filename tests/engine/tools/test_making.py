from __future__ import annotations

import pytest

from debugger.engine.tools.base import ToolContext
from debugger.engine.tools.inline_python import InlinePythonTool
from debugger.engine.tools.making import make_tool
from debugger.errors import InputError
from debugger.expressions import Scope


def test_a_tool_is_made_by_its_type_with_what_all_tools_have():
    tool = make_tool({"type": "inline_python", "name": "add", "signature": "Adds."})

    assert isinstance(tool, InlinePythonTool)
    assert (tool.config.name, tool.config.signature) == ("add", "Adds.")


def test_null_stands_for_the_default_of_a_flag_or_a_list():
    flag = "ignore_content_received_during_llm_tool_call_specification"

    tool = make_tool({"type": "inline_python", flag: None, "variable_arguments": None})

    assert getattr(tool.config, flag) is False
    assert tool.config.variable_arguments == []


def test_a_tool_of_a_type_that_is_not_run_here_fails_every_call_and_says_so():
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
