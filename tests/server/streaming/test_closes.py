from __future__ import annotations

import pytest

from debugger.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    NotStartableError,
    RateLimitError,
    RerunTokenError,
    RunEndedError,
    StoreError,
    UnsupportedError,
)
from debugger.server.streaming.frames import CloseSocket


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (InputError("bad"), 4422, "bad"),
        (NotFoundError("gone"), 4404, "gone"),
        (RunEndedError("Run 1 is over."), 4404, "Session not found"),
        (ConflictError("busy"), 4409, "busy"),
        (RateLimitError("too many"), 4429, "too many"),
        (RerunTokenError("used up"), 4007, "used up"),
        (NotStartableError("No start node found"), 1011, "No start node found"),
        (UnsupportedError("not here"), 1011, "not here"),
        (StoreError("sqlite:////srv/secret.sqlite3 is locked"), 1011, "Service unavailable"),
    ],
)
def test_close_has_status_and_message_of_error(error, code, reason):
    closing = CloseSocket.for_error(error)

    assert (closing.code, closing.reason) == (code, reason)


@pytest.mark.parametrize("letter", ["a", "ü", "語"])
def test_a_reason_fits_into_a_close_frame(letter):
    reason = CloseSocket(1011, letter * 200).reason

    assert len(reason.encode()) <= 123
    assert reason.startswith(letter * 40)
    assert reason.endswith("…")


def test_short_close_reason_is_unchanged():
    assert CloseSocket(1011, "a" * 123).reason == "a" * 123
