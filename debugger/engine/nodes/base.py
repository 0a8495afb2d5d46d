"""The base of node types, with a run's context and result."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from debugger.engine.decision import Transition
from debugger.engine.environment import Environment, PauseClock
from debugger.engine.history import History
from debugger.engine.models.base import Model, ModelError, Prompt, Reply, TransitionOption
from debugger.engine.options import EngineOptions
from debugger.engine.outbound import Gateway
from debugger.engine.outbound.gateway import BlockedGateway
from debugger.engine.state import RunState, ThreadState
from debugger.engine.tools.base import ToolContext, ToolInterceptor
from debugger.engine.variables import write
from debugger.errors import InputError, NotFoundError, RunError
from debugger.expressions import Scope, render
from debugger.protocol.base import JsonObject
from debugger.protocol.events import AssistantResponseEvent, Event, TroubleKind
from debugger.protocol.messages import Message, message_text
from debugger.protocol.workflow import NodeConfig, StaticMessagesConfig, Workflow

Config = TypeVar("Config", bound=NodeConfig)

_LONGEST_WAIT = threading.TIMEOUT_MAX / 10
"""Seconds; the clock has to be able to say when a wait ends."""


def no_run_store(run_id: str) -> JsonObject:
    """Raise the error of an engine without a store of runs.

    Raises:
        NotFoundError: Always.
    """
    raise NotFoundError(f"There is no run {run_id!r} here: the engine runs without a store.")


# Like all that is made once a node run, not frozen: that would take three times as long to make.
@dataclass(slots=True)
class NodeResult:
    """The result of a node's run."""

    output: JsonObject = field(default_factory=dict)
    """The node type's own keys of ``run_output`` (``platform.md#node-outputs``)."""
    chosen: TransitionOption | None = None
    """The transition that a model chose during the run."""
    args: JsonObject = field(default_factory=dict)
    """The arguments that the model filled for it."""
    reason: str = ""
    """The reason of that choice."""
    replied_to_user: bool = False
    """Whether a model answered the user, so that no message is left for the next node."""
    is_faulted: bool = False
    """Whether a fault let it fail."""
    is_reported: bool = False
    """Whether a warning reports its failure, which the end of its run then does not count once more."""


class ReportedFailure(NamedTuple):
    """A failure that no event of the platform reports, so that a warning does."""

    kind: TroubleKind
    text: str
    is_faulted: bool


class NodeInterceptor(ToolInterceptor, Protocol):
    """The interface of what may answer in the place of a node's model and tools (``mocks``)."""

    def select_model(self, prompt: Prompt, context: NodeContext) -> tuple[Prompt, Model]:
        """Return the prompt and the model that answers it."""

    def asks_user(self, prompt: Prompt) -> bool:
        """Return whether the user answers a prompt."""

    def record_reply(self, reply: Reply | ModelError | RunError, context: NodeContext) -> None:
        """Record the reply to the prompt that a model was selected for, or its failure."""


@dataclass(slots=True)
class NodeContext:
    """The data and services that a node may use during one run."""

    workflow: Workflow
    state: RunState
    thread: ThreadState
    scope: Scope
    model: Model
    history: History
    options: EngineOptions
    environment: Environment
    cancelled: threading.Event
    load_run: Callable[[str], JsonObject] = no_run_store
    """The record of another run by its id; raises a `DebuggerError` where it cannot be had."""
    node_input: JsonObject = field(default_factory=dict)
    """What the turn's input has for this node alone, as ``override_url`` (``platform.md#node-runs``)."""
    outbound: Gateway = field(default_factory=BlockedGateway)
    """The gateway for every call to the outside."""
    authored: Scope = field(default_factory=Scope)
    """The variables with the workflow's defaults alone, without values that the run has set."""
    choices: tuple[TransitionOption, ...] = ()
    """The transitions that a model may choose; empty where it must answer."""
    may_call_tools: bool = True
    """Whether a model gets any tools; it gets neither tools nor transitions where it must answer."""
    deadline: float | None = None
    """Seconds since the epoch at which the run must have ended."""
    messages_override: list[Message] | None = None
    """The user messages for this run where they are not the thread's pending ones."""
    llm_judged_choices: tuple[TransitionOption, ...] = ()
    """The transitions whose conditions a model evaluates in calls of their own."""
    transitions: Mapping[str, Transition] = field(default_factory=dict)
    """The transitions behind ``choices`` and ``judged``, by key."""
    unresolved: list[str] = field(default_factory=list)
    """Dynamic placeholders that no variable filled, for a warning each."""
    warnings: list[str] = field(default_factory=list)
    """What else about the configuration is worth a warning."""
    failures: list[ReportedFailure] = field(default_factory=list)
    """Failed answers, for a warning each."""
    is_faulted: bool = False
    """Whether a fault of the whole node lets its calls fail."""
    interceptor: NodeInterceptor | None = None
    """The mocks and manual answers of the run."""
    tool_error: str = ""
    """With what every call of a tool is to fail; empty lets them be made."""
    applied_mocks: list[str] = field(default_factory=list)
    """The ids of the pins and faults that the run has met."""
    pauses: PauseClock = field(default_factory=PauseClock)
    """Where time is noted in which the run waits for the user's answer in a model's place."""

    def report_failure(self, kind: TroubleKind, text: str, *, is_faulted: bool = False) -> None:
        """Add a failed answer that no other event reports; it becomes a marked warning."""
        self.failures.append(ReportedFailure(kind, text, is_faulted or self.is_faulted))

    def fill(self, text: str) -> str:
        """Fill a text's variables; unresolved placeholders stay."""
        filled = render(text, self.scope, faults=self.warnings)
        self.unresolved += [written for written in filled.unresolved if written.startswith("{{")]
        return filled.text

    def edge_message(self, transition: Transition) -> str | None:
        """Return the fixed message of a transition's edge, variables filled in; ``None`` without one.

        A message in sequence moves on. A line that a model should have written gives a warning.
        """
        condition = transition.condition
        if condition is None:
            return None
        if condition.static_messages_config is not None:
            key = f"edge:{transition.source.logical_id}:{transition.key}"
            picked = pick_message(condition.static_messages_config, key, self.state, self.environment)
            if picked is not None:
                return self.fill(picked)
        if condition.dynamic_messages_config is not None:
            self.warnings.append(
                f"The edge from {transition.source.label!r} to {transition.destination.label!r} has a line "
                "for a model to write; no model answered, so nothing was said."
            )
        return None

    def clamp_timeout(self, seconds: float) -> float:
        """Return a span of time, cut where the run must have ended; 0 after that.

        Without a deadline it is returned as it is.
        """
        return (
            seconds
            if self.deadline is None
            else max(0.0, min(seconds, self.deadline - self.environment.now()))
        )

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the run's end or a cancellation."""
        self.environment.sleep(min(self.clamp_timeout(seconds), _LONGEST_WAIT), self.cancelled)

    def for_tool(
        self, node_logical_id: str, timeout: float | None, authored_arguments: JsonObject | None = None
    ) -> ToolContext:
        """Return the context of a tool call; warnings and met mocks go to the lists of this context.

        Without a timeout, or with 0, the call has the engine's own limit (U-53), cut where the run must have
        ended. ``authored_arguments`` are the arguments with the workflow's own defaults alone.
        """
        return ToolContext(
            scope=self.scope,
            timeout=self.clamp_timeout(timeout or self.options.tool_timeout),
            options=self.options,
            cancelled=self.cancelled,
            outbound=self.outbound,
            authored=self.authored,
            authored_arguments=authored_arguments or {},
            node_logical_id=node_logical_id,
            warnings=self.warnings,
            interceptor=self.interceptor,
            tool_error=self.tool_error,
            applied_mocks=self.applied_mocks,
            sleep=self.sleep,
        )

    def visit(self, node: NodeConfig) -> int:
        """Return the number of a node's run in its thread, from 1."""
        return self.thread.completions.get(node.logical_id, 0) + 1

    def prompt(self, node: NodeConfig, **fields: Any) -> Prompt:
        """Return the prompt of a node's model call; its history is read only when it is called.

        Args:
            node: The node.
            fields: Those of the prompt besides the node and the variables. By default the model reads the
                thread's chat and answers the user's message.
        """
        known = {
            "message": self.message,
            "history": lambda: self.history.of(self.thread.thread_id),
            "visit": self.visit(node),
            **fields,
        }
        return Prompt(
            node_logical_id=node.logical_id,
            node_name=node.label,
            variables=self.thread.runtime_variables,
            **known,
        )

    @property
    def message(self) -> str:
        """Return the user's text that this run is to answer."""
        return "\n".join(message_text(message) for message in self.messages)

    @property
    def messages(self) -> list[Message]:
        """Return the user messages that this run is to answer."""
        return self.thread.pending if self.messages_override is None else self.messages_override


NodeRun = Generator[Event, None, NodeResult]


class Node(ABC, Generic[Config]):
    """A node type: ``Config`` has the author's fields, ``run`` does the work.

    Args:
        config: The node as the document has it.
    """

    Config: ClassVar[type[NodeConfig]]
    calls_model: ClassVar[bool] = False
    """Whether a model judges its freeform conditions while it runs."""
    counts_as_tool_call: ClassVar[bool] = False
    """Whether a run of it counts among the tool calls of a turn (``platform.md#usage``, U-57)."""
    waits_for_user: bool = False
    """Whether it waits until the user has said something."""
    loops_to_itself: bool = False
    """Whether it runs again when no transition was taken."""
    unsupported_reason: str | None = None
    """Why the engine passes it over instead of running it; ``None`` on every node that it does run."""

    def __init__(self, config: NodeConfig) -> None:
        """Read the author's fields of the node.

        Raises InputError where a field has a value that it cannot have, or something is nested too deep.
        """
        try:
            written = config.to_wire()
        except (ValueError, RecursionError) as error:
            raise InputError("objects and lists in it are nested too deep") from error
        self.config: Config = self.Config.from_wire(written)  # type: ignore[assignment]

    @property
    def calls_service(self) -> bool:
        """Return whether its run calls a service, so that a fault fails the call alone."""
        return self.counts_as_tool_call

    def run_input(self, context: NodeContext) -> JsonObject | None:
        """Return the input that the start event reports."""
        return None

    @abstractmethod
    def run(self, context: NodeContext) -> NodeRun:
        """Do the work, yield its events, and return the result.

        Events need only their own fields: the interpreter stamps ids, time, thread and node.
        """

    def write(self, context: NodeContext, values: dict[str, Any]) -> None:
        """Set runtime variables of the thread."""
        write(context.thread, self.config, values)


def result_variables(name: str, value: Any, error: str | None) -> JsonObject:
    """Return the variables of a result: value, success and error (U-9, U-12)."""
    return {name: value, f"{name}_success": error is None, f"{name}_error": error}


def pick_message(
    config: StaticMessagesConfig, key: str, state: RunState, environment: Environment
) -> str | None:
    """Choose one of several fixed messages, variables not yet filled in; a sequence in the state moves on.

    Args:
        config: The messages and the mode.
        key: Owner of the messages; a sequence continues per key and run (U-8).
        state: Holds the position in a sequence.
        environment: Chance, for the random mode.

    Returns:
        The text, or ``None`` when there is none. A sequence stays on its last text.
    """
    texts = config.static_messages
    if not texts:
        return None
    if config.static_messages_selection_mode == "random":
        return environment.random.choice(texts)
    index = min(state.message_positions.get(key, -1) + 1, len(texts) - 1)
    state.message_positions[key] = index
    return texts[index]


def fixed_response(text: str, environment: Environment, *, message_id: str = "") -> AssistantResponseEvent:
    """Return the event of a fixed text that is spoken.

    Args:
        text: The text, variables filled in.
        environment: Makes an id, where the text is no message's yet.
        message_id: The message that it is the text of, whose id the event has (``platform.md#event-fields``).
    """
    return AssistantResponseEvent(
        logical_id=message_id or f"assistant_message_{environment.uuid()}",
        content=text,
        response_metadata={"message_type": "static"},
    )


class UnsupportedNode(Node[NodeConfig]):
    """A node that is skipped with a warning.

    Args:
        config: The node as the document has it.
        why: What keeps it from being run, as the end of a sentence that begins with the node.
    """

    Config: ClassVar[type[NodeConfig]] = NodeConfig

    def __init__(self, config: NodeConfig, why: str) -> None:
        self.config = config  # as it was read: what cannot be read again is what may have made it opaque
        self.unsupported_reason = f"Node {config.label!r} ({config.logical_id}) was skipped: {why}"

    def run(self, context: NodeContext) -> NodeRun:
        """Do nothing."""
        yield from ()
        return NodeResult()
