"""The preparation of a scenario's run: clock, run input, workflow and mocks."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from debugger.backends.base import Backend
from debugger.engine.mocks import Fault, MockSet, Pin, Target
from debugger.engine.outbound.gateway import stricter
from debugger.engine.tool_names import model_name
from debugger.errors import AnswerError, InputError, NotFoundError, WorkflowError
from debugger.protocol.base import JsonObject, is_id
from debugger.protocol.runs import MAIN_THREAD, TurnInput
from debugger.protocol.workflow import Workflow
from debugger.scenarios.conversation import CheckedWorkflow
from debugger.scenarios.model import Calls, MockSpec, Scenario, ScenarioTurn
from debugger.scenarios.possible_effects import MCP_TOOLS, possible_effects
from debugger.session.run_input import with_message
from debugger.settings import PREFIX, OutboundPolicy, Settings

_SIMULATED = ("talk", "read")
"""The classes of calls that are simulated unless the scenario asks for them."""
_OUTBOUND = "outbound_"
EMBEDDED = "embedded"
_FIRST_TURN_ONLY = ("start_node_logical_id", "initial_state", "welcome_message")
_EMBEDDED_ONLY = {
    "mocks": "mocks",
    "clock": "a frozen clock",
    "seed": "a seed",
    "script": "a script",
    "recording": "recorded answers",
    "calls": "policies for calls",
}


class FrozenClock:
    """A clock that may be frozen, and moves on when background work or a pause is awaited."""

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
        """Wait, or move the clock on at once where it is frozen, so that what waits for a time ends."""
        if self._frozen is None:
            return woken.wait(seconds)
        self._ahead += seconds
        return woken.is_set()


def turn_input(scenario: Scenario, turn: ScenarioTurn, *, is_first: bool) -> TurnInput:
    """Return the run input of a turn that says or sends something: the turn's keys over the scenario's.

    Keys that only a first turn has are left out of later ones; what is said is added as the message.

    Raises:
        InputError: It is no run input.
    """
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
    needed = [
        words for name, words in _EMBEDDED_ONLY.items() if getattr(scenario, name) not in (None, [], Calls())
    ]
    if connection != EMBEDDED and needed:
        raise InputError(
            f"The scenario {scenario.name!r} needs {' and '.join(needed)}, which the connection "
            f"{connection!r} does not have.",
            advice="Run it on the connection 'embedded', or remove it from the scenario.",
        )


def read_classes(text: str) -> list[str]:
    """Return the classes of calls in a text, separated by commas, in its order; none for an empty text.

    Raises:
        InputError: There is no such class.
    """
    found = [part.strip() for part in text.split(",") if part.strip()]
    for name in found:
        if name not in Calls.model_fields:
            raise InputError(
                f"There is no class of calls {name!r}.", advice=f"There are {', '.join(Calls.model_fields)}."
            )
    return found


def scenario_settings(scenario: Scenario, settings: Settings) -> Settings:
    """Return settings with a scenario's policies for calls.

    Of what the scenario wants and what the settings say the stricter holds. What it does not name is
    simulated, if it only reads or is a call to a model, and else as the settings have it.
    """
    own: dict[str, OutboundPolicy] = {}
    for name in Calls.model_fields:
        field = f"{_OUTBOUND}{name}"
        setting: OutboundPolicy = getattr(settings, field)
        default: OutboundPolicy = "simulated" if name in _SIMULATED else setting
        own[field] = stricter(getattr(scenario.calls, name) or default, setting)
    return settings.model_copy(update=own)


def check_calls(scenario: Scenario, settings: Settings, workflow: Workflow) -> None:
    """Reject a scenario of which the environment wants live calls that it does not ask for.

    Their answers would be made up where a server was to be tested.

    Raises:
        InputError: The setting of a class of calls that the workflow can make is given as ``live``, and the
            scenario does not name it.
    """
    possible = _possible_classes(settings, workflow)
    for name in _SIMULATED:
        field = f"{_OUTBOUND}{name}"
        is_wanted = field in settings.model_fields_set and getattr(settings, field) == "live"
        if is_wanted and name in possible and getattr(scenario.calls, name) is None:
            raise InputError(
                f"{PREFIX}{field.upper()}=live is set, but the scenario {scenario.name!r} does not ask for "
                f"live calls of the class {name!r}. Their answers would be made up.",
                advice=f"Write `calls: {{{name}: live}}` into the scenario or use --live {name}; "
                f"`calls: {{{name}: simulated}}` makes none in any case.",
            )


def live_classes(scenario: Scenario, settings: Settings, workflow: Workflow) -> list[str]:
    """Return the classes of calls that a run of a scenario would make; none where all are simulated.

    Args:
        scenario: The scenario.
        settings: The settings of the process.
        workflow: The workflow that runs, its super nodes expanded.
    """
    own, possible = scenario_settings(scenario, settings), _possible_classes(settings, workflow)
    return [
        name
        for name in Calls.model_fields
        if name in possible and getattr(own, f"{_OUTBOUND}{name}") == "live"
    ]


def without_live_calls(settings: Settings) -> Settings:
    """Return settings by which no call to a model or a service is made."""
    fields = [f"{_OUTBOUND}{name}" for name in Calls.model_fields]
    simulated = {field: stricter("simulated", getattr(settings, field)) for field in fields}
    return settings.model_copy(update=simulated)


def _possible_classes(settings: Settings, workflow: Workflow) -> set[str]:
    """Return the classes of calls that a workflow can make."""
    effects = possible_effects(workflow)
    possible = {effect.call_class for effect in effects}
    if any(effect.what == MCP_TOOLS for effect in effects):
        possible.add("read")
    if settings.responder != "model":
        possible.discard("talk")
    return possible


def find_workflow(name: str, backend: Backend) -> str:
    """Return the id of a workflow by its id, else its name, else its logical id; of several the first.

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
    """Return mocks and faults with their nodes found; one with an error or delay is a fault.

    Raises:
        InputError: The workflow has no such node, or several.
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
    """Return what a mock replaces: a tool, perhaps of one caller, a node or the model of a node.

    Raises:
        InputError: The workflow has no such node, or several.
    """
    if spec.tool is not None:
        caller = workflow.node_id(spec.called_by) if spec.called_by else ""
        return Target("tool", model_name(spec.tool), caller)
    if spec.node is not None:
        return Target("node", workflow.node_id(spec.node))
    return Target("model", workflow.node_id(spec.model_of or ""))
