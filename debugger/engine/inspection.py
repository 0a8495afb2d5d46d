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
    from debugger.engine.execution import Segment
    from debugger.engine.mocks.interceptor import Hand


class Control:
    """The hand on one segment; made by who pulls it, bound by the interpreter that begins it.

    Args:
        hand: The same person's hand in what nodes, tools and models do; ``None`` lets them be.
    """

    def __init__(self, hand: Hand | None = None) -> None:
        self.hand = hand
        self._segment: Segment | None = None

    def bind(self, segment: Segment) -> None:
        """Take hold of the segment that begins."""
        self._segment = segment

    def hold(self, kind: PauseKind) -> AbstractContextManager[None]:
        """Leave the time that a block takes out of the segment's durations, and record it as a pause.

        Before the segment has begun, and on a backend that binds none, nothing is recorded.
        """
        return nullcontext() if self._segment is None else self._segment.pauses.hold(kind)

    def scope(self, thread_id: str = MAIN_THREAD) -> Scope:
        """What a thread can see at this moment; the main thread's where there is no such thread.

        Raises:
            ConflictError: The segment has not begun.
        """
        segment = self._begun()
        threads = segment.state.threads
        return segment.variables.scope(threads.get(thread_id) or segment.state.main)

    def variables(self) -> dict[tuple[EditedScope, str], JsonObject]:
        """The variables that can be changed, by scope and thread, without the copies under nodes' names.

        Raises:
            ConflictError: The segment has not begun.
        """
        segment = self._begun()
        found: dict[tuple[EditedScope, str], JsonObject] = {
            ("dynamic", MAIN_THREAD): dict(segment.variables.supplied)
        }
        for thread_id, thread in segment.state.threads.items():
            found["runtime", thread_id] = _own(thread.runtime_variables)
        found["workflow", MAIN_THREAD] = dict(segment.state.workflow_variables)
        return found

    def edit(self, edits: Sequence[VariableEdit]) -> int:
        """Change variables; what follows sees them, and the next events tell of it: so many.

        Raises:
            ConflictError: The segment has not begun.
            InputError: One of the edits cannot be made; then none was.
        """
        segment = self._begun()
        for edit in edits:
            variables_of(edit, segment.state)
        told = [_apply(edit, segment) for edit in edits]
        events = edit_events(told, segment)
        segment.edit_events += events
        return len(events)

    def _begun(self) -> Segment:
        if self._segment is None:
            raise ConflictError("The turn has not begun yet.", advice="Wait until it has.")
        return self._segment


def _own(variables: JsonObject) -> JsonObject:
    """Runtime variables without their copies, which bear a node's id or name before a dot."""
    return {
        name: value
        for name, value in variables.items()
        if "." not in name or name.rpartition(".")[2] not in variables
    }


def _apply(edit: VariableEdit, segment: Segment) -> JsonObject:
    shown = segment.variables.evaluated
    told = apply_edit(edit, segment.state)
    if edit.scope != "dynamic":
        return told
    segment.variables.take(edit)
    return edit.told(shown)


def edit_events(told: Sequence[JsonObject], segment: Segment) -> list[Event]:
    """The events that tell of edits: what was changed by hand, then each thread's variables as they are.

    Args:
        told: The edits as `VariableEdit.told` tells them.
        segment: Where they are told.
    """
    if not told:
        return []
    names = ", ".join(dict.fromkeys(edit["name"] for edit in told))
    note = WorkflowDebugLogEvent(debug_message=f"Changed by hand: {names}", edits=list(told))
    touched = dict.fromkeys(edit.get("thread_id", MAIN_THREAD) for edit in told)
    threads = [segment.state.threads[thread_id] for thread_id in touched]
    announcer = segment.announcer
    shown = [announcer.state_of(thread, segment.variables.shown) for thread in threads]
    return [announcer.stamped(note, threads[0]), *shown]
