"""The scenario file as models, from which its JSON Schema is made.

Format version 1; `debugger/docs/scenarios.md` explains it for its writers.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from debugger.analysis.thread_positions import HintKind
from debugger.analysis.variable_history import read_watch
from debugger.engine.mocks.pins_and_faults import TargetKind, check_hits, check_output
from debugger.engine.mocks.recording import OnMiss
from debugger.engine.mocks.recording_file import SUFFIX as RECORDING_SUFFIX
from debugger.errors import DebuggerError, InputError
from debugger.expressions.limits import LimitError
from debugger.expressions.patterns import compile_pattern
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import RunStatus
from debugger.settings import OutboundPolicy

VERSION = 1

SideEffectClass = Literal["talk", "read", "write", "contact"]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, coerce_numbers_to_str=True, use_attribute_docstrings=True
    )

    def _with_one_of(self, names: tuple[str, ...]) -> Self:
        """Return the model itself, which has exactly one of some fields.

        Raises `ValueError` where it has none or several.
        """
        found = [name for name in names if getattr(self, name) is not None]
        if len(found) != 1:
            wrong = f", not {' and '.join(found)}" if found else ""
            raise ValueError(f"needs exactly one of {', '.join(name.strip('_') for name in names)}{wrong}")
        return self


def _text_match(value: Any) -> Any:
    is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    return {"contains": value} if is_text else value


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _pattern(text: str) -> str:
    """Return a pattern that can be compiled; one with a placeholder is not checked.

    Raises:
        ValueError: It breaks a rule of patterns.
    """
    if "{{" not in text:  # else it is checked with each row
        try:
            compile_pattern(text)
        except LimitError as error:
            raise ValueError(str(error)) from error
    return text


def _hits(text: str) -> str:
    """Return the text of hits as it is.

    Raises `ValueError` where it is none.
    """
    try:
        check_hits(text)
    except InputError as error:
        raise ValueError(str(error).removesuffix(".")) from error
    return text


def _variable_name(name: str) -> str:
    """Return the name of a variable with its scope; one with a placeholder is not checked.

    Raises:
        ValueError: It is a condition, has no scope or cannot be read.
    """
    if "{{" in name:
        return name
    try:
        is_name = _SCOPED.match(name) is not None and not read_watch(name).is_condition
    except DebuggerError:
        is_name = False
    if not is_name:
        raise ValueError(f"{name!r} is no variable; expected runtime., dynamic. or workflow. and its name")
    return name


_SCOPED = re.compile(r"(runtime|dynamic|workflow|system)\.\S")
Pattern = Annotated[str, AfterValidator(_pattern)]
VariableName = Annotated[str, AfterValidator(_variable_name)]
Texts = Annotated[
    list[str], Field(min_length=1), BeforeValidator(_list, json_schema_input_type=str | list[str])
]


def _recording_name(name: str) -> str:
    """Return the path of recorded answers as it is.

    Raises:
        ValueError: It has another end.
    """
    if not name.endswith(RECORDING_SUFFIX) or name == RECORDING_SUFFIX:
        raise ValueError(f"{name!r} does not end in {RECORDING_SUFFIX}")
    return name


RecordingName = Annotated[str, AfterValidator(_recording_name)]
SideEffectClasses = Annotated[
    list[SideEffectClass],
    Field(min_length=1),
    BeforeValidator(_list, json_schema_input_type=SideEffectClass | list[SideEffectClass]),
]


class TextMatch(_Model):
    """A comparison of a text; a plain text means ``contains``."""

    equals: str | None = None
    contains: str | None = None
    """The text is found in it, upper and lower case alike."""
    regex: Pattern | None = None
    """A regular expression that is searched for."""
    similar: str | None = None
    """A text whose words are the same for the most part."""
    at_least: float = Field(default=0.8, ge=0, le=1)
    """The least similarity, from 0 to 1, as `difflib.SequenceMatcher` counts it over words."""
    not_: MatchedText | None = Field(default=None, alias="not")
    """A comparison that must not hold."""

    @model_validator(mode="after")
    def _compares_once(self) -> Self:
        return self._with_one_of(("equals", "contains", "regex", "similar", "not_"))


MatchedText = Annotated[TextMatch, BeforeValidator(_text_match, json_schema_input_type=str | TextMatch)]


class VariableMatch(_Model):
    """A comparison of one variable after the turn."""

    name: VariableName
    """``runtime.slot``, ``dynamic.name`` or ``workflow.name``, then a path: ``runtime.patient.phones[0]``."""
    thread: str = "0"
    """The thread whose runtime variables are meant."""
    equals: Any = None
    not_equals: Any = None
    one_of: list[Any] | None = None
    contains: Any = None
    """A part of a text, an element of a list or a key of an object."""
    regex: Pattern | None = None
    less_than: float | None = None
    at_most: float | None = None
    greater_than: float | None = None
    at_least: float | None = None
    absent: bool | None = None
    """``true``: it has no value; ``false``: it has one."""

    @property
    def comparison(self) -> tuple[str, Any]:
        """Return the name of the comparison and its operand."""
        name = next(iter(self.model_fields_set - {"name", "thread"}))
        return name, getattr(self, name)

    @model_validator(mode="after")
    def _compares_once(self) -> Self:
        """Return the match itself.

        Raises:
            ValueError: It has no comparison or several, or one without a value that needs one.
        """
        if len(self.model_fields_set - {"name", "thread"}) != 1:
            raise ValueError(f"needs exactly one of {', '.join(_COMPARISONS)}")
        name, operand = self.comparison
        if operand is None and name not in ("equals", "not_equals", "contains"):
            raise ValueError(f"{name!r} needs a value")
        return self


_COMPARISONS = [name for name in VariableMatch.model_fields if name not in ("name", "thread")]


class HintMatch(_Model):
    """The hint of what the run waits for after the turn."""

    waiting: bool = True
    """``false``: the run must not wait for the user."""
    node: str | None = None
    """The node that waits, by logical id or name."""
    kind: HintKind | None = None
    """The kind of input, as the column ``next_input_hint_kind`` of exports has it."""


class Limits(_Model):
    """Upper bounds; of one turn where they are in a turn, else of the whole run."""

    tokens: int | None = Field(default=None, ge=0)
    ms: float | None = Field(default=None, ge=0)
    """Milliseconds without pauses."""
    turns: int | None = Field(default=None, ge=0)
    """Turns of the user; at the end only."""
    node_runs: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if all(limit is None for _, limit in self):
            raise ValueError(f"needs one of {', '.join(type(self).model_fields)}")
        return self


class EventMatch(_Model):
    """One event, by type and node."""

    type: str
    node: str | None = None


def _event_match(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


EventStep = Annotated[EventMatch, BeforeValidator(_event_match, json_schema_input_type=str | EventMatch)]


class Judge(_Model):
    """A judgement by a model on the conversation so far."""

    criterion: str
    """A statement that must be true, such as ``The agent confirms the date``."""
    model: str | None = None
    """The model's name; by default the one of the settings."""


ExpectationKind = Literal[
    "says",
    "reached",
    "not_reached",
    "path",
    "edge_taken",
    "edge_not_taken",
    "variable",
    "hint",
    "status",
    "no_side_effect",
    "at_most",
    "events",
    "judge",
]
"""Each has a field of `Expectation`, which describes it in the JSON Schema, and an entry in
`debugger.scenarios.checks` and `debugger.scenarios.expectation_rows`."""
KINDS: tuple[ExpectationKind, ...] = get_args(ExpectationKind)
"""The kinds of expectations, in the order of the documentation."""


class Expectation(_Model):
    """One check: exactly one of the kinds, besides ``message`` and ``soft``."""

    says: MatchedText | None = None
    """One message of the agent in the turn (at the end: in the run) that fits; ``not`` is of all of them."""
    reached: Texts | None = None
    """Nodes, by logical id or name, that all ran."""
    not_reached: Texts | None = None
    path: list[str] | None = Field(default=None, min_length=1)
    """The nodes of the main thread in order; ``...`` is any number of nodes, none included."""
    edge_taken: Texts | None = None
    """Edges, by name, logical id or condition, that were all taken."""
    edge_not_taken: Texts | None = None
    variable: VariableMatch | None = None
    hint: HintMatch | None = None
    status: RunStatus | None = None
    no_side_effect: SideEffectClasses | None = None
    """Classes of calls to the outside that were neither made nor blocked."""
    at_most: Limits | None = None
    events: list[EventStep] | None = Field(default=None, min_length=1)
    """Events in this order; others may be between them."""
    judge: Judge | None = None
    message: str = ""
    """The text that a failure begins with."""
    soft: bool = False
    """A failure is reported as a warning and fails nothing."""

    @property
    def kind(self) -> ExpectationKind:
        """Return the kind, such as ``says``."""
        return next(name for name in KINDS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        return self._with_one_of(KINDS)


class ScenarioTurn(_Model):
    """One turn: what the user says or sends, and what is expected."""

    say: str | None = None
    """The user's message; ``{{column}}`` is filled from the row, and ``\\{{`` begins a plain text."""
    send: JsonObject | None = None
    """A run input of the API, laid over the scenario's; with ``say`` the message is added to it."""
    advance: int | None = Field(default=None, ge=1, le=100)
    """Steps of background work instead of a turn."""
    expect: list[Expectation] = Field(default_factory=list)

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if self.advance is not None and (self.say is not None or self.send is not None):
            raise ValueError("has 'advance' beside 'say' or 'send'; use a turn of its own")
        return self


class MockSpec(_Model):
    """A mock or a fault; exactly one target, and an output or an error or a delay."""

    node: str | None = None
    """A whole run of a node, by logical id or name."""
    tool: str | None = None
    model_of: str | None = None
    """The answer of a node's model, by the node's logical id or name."""
    called_by: str = ""
    """The node that calls the tool; empty means every node."""
    output: JsonObject | None = None
    """The output, in the form that `debugger.engine.mocks.Pin` describes."""
    error: str = ""
    delay_seconds: float = Field(default=0, ge=0, le=600)
    attempts: Annotated[str, AfterValidator(_hits)] = ""
    """The calls that fail: ``1``, ``>=2``, ``<=3``, ``%2``; empty is every call."""

    @model_validator(mode="after")
    def _replaces_one_thing(self) -> Self:
        """Return the mock itself.

        Raises:
            ValueError: It has not exactly one target, both an output and a fault or neither, or a wrong
                output.
        """
        if (self.output is None) == (not self.error and not self.delay_seconds):
            raise ValueError("needs either 'output', or 'error' or 'delay_seconds'")
        self._with_one_of(("node", "tool", "model_of"))
        if self.output is not None:
            kind: TargetKind = (
                "node" if self.node is not None else "tool" if self.tool is not None else "model"
            )
            try:
                check_output(kind, self.output)
            except InputError as error:
                raise ValueError(str(error).removesuffix(".")) from error
        return self


class Calls(_Model):
    """Policies for calls; one that the settings of the process forbid is not made."""

    talk: OutboundPolicy | None = None
    """Calls to models; by default ``simulated``: the script or the built-in rules answer."""
    read: OutboundPolicy | None = None
    """Calls that only read; by default ``simulated``."""
    write: OutboundPolicy | None = None
    """Calls that change something; by default as the settings have it."""
    contact: OutboundPolicy | None = None
    """Calls that contact a person; by default as the settings have it."""

    def with_live(self, classes: Collection[str]) -> Self:
        """Return them with classes live that they do not name."""
        own = {name: "live" for name in classes if getattr(self, name) is None}
        return self.model_copy(update=own)


class Repeat(_Model):
    """Repetitions of each row, of which a number must pass."""

    times: int = Field(ge=1, le=1000)
    passes: int | None = Field(default=None, ge=1)
    """The number that must pass; by default all."""

    @model_validator(mode="after")
    def _can_pass(self) -> Self:
        if self.passes is not None and self.passes > self.times:
            raise ValueError(f"'passes' {self.passes} is more than 'times' {self.times}")
        return self

    @property
    def needed(self) -> int:
        """Return the number of repetitions that must pass."""
        return self.passes or self.times


class Scenario(_Model):
    """A conversation with expectations."""

    version: Literal[1]
    """The version of the format."""
    name: str = Field(min_length=1)
    description: str = ""
    tags: list[str] = Field(default_factory=list)
    workflow: str = Field(min_length=1)
    """A logical id or id, or the path of a JSON file relative to this file."""
    workflow_version: int | None = Field(default=None, ge=0)
    """By default the active one; of a JSON file not possible."""
    made_with_version: int | None = Field(default=None, ge=0)
    """The version whose run was saved as this scenario; results tell it beside the one that ran."""
    connection: str = "embedded"
    """``embedded``, ``hosted``, or the name of a saved connection; ``--backend`` wins."""
    script: str | None = None
    """The path of a script that answers for models, relative to this file; embedded only."""
    recording: RecordingName | None = None
    """The path of recorded answers, ``NAME.recording.jsonl``, relative to this file; embedded only."""
    on_miss: OnMiss = "stop"
    """Effect of a call without a recorded answer: a failed check, the node's next answer, or the call."""
    clock: datetime | None = None
    """A time at which the clock is frozen; embedded only."""
    seed: int | None = Field(default=None, ge=0, lt=2**64)
    """A seed of random values; embedded only."""
    input: JsonObject = Field(default_factory=dict)
    """The run input of every turn: variables, ``start_node_logical_id``, ``initial_state`` and other keys."""
    mocks: list[MockSpec] = Field(default_factory=list)
    calls: Calls = Calls()
    """What happens to calls to models and services; embedded only."""
    rows: list[JsonObject] | str = Field(default_factory=list)
    """Values for ``{{column}}`` in ``input``, ``turns`` and ``expect``: inline, or a CSV file's path."""
    repeat: Repeat | None = None
    turns: list[ScenarioTurn] = Field(min_length=1)
    expect: list[Expectation] = Field(default_factory=list)
    """Checks at the end, on the whole run."""
