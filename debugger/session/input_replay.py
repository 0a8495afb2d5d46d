"""Recorded inputs sent to a run one after the other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from debugger.engine.background_call import BackgroundCall
from debugger.protocol.runs import TERMINAL_STATUSES, TurnInput, TurnResult
from debugger.protocol.turn_logs import TurnLog

if TYPE_CHECKING:
    from debugger.session.session import DebugSession

_log = logging.getLogger(__name__)


class InputReplay:
    """Sends inputs to a session on a thread of its own.

    It is started by `DebugSession.replay_inputs`.

    A breakpoint pauses it like any other turn. Failures are in the session's
    ``error``, or by ``problem``.

    Args:
        session: Takes the inputs.
        inputs: What is sent, in order; ``None`` is a step of background work.
        on_first_turn: Told how the first turn ended; a hosted run has its id only then.
        on_input: Called after each input with the turn or step that it gave; ``None`` where that was none.
        on_end: Called once, after the last turn.
        stop_reason: Returns why no further input is sent, as a sentence; empty to continue.
    """

    def __init__(
        self,
        session: DebugSession,
        inputs: Sequence[TurnInput | None],
        *,
        on_first_turn: Callable[[TurnResult], None] = lambda _result: None,
        on_input: Callable[[TurnLog | None], None] = lambda _log: None,
        on_end: Callable[[], None] = lambda: None,
        stop_reason: Callable[[], str] = lambda: "",
    ) -> None:
        self.total = len(inputs)
        self.done = 0
        """How many turns have ended."""
        self.problem = ""
        """Why it ended before its last input, as a sentence; empty where it did not."""
        self._session = session
        self._inputs = list(inputs)
        self._on_first_turn = on_first_turn
        self._on_input = on_input
        self._on_end = on_end
        self._stop_reason = stop_reason
        self._stopped = threading.Event()
        self._call: BackgroundCall[None] | None = None

    @property
    def is_running(self) -> bool:
        """Return whether inputs are left, or a turn of them is executed."""
        return self._call is None or self._call.busy

    @property
    def stopping(self) -> bool:
        """Return whether it was stopped and waits for its last turn."""
        return self._stopped.is_set() and self.is_running

    def begin(self) -> None:
        """Send the first input, and on a thread the others."""
        self._call = BackgroundCall(self._run, "input replay")

    def stop(self) -> None:
        """Send no further input; the current turn runs to its end."""
        self._stopped.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; whether it came in time (seconds)."""
        return self._call is not None and self._call.wait(timeout)

    def _run(self) -> None:
        try:
            self._send()
        except Exception as error:  # a page must report something, whatever broke
            _log.exception("sending recorded inputs failed")
            self.problem = f"The inputs could not be sent ({type(error).__name__})."

    def _send(self) -> None:
        """Run the inputs in order, until one fails or may not be sent; leave the reason in `problem`.

        Calls `on_first_turn` after the first, `on_input` after each, and `on_end` after the last one.
        """
        for number, turn_input in enumerate(self._inputs, start=1):
            if not self._may_send(number):
                return
            own, count = self._session, len(self._session.turns)
            result = own.run_step() if turn_input is None else own.run_turn(turn_input)
            if result is None:
                self.problem = f"Input {number} of {self.total} could not be run."
                return
            self.done = number
            if number == 1:
                self._on_first_turn(result)
            self._on_input(own.turns[-1] if len(own.turns) > count else None)
        self._on_end()

    def _may_send(self, number: int) -> bool:
        """Return whether an input may be sent, by its number from 1; leave the reason in `problem` if not."""
        last = self._session.result
        is_over = last is not None and last.status in TERMINAL_STATUSES
        if self._stopped.is_set():
            can_continue = (
                "its record can be played on" if self._session.playback else "you can continue the run"
            )
            rest = "the run has ended" if is_over else can_continue
            self.problem = f"Stopped after {number - 1} of {self.total} inputs; {rest}."
        elif number > 1 and (reason := self._stop_reason()):
            self.problem = reason
        elif number > 1 and last is not None and is_over:
            self.problem = f"The run had ended ({last.status}) before input {number} of {self.total}."
        return not self.problem
