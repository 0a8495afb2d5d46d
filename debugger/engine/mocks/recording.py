"""Recorded calls: what a run asked models, tools and services, and what these answered.

A run that is played gets the recorded answers, and nothing is called. The answer of a recorded call is used
where the request is the same, ids and times aside. Another request is a miss, and nothing is guessed.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import takewhile
from typing import Any, Literal

from debugger.engine.environment import Environment, SeededEnvironment
from debugger.errors import InputError, RunError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import BACKGROUND

CallKind = Literal["model", "tool", "service", "node"]
"""Kind of what was called: a model, a tool, a service that a node or tool calls, or a node that calls one."""

OnMiss = Literal["stop", "recorded", "live"]
"""Effect of a miss: the run fails, the next recorded answer of the node is used, or the call is made."""

_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?")
_OF_RUN = "Nothing was called. Fork the run before this turn to continue it with a model."
"""The advice about a run of which only the events are known."""
_AROUND = 40
"""Characters before and after the first difference of two texts."""


@dataclass(frozen=True)
class CallRequest:
    """Request of a call, secrets masked."""

    kind: CallKind
    node: str
    """Logical id of the node on whose behalf it was asked."""
    name: str
    """``say``, ``work`` or ``judge DESTINATION`` of a model, a tool's own name, the kind of service, or the
    type of a node."""
    request: JsonObject
    """Content: prompt, chat and choices for a model, code and arguments for a tool, the fields of a node,
    variables filled in, else what is sent."""

    @property
    def place(self) -> tuple[str, str, str]:
        """Return kind, node and name."""
        return self.kind, self.node, self.name

    @property
    def label(self) -> str:
        """Return who was asked, in words: ``the model of the node 'ask' (say)``."""
        if self.kind == "model":
            return f"the model of the node {self.node!r} ({self.name})"
        if self.kind == "node":
            return f"the node {self.node!r} ({self.name})"
        return f"the {self.kind} {self.name!r} of the node {self.node!r}"

    @cached_property
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
    times: dict[str, list[float]] = field(default_factory=dict)
    """The times by which limits and pauses were decided, in order, by the id of the node or edge."""

    @property
    def is_background(self) -> bool:
        """Return whether it is a step of background work."""
        notes = self.input.get("miscellaneous")
        return isinstance(notes, dict) and bool(notes.get(BACKGROUND))


@dataclass(frozen=True)
class RecordedCall:
    """A call with its answer."""

    turn: int
    """Number of the turn or step of background work, from 1."""
    request: CallRequest
    answer: JsonObject
    """Fields of a `Reply`, of a `ToolResult` with its warnings, or ``how`` and ``answer`` of a service; with
    ``error`` where there was no answer. Of a node ``events``, ``variables`` and ``output``."""
    milliseconds: float = 0.0
    """Duration of the call."""
    after: float = 0.0
    """Milliseconds from the beginning of the turn to that of the call."""


@dataclass(frozen=True)
class Miss:
    """A request for which no answer is recorded."""

    turn: int
    request: CallRequest
    nearest: RecordedCall | None
    """The next recorded call of the same node and name that was not used; ``None`` without one, and of a run
    of which the requests are not known."""

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
        advice: What can be done.
    """

    def __init__(
        self, miss: Miss, advice: str = "Record the run again, or let calls without an answer be made."
    ) -> None:
        super().__init__(miss.text, advice=advice)
        self.miss = miss


def _find_same(waiting: Iterable[RecordedCall], request: CallRequest, turn: int) -> RecordedCall | None:
    """Return the first recorded call of an equal request, else of one that only ids and times set apart.

    Of several the first of the turn is preferred: what an earlier turn has left is no answer to this one.
    """
    ordered = sorted(waiting, key=lambda call: call.turn != turn)
    for call in ordered:
        if call.request.request == request.request:
            return call
    return next((call for call in ordered if call.request.digest == request.digest), None)


class _PlayedClock:
    """A clock that begins with a recorded turn, and jumps by what is waited and to recorded answers."""

    def __init__(self, at: float) -> None:
        self._seconds = at

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self._seconds

    def move_to(self, seconds: float) -> None:
        """Move it on to a time that is ahead."""
        self._seconds = max(self._seconds, seconds)

    def sleep(self, seconds: float, woken: threading.Event) -> object:
        """Let the time of a wait pass at once."""
        self._seconds += seconds
        return woken.is_set()


class _TurnEnvironment(SeededEnvironment):
    """The clock and random values of a turn whose decisions by time are recorded or played."""

    def __init__(self, world: Environment, seed: int, read: Callable[[str], float]) -> None:
        super().__init__(world, seed)
        self._read = read

    def time_of(self, place: str) -> float:
        """Return the recorded time, else that of the clock."""
        return self._read(place)


@dataclass
class CallRecorder:
    """Answers the calls of one run from recorded ones, and records the others.

    A call within a call, as the request of a model, belongs to it and is not recorded by itself. A turn that
    is played has the time and the random values of the recorded one, and nothing is waited for. A second run
    needs a recorder of its own.

    Args:
        recorded: The recorded calls to answer from, in their order; none records a run anew.
        plays: Whether to answer from them; otherwise every call is made.
        on_miss: What follows a miss.
        recorded_turns: The recorded turns, for time and random values.
        by_order: Whether calls are answered by their order in a turn, whatever they ask: of a run of which
            the requests are not known. What they ask is in ``calls`` then.
        of_events: Whether the answers are those of a run's events, which have the run of a node or tool that
            calls a service as a whole.
    """

    recorded: Sequence[RecordedCall] = ()
    plays: bool = False
    on_miss: OnMiss = "stop"
    recorded_turns: Sequence[RecordedTurn] = ()
    by_order: bool = False
    of_events: bool = False
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
        self._began = 0.0
        self._clock: _PlayedClock | None = None
        self._times: dict[str, deque[float]] = {}
        self._unused: dict[tuple[str, str, str], deque[RecordedCall]] = {}
        for call in self.recorded:
            self._unused.setdefault(call.request.place, deque()).append(call)

    @property
    def is_closed(self) -> bool:
        """Return whether every call is answered from the recorded ones or fails: none may be made."""
        return self.plays and self.on_miss != "live"

    @property
    def unused(self) -> list[RecordedCall]:
        """Return the recorded calls that were not used, in their order."""
        left = {id(call) for each in self._unused.values() for call in each}
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

        Raises:
            InputError: The recorder has this turn or a later one: that of another run.
        """
        # A step of background work that found nothing to do made no call, and its number comes again.
        if number < self.turn or (number == self.turn and not self._is_idle):
            raise InputError(
                f"The recorder has the calls of one run already, and turn {number} is of another.",
                advice="Make a CallRecorder for each run.",
            )
        played = next((turn for turn in self.recorded_turns if turn.number == number), None)
        if self.plays and played is not None:
            self._clock, seed = _PlayedClock(played.at), played.seed
            self._times = {place: deque(times) for place, times in played.times.items()}
            world = Environment(now=self._clock.now, sleep=self._clock.sleep)
        else:
            self._clock, self._times = None, {}
        self._now, self.turn, self._open = world.now, number, None
        if self._is_idle and self.turns[-1].number == number:
            self.turns.pop()
        self._began = world.now()
        self.turns.append(RecordedTurn(number, self._began, run_input, seed))
        return _TurnEnvironment(world, seed, self._read_time)

    def _read_time(self, place: str) -> float:
        """Return and record the time by which something is decided; the recorded one where one is left."""
        now = self._now()
        if self._times.get(place):
            now = self._times[place].popleft()
            if self._clock is not None:
                self._clock.move_to(now)
        self.turns[-1].times.setdefault(place, []).append(now)
        return now

    @property
    def _is_idle(self) -> bool:
        """Return whether the current turn is a step of background work, and made no call yet."""
        has_calls = bool(self.calls) and self.calls[-1].turn == self.turn
        return bool(self.turns) and self.turns[-1].is_background and not has_calls

    @property
    def is_open(self) -> bool:
        """Return whether a call is being made."""
        return self._open is not None

    def knows(self, request: CallRequest) -> bool:
        """Return whether there is a recorded call of the same kind, node and name, used or not."""
        return request.place in self._unused

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
        waiting = self._unused.get(request.place, deque())
        found = self._next_of_turn(waiting) if self.by_order else _find_same(waiting, request, self.turn)
        if found is None:
            miss = Miss(self.turn, request, waiting[0] if waiting and not self.by_order else None)
            self.misses.append(miss)
            if self.on_miss == "live":
                return None
            if self.on_miss == "stop" or not waiting:
                raise MissError(miss, _OF_RUN) if self.by_order else MissError(miss)
            found = waiting[0]
        waiting.remove(found)
        call = found
        if self._clock is not None:
            # Of a call of another turn only its duration is of use.
            began = self._began + call.after / 1000 if call.turn == self.turn else self._now()
            self._clock.move_to(began + call.milliseconds / 1000)
        self.calls.append(replace(call, turn=self.turn, request=request if self.by_order else call.request))
        self._open = None
        return call

    def _next_of_turn(self, waiting: Sequence[RecordedCall]) -> RecordedCall | None:
        """Return the next recorded call, if it is of the current turn."""
        return waiting[0] if waiting and waiting[0].turn == self.turn else None

    def end(self, answer: JsonObject, milliseconds: float | None = None) -> None:
        """Record the answer of the call that began last; nothing where that was played.

        Args:
            answer: As `RecordedCall.answer`.
            milliseconds: How long it took; by default since `begin`.
        """
        if self._open is None:
            return
        request, began = self._open
        self._open = None
        spent = _milliseconds(self._now() - began) if milliseconds is None else milliseconds
        after = _milliseconds(began - self._began)
        self.calls.append(RecordedCall(self.turn, request, answer, spent, after))


@dataclass(frozen=True)
class Difference:
    """The first difference between a recorded request and another."""

    where: str
    """The field, as ``system``, or ``history 2 text``: keys, and places in lists from 1."""
    recorded: Any
    """``None`` where there was none."""
    asked: Any

    @property
    def sides(self) -> tuple[str, str]:
        """Return what was recorded and what is asked, quoted; of two texts what is around the difference."""
        if isinstance(self.recorded, str) and isinstance(self.asked, str):
            old, new = _without_ids(self.recorded), _without_ids(self.asked)
            at = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
            return _around(old, at), _around(new, at)
        return _cut(self.recorded), _cut(self.asked)

    @property
    def text(self) -> str:
        """Return the difference in words: ``'system' has '... 3 rooms' instead of '... 2 rooms'``."""
        recorded, asked = self.sides
        if self.recorded is None:
            return f"{self.where!r} is new: {asked}"
        if self.asked is None:
            return f"{self.where!r} is missing, which was {recorded}"
        are_texts = isinstance(self.recorded, str) and isinstance(self.asked, str)
        return f"{self.where!r} {'has' if are_texts else 'is'} {asked} instead of {recorded}"


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


def _milliseconds(seconds: float) -> float:
    return round(max(0.0, seconds) * 1000, 3)


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
