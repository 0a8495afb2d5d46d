"""Recordings as files: JSON, one call a line (``NAME.recording.jsonl``).

The first line is the head, and each turn begins with a line of its own; so a change of one answer is one line
in a comparison of two files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, get_args

from debugger.engine.mocks.recording import (
    CallKind,
    CallRecorder,
    CallRequest,
    OnMiss,
    RecordedCall,
    RecordedTurn,
)
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import decode, json_bytes
from debugger.protocol.workflow import Workflow

FORMAT = 1
"""The version of the format, under ``recording`` in the head."""
SUFFIX = ".recording.jsonl"
MAX_BYTES = 50_000_000
"""Limit of a file that is read."""

_NEW = "Record the run again; of a scenario by workflow-debugger test --record-mode all."
_KINDS: tuple[str, ...] = get_args(CallKind)


@dataclass(frozen=True)
class Recording:
    """The calls of one run, with the time and the random values of its turns."""

    calls: tuple[RecordedCall, ...] = ()
    turns: tuple[RecordedTurn, ...] = ()
    workflow: JsonObject | None = None
    """``name`` and ``logical_id`` of the workflow that ran, as far as they are known."""
    of_events: bool = False
    """Whether it was made of a run's events, as `CallRecorder` has it."""

    @classmethod
    def of_run(cls, recorder: CallRecorder, workflow: Workflow | None = None) -> Self:
        """Return the recording of a run.

        Args:
            recorder: The recorder that the run had.
            workflow: The version that ran, which the head names.
        """
        config = None if workflow is None else workflow.config
        named = None if config is None else {"name": config.name, "logical_id": config.logical_id}
        return cls(tuple(recorder.calls), tuple(recorder.turns), named, recorder.of_events)

    def to_text(self) -> str:
        """Return the lines of the file."""
        head: JsonObject = {"recording": FORMAT}
        if self.turns:
            head["recorded_at"] = _write_time(self.turns[0].at)
        if self.workflow is not None:
            head["workflow"] = self.workflow
        if self.of_events:
            head["of_events"] = True
        lines = [head]
        calls = list(self.calls)
        for turn in self.turns:
            lines.append(_turn_line(turn))
            lines += [_call_line(call) for call in calls if call.turn == turn.number]
        text = "".join(f"{json_bytes(line).decode()}\n" for line in lines)
        if len(text.encode()) > MAX_BYTES:
            raise InputError(
                f"The recording would be larger than {MAX_BYTES // 1_000_000} MB.",
                advice="Record a shorter conversation.",
            )
        return text

    @classmethod
    def of_text(cls, text: str, name: str) -> Self:
        """Return the recording in a file's text.

        Args:
            text: The file.
            name: Its name, for errors.

        Raises:
            InputError: A line is not what a recording has there; the error names it.
        """
        lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        if not lines:
            raise InputError(f"{name} is empty, and no recording.", advice=_NEW)
        head = _read_line(lines[0][1], name, lines[0][0])
        if head.get("recording") != FORMAT:
            raise InputError(
                f"{name} is no recording, or one of a newer version: its first line has no "
                f'"recording": {FORMAT}.',
                advice=_NEW,
            )
        turns: list[RecordedTurn] = []
        calls: list[RecordedCall] = []
        for number, line in lines[1:]:
            value = _read_line(line, name, number)
            try:
                if "kind" in value:
                    calls.append(_read_call(value))
                else:
                    turns.append(_read_turn(value))
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                problem = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
                raise InputError(f"{name}, line {number}: {problem}.", advice=_NEW) from error
        workflow = head.get("workflow")
        return cls(
            tuple(calls),
            tuple(turns),
            workflow if isinstance(workflow, dict) else None,
            head.get("of_events") is True,
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the recording in a file.

        Raises:
            InputError: The file cannot be read, is too large, or is no recording.
        """
        try:
            if path.stat().st_size > MAX_BYTES:
                raise InputError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB.", advice=_NEW)
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The recording {path} cannot be read: {error}.") from error
        return cls.of_text(text, str(path))

    def player(self, on_miss: OnMiss = "stop") -> CallRecorder:
        """Return a recorder that plays it; one for each run.

        Args:
            on_miss: What follows a call for which no answer is recorded.
        """
        return CallRecorder(
            self.calls,
            plays=True,
            on_miss=on_miss,
            recorded_turns=self.turns,
            of_events=self.of_events,
        )


def _turn_line(turn: RecordedTurn) -> JsonObject:
    line = {"turn": turn.number, "at": _write_time(turn.at), "seed": turn.seed, "input": turn.input}
    return {**line, "times": turn.times} if turn.times else line


def _read_turn(value: JsonObject) -> RecordedTurn:
    """Return the turn of a line.

    Raises:
        KeyError: A key is missing.
        TypeError: A value is of another type; so does ValueError.
    """
    began, run_input = _read_time(value["at"]), _object(value, "input")
    times = _object({"times": {}, **value}, "times")
    read = {place: [float(each) for each in of_place] for place, of_place in times.items()}
    if not all(math.isfinite(each) for of_place in read.values() for each in of_place):
        raise ValueError("a time of 'times' has no end")
    return RecordedTurn(int(value["turn"]), began, run_input, int(value["seed"]), read)


def _call_line(call: RecordedCall) -> JsonObject:
    request = call.request
    return {
        "turn": call.turn,
        "kind": request.kind,
        "node": request.node,
        "name": request.name,
        "request": request.request,
        "answer": call.answer,
        "milliseconds": call.milliseconds,
        "after": call.after,
    }


def _read_call(value: JsonObject) -> RecordedCall:
    """Return the call of a line.

    Raises:
        KeyError: A key is missing.
        TypeError: A value is of another type; so does ValueError.
    """
    kind: Any = value["kind"]
    if kind not in _KINDS:
        raise ValueError(f"{kind!r} is none of {', '.join(_KINDS)}")
    request = CallRequest(kind, str(value["node"]), str(value["name"]), _object(value, "request"))
    spent, after = (float(value.get(key) or 0.0) for key in ("milliseconds", "after"))
    if not (math.isfinite(spent) and math.isfinite(after)):
        raise ValueError("a number of milliseconds has no end")
    return RecordedCall(int(value["turn"]), request, _object(value, "answer"), spent, after)


def _object(value: JsonObject, key: str) -> JsonObject:
    found = value[key]
    if not isinstance(found, dict):
        raise TypeError(f"{key!r} is no object")
    return found


def _read_line(line: str, name: str, number: int) -> JsonObject:
    """Return the object of a line.

    Raises:
        InputError: It is not a JSON object.
    """
    try:
        value = decode(line.encode("utf-8", "surrogatepass"))
    except (ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"{name}, line {number}: {error}.", advice=_NEW) from error
    if not isinstance(value, dict):
        raise InputError(f"{name}, line {number}: it is no object.", advice=_NEW)
    return value


def _write_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read_time(text: Any) -> float:
    """Return a time in seconds since the epoch.

    Raises:
        ValueError: It is no time in ISO form.
    """
    return datetime.fromisoformat(str(text)).timestamp()
