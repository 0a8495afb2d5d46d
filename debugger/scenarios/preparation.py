"""The preparation of a scenario's run: clock, run input, workflow and mocks."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from debugger.backends.base import Backend
from debugger.engine.mocks import Fault, MockSet, Pin, Target
from debugger.engine.models.base import model_name
from debugger.errors import AnswerError, InputError, NotFoundError, WorkflowError
from debugger.protocol.base import JsonObject, is_id
from debugger.protocol.runs import MAIN_THREAD, TurnInput
from debugger.scenarios.conversation import CheckedWorkflow
from debugger.scenarios.model import MockSpec, Scenario, ScenarioTurn
from debugger.session.run_input import with_message

EMBEDDED = "embedded"
_FIRST_TURN_ONLY = ("start_node_logical_id", "initial_state", "welcome_message")
_EMBEDDED_ONLY = {"mocks": "mocks", "clock": "a frozen clock", "seed": "a seed", "script": "a script"}


class FrozenClock:
    """A clock that may be frozen, and moves on when background work is awaited."""

    def __init__(self) -> None:
        self._frozen: float | None = None
        self._ahead = 0.0

    def freeze(self, at: datetime | None) -> None:
        """Freeze it at a time, by default in UTC; ``None`` lets it run."""
        moment = at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
        self._frozen, self._ahead = None if moment is None else moment.timestamp(), 0.0

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return (time.time() if self._frozen is None else self._frozen) + self._ahead

    def move_to(self, moment: float) -> None:
        """Move it on to a time that is ahead."""
        self._ahead += max(moment - self.now(), 0.0)

    def sleep(self, seconds: float, woken: threading.Event) -> object:
        """Wait, or return at once where it is frozen."""
        return woken.wait(seconds) if self._frozen is None else woken.is_set()


def turn_input(scenario: Scenario, turn: ScenarioTurn, *, is_first: bool) -> TurnInput:
    """Return the run input of a turn that says or sends something."""
    value: JsonObject = {**scenario.input, **(turn.send or {})}
    if not is_first:
        value = {key: each for key, each in value.items() if key not in _FIRST_TURN_ONLY}
    value.setdefault("command", "start" if is_first else "data")
    if turn.say is not None:
        TurnInput.from_wire(value)
        value = with_message(value, turn.say)
    elif not value.get("thread_to_node_inputs"):
        value["thread_to_node_inputs"] = {MAIN_THREAD: {"node_run_inputs": []}}
    return TurnInput.from_wire(value)


def check_abilities(scenario: Scenario, connection: str) -> None:
    """Reject what only the embedded engine can do.

    Raises:
        InputError: The scenario needs it, and names another connection.
    """
    needed = [words for name, words in _EMBEDDED_ONLY.items() if getattr(scenario, name) not in (None, [])]
    if connection != EMBEDDED and needed:
        raise InputError(
            f"The scenario {scenario.name!r} needs {' and '.join(needed)}, which the connection "
            f"{connection!r} does not have.",
            advice="Run it on the connection 'embedded', or remove it from the scenario.",
        )


def find_workflow(name: str, backend: Backend) -> str:
    """Return the id of a workflow by its id, logical id or name.

    Raises:
        NotFoundError: There is none.
    """
    if not name:
        raise NotFoundError(
            "The file of the workflow has no logical id, by which the connection would have it.",
            advice="Name a workflow of the connection instead of the file.",
        )
    if is_id(name):
        return backend.workflow_summary(name).id
    rows = backend.workflows()
    for row in rows:
        if row.name == name:
            return row.id
    for row in rows:
        if logical_id_of(row.id, backend) == name:
            return row.id
    raise NotFoundError(
        f"There is no workflow with the id, logical id or name {name!r}.",
        advice="Name a JSON file, or a workflow of the connection.",
    )


def logical_id_of(workflow_id: str, backend: Backend) -> str | None:
    """Return the logical id of a workflow; ``None`` where it is deleted or damaged."""
    try:
        return backend.workflow(workflow_id).config.logical_id
    except (NotFoundError, WorkflowError, InputError, AnswerError):
        return None


def mock_set(specs: list[MockSpec], workflow: CheckedWorkflow) -> MockSet:
    """Return mocks and faults with their nodes found.

    Raises:
        InputError: The workflow has no such node.
    """
    mocks = MockSet()
    for spec in specs:
        target = _target(spec, workflow)
        if spec.output is not None:
            mocks.put(Pin(target, spec.output))
        if spec.error or spec.delay_seconds:
            mocks.put(Fault(target, spec.error, spec.delay_seconds, spec.attempts))
    return mocks


def _target(spec: MockSpec, workflow: CheckedWorkflow) -> Target:
    if spec.tool is not None:
        caller = workflow.node_id(spec.called_by) if spec.called_by else ""
        return Target("tool", model_name(spec.tool), caller)
    if spec.node is not None:
        return Target("node", workflow.node_id(spec.node))
    return Target("model", workflow.node_id(spec.model_of or ""))
