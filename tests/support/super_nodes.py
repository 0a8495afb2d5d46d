"""Super nodes, and runs of expanded workflows."""

from __future__ import annotations

from typing import Any

from debugger.engine.interpreter import Interpreter
from debugger.engine.options import EngineOptions
from debugger.engine.super_nodes import Expansion, expand
from debugger.errors import NotFoundError
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import Workflow
from tests.engine.test_interpreter import Listener
from tests.support.factories import Json, node


def super_node(node_id: str, inside: Json | None = None, **fields: Any) -> Json:
    """Return a super node with its workflow embedded."""
    return node(node_id, "super_node", encapsulated_workflow_config=inside, **fields)


class Shelf:
    """Stored workflows that record the ids looked up."""

    def __init__(self, **stored: Json) -> None:
        self._stored = stored
        self.asked: list[tuple[str, int | None]] = []

    def load(self, workflow_id: str, version: int | None) -> Workflow:
        """A stored workflow; every version is the same."""
        self.asked.append((workflow_id, version))
        if workflow_id not in self._stored:
            raise NotFoundError(f"There is no workflow {workflow_id!r}.")
        return Workflow.from_document(self._stored[workflow_id])


def expanded(workflow: Workflow, **stored: Json) -> Expansion:
    """A workflow expanded, with these workflows stored."""
    return expand(workflow, Shelf(**stored).load)


class Run:
    """A run of an expanded workflow, turn by turn."""

    def __init__(self, workflow: Workflow, model: Any = None, **stored: Json) -> None:
        expansion = expanded(workflow, **stored)
        options = EngineOptions(start_events=False)
        self.listener = model or Listener()
        self._interpreter = Interpreter(expansion.workflow, self.listener, options)
        self._state = None
        self.events: list[Json] = []

    def turn(self, text: str | None = None, **fields: Any) -> list[Json]:
        """Run a turn; its events."""
        turn_input = TurnInput.with_message(text, **fields)
        self._state = self._state or self._interpreter.begin(turn_input)
        self.events = [event.to_wire() for event in self._interpreter.turn(self._state, turn_input)]
        return self.events

    @property
    def path(self) -> list[str]:
        """The nodes that ran in the last turn."""
        return [each["origin_node_logical_id"] for each in self.of("start_node_run")]

    @property
    def said(self) -> list[str]:
        """Return the messages to the user in the last turn."""
        return [each["content"] for each in self.of("assistant_response")]

    def of(self, event_type: str) -> list[Json]:
        """The events of a type in the last turn."""
        return [each for each in self.events if each["type"] == event_type]
