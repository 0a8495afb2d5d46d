"""Why node runs failed: as their end tells it, else as an event before it did, such as that of a call."""

from __future__ import annotations

from debugger.analysis.facts import field, node_name_of, node_of, text
from debugger.protocol.events import Event


class Reasons:
    """Remembers what went wrong in each node run, from event to event."""

    def __init__(self) -> None:
        self._told: dict[tuple[str | None, ...], str] = {}

    def copy(self) -> Reasons:
        """Another one that remembers the same, to go on by itself."""
        other = Reasons()
        other._told = self._told.copy()
        return other

    def learn(self, event: Event) -> None:
        """Take in one event; of several that tell of one node run the last counts."""
        # Few events have an error at all.
        told = text(event, "error") if "error" in event.__dict__ or event.__pydantic_extra__ else None
        if told and event.type != "end_node_run":
            self._told[_run_of(event)] = told

    def of(self, event: Event) -> str | None:
        """Why a node run failed, given the event of its end; ``None`` where nothing tells it."""
        output = field(event, "run_output")
        own = output.get("error_message") if isinstance(output, dict) else None
        return str(own) if own else self._told.get(_run_of(event))

    def summary(self, event: Event) -> str:
        """An event in one line, with the reason where it is the end of a node run that failed."""
        reason = self.of(event) if event.type == "end_node_run" and event.is_failure else None
        return f"{node_name_of(event) or node_of(event)} failed: {reason}" if reason else event.summary


def _run_of(event: Event) -> tuple[str | None, ...]:
    return event.origin_thread_id, node_of(event), text(event, "origin_node_run_id")
