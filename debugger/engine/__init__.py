"""The execution of runs: interpreter, nodes and transitions.

`run` runs a workflow in memory, with any `Model`; without one, built-in rules answer:

    >>> from debugger.engine import Workflow, run
    >>> greeting = {"static_messages": ["Hello {{name}}!"], "static_messages_selection_mode": "sequence"}
    >>> workflow = Workflow.from_wire({
    ...     "workflow_config": {"miscellaneous": {"default_dynamic_variables": {"name": "Ada"}}},
    ...     "node_configs": [{"type": "say_static", "logical_id": "hello", "name": "Hello", "is_start": True,
    ...                       "static_messages_config": greeting}],
    ... })
    >>> [event.words for event in run(workflow) if event.type == "assistant_response"]
    ['Hello Ada!']

An `Interpreter` executes single turns, and keeps a run's state in a `RunState` that can be stored. The
names in ``__all__`` are public (``docs/python.md``); all else may change with any version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from debugger.lazy_names import lazy_names

if TYPE_CHECKING:
    from debugger.engine.environment import Environment
    from debugger.engine.execution import ExecutionResult
    from debugger.engine.inspection import RunInspector
    from debugger.engine.interpreter import Interpreter
    from debugger.engine.mocks.interceptor import Interceptor
    from debugger.engine.mocks.pins_and_faults import Fault, MockSet, Pin
    from debugger.engine.mocks.recording import CallRecorder, MissError
    from debugger.engine.mocks.recording_file import Recording
    from debugger.engine.models.base import Model, ModelError, Prompt, Reply, ToolCall, TransitionOption
    from debugger.engine.models.heuristic import HeuristicModel
    from debugger.engine.models.script import Script
    from debugger.engine.models.scripted import ScriptedModel
    from debugger.engine.options import EngineOptions
    from debugger.engine.run_in_memory import run
    from debugger.engine.state import RunState
    from debugger.graph.load import load_workflow
    from debugger.protocol.events import Event
    from debugger.protocol.runs import TurnInput
    from debugger.protocol.turn_logs import TurnLog
    from debugger.protocol.workflow import Workflow

__all__ = [
    "CallRecorder",
    "EngineOptions",
    "Environment",
    "Event",
    "ExecutionResult",
    "Fault",
    "HeuristicModel",
    "Interceptor",
    "Interpreter",
    "MissError",
    "MockSet",
    "Model",
    "ModelError",
    "Pin",
    "Prompt",
    "Recording",
    "Reply",
    "RunInspector",
    "RunState",
    "Script",
    "ScriptedModel",
    "ToolCall",
    "TransitionOption",
    "TurnInput",
    "TurnLog",
    "Workflow",
    "load_workflow",
    "run",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CallRecorder": "debugger.engine.mocks.recording",
        "EngineOptions": "debugger.engine.options",
        "Environment": "debugger.engine.environment",
        "Event": "debugger.protocol.events",
        "ExecutionResult": "debugger.engine.execution",
        "Fault": "debugger.engine.mocks.pins_and_faults",
        "HeuristicModel": "debugger.engine.models.heuristic",
        "Interceptor": "debugger.engine.mocks.interceptor",
        "Interpreter": "debugger.engine.interpreter",
        "MissError": "debugger.engine.mocks.recording",
        "MockSet": "debugger.engine.mocks.pins_and_faults",
        "Model": "debugger.engine.models.base",
        "ModelError": "debugger.engine.models.base",
        "Pin": "debugger.engine.mocks.pins_and_faults",
        "Prompt": "debugger.engine.models.base",
        "Recording": "debugger.engine.mocks.recording_file",
        "Reply": "debugger.engine.models.base",
        "RunInspector": "debugger.engine.inspection",
        "RunState": "debugger.engine.state",
        "Script": "debugger.engine.models.script",
        "ScriptedModel": "debugger.engine.models.scripted",
        "ToolCall": "debugger.engine.models.base",
        "TransitionOption": "debugger.engine.models.base",
        "TurnInput": "debugger.protocol.runs",
        "TurnLog": "debugger.protocol.turn_logs",
        "Workflow": "debugger.protocol.workflow",
        "load_workflow": "debugger.graph.load",
        "run": "debugger.engine.run_in_memory",
    },
)
