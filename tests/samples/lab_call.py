"""A call to the laboratory's results line, for its tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import TurnInput, TurnResult
from debugger.samples import SAMPLES
from debugger.settings import Settings

DOCUMENT = next(sample for sample in SAMPLES if sample.name == "Lab results line").load_documents()[0]
PAUSE = 2
"""Seconds between two looks into the laboratory system."""


class Call:
    """Call with the results of each message and wait."""

    def __init__(self, backend: EmbeddedBackend, clock: list[float]) -> None:
        self._backend, self._clock = backend, clock
        self._workflow_id = backend.create_workflow(DOCUMENT).id
        self.events: list[JsonObject] = []
        self.status = ""
        self.run_id: str | None = None

    def say(self, message: str | None, **dynamic: object) -> list[str]:
        """Say something; gives what is answered."""
        turn_input = TurnInput.with_message(message).model_copy(update={"dynamic_variables": dynamic})
        return self._took(self._backend.execute(self._workflow_id, turn_input, run_id=self.run_id).finish())

    def wait(self, steps: int) -> list[str]:
        """Let this many pauses pass; gives what is said meanwhile."""
        said = []
        for _ in range(steps):
            if self.status == "completed":
                break
            self._clock[0] += PAUSE
            said += self._took(self._backend.pump(self._workflow_id, str(self.run_id)).finish())
        return said

    def hold(self, messages: tuple[str, ...], *, started: bool = False) -> list[list[str]]:
        """Hold a whole conversation, with time for the lookup."""
        heard = [] if started else [self.say(None)]
        for message in messages:
            heard.append(self.say(message))
            if self.visited("node_mood") and not self.visited("node_read_result"):
                heard += [lines] if (lines := self.wait(4)) else []
        return heard

    def of_type(self, name: str) -> list[JsonObject]:
        """The events of a type."""
        return [event for event in self.events if event["type"] == name]

    def visited(self, node_id: str) -> bool:
        """Return whether a node was run."""
        return any(event["origin_node_logical_id"] == node_id for event in self.of_type("start_node_run"))

    def _took(self, result: TurnResult) -> list[str]:
        self.run_id, self.status = result.run_id, str(result.status)
        self.events += result.events
        return [event["content"] for event in result.events if event["type"] == "assistant_response"]


@contextmanager
def calling(folder: Path, **settings: str) -> Iterator[Call]:
    """Call the line, with a clock that the test advances."""
    clock = [1_000_000.0]
    named = {"database": f"sqlite:///{folder}/runs.sqlite3", "scripts": str(folder / "none"), **settings}
    backend = EmbeddedBackend(Settings.model_validate(named), world=Environment(now=lambda: clock[0]))
    try:
        yield Call(backend, clock)
    finally:
        backend.close()
