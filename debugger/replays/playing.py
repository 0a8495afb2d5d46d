"""Runs played in memory, segment by segment, with recorded answers; nothing is called or stored."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from debugger.analysis.event_fields import text
from debugger.engine.execution import ExecutionResult
from debugger.engine.inspection import RunInspector
from debugger.engine.interpreter import Interpreter
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.mocks.recording import CallRecorder
from debugger.engine.models.heuristic import HeuristicModel
from debugger.engine.options import EngineOptions
from debugger.engine.prepared_workflow import prepare
from debugger.engine.state import RunState
from debugger.protocol.events import Event
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow

LoadWorkflow = Callable[[str, int | None], Workflow]
"""Gives a stored workflow by id and version, as of a super node."""


def open_interpreter(workflow: Workflow, load: LoadWorkflow, options: EngineOptions) -> Interpreter:
    """Return an interpreter that plays runs of a version; calls to the outside are blocked.

    Raises:
        RunError: A super node cannot be replaced by its workflow.
        NotFoundError: Its workflow is not there.
    """
    prepared = prepare(workflow, load)
    return Interpreter(prepared.workflow, HeuristicModel(), options, notes=prepared.notes)


class PlayedRun:
    """A run that is played with recorded answers.

    Args:
        interpreter: The version.
        recorder: Has the answers.
        cancelled: Set to end it after the current node.
    """

    def __init__(self, interpreter: Interpreter, recorder: CallRecorder, cancelled: threading.Event) -> None:
        self.recorder = recorder
        self.segments: list[TurnLog] = []
        """The turns so far, and the steps of background work."""
        self.result: ExecutionResult | None = None
        """How the last one ended."""
        self._interpreter = interpreter
        self._cancelled = cancelled
        self._state: RunState | None = None

    @property
    def workflow(self) -> Workflow:
        """Return the version, with its super nodes replaced by their workflows."""
        return self._interpreter.workflow

    @property
    def has_missed(self) -> bool:
        """Return whether an answer was wanted that is not recorded."""
        return bool(self.recorder.misses)

    def play(self, recorded: TurnLog) -> TurnLog:
        """Play the next turn of a run, or its next step of background work, and return it.

        Raises:
            InputError: The version does not take its input.
            NotStartableError: The version has no start node.
        """
        if self._state is None:
            self._state = self._interpreter.begin(recorded.run_input)
        log = TurnLog(recorded.number, recorded.run_input, is_background=recorded.is_background)
        past = list(self.segments)
        inspector = RunInspector(Interceptor(recorder=self.recorder))
        if recorded.is_background:
            steps = self._interpreter.pump(
                self._state, past=lambda: past, inspector=inspector, cancelled=self._cancelled
            )
        else:
            steps = self._interpreter.turn(
                self._state,
                recorded.run_input,
                past=lambda: past,
                inspector=inspector,
                cancelled=self._cancelled,
            )
        while True:
            try:
                event = next(steps)
            except StopIteration as stop:
                self.result = stop.value
                break
            if event.is_persisted:
                log.add(event)
        self.segments.append(log)
        return log


def reason_against(run: Run, logs: Sequence[TurnLog]) -> str | None:
    """Return why a run cannot be played, as a sentence; ``None`` where it can be tried."""
    if not logs:
        return "It has no finished turn."
    if run.checkpoint_source_turn_index is not None:
        return "It is a fork that begins in the middle of another run."
    return None


def error_of(events: Sequence[Event]) -> str:
    """Return the error by which a run failed in some events; empty where it did not."""
    for event in events:
        if event.type == "workflow_error":
            return text(event, "error_message") or "The run failed."
    return ""
