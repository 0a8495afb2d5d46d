"""Frames of a socket: turns of the client, acknowledgements, events and closes.

Source: ``platform.md#start-frame`` and ``platform.md#close-codes``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message

from debugger.boundary import release_line
from debugger.errors import DebuggerError, InputError, RerunTokenError, RunEndedError, TurnNotStoredError
from debugger.protocol.base import JsonObject, is_id, without_secret_variables
from debugger.protocol.events import Event
from debugger.protocol.json_codec import decode, encode
from debugger.protocol.runs import EXPECTED_TURN_KEY, FRAME_NUMBER, TRUNCATED, TurnInput
from debugger.server.errors import NOT_STORED, SESSION_NOT_FOUND

DONE = 1000
READS_TOO_SLOWLY = 1008
TOO_LARGE = 1009
BROKEN = 1011
HAS_INITIAL_STATE = 4006
BAD_RERUN_TOKEN = 4007
REFUSED = 4000
"""Added to an HTTP status between 400 and 499; the platform's own codes are below these."""

_MAX_REASON = 123
"""Bytes of a reason that fit into the frame."""

MAX_FRAME = 1_000_000
"""Bytes of a frame to a client: clients close the socket at 1 MiB (``platform.md#websocket``)."""

_MAX_TEXT = 2_000
_MAX_EMPTIED = 10
_ENVELOPE = frozenset({"type", "logical_id", "timestamp", "origin_thread_id", "thread_reference_id"})
_RERUN_TOKEN = "rerun_token"


class CloseSocket(Exception):
    """The socket is to be closed (``platform.md#close-codes``).

    Args:
        code: The close code.
        reason: The reason in words; secrets in it are masked.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        self.code = code
        self.reason = _cut(release_line(reason))
        super().__init__(self.reason)

    @classmethod
    def with_status(cls, status: int, reason: str) -> CloseSocket:
        """Return the close for an HTTP status from 400 to 499."""
        return cls(REFUSED + status, reason)

    @classmethod
    def for_error(cls, error: DebuggerError) -> CloseSocket:
        """Return the close for an error of a turn.

        Its code is that of the HTTP status below 500, also 404 for an ended run, and `BAD_RERUN_TOKEN` for a
        re-run token; any other error has `BROKEN`. The reason is the error's message, except for an ended run
        and for status 503; that of a turn that ran and is not on record begins with `NOT_STORED`.
        """
        if isinstance(error, RunEndedError):
            return cls.with_status(404, SESSION_NOT_FOUND)
        if isinstance(error, RerunTokenError):
            return cls(BAD_RERUN_TOKEN, error.message)
        if isinstance(error, TurnNotStoredError):  # other conflicts mean that nothing was executed
            return cls.with_status(error.status, f"{NOT_STORED}: {error.message}")
        if error.status < 500:
            return cls.with_status(error.status, error.message)
        # The place of the database and its error are for the operator.
        return cls(BROKEN, "Service unavailable" if error.status == 503 else error.message)


@dataclass(frozen=True)
class TurnFrame:
    """A turn that a client requests."""

    turn_input: TurnInput
    rerun_token: str | None = None
    """A token that starts the run, on a ``start`` frame."""
    expected_turn_number: int | None = None
    """The number that the client expects the turn to get, from 1; ``None`` accepts any."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set to cancel the turn."""

    @property
    def is_stop(self) -> bool:
        """Return whether the turn ends the run."""
        return self.turn_input.command == "stop"


def read_frame(message: Message, *, limit: int) -> TurnFrame:
    """Return the turn in a frame, without secret variables.

    Args:
        message: The message of the socket.
        limit: Bytes of a frame.

    Raises:
        CloseSocket: It has more bytes, is no text or no JSON object, has an initial state, or a value that it
            cannot have; or a re-run token is no text or comes with another command than ``start``.
    """
    text = message.get("text")
    if text is None:
        raise CloseSocket.with_status(422, "A frame must be text: a JSON object with the input of a turn.")
    raw = text.encode(errors="surrogatepass")
    if len(raw) > limit:
        raise CloseSocket(TOO_LARGE, f"A frame may have {limit:,} bytes.")
    data = _decode(raw)
    if data.get("initial_state") is not None:
        raise CloseSocket(HAS_INITIAL_STATE, "A client does not set the state of a run.")
    token = data.pop(_RERUN_TOKEN, None)
    number = data.pop(EXPECTED_TURN_KEY, None)
    if number is not None and (type(number) is not int or number < 1):
        raise CloseSocket.with_status(422, f"{EXPECTED_TURN_KEY}: a turn number is an integer from 1.")
    try:
        turn_input = TurnInput.from_wire(without_secret_variables(data))
    except InputError as error:
        raise CloseSocket.with_status(422, error.message) from error
    except RecursionError as error:
        raise CloseSocket.with_status(422, "A value is nested too deeply.") from error
    for name in ("workflow_id", "workflow_run_id"):
        value = getattr(turn_input, name)
        if value is not None and not is_id(value):
            raise CloseSocket.with_status(422, f"{name}: an id is 24 lower-case hex digits.")
    if token is not None and (not isinstance(token, str) or turn_input.command != "start"):
        raise CloseSocket(BAD_RERUN_TOKEN, "A re-run token is a text, and comes with the command start.")
    return TurnFrame(turn_input, token, number)


def acknowledgement(run_id: str, workflow_id: str, turn_number: int | None) -> str:
    """Return the acknowledgement of a turn as JSON, with its number if known already."""
    frame: JsonObject = {
        "workflow_run_id": run_id,
        "workflow_id": workflow_id,
        "message": "The turn is being executed.",
    }
    if turn_number is not None:
        frame["turn_number"] = turn_number
    return encode(frame).decode()


def event_frame(event: Event, number: int) -> str:
    """Return the frame of an event.

    One that is too large loses its long parts, and is marked.

    Args:
        event: The event.
        number: Its place in the turn, from 1.
    """
    whole = {**event.to_wire(), FRAME_NUMBER: number}
    text = encode(whole)
    if len(text) > MAX_FRAME:
        text = next(short for short in map(encode, _shorter(whole)) if len(short) <= MAX_FRAME)
    return text.decode(errors="replace")


def _decode(raw: bytes) -> JsonObject:
    """Return the JSON object in a frame.

    Raises CloseSocket with 422 when it is not JSON, is nested too deeply, or is no object.
    """
    try:
        value = decode(raw)
    except (ValueError, RecursionError) as error:
        raise CloseSocket.with_status(422, f"The frame is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CloseSocket.with_status(422, "The frame must be a JSON object.")
    return value


def _shorter(event: JsonObject) -> Iterator[JsonObject]:
    """Yield ever shorter versions of an event, at last its envelope.

    All are marked as truncated. First the pair of input and output is null, if it has one; then texts are
    cut; then up to ten of the largest fields are emptied, one by one.
    """
    short = {**event, TRUNCATED: True}
    if "run_input_output_pair" in short:
        short["run_input_output_pair"] = None
        yield short
    short = _mapped(short, lambda text: text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…")
    yield short
    largest = sorted(short.keys() - _ENVELOPE, key=lambda name: len(encode(short[name])), reverse=True)
    for name in largest[:_MAX_EMPTIED]:
        value = short[name]
        short = {**short, name: type(value)() if isinstance(value, dict | list | str) else value}
        yield short
    yield {key: short[key] for key in (*_ENVELOPE, TRUNCATED, FRAME_NUMBER) if key in short}


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value whose texts are changed, at any depth; keys and other values stay."""
    match value:
        case str():
            return change(value)
        case dict():
            return {key: _mapped(part, change) for key, part in value.items()}
        case list():
            return [_mapped(part, change) for part in value]
    return value


def _cut(reason: str) -> str:
    data = reason.encode(errors="replace")
    if len(data) <= _MAX_REASON:
        return reason
    return data[: _MAX_REASON - 3].decode(errors="ignore") + "…"
