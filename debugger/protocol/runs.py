"""Turns, runs and forks: requests, results and records.

Source: ``platform.md#execute`` and ``platform.md#run-list``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field

from debugger.protocol.base import (
    SECRET_VARIABLES,
    AnswerModel,
    JsonObject,
    Needed,
    PlainObject,
    WireModel,
    without_secret_variables,
)
from debugger.protocol.events import Event, parse_event
from debugger.protocol.messages import Message, human_message, message_text

Command = Literal["start", "data", "resume", "pause", "stop"]

RunStatus = Literal[
    "not_started",
    "pending",
    "started",
    "running",
    "paused",
    "waiting_for_user_input",
    "completed",
    "failed",
    "cancelled",
    "aborted_looping_risk",
]

TERMINAL_STATUSES: frozenset[str] = frozenset({"completed", "failed", "cancelled", "aborted_looping_risk"})
"""A run in one of these takes no further turn."""

MAIN_THREAD = "0"

BACKGROUND = "background"
"""The key in a run input's ``miscellaneous`` that marks background work, which no client sent."""

CLIENT_TURN_ID = "client_turn_id"
"""The key in a run input's ``miscellaneous`` by which a client names its turn; an idempotency key."""

OVER_SOCKET = "over_socket"
"""The key in a run input's ``miscellaneous`` that marks a run that the WebSocket has started.

A server that lets those alone be re-run sets it."""

IN_PROGRESS = "in_progress"
"""The key that marks the last pair of a record while its turn is being executed: its events so far."""

UNFINISHED_TURNS = "unfinished_turns"
"""The key of a record that names turns which were interrupted after they had made calls: objects with
``client_turn_id`` and ``calls``. The product's server alone has it."""

EXPECTED_TURN_HEADER = "X-Expected-Turn-Number"
"""The optional header of an execute request with the number that the client expects the turn to get."""

EXPECTED_TURN_KEY = "expected_turn_number"
"""The same as an optional key of a frame to the socket."""

TURN_NUMBERS_HEADER = "X-Turn-Numbers"
"""The header by which a server says that it checks expected turn numbers; its value is ``checked``."""

FRAME_NUMBER = "frame_number"
"""The optional key of an event's frame: its place in the turn, from 1. No part of the event."""

TRUNCATED = "truncated"
"""The key that says of an event in a frame that only the run's record has the whole of it."""


class NodeInput(AnswerModel):
    """The input of one node in a turn (``platform.md#node-inputs``)."""

    type: str = "llm"
    node_logical_id: str | None = None
    """``None`` means the thread's current node."""
    dynamic_variables: JsonObject = Field(default_factory=dict)
    runtime_variables: JsonObject = Field(default_factory=dict)
    miscellaneous: JsonObject = Field(default_factory=dict)
    messages: list[Message] = Field(default_factory=list)


class ThreadInput(AnswerModel):
    """The input of one thread in a turn."""

    node_run_inputs: list[NodeInput] = Field(default_factory=list)


class TurnInput(AnswerModel):
    """The ``run_input`` of one turn (``platform.md#execute-input``).

    One that a client sends is read by `from_wire`, which refuses a wrong value; one of a record by
    `from_record`, as any other part of it.
    """

    command: Command = "start"
    dynamic_variables: JsonObject = Field(default_factory=dict)
    """Fill ``{{name}}``."""
    runtime_variables: JsonObject = Field(default_factory=dict)
    """Fill ``[[name]]``."""
    miscellaneous: JsonObject = Field(default_factory=dict)
    thread_to_node_inputs: dict[str, ThreadInput] = Field(default_factory=dict)
    workflow_id: str | None = None
    version_number: int | None = Field(default=None, ge=0)
    run_by: str | None = None
    workflow_run_id: str | None = None
    team_id: str | None = None
    start_node_logical_id: str | None = None
    initial_state: JsonObject | None = None
    welcome_message: str | None = None

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read the input of a request.

        Raises:
            InputError: A field has an invalid value; the message names the field.
        """
        return cls._read(data, None)

    @classmethod
    def from_record(cls, data: Mapping[str, Any]) -> Self:
        """Read the input of a recorded turn, which nobody can correct any more; it needs no field."""
        return super().from_wire(data)

    @classmethod
    def with_message(cls, text: str | None, **fields: Any) -> Self:
        """Return an input with one user message in the main thread.

        Without a message where ``text`` is ``None``.

        Args:
            text: What the user says.
            fields: Any other field of the run input.

        Raises:
            InputError: One of them has a value that it cannot have.
        """
        inputs = [] if text is None else [{**_NODE_INPUT, **_nothing(), "messages": [human_message(text)]}]
        threads = {MAIN_THREAD: {"node_run_inputs": inputs}}
        return cls.from_wire({**_TURN_INPUT, **_nothing(), **fields, "thread_to_node_inputs": threads})

    def to_wire(self) -> JsonObject:
        """Return the object to send or to store, without the secret variables of the input and its nodes.

        Those are never written out (``platform.md#secrets``).
        """
        return without_secrets_of_input(super().to_wire())

    def to_request(self) -> JsonObject:
        """Return the input's values as they were read, so that every key has a value of its kind.

        Of one from a record it leaves out what no request may have; `to_wire` has the record's own object.
        Keys keep their order, absent ones stay absent, and unknown ones are kept. Secret variables are left
        out.
        """
        values = self.model_dump(exclude_unset=True)
        return without_secrets_of_input({key: values[key] for key in self.to_wire() if key in values})

    @property
    def client_turn_id(self) -> str | None:
        """Return the client's id of the turn; ``None`` without one."""
        value = self.miscellaneous.get(CLIENT_TURN_ID)
        return value if isinstance(value, str) and value else None

    def with_client_turn_id(self, client_turn_id: str | None) -> Self:
        """Return the same input under another client turn id, or under none.

        An empty text counts as none. Where nothing changes it is this object, else a copy.
        """
        if client_turn_id == self.client_turn_id and (
            client_turn_id or CLIENT_TURN_ID not in self.miscellaneous
        ):
            return self
        rest = {key: value for key, value in self.miscellaneous.items() if key != CLIENT_TURN_ID}
        named = {**rest, CLIENT_TURN_ID: client_turn_id} if client_turn_id else rest
        return self._with_miscellaneous(named)

    def over_socket(self) -> Self:
        """Return the same input, marked as one that came over the WebSocket."""
        return self._with_miscellaneous({**self.miscellaneous, OVER_SOCKET: True})

    def _with_miscellaneous(self, values: JsonObject) -> Self:
        # One that `from_wire` has read has no odd values; one of a record keeps them.
        return self.from_record({**self.to_wire(), "miscellaneous": values})

    @property
    def message(self) -> str:
        """Return the user's text; empty without one."""
        return "\n".join(message_text(message) for message in self.messages)

    @property
    def messages(self) -> list[Message]:
        """Return all user messages, threads in order; an empty list without any."""
        return [
            message
            for thread in self.thread_to_node_inputs.values()
            for node_input in thread.node_run_inputs
            for message in node_input.messages
        ]


def without_secrets_of_input(run_input: JsonObject) -> JsonObject:
    """Return a run input without the secret variables of itself and of its nodes; unchanged without any.

    It is a copy where there are any: the given object stays as it is.
    """
    wire = without_secret_variables(run_input) if SECRET_VARIABLES in run_input else run_input
    threads = wire.get("thread_to_node_inputs")
    changed = {
        thread_id: {**thread, "node_run_inputs": [_without_own(each) for each in inputs]}
        for thread_id, thread in (threads.items() if isinstance(threads, dict) else ())
        if isinstance(thread, dict)
        and isinstance(inputs := thread.get("node_run_inputs"), list)
        and any(isinstance(each, dict) and SECRET_VARIABLES in each for each in inputs)
    }
    return {**wire, "thread_to_node_inputs": {**threads, **changed}} if threads and changed else wire


def _without_own(node_input: Any) -> Any:
    return without_secret_variables(node_input) if isinstance(node_input, dict) else node_input


_TURN_INPUT, _NODE_INPUT = TurnInput().to_wire(), NodeInput().to_wire()
"""What an input says that leaves everything open."""


def _nothing() -> JsonObject:
    return {"dynamic_variables": {}, "runtime_variables": {}, "miscellaneous": {}}


class ExecuteRequest(WireModel):
    """The body of one execute call; the first turn has no ``run_id``."""

    run_input: TurnInput
    run_id: str | None = None


class TurnResult(AnswerModel):
    """The result of a turn or of a background step (``platform.md#execute-answer``)."""

    run_id: str
    status: RunStatus
    turn_number: int
    """Counts finished turns, from 1."""
    events: Needed[list[PlainObject]] = Field(default_factory=list)
    is_waiting_for_input: bool
    is_completed: bool
    """The run is over and takes no further turn."""
    error: str | None = None
    next_input_hint: PlainObject | None = None
    """The ``busy_wait_for_user_message`` event when the run waits."""
    has_active_companions: Needed[bool] = False
    """Companion threads still run."""
    has_background_work: Needed[bool] = False
    """They do, or a condition is judged while the run waits: the run can go on without the user."""
    next_due: float | None = Field(default=None, exclude=True)
    """When background work can go on, in seconds since the epoch, where that is known. Never on the wire."""
    record_length: int | None = Field(default=None, exclude=True)
    """How many pairs the run's record has, this one included, where that is known. Never on the wire."""

    def to_wire(self) -> JsonObject:
        """Return the object to send; input from the wire is unchanged.

        The events are JSON already and are passed on as they are: pydantic would walk through them once
        more, and gives up on variables that are nested deeper than some 250 levels.
        """
        if self.is_from_wire:
            return super().to_wire()
        ready = {"events": self.events, "next_input_hint": self.next_input_hint}
        rest = self.model_dump(mode="json", exclude=set(ready))
        # The order of the fields, which a person may look at.
        named = [name for name, field in type(self).model_fields.items() if not field.exclude]
        return {name: ready[name] if name in ready else rest[name] for name in named} | rest

    def parsed_events(self) -> list[Event]:
        """Parse the turn's events."""
        return [parse_event(event) for event in self.events]


def _is_unset(value: Any) -> bool:
    """Return whether a field that few records have is left out where an object is written."""
    return value is None or value is False or value == []


class RunOutput(AnswerModel):
    """The output of one turn."""

    events: Needed[list[PlainObject]] = Field(default_factory=list)
    thread_to_node_outputs: PlainObject = Field(default_factory=dict)


class Turn(AnswerModel):
    """One input/output pair of a run record: a turn or background work."""

    run_input: Needed[PlainObject] = Field(default_factory=dict)
    run_output: Needed[RunOutput] = Field(default_factory=RunOutput)
    evaluation: Any = None
    iteration_end_state_miscellaneous: PlainObject | None = None
    comments: list[Any] = Field(default_factory=list)
    ratings: list[Any] = Field(default_factory=list)
    in_progress: Needed[bool] = Field(default=False, exclude_if=_is_unset)
    """See `IN_PROGRESS`."""

    def with_wire(self, data: Mapping[str, Any]) -> Self:
        """Remember the object; an input or an output that is null becomes an empty object in it."""
        empty: JsonObject = {name: {} for name in ("run_input", "run_output") if data.get(name) is None}
        return super().with_wire({**data, **empty} if empty else data)

    @property
    def is_in_progress(self) -> bool:
        """Return whether the turn is still being executed."""
        return self.in_progress

    @property
    def client_turn_id(self) -> str | None:
        """Return the client's id of the turn; ``None`` without one."""
        value = self._miscellaneous.get(CLIENT_TURN_ID)
        return value if isinstance(value, str) and value else None

    @property
    def is_over_socket(self) -> bool:
        """Return whether the record marks the turn as one that came over the WebSocket."""
        return self._miscellaneous.get(OVER_SOCKET) is True

    @property
    def is_background(self) -> bool:
        """Return whether the record marks the pair as background work."""
        return self._miscellaneous.get(BACKGROUND) is True

    @property
    def _miscellaneous(self) -> JsonObject:
        value = self.run_input.get("miscellaneous")
        return value if isinstance(value, dict) else {}

    def parsed_events(self) -> list[Event]:
        """Parse the turn's events."""
        return [parse_event(event) for event in self.run_output.events]


class Run(AnswerModel):
    """The record of one run (``platform.md#run-record``, the inner object)."""

    logical_id: str = ""
    workflow_run_id: str
    workflow_id: str
    voice_conversation_id: str | None = None
    version_number: int = 0
    version_name: str | None = None
    status: RunStatus
    termination_source: str | None = None
    run_by: str | None = None
    miscellaneous: PlainObject | None = None
    comments: list[Any] = Field(default_factory=list)
    input_output_pairs: Needed[list[Turn]] = Field(default_factory=list)
    llm_token_usage: PlainObject | None = None
    llm_latency_stats: PlainObject | None = None
    workflow_config_fully_hydrated: PlainObject | None = None
    source_workflow_run_id: str | None = None
    checkpoint_source_turn_index: int | None = None
    carried_over_llm_token_usage: PlainObject | None = None
    carried_over_llm_latency_stats: PlainObject | None = None
    is_evaluation_run: bool = False
    evaluation_run_info: PlainObject = Field(default_factory=lambda: {"evaluation_workflow_run_id": None})
    created_at: str | None = None
    """ISO 8601, UTC; belongs to the record around the run on the wire."""
    updated_at: str | None = None
    workflow_name: str | None = Field(default=None, exclude_if=_is_unset)
    """Of our own records: the name that the workflow had."""
    turn_count: int | None = Field(default=None, exclude_if=_is_unset)
    """Of a row of a list of our own."""
    unfinished_turns: list[PlainObject] = Field(default_factory=list, exclude_if=_is_unset)
    """Turns that were interrupted after they had made calls; see `UNFINISHED_TURNS`."""

    @property
    def is_over(self) -> bool:
        """Return whether the run takes no further turn."""
        return self.status in TERMINAL_STATUSES

    @property
    def finished_turns(self) -> list[Turn]:
        """Return the pairs of the record without one in progress."""
        return [turn for turn in self.input_output_pairs if not turn.is_in_progress]


def requested_version(chosen: int | None, turn_input: TurnInput) -> int | None:
    """Return the version to start with; ``None`` for the active one.

    Args:
        chosen: The version named beside the input: on the page, or in the query. 0 counts.
        turn_input: Its ``version_number`` is used where none is chosen; 0 and null mean that it is unset.

    Source: ``platform.md#versions``.
    """
    return chosen if chosen is not None else turn_input.version_number or None


@dataclass(frozen=True)
class SentTurn:
    """A sent turn, and the means to find it in the record."""

    turn_input: TurnInput
    """As it was sent, with the client turn id if it has one."""
    run_id: str | None
    """``None`` of a first turn, whose run is not known before it is answered."""
    turn_number: int | None
    """The number that the client expects, from 1; ``None`` accepts any."""
    sent_at: float
    """Seconds since the epoch, by the clock of this machine: compared with nothing of a server's."""
    sent_on: float = field(default_factory=time.monotonic)
    """The same on the monotonic clock."""
    named_run_id: str | None = None
    """The run that the server named as that of a first turn: it may be another turn's."""
    event_ids: frozenset[str] = frozenset()
    """Ids of events that came as its own before its answer was lost."""
    server_date: float | None = None
    """The latest ``Date`` of the server before, in whole seconds since the epoch, where it tells it."""
    is_doubtful: bool = False
    """A record without it proves nothing: the server was out of reach, or may still execute the request."""

    @property
    def age(self) -> float:
        """Return the seconds since it was sent; a machine that slept may count fewer."""
        return time.monotonic() - self.sent_on

    @property
    def longest_age(self) -> float:
        """Return the seconds since it was sent, at most: a clock may have been set meanwhile."""
        return max(self.age, time.time() - self.sent_at)


def background_input() -> TurnInput:
    """Return the run input of background work, which has no message."""
    return TurnInput(command="data", miscellaneous={BACKGROUND: True})


def unwrap_run(data: Mapping[str, Any]) -> Run:
    """Return the run from any of its wrappings.

    Args:
        data: ``{"workflow_run": {"workflow_run": {...}}}``, ``{"_id", "workflow_run": {...}}`` or the run.

    Raises:
        InputError: Nothing in it is a run.
    """
    times: dict[str, Any] = {}
    run_id: Any = None
    inner: Mapping[str, Any] = data
    while isinstance(inner.get("workflow_run"), Mapping):
        run_id = inner.get("_id") or inner.get("id") or run_id
        times.update({key: inner[key] for key in ("created_at", "updated_at") if inner.get(key)})
        inner = inner["workflow_run"]
    flat = {**times, **inner}
    run_id = flat.get("workflow_run_id") or flat.get("id") or flat.get("_id") or run_id
    if run_id:
        flat["workflow_run_id"] = run_id
    return Run.from_wire(flat)


ForkMode = Literal["exact", "rebuilt", "replayed", "played"]
"""From a checkpoint; from the record of that moment; by sending all earlier inputs again."""


@dataclass(frozen=True, kw_only=True)
class ForkRecord:
    """The record of one fork, stored beside its run."""

    run_id: str
    source_run_id: str
    """The run that it left; that one is kept untouched."""
    turn_number: int
    """The turn that it begins with, counted from 1 in the numbers of the source."""
    way: ForkMode = "exact"
    changes: tuple[JsonObject, ...] = ()
    """What was changed for it: objects with ``path``, ``op``, ``before`` and ``after``."""
    note: str = ""
    forked_by: str = ""
    fidelity: JsonObject | None = None
    """What a control run found, if there was one; only its writer reads it."""
    created_at: float = 0.0
    """Seconds since 1970."""


NO_VERDICT = "open"
"""The filter for runs without a verdict."""


@dataclass(frozen=True)
class RunSearch:
    """The filters of a list of runs; defaults filter nothing."""

    version_number: int | None = None
    since: datetime | None = None
    """It began then or later; a moment that knows its zone."""
    until: datetime | None = None
    """It began before then."""
    text: str = ""
    """Words that must all be in it, in any case: in what was said, in names, notes, tags or comments."""
    tag: str = ""
    starred: bool = False
    """Only runs that have a star."""
    source_workflow_run_id: str = ""
    """Only forks of this run (``platform.md#run-list``)."""
    verdict: str = ""
    """Only runs with this verdict on the run as a whole; `NO_VERDICT` finds those without any."""

    scenario: str = ""
    """Only runs of scenarios of this name."""
    scenario_outcome: str = ""
    """Only runs of scenarios that have passed, failed or had an error."""
    without_scenarios: bool = False
    """Only runs that neither a suite nor the command ``test`` has made, where the backend knows these."""

    @property
    def words(self) -> list[str]:
        """Return the words to search, in lower case."""
        return self.text.lower().split()

    @property
    def needs_notes(self) -> bool:
        """Return whether the filters need notes or the run's record."""
        texts = self.tag, self.verdict, self.scenario, self.scenario_outcome
        return any(texts) or self.starred or self.version_number is not None
