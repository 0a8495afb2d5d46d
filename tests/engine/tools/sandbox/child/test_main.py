"""The program inside the sandbox: limits, author code and JSON values."""

from __future__ import annotations

import json
import sys
import threading
from textwrap import dedent
from typing import Any

import pytest

from debugger.engine.tools.sandbox import Limits, run
from debugger.engine.tools.sandbox.child import main


def answer(code: str, name: str = "", longest_result: int = 1000, **arguments: Any) -> dict[str, Any]:
    limits = {"memory": 512_000_000}
    request = {"code": dedent(code), "name": name, "arguments": arguments, "limits": limits}
    line = main.answer({**request, "longest_result": longest_result})
    content: dict[str, Any] = json.loads(line)
    return content


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("first", "first"),
        ("First", "first"),
        ("Other Name", "other_name"),
        ("Exact", "Exact"),
        ("exact", "exact"),
        ("nothing like it", "last"),
        ("", "last"),
        ("nested", "last"),
        ("Imported", "last"),
    ],
)
def test_function_named_like_tool_else_last(name: str, called: str) -> None:
    code = """
        from os.path import basename as imported

        def first(): return "first"
        def other_name(): return "other_name"
        def Exact(): return "Exact"
        def exact(): return "exact"
        def last():
            def nested(): return "nested"
            return "last"

        class After:
            def __call__(self): return "After"
    """

    assert answer(code, name) == {"value": called}


def test_arguments_are_given_by_keyword() -> None:
    assert answer("def add(a, *, b=2): return a - b", a=10, b=3) == {"value": 7}


def test_an_async_function_is_awaited() -> None:
    code = """
        import asyncio

        async def slow(text):
            await asyncio.sleep(0)
            return text.upper()
    """

    assert answer(code, text="hello") == {"value": "HELLO"}


def test_error_has_type_message_and_line() -> None:
    code = """\
        import json

        def read(text):
            return json.loads(text)
    """

    problem = answer(code, text="{")["error"]

    assert problem == (
        "The code raised JSONDecodeError in line 4: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)."
    )


def test_error_before_call_has_its_line() -> None:
    assert answer("x = 1\ny = x / 0\ndef f(): pass") == {
        "error": "The code raised ZeroDivisionError in line 2: division by zero."
    }


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def f(:\n  pass", "The code is not Python, line 1, column 7: invalid syntax."),
        ("def f():\nreturn 1", "The code is not Python, line 2, column 1: expected an indented block"),
        ("def f(): pass\nreturn 1", "The code is not Python, line 2, column 1: 'return' outside function."),
        ("return 1", "The code has no function at its top level"),
        ("-" * 100_000 + "1", "The code cannot be compiled: "),
        ("def f(): return '\0'", "null bytes"),
        ("f = 1", "The code has no function at its top level"),
        ("class f:\n  def g(self): pass", "The code has no function at its top level"),
    ],
)
def test_code_without_function_is_described(code: str, message: str) -> None:
    assert message in answer(code)["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "f() missing 1 required positional argument: 'city'"),
        ({"city": 1, "town": 2}, "f() got an unexpected keyword argument 'town'"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    assert answer("def f(city): pass", **arguments) == {
        "error": f"The arguments do not fit the function: {message}."
    }


def test_inner_type_error_is_not_argument_error() -> None:
    assert answer("def f():\n  return 1 + ''")["error"].startswith("The code raised TypeError in line 2: ")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("raise ValueError", "The code raised ValueError in line 3."),
        (
            "import sys; sys.exit('done')",
            "The code ended itself with sys.exit(done) in line 3; it must return",
        ),
        ("raise KeyboardInterrupt('stop')", "The code raised KeyboardInterrupt in line 3: stop."),
        ("return f()", "The code raised RecursionError in line 3: maximum recursion depth exceeded"),
        ("import numpy_", "ModuleNotFoundError in line 3: No module named 'numpy_' (only Python's standard"),
        ("open('/nowhere/at/all')", "FileNotFoundError in line 3: [Errno 2] No such file or directory: "),
        ("raise MemoryError", "The code raised MemoryError in line 3 (it may use 512 MB)."),
        ("raise TimeoutError('late')", "The code raised TimeoutError in line 3: late."),
        ("raise Nasty", "The code raised Nasty in line 3: its text cannot be read, because of SystemExit."),
        ("raise ValueError('x' * 1000)", f"ValueError in line 3: {'x' * 500}…."),
        ("return {1}", "result is of type set"),
    ],
)
def test_every_way_to_fail_has_its_sentence(statement: str, message: str) -> None:
    nasty = "class Nasty(Exception): __str__ = lambda self: exit()"

    assert message in answer(f"{nasty}\ndef f():\n  {statement}")["error"]


def test_result_over_limit_names_both_sizes() -> None:
    assert answer("def f(): return 'x' * 2000", longest_result=1000) == {
        "error": "The result is 2,014 bytes of JSON; it may have 1,000."
    }


def test_code_is_its_own_module() -> None:
    code = """
        import dataclasses

        @dataclasses.dataclass
        class Point:
            x: "int"

        if __name__ == "__main__":
            raise SystemExit

        def f(): return dataclasses.asdict(Point(1))
    """

    assert answer(code) == {"value": {"x": 1}}


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


@on_linux
@pytest.mark.parametrize("unsafe", [False, True])
def test_limits_are_set(unsafe: bool) -> None:
    code = """
import resource

def f():
    names = "RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"
    return [resource.getrlimit(getattr(resource, name))[0] for name in names]
"""
    request = {"code": code, "name": "", "arguments": {}}

    answer = run(request, Limits(20), threading.Event(), unsafe=unsafe)

    assert answer.value == [21, 512_000_000, 16_000_000, 64, 0]


@on_linux
def test_limits_cannot_be_raised_in_the_sandbox() -> None:
    code = "import resource\ndef f(): resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))"

    answer = run({"code": code, "name": "", "arguments": {}}, Limits(20), threading.Event())

    assert answer.error == "The code raised ValueError in line 2: not allowed to raise maximum limit."


@on_linux
@pytest.mark.parametrize("unsafe", [False, True])
def test_memory_beyond_the_limit_is_refused(unsafe: bool) -> None:
    code = "def f():\n  kept = []\n  while True:\n    kept.append(bytearray(1_000_000))\n"
    request = {"code": code, "name": "", "arguments": {}}

    answer = run(request, Limits(20, memory=100_000_000), threading.Event(), unsafe=unsafe)

    assert answer.error == "The code raised MemoryError in line 4 (it may use 100 MB)."


def test_missing_resource_module_skips_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "resource", None)

    main.set_limits(cpu=1, memory=1)
    main.lift_memory_limit()
