"""Frames as they come and go: a turn from the client, an acknowledgement or an event to it.

Source: ``platform/wire.md`` 6.2 and 6.3.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message

from debugger.errors import InputError
from debugger.protocol.base import JsonObject, is_id
from debugger.protocol.events import Event
from debugger.protocol.json_codec import decode, encode
from debugger.protocol.runs import EXPECTED_TURN_KEY, FRAME_NUMBER, TRUNCATED, TurnInput
from debugger.server.live.closing import BAD_RERUN_TOKEN, HAS_INITIAL_STATE, TOO_LARGE, Closing
from debugger.server.secret_variables import without_secrets

FRAME_LIMIT = 1_000_000
"""Bytes that a frame to a client has at most: those who listen hang up at 1 MiB (``wire.md`` 6.1)."""

_LONGEST_TEXT = 2_000
_MOST_EMPTIED = 10
_ENVELOPE = frozenset({"type", "logical_id", "timestamp", "origin_thread_id", "thread_reference_id"})
_RERUN_TOKEN = "rerun_token"


@dataclass(frozen=True)
class TurnFrame:
    """A turn that a client asks for."""

    turn_input: TurnInput
    rerun_token: str | None = None
    """A token that the run begins with, on a ``start`` frame."""
    expected_turn_number: int | None = None
    """The number that the client expects the turn to get, from 1; ``None`` accepts any."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set to end it early."""

    @property
    def stops(self) -> bool:
        """Whether it ends the run."""
        return self.turn_input.command == "stop"


def read_frame(message: Message, *, limit: int) -> TurnFrame:
    """The turn in a frame.

    Args:
        message: What the socket received.
        limit: Bytes that it may have.

    Raises:
        Closing: It is none that can be run.
    """
    text = message.get("text")
    if text is None:
        raise Closing.refusing(422, "A frame must be text: a JSON object with the input of a turn.")
    raw = text.encode(errors="surrogatepass")
    if len(raw) > limit:
        raise Closing(TOO_LARGE, f"A frame may have {limit:,} bytes.")
    data = _object(raw)
    if data.get("initial_state") is not None:
        raise Closing(HAS_INITIAL_STATE, "A client does not set the state of a run.")
    token = data.pop(_RERUN_TOKEN, None)
    number = data.pop(EXPECTED_TURN_KEY, None)
    if number is not None and (type(number) is not int or number < 1):
        raise Closing.refusing(422, f"{EXPECTED_TURN_KEY}: a turn number is an integer from 1.")
    try:
        turn_input = TurnInput.from_wire(without_secrets(data))
    except InputError as error:
        raise Closing.refusing(422, error.message) from error
    for name in ("workflow_id", "workflow_run_id"):
        given = getattr(turn_input, name)
        if given is not None and not is_id(given):
            raise Closing.refusing(422, f"{name}: an id is 24 lower-case hex digits.")
    if token is not None and (not isinstance(token, str) or turn_input.command != "start"):
        raise Closing(BAD_RERUN_TOKEN, "A re-run token is a text, and comes with the command start.")
    return TurnFrame(turn_input, token, number)


def acknowledgement(run_id: str, workflow_id: str, turn_number: int | None) -> str:
    """Return the frame that acknowledges a turn: its run, and its number where that is known already."""
    frame: JsonObject = {
        "workflow_run_id": run_id,
        "workflow_id": workflow_id,
        "message": "The turn is being executed.",
    }
    if turn_number is not None:
        frame["turn_number"] = turn_number
    return encode(frame).decode()


def event_frame(event: Event, number: int) -> str:
    """Return the frame of an event; one that would be too large loses what is long in it, and is marked.

    Args:
        event: The event.
        number: Its place in the turn, from 1.
    """
    whole = {**event.to_wire(), FRAME_NUMBER: number}
    text = encode(whole)
    if len(text) > FRAME_LIMIT:
        text = next(short for short in map(encode, _shorter(whole)) if len(short) <= FRAME_LIMIT)
    return text.decode(errors="replace")


def _object(raw: bytes) -> JsonObject:
    try:
        value = decode(raw)
    except (ValueError, RecursionError) as error:
        raise Closing.refusing(422, f"The frame is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Closing.refusing(422, "The frame must be a JSON object.")
    return value


def _shorter(event: JsonObject) -> Iterator[JsonObject]:
    """An event with less and less in it: without what repeats a turn, without long texts, without all."""
    told = {**event, TRUNCATED: True}
    if "run_input_output_pair" in told:
        told["run_input_output_pair"] = None
        yield told
    told = _mapped(told, lambda text: text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…")
    yield told
    largest = sorted(told.keys() - _ENVELOPE, key=lambda name: len(encode(told[name])), reverse=True)
    for name in largest[:_MOST_EMPTIED]:
        told = {**told, name: _empty(told[name])}
        yield told
    yield {key: told[key] for key in (*_ENVELOPE, TRUNCATED, FRAME_NUMBER) if key in told}


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case dict():
            return {key: _mapped(part, change) for key, part in value.items()}
        case list():
            return [_mapped(part, change) for part in value]
    return value


def _empty(value: Any) -> Any:
    """A value of the same kind with nothing in it."""
    return type(value)() if isinstance(value, dict | list | str) else value
