"""A run of a workflow whose nodes call through a real gateway."""

from __future__ import annotations

import re
import threading
from typing import Any

from debugger.engine.environment import Environment
from debugger.engine.interpreter import Interpreter
from debugger.engine.mocks import RecordedAnswers
from debugger.engine.models import HeuristicModel
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.nodes.base import Node
from debugger.engine.outbound import RecordedAnswer, Secrets
from debugger.engine.outbound.gateway import LiveGateway, Policies
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.factories import Json, workflow

SIMULATED = Policies(read="simulated", write="simulated", contact="simulated")
BLOCKED = Policies(read="blocked", write="blocked", contact="blocked")


def answer(target: str, body: Any = None, **fields: Any) -> RecordedAnswer:
    """Return a recorded response for calls to matching targets."""
    return RecordedAnswer(re.compile(target), body=body, **fields)


class Clock:
    """An environment whose clock advances only by sleeping."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.environment = Environment(now=lambda: 1000.0 + sum(self.slept), sleep=self._sleep)

    def _sleep(self, seconds: float, woken: threading.Event) -> None:
        self.slept.append(seconds)


class ConnectorRun:
    """Run, turn by turn; ``wire`` has the last turn's events.

    Args:
        monkeypatch: Puts the node types in their place for the test.
        types: Node classes by type.
        parts: Nodes and edges.
    """

    def __init__(
        self,
        monkeypatch: Any,
        types: dict[str, type[Node[Any]]],
        *parts: Json,
        policies: Policies = SIMULATED,
        answers: tuple[RecordedAnswer, ...] = (),
        secrets: dict[str, str] | None = None,
        model: Any = None,
        environment: Environment | None = None,
        **config: Any,
    ) -> None:
        self.gateway = LiveGateway(policies, secrets=Secrets(secrets))
        for name, node_class in types.items():
            monkeypatch.setitem(NODE_TYPES, name, node_class)
        self.interpreter = Interpreter(
            workflow(*parts, **config),
            model or HeuristicModel(),
            environment=environment or Clock().environment,
            open_gateway=lambda: self.gateway,
            recorded=RecordedAnswers(answers),
        )
        self.state: Any = None
        self.end: Any = None
        self.wire: list[Json] = []
        self._past: list[TurnLog] = []

    def turn(
        self, text: str | None = None, cancelled: threading.Event | None = None, **runtime: Any
    ) -> list[str]:
        """Run a turn and return the types of its events."""
        turn_input = TurnInput.with_message(text, runtime_variables=runtime)
        self.state = self.state or self.interpreter.begin(turn_input)
        log = TurnLog(self.state.turn_number + 1, turn_input)
        past = tuple(self._past)
        turn = self.interpreter.turn(self.state, turn_input, past=lambda: past, cancelled=cancelled)
        while True:
            try:
                log.events.append(next(turn))
            except StopIteration as stop:
                self.end = stop.value
                break
        self._past.append(log)
        self.wire = [event.to_wire() for event in log.events]
        return [event["type"] for event in self.wire]

    def all(self, event_type: str) -> list[Json]:
        """Return the events of a type."""
        return [event for event in self.wire if event["type"] == event_type]

    def one(self, event_type: str) -> Json:
        """Return the only event of a type."""
        (found,) = self.all(event_type)
        return found

    @property
    def output(self) -> Json:
        """Return the output of the only node, without common fields."""
        first = self.all("end_node_run")[0]["run_output"]
        return {key: value for key, value in first.items() if key not in _COMMON}

    @property
    def variables(self) -> Json:
        """The main thread's variables, without their copies under the node."""
        return {key: value for key, value in self.state.main.runtime_variables.items() if "." not in key}

    @property
    def warnings(self) -> list[str]:
        """Return the texts of the warnings."""
        return [event["warning_message"] for event in self.all("workflow_warning")]


_COMMON = ("events", "type", "node_logical_id", "node_run_id")
