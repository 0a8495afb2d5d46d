"""Between node and worker an event passes at most six generators (architecture.md, a turn, step 8)."""

from __future__ import annotations

import inspect
import sys

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.inspection import RunInspector
from debugger.engine.models.base import Reply
from debugger.engine.tools.base import ToolResult
from debugger.engine.tools.inline_python import InlinePythonTool
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.factories import direct, document, say, static, tool

MOST = 6


def generators_below(name):
    """Return the generators between the caller's node run and the stream, innermost first."""
    frame, found, is_above = sys._getframe(1), [], False
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__next__" and code.co_qualname.startswith("TurnStream"):
            return found
        if is_above and code.co_flags & inspect.CO_GENERATOR:
            found.append(code.co_qualname)
        is_above = is_above or code.co_qualname == name
        frame = frame.f_back
    raise AssertionError(f"no {name} below a stream")


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """The generators above each run of a model node and of a tool node, in a turn that a debugger holds."""
    found = {}

    class Model:
        def reply(self, prompt):
            found["model"] = generators_below("LLMNode.run")
            return Reply(text="Yes.")

    def call(self, arguments, context):
        found["tool"] = generators_below("ToolNode.run")
        return ToolResult(success=True)

    monkeypatch.setattr(InlinePythonTool, "call", call)
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/r.sqlite3"), model=Model())
    calls = tool("call", "def f():\n    return 1\n")
    parts = (static("a", "A"), calls, say("chat"), direct("a", "call"), direct("call", "chat"))
    made = backend.create_workflow(document(*parts))
    backend.execute(made.id, TurnInput.with_message("Hi"), inspector=RunInspector()).finish()
    backend.close()
    return found


@pytest.mark.parametrize("kind", ["model", "tool"])
def test_event_passes_at_most_six_generators(paths, kind):
    assert paths[kind][0] == "_execute"
    assert len(paths[kind]) <= MOST, " → ".join(paths[kind])
