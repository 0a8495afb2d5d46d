"""Recorded calls: what a run asked models, tools and services, and what these answered.

A run that is played gets the recorded answers, and nothing is called. The answer of a recorded call is used
where the request is the same, ids and times aside. Another request is a miss, and nothing is guessed.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import takewhile
from typing import Any, Literal

from debugger.engine.environment import Environment, SeededEnvironment
from debugger.errors import RunError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode

CallKind = Literal["model", "tool", "service"]
"""Kind of what was called: a model, a tool of this machine, or a service that a node or tool calls."""

OnMiss = Literal["stop", "recorded", "live"]
"""Effect of a miss: the run fails, the next recorded answer of the node is used, or the call is made."""

_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?")
_AROUND = 40
"""Characters before and after the first difference of two texts."""


@dataclass(frozen=True)
class CallRequest:
    """Request of a call, secrets masked."""

    kind: CallKind
    node: str
    """Logical id of the node on whose behalf it was asked."""
    name: str
    """``say``, ``work`` or ``judge DESTINATION`` of a model, a tool's own name, or the kind of service."""
    request: JsonObject
    """Content: prompt, chat and choices for a model, code and arguments for a tool, else what is sent."""

    @property
    def place(self) -> tuple[str, str, str]:
        """Return kind, node and name."""
        return self.kind, self.node, self.name

    @property
    def label(self) -> str:
        """Return who was asked, in words: ``the model of the node 'ask' (say)``."""
        if self.kind == "model":
            return f"the model of the node {self.node!r} ({self.name})"
        return f"the {self.kind} {self.name!r} of the node {self.node!r}"

    @property
    def digest(self) -> bytes:
        """Return a digest of the request, equal where requests differ in ids and times alone."""
        return hashlib.blake2b(encode(_without_ids(self.request)), digest_size=16).digest()


@dataclass(frozen=True)
class RecordedTurn:
    """The beginning of a turn, or of a step of background work."""

    number: int
    """From 1; steps of background work count."""
    at: float
    """Seconds since the epoch."""
    input: JsonObject
    """The run input, secrets masked."""
    seed: int = 0
    """The seed of its random values."""


@dataclass(frozen=True)
class RecordedCall:
    """A call with its answer."""

    turn: int
    """Number of the turn or step of background work, from 1."""
    request: CallRequest
    answer: JsonObject
    """Fields of a `Reply`, of a `ToolResult` with its warnings, or ``how`` and ``answer`` of a service; with
    ``error`` where there was no answer."""
    milliseconds: float = 0.0
    """Duration of the call."""


@dataclass(frozen=True)
class Miss:
    """A request for which no answer is recorded."""

    turn: int
    request: CallRequest
    nearest: RecordedCall | None
    """The next recorded call of the same node and name that was not used; ``None`` without one."""

    @cached_property
    def difference(self) -> Difference | None:
        """Return the first difference from the nearest call; ``None`` without one."""
        if self.nearest is None:
            return None
        return first_difference(self.nearest.request.request, self.request.request)

    @property
    def text(self) -> str:
        """Return who was asked, and how the request differs from the recorded one."""
        if self.nearest is None:
            return f"No answer is recorded for this call of {self.request.label}."
        recorded = f"The recorded answer of {self.request.label} is for another request"
        return f"{recorded}." if self.difference is None else f"{recorded}: {self.difference.text}."


class MissError(RunError):
    """A call of a played run for which no answer is recorded.

    Args:
        miss: What was asked.
    """

    def __init__(self, miss: Miss) -> None:
        super().__init__(miss.text, advice="Record the run again, or let calls without an answer be made.")
        self.miss = miss


class _PlayedClock:
    """A clock that begins with a recorded turn, and jumps by what is waited and by recorded answers."""

    def __init__(self, at: float) -> None:
        self._seconds = at

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self._seconds

    def jump(self, seconds: float) -> None:
        """Let some seconds pass at once."""
        self._seconds += seconds

    def sleep(self, seconds: float, woken: threading.Event) -> object:
        """Let the time of a wait pass at once."""
        self.jump(seconds)
        return woken.is_set()


@dataclass
class CallRecorder:
    """Answers the calls of one run from recorded ones, and records the others.

    A call within a call, as the request of a model, belongs to it and is not recorded by itself. A turn that
    is played has the time and the random values of the recorded one, and nothing is waited for.

    Args:
        recorded: The recorded calls to answer from, in their order; none records a run anew.
        plays: Whether to answer from them; otherwise every call is made.
        on_miss: What follows a miss.
        recorded_turns: The recorded turns, for time and random values.
    """

    recorded: Sequence[RecordedCall] = ()
    plays: bool = False
    on_miss: OnMiss = "stop"
    recorded_turns: Sequence[RecordedTurn] = ()
    calls: list[RecordedCall] = field(default_factory=list, init=False)
    """The calls of this run, in order: those that were made, and those whose recorded answer was used."""
    misses: list[Miss] = field(default_factory=list, init=False)
    turns: list[RecordedTurn] = field(default_factory=list, init=False)
    """Those of this run, in order."""
    turn: int = field(default=0, init=False)
    """Number of the current turn."""
    _open: tuple[CallRequest, float] | None = field(default=None, init=False)
    """The call that is made, and when it began."""

    def __post_init__(self) -> None:
        """Prepare the recorded calls to be found by place."""
        self._now: Callable[[], float] = time.time
        self._clock: _PlayedClock | None = None
        self._unused: dict[tuple[str, str, str], deque[tuple[bytes, RecordedCall]]] = defaultdict(deque)
        for call in self.recorded:
            self._unused[call.request.place].append((call.request.digest, call))

    @property
    def unused(self) -> list[RecordedCall]:
        """Return the recorded calls that were not used, in their order."""
        left = {id(call) for each in self._unused.values() for _, call in each}
        return [call for call in self.recorded if id(call) in left]

    def begin_turn(
        self, number: int, run_input: JsonObject, world: Environment, seed: int
    ) -> SeededEnvironment:
        """Note that a turn begins, or a step of background work; return its clock and random values.

        Args:
            number: From 1.
            run_input: What the user sent, secrets masked.
            world: The clock of a turn that is not recorded.
            seed: The seed of its random values.
        """
        played = next((turn for turn in self.recorded_turns if turn.number == number), None)
        if self.plays and played is not None:
            self._clock, seed = _PlayedClock(played.at), played.seed
            world = Environment(now=self._clock.now, sleep=self._clock.sleep)
        self._now, self.turn, self._open = world.now, number, None
        if self.turns and self.turns[-1].number == number:
            self.turns.pop()  # a step of background work that found nothing to do
        self.turns.append(RecordedTurn(number, world.now(), run_input, seed))
        return SeededEnvironment(world, seed)

    @property
    def is_open(self) -> bool:
        """Return whether a call is being made."""
        return self._open is not None

    def begin(self, request: CallRequest) -> None:
        """Note that a call begins."""
        self._open = request, self._now()

    def find(self, request: CallRequest) -> RecordedCall | None:
        """Return the recorded call that answers a request, once; ``None`` where the call is to be made.

        Raises:
            MissError: None does, and misses stop the run.
        """
        if not self.plays:
            return None
        waiting = self._unused[request.place]
        digest = request.digest
        same = [each for each in waiting if each[0] == digest]
        equal = (each for each in same if each[1].request.request == request.request)
        found = next(equal, same[0] if same else None)
        if found is None:
            miss = Miss(self.turn, request, waiting[0][1] if waiting else None)
            self.misses.append(miss)
            if self.on_miss == "live":
                return None
            if self.on_miss == "stop" or not waiting:
                raise MissError(miss)
            found = waiting[0]
        waiting.remove(found)
        call = found[1]
        if self._clock is not None:
            self._clock.jump(call.milliseconds / 1000)
        self.calls.append(replace(call, turn=self.turn))
        self._open = None
        return call

    def end(self, answer: JsonObject, milliseconds: float | None = None) -> None:
        """Record the answer of the call that began last; nothing where that was played or given up.

        Args:
            answer: As `RecordedCall.answer`.
            milliseconds: How long it took; by default since `begin`.
        """
        if self._open is None:
            return
        request, began = self._open
        self._open = None
        spent = round(max(0.0, self._now() - began) * 1000, 3)
        self.calls.append(
            RecordedCall(self.turn, request, answer, spent if milliseconds is None else milliseconds)
        )

    def give_up(self) -> None:
        """Forget the call that began last, if it has no answer."""
        self._open = None


@dataclass(frozen=True)
class Difference:
    """The first difference between a recorded request and another."""

    where: str
    """The field, as ``system``, or ``history 2 text``: keys, and places in lists from 1."""
    recorded: Any
    """``None`` where there was none."""
    asked: Any

    @property
    def text(self) -> str:
        """Return the difference in words: ``'system' has '... 3 rooms' instead of '... 2 rooms'``."""
        if self.recorded is None:
            return f"{self.where!r} is new: {_cut(self.asked)}"
        if self.asked is None:
            return f"{self.where!r} is missing, which was {_cut(self.recorded)}"
        if isinstance(self.recorded, str) and isinstance(self.asked, str):
            old, new = _without_ids(self.recorded), _without_ids(self.asked)
            at = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
            return f"{self.where!r} has {_around(new, at)} instead of {_around(old, at)}"
        return f"{self.where!r} is {_cut(self.asked)} instead of {_cut(self.recorded)}"


def first_difference(recorded: Any, asked: Any, where: str = "") -> Difference | None:
    """Return the first difference between two JSON values, ids and times aside; ``None`` without one.

    Keys are compared in the order of the recorded value, then new ones. Lists of unequal length differ at the
    first place that is not the same in both.
    """
    if _without_ids(recorded) == _without_ids(asked):
        return None
    pairs: list[tuple[str, Any, Any]] = []
    if isinstance(recorded, dict) and isinstance(asked, dict):
        keys = [*recorded, *(key for key in asked if key not in recorded)]
        pairs = [(key, recorded.get(key), asked.get(key)) for key in keys]
    elif isinstance(recorded, list) and isinstance(asked, list):
        longest = range(max(len(recorded), len(asked)))
        pairs = [(str(at + 1), _at(recorded, at), _at(asked, at)) for at in longest]
    for name, old, new in pairs:
        found = first_difference(old, new, f"{where} {name}".strip())
        if found is not None:
            return found
    return Difference(where, recorded, asked)


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


def _without_ids(value: Any) -> Any:
    """Return a JSON value with the same mark for every id, and for every time, in its texts."""
    if isinstance(value, str):
        return _TIME.sub("<time>", _ID.sub("<id>", value))
    if isinstance(value, dict):
        return {key: _without_ids(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_without_ids(each) for each in value]
    return value


def _around(text: str, at: int) -> str:
    start, end = max(0, at - _AROUND), at + _AROUND
    return repr(f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}")


def _cut(value: Any) -> str:
    text = value if isinstance(value, str) else encode(value).decode()
    return repr(text if len(text) <= 2 * _AROUND else f"{text[: 2 * _AROUND]}…")
