"""Reading and editing of an execution's variables between two events.

An execution is paused for as long as nothing pulls its next event.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from debugger.engine.environment import PauseKind
from debugger.engine.execution import Execution
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.variables import EditedScope, VariableEdit, apply_edit, variables_of
from debugger.errors import ConflictError
from debugger.expressions import Scope
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, WorkflowDebugLogEvent
from debugger.protocol.runs import MAIN_THREAD


@dataclass(eq=False)
class RunInspector:
    """Access to one execution, bound by the interpreter that begins it.

    Args:
        interceptor: Mocks, faults and manual answers for nodes, tools and models; ``None`` changes nothing.
    """

    interceptor: Interceptor | None = None
    execution: Execution | None = field(default=None, init=False)

    def hold(self, kind: PauseKind) -> AbstractContextManager[None]:
        """Record a block's time as a pause, apart from durations.

        Before the execution starts, and on a backend that binds none, nothing is recorded.
        """
        return nullcontext() if self.execution is None else self.execution.pauses.hold(kind)

    def scope(self, thread_id: str = MAIN_THREAD) -> Scope:
        """Return the variables that a thread can see at this moment.

        They are the main thread's where there is no such thread.

        Raises:
            ConflictError: The execution has not started.
        """
        execution = self._begun()
        threads = execution.state.threads
        return execution.variables.scope(threads.get(thread_id) or execution.state.main)

    def variables(self) -> dict[tuple[EditedScope, str], JsonObject]:
        """Return copies of the variables that can be edited, by scope and thread id.

        Dynamic variables are those that were supplied, without the system's. Runtime variables lack the
        copies under the names of nodes.

        Raises:
            ConflictError: The execution has not started.
        """
        execution = self._begun()
        found: dict[tuple[EditedScope, str], JsonObject] = {
            ("dynamic", MAIN_THREAD): dict(execution.variables.supplied)
        }
        for thread_id, thread in execution.state.threads.items():
            found["runtime", thread_id] = _own(thread.runtime_variables)
        found["workflow", MAIN_THREAD] = dict(execution.state.workflow_variables)
        return found

    def edit(self, edits: Sequence[VariableEdit]) -> int:
        """Change variables of the execution, queue the events that report it, and return their number.

        Raises:
            ConflictError: The execution has not started.
            InputError: One of the edits cannot be made; then none was.
        """
        execution = self._begun()
        for edit in edits:
            variables_of(edit, execution.state)
        changes = []
        for edit in edits:
            shown = execution.variables.evaluated
            change = apply_edit(edit, execution.state)
            if edit.scope == "dynamic":
                execution.variables.take(edit)
                change = edit.describe(shown)
            changes.append(change)
        events = edit_events(changes, execution)
        execution.edit_events += events
        return len(events)

    def _begun(self) -> Execution:
        if self.execution is None:
            raise ConflictError("The turn has not started yet.", advice="Wait until it has.")
        return self.execution


def _own(variables: JsonObject) -> JsonObject:
    return {
        name: value
        for name, value in variables.items()
        if "." not in name or name.rpartition(".")[2] not in variables
    }


def edit_events(changes: Sequence[JsonObject], execution: Execution) -> list[Event]:
    """Return the stamped events of edits: one with all changes, then each touched thread's variables.

    Args:
        changes: The edits as `VariableEdit.describe` returns them; without any there are no events.
        execution: The execution to report them in.
    """
    if not changes:
        return []
    names = ", ".join(dict.fromkeys(edit["name"] for edit in changes))
    note = WorkflowDebugLogEvent(debug_message=f"Changed manually: {names}")
    note.stamp(edits=list(changes))
    touched = dict.fromkeys(edit.get("thread_id", MAIN_THREAD) for edit in changes)
    threads = [execution.state.threads[thread_id] for thread_id in touched]
    shown = [execution.state_event(thread) for thread in threads]
    return [execution.stamp(note, threads[0]), *shown]
