"""Prompts and replies, and the interface of models."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from debugger.engine.environment import NEVER_SET
from debugger.protocol.base import JsonObject
from debugger.protocol.event_values import BUILT_IN_RULES
from debugger.protocol.events import TroubleKind
from debugger.protocol.messages import Message


@dataclass(frozen=True)
class TransitionOption:
    """A transition that a model may choose, offered as a tool."""

    edge_id: str
    """The edge's logical id; of a transition without an edge object, an id of the engine."""
    condition: str
    """The freeform condition, variables filled in."""
    destination_node_logical_id: str
    destination_node_name: str
    edge_name: str | None = None
    args_schema: JsonObject | None = None
    """JSON Schema of the arguments that the model fills when it chooses this transition."""
    message_prompt: str | None = None
    """The prompt for the line that is spoken at this transition, variables filled in; ``None`` where the
    model writes none."""


@dataclass(frozen=True)
class ToolSpec:
    """A tool that a model may call during its turn."""

    name: str
    signature: str
    """What the model reads about it; variables filled in."""
    args_schema: JsonObject | None = None
    """JSON Schema of the arguments that the model fills."""


@dataclass(frozen=True)
class ToolCall:
    """A call of an offered tool."""

    name: str
    args: JsonObject = field(default_factory=dict)


@dataclass(slots=True)
class Prompt:
    """The prompt for one answer."""

    kind: Literal["say", "work", "judge"]
    """A speaking turn, a silent one, or the verdict on one condition (then ``choices`` has one member)."""
    node_logical_id: str
    node_name: str
    system: str
    """The system prompt: prefix, prompt and suffix, variables filled in."""
    message: str
    """The newest user message; empty when the user said nothing new."""
    history: Callable[[], Sequence[Message]]
    """The thread's chat so far, oldest first. A call, because it may have to be read from the store.

    It has what was said, and no call of a tool in an earlier run of a node: what came of one is in
    ``variables``, where a prompt can name it, and a cut of the chat (``truncated_max_recent_messages``) would
    part calls from results, which providers refuse.
    """
    variables: Mapping[str, Any]
    """The runtime variables of the thread."""
    visit: int
    """Which run of this node in this run it is, from 1."""
    choices: tuple[TransitionOption, ...] = ()
    schema: JsonObject | None = None
    """JSON Schema of the structured output that is wanted."""
    tools: tuple[ToolSpec, ...] = ()
    """The tools that may be called; empty where the model must answer."""
    exchange: tuple[Message, ...] = ()
    """What was said with tools in this run of the node: the model's calls and their results, in order."""
    llm: JsonObject | None = None
    """The model's configuration as the author wrote it, resolved (``platform.md#model-variants``); script
    and built-in rules need none."""
    backchannel: str | None = None
    """The system prompt of the model that fills the time while the answer is late; variables filled in."""
    seconds: float | None = None
    """The time that the answer may take; `invoke` sets it."""
    given_up: threading.Event = field(default=NEVER_SET, compare=False)
    """Set when the answer is no longer needed; `invoke` sets it."""


@dataclass(frozen=True, slots=True)
class DiscardedAnswer:
    """An answer that was paid for and is of no use."""

    reason: str
    """Why it is of no use, without secrets."""
    usage: JsonObject
    """As `Reply.usage`."""


@dataclass(slots=True)
class Reply:
    """An answer of a model."""

    text: str = ""
    """What is said; empty when nothing is, as when a transition was chosen."""
    chosen: TransitionOption | None = None
    """The chosen transition; always one of the prompt's."""
    args: JsonObject = field(default_factory=dict)
    """The arguments of the chosen transition."""
    message: str = ""
    """The line that a model wrote for the chosen transition."""
    reason: str = ""
    """The reason of the choice, or of none, for the edge event and the user."""
    fields: JsonObject = field(default_factory=dict)
    """The structured output, as far as it could be filled."""
    fields_error: str | None = None
    """Why there is no structured output although one was wanted: no attempt fitted the schema; the node then
    speaks its default error message and sets no variable (U-43)."""
    fields_trouble: TroubleKind = "schema"
    """What that error is: ``schema``, or ``model`` where no answer came to the question for the fields."""
    calls: tuple[ToolCall, ...] = ()
    """Calls of offered tools; their results are in the next prompt's ``exchange``."""
    model: str = BUILT_IN_RULES
    """What answered, as it appears in the usage of the event."""
    usage: JsonObject = field(default_factory=dict)
    """What a real model reports of itself, with keys of ``LLMUsageInfo`` (``platform.md#usage``); `invoke`
    adds the others."""
    warnings: tuple[str, ...] = ()
    """What is worth a warning though the answer came, as a key in the workflow that is not used."""
    discarded: tuple[DiscardedAnswer, ...] = ()
    """Answers of other models of its group, which came first or meanwhile."""
    troubles: tuple[tuple[TroubleKind, str], ...] = ()
    """What is wrong with the answer though it came, as that it was cut: the kind and a sentence of each."""
    fillers: tuple[str, ...] = ()
    """What was said while the answer was late."""


class Model(Protocol):
    """A model, real or not.

    ``reply`` raises `RunError` only for what a person must mend, as a script that contradicts the workflow; a
    failed model call raises `ModelError`, upon which the node speaks its default error message.
    """

    def reply(self, prompt: Prompt) -> Reply:
        """Answer one prompt."""


class RemoteModel(ABC):
    """A model that is called through the gateway."""

    fallback: Model
    """Answers where the gateway simulates the call."""

    def prepare(self, prompt: Prompt) -> None:  # noqa: B027  # most have nothing to load
        """Load what a call needs, such as a provider's package, before any clock begins."""

    @abstractmethod
    def reply(self, prompt: Prompt) -> Reply:
        """Answer one prompt, as `Model.reply`."""

    @abstractmethod
    def remote(self, prompt: Prompt) -> str:
        """Return the origin of answers, as text for the user without secrets.

        For example ``openai gpt-5.4-mini``.

        Raises:
            RunError: The prompt names no model, or one that cannot be called.
        """


class ModelError(Exception):
    """The model gave no answer after its retries.

    Source: ``platform.md#llm-node-execution``, step 9.
    """

    discarded: tuple[DiscardedAnswer, ...] = ()
    """Answers that came all the same."""
    failed_requests: tuple[str, ...] = ()
    """Why each request failed, in order, without secrets."""
    fillers: tuple[str, ...] = ()
    """What was said while the answer was late."""
    is_faulted = False
    """Whether a fault of the debugger's user let it fail."""
