"""A person's hand on a segment of a run: to look at and change what it can see while it stands still.

A segment stands still between two events, for as long as nobody pulls the next one. Whoever pulls may let
somebody else look and change things meanwhile, but not while an event is being made.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from debugger.engine.variable_edits import EditedScope, VariableEdit, apply_edit, variables_of
from debugger.errors import ConflictError
from debugger.expressions import Scope
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, WorkflowDebugLogEvent
from debugger.protocol.runs import MAIN_THREAD

if TYPE_CHECKING:
    from debugger.engine.environment import PauseKind
    from debugger.engine.execution import Execution
    from debugger.engine.mocks.interceptor import Interceptor


class RunInspector:
    """The hand on one segment; made by who pulls it, bound by the interpreter that begins it.

    Args:
        interceptor: The same person's hand in what nodes, tools and models do; ``None`` lets them be.
    """

    def __init__(self, interceptor: Interceptor | None = None) -> None:
        self.interceptor = interceptor
        self._execution: Execution | None = None

    def bind(self, execution: Execution) -> None:
        """Take hold of the segment that begins."""
        self._execution = execution

    def hold(self, kind: PauseKind) -> AbstractContextManager[None]:
        """Leave the time that a block takes out of the segment's durations, and record it as a pause.

        Before the segment has begun, and on a backend that binds none, nothing is recorded.
        """
        return nullcontext() if self._execution is None else self._execution.pauses.hold(kind)

    def scope(self, thread_id: str = MAIN_THREAD) -> Scope:
        """What a thread can see at this moment; the main thread's where there is no such thread.

        Raises:
            ConflictError: The segment has not begun.
        """
        execution = self._begun()
        threads = execution.state.threads
        return execution.variables.scope(threads.get(thread_id) or execution.state.main)

    def variables(self) -> dict[tuple[EditedScope, str], JsonObject]:
        """The variables that can be changed, by scope and thread, without the copies under nodes' names.

        Raises:
            ConflictError: The segment has not begun.
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
        """Change variables; what follows sees them, and the next events tell of it: so many.

        Raises:
            ConflictError: The segment has not begun.
            InputError: One of the edits cannot be made; then none was.
        """
        execution = self._begun()
        for edit in edits:
            variables_of(edit, execution.state)
        told = [_apply(edit, execution) for edit in edits]
        events = edit_events(told, execution)
        execution.edit_events += events
        return len(events)

    def _begun(self) -> Execution:
        if self._execution is None:
            raise ConflictError("The turn has not begun yet.", advice="Wait until it has.")
        return self._execution


def _own(variables: JsonObject) -> JsonObject:
    """Runtime variables without their copies, which bear a node's id or name before a dot."""
    return {
        name: value
        for name, value in variables.items()
        if "." not in name or name.rpartition(".")[2] not in variables
    }


def _apply(edit: VariableEdit, execution: Execution) -> JsonObject:
    shown = execution.variables.evaluated
    told = apply_edit(edit, execution.state)
    if edit.scope != "dynamic":
        return told
    execution.variables.take(edit)
    return edit.told(shown)


def edit_events(told: Sequence[JsonObject], execution: Execution) -> list[Event]:
    """The events that tell of edits: what was changed by hand, then each thread's variables as they are.

    Args:
        told: The edits as `VariableEdit.told` tells them.
        execution: Where they are told.
    """
    if not told:
        return []
    names = ", ".join(dict.fromkeys(edit["name"] for edit in told))
    note = WorkflowDebugLogEvent(debug_message=f"Changed by hand: {names}", edits=list(told))
    touched = dict.fromkeys(edit.get("thread_id", MAIN_THREAD) for edit in told)
    threads = [execution.state.threads[thread_id] for thread_id in touched]
    announcer = execution.emitter
    shown = [announcer.state_event(thread, execution.variables.shown) for thread in threads]
    return [announcer.stamp(note, threads[0]), *shown]
