from __future__ import annotations

import threading

import pytest

from debugger.engine.options import EngineOptions, PythonStatus
from debugger.engine.tools import TOOL_TYPES
from debugger.engine.tools.base import ToolContext, ToolResult
from debugger.engine.tools.inline_python import InlinePythonConfig, InlinePythonTool
from debugger.engine.tools.sandbox import python_status
from debugger.expressions.references import Scope


def context(
    scope: Scope | None = None, *, timeout: float = 20, status: PythonStatus | None = None
) -> ToolContext:
    options = EngineOptions(inline_python=status or PythonStatus("sandboxed"))
    return ToolContext(scope=scope or Scope(), timeout=timeout, options=options)


def tool(code: str | None, name: str | None = "lookup", **fields: object) -> InlinePythonTool:
    config = {"type": "inline_python", "name": name, "code": code, **fields}
    return InlinePythonTool(InlinePythonConfig.from_wire(config))


def test_its_type_is_known() -> None:
    assert TOOL_TYPES["inline_python"] is InlinePythonTool
    assert InlinePythonTool.Config is InlinePythonConfig


def test_function_gets_arguments_and_returns_result() -> None:
    code = (
        "def lookup(country, default='?'):\n  return {'capital': {'France': 'Paris'}.get(country, default)}"
    )

    result = tool(code).call({"country": "France"}, context())

    assert result == ToolResult(success=True, result={"capital": "Paris"})


def test_function_named_like_tool_is_called() -> None:
    code = "def capital_lookup(): return 'by name'\ndef helper(): return 'last'"

    assert tool(code, name="Capital Lookup").call({}, context()).result == "by name"
    assert tool(code, name=None).call({}, context()).result == "last"


def test_variables_are_filled_into_the_code() -> None:
    scope = Scope(dynamic={"customer": "Ada"}, runtime={"attempts": 2})
    code = "def lookup():\n  return ['{{customer}}', [[attempts]] + 1]"

    assert tool(code).call({}, context(scope)).result == ["Ada", 3]


def test_code_is_unchanged_without_substitution() -> None:
    scope = Scope(dynamic={"customer": "Ada"}, runtime={"x": 2})
    code = "def lookup():\n  x = 1\n  return ['{{customer}}', [[x]]]"

    result = tool(code, allow_code_variable_substitution=False).call({}, context(scope))

    assert result.result == ["{{customer}}", [[1]]]


def test_failure_names_unresolved_placeholders() -> None:
    result = tool("def lookup():\n  return [[attempts]] + 1").call({}, context())

    assert result == ToolResult(
        success=False,
        error="The code raised NameError in line 2: name 'attempts' is not defined. "
        "Placeholders without a value: [[attempts]].",
    )


def test_a_failure_tells_what_was_printed() -> None:
    result = tool("def lookup(n):\n  print('n is', n)\n  return 1 / n").call({"n": 0}, context())

    assert result.error == (
        "The code raised ZeroDivisionError in line 3: division by zero. It had printed: 'n is 0'."
    )


@pytest.mark.parametrize("code", [None, "", " \n"])
def test_a_tool_without_code_is_a_failure(code: str | None) -> None:
    result = tool(code).call({}, context())

    assert result.error == "The tool 'lookup' has no code. Write a function into its field code."


def test_nothing_runs_when_it_is_switched_off() -> None:
    result = tool("def lookup(): return 1").call({}, context(status=python_status("off")))

    assert not result.success
    assert result.error == (
        "Inline Python is switched off (setting inline_python). "
        "Set WORKFLOW_DEBUGGER_INLINE_PYTHON=sandboxed to let the code in workflows run."
    )


def test_refused_python_fails_with_reason_and_advice() -> None:
    status = PythonStatus("refused", "There is no sandbox.", "Install one.")

    result = tool("def lookup(): return 1").call({}, context(status=status))

    assert result == ToolResult(success=False, error="There is no sandbox. Install one.")


def test_unsafe_python_runs_without_a_sandbox() -> None:
    code = "import os\ndef lookup(): return [os.getpid() > 1, os.path.exists('/usr')]"

    result = tool(code).call({}, context(status=python_status("unsafe")))

    assert result.result == [True, True]


def test_the_contexts_time_limit_counts() -> None:
    result = tool("def lookup():\n  while True: pass").call({}, context(timeout=0.3))

    assert result == ToolResult(success=False, error="The code ran longer than its limit of 0.3 s.")


def test_a_stopped_run_stops_the_call() -> None:
    stopped = threading.Event()
    stopped.set()

    result = tool("def lookup(): return 1").call({}, ToolContext(Scope(), timeout=20, cancelled=stopped))

    assert result == ToolResult(success=False, error="The call was stopped.")
