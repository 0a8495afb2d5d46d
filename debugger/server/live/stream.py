"""One socket, and the one run that is gone on with over it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial

from starlette.websockets import WebSocket, WebSocketDisconnect

from debugger.backends.base import TurnStream
from debugger.errors import ConflictError, NotFoundError, RunEndedError
from debugger.protocol.runs import TurnResult, requested_version
from debugger.server.access import caller_of
from debugger.server.access.visit import Visit
from debugger.server.live.closing import DONE, READS_TOO_SLOWLY, REFUSED, Closing
from debugger.server.live.frames import TurnFrame, acknowledgement, read_frame
from debugger.server.live.outbox import Outbox
from debugger.server.live.pulling import Pull
from debugger.server.live.run_start import admit_run
from debugger.server.services import Services
from debugger.server.turn_limiter import QueueFullError

_log = logging.getLogger(__name__)

FIRST_FRAME_WITHIN = 30.0
"""Seconds that a client may take to say what it wants."""
STEP_EVERY = 1.0
"""Seconds from one step of background work to the next (``platform/wire.md`` 2.7)."""
_GOODBYE = 2.0
"""Seconds in which a close must have been written."""


class LiveStream:
    """Serves one socket until it is closed.

    Args:
        socket: The socket, not accepted yet.
        services: The services of the app.
        visit: Knows whether the client may stay.
    """

    def __init__(self, socket: WebSocket, services: Services, visit: Visit) -> None:
        self._socket = socket
        self._services = services
        self._backend = services.backend
        self._visit = visit
        self._outbox = Outbox()
        self._turns: asyncio.Queue[TurnFrame] = asyncio.Queue()
        self._turn_ahead = False
        """Whether a turn of this socket is under way, or about to be."""
        self._under_way: set[threading.Event] = set()
        """What ends early that which is under way."""
        self._stop: TurnFrame | None = None
        """The wish to end the run that came while something was under way, which may have ended by itself."""
        self._pull: Pull | None = None
        self._workflow_id: str | None = None
        self._run_id: str | None = None
        self._next_step: float | None = None
        """When the next step of background work is due, by the loop's clock."""

    async def serve(self) -> None:
        """Talk until one side hangs up; a turn under way is then pulled to its end all the same."""
        await self._socket.accept()
        sides = [
            asyncio.create_task(side())
            for side in (
                self._converse,
                self._listen,
                self._send,
                self._watch_for_overrun,
                self._watch_for_revocation,
            )
        ]
        try:
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            await self._hang_up(next(side for side in sides if side.done()))
        finally:
            self._outbox.abandon()
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)
            if self._run_id is not None:
                self._services.drivers.leave(self._run_id, self)
        if self._pull is not None:
            await self._pull.over()
        with suppress(Closing):  # what a client asked for right before it left
            await self._stopped(self._pull.result if self._pull else None)
            if not self._turns.empty():
                await self._take(self._turns.get_nowait())

    # The sides: each ends by raising `Closing`, or `WebSocketDisconnect` when the client has gone.

    async def _converse(self) -> None:
        """Run the client's turns, and the background work between them."""
        while True:
            frame = await self._next_turn()
            result = await self._step() if frame is None else await self._take(frame)
            result = await self._stopped(result)
            if result is not None and result.is_completed:
                await self._outbox.drained()
                raise Closing(DONE)

    async def _listen(self) -> None:
        """Take in what the client sends."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            frame = read_frame(message, limit=self._services.body_limit)
            if frame.stops and self._under_way:
                self._stop = frame
                for cancelled in self._under_way:
                    cancelled.set()
            elif self._turn_ahead:
                self._services.metrics.refuse_turn()
                raise Closing.refusing(409, "A turn is under way on this socket already; it goes on unheard.")
            else:
                self._turn_ahead = True
                self._under_way.add(frame.cancelled)
                self._turns.put_nowait(frame)

    async def _send(self) -> None:
        """Send what there is."""
        while True:
            await self._socket.send_text(await self._outbox.next())
            self._outbox.sent()

    async def _watch_for_overrun(self) -> None:
        """Give a client up that reads too slowly."""
        await self._outbox.overrun.wait()
        raise Closing(READS_TOO_SLOWLY, "This client reads too slowly; the run's record has the rest.")

    async def _watch_for_revocation(self) -> None:
        """Hang up on somebody whose key was revoked; a turn under way still goes to its end."""
        await self._visit.over()
        raise Closing.refusing(401, "The key that opened this socket is not good any more.")

    async def _hang_up(self, side: asyncio.Task[None]) -> None:
        error = side.exception()
        match error:
            case Closing():
                await self._close(error)
            case WebSocketDisconnect() | None:
                return
            case _:
                _log.error("a WebSocket broke", exc_info=error)
                await self._close(Closing(1011, "Internal server error"))

    async def _close(self, closing: Closing) -> None:
        self._services.metrics.refusal(closing.code - REFUSED, "concurrency")
        try:
            # A client that does not read does not let the close be written either.
            async with asyncio.timeout(_GOODBYE):
                await self._socket.close(closing.code, closing.reason)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return

    # What is run

    async def _next_turn(self) -> TurnFrame | None:
        """What the client asks for next; ``None`` when background work is due before it does."""
        if self._workflow_id is None:
            until: float | None = self._now() + FIRST_FRAME_WITHIN
        else:
            until = self._next_step
        try:
            async with asyncio.timeout_at(until):
                return await self._turns.get()
        except TimeoutError:
            if self._workflow_id is None:
                raise Closing.refusing(408, "No frame came that says what to run.") from None
            return None

    async def _take(self, frame: TurnFrame) -> TurnResult:
        workflow_id, run_id = self._aim(frame)
        pull = await self._pulled(
            lambda: self._turn(workflow_id, run_id, frame),
            frame.cancelled,
            is_stop=frame.stops,
            on_begun=partial(self._acknowledge, workflow_id),
            on_kept=self._take_another,
        )
        if pull.result is None:
            await self._outbox.drained()
            raise _refusal(pull, knows_run=run_id is not None)
        caller, sent = caller_of(self._socket.scope), pull.result.run_id
        self._services.audit.add(caller, self._backend, "send turn", sent, workflow_id=workflow_id)
        self._plan(pull.result)
        return pull.result

    def _turn(self, workflow_id: str, run_id: str | None, frame: TurnFrame) -> TurnStream:
        """Claim a turn; one that begins a run while the run is admitted. On the thread that pulls."""
        given = frame.turn_input
        admitted = admit_run(self._services, workflow_id, frame) if run_id is None else nullcontext(run_id)
        with admitted as known_id:
            return self._backend.execute(
                workflow_id,
                given,
                run_id=known_id,
                expected_turn_number=frame.expected_turn_number,
                version_number=requested_version(None, given),
                cancelled=frame.cancelled,
            )

    async def _stopped(self, result: TurnResult | None) -> TurnResult | None:
        """End the run where that was wished for, unless what was under way has ended it."""
        stop, self._stop = self._stop, None
        if stop is None or (result is not None and result.is_completed):
            return result
        return await self._take(stop)

    async def _step(self) -> TurnResult | None:
        """Do a step of background work, unless another socket has taken the run over."""
        self._next_step = None
        workflow_id, run_id = self._workflow_id, self._run_id
        if workflow_id is None or run_id is None or not self._services.drivers.drives(run_id, self):
            return None
        cancelled = threading.Event()
        self._under_way.add(cancelled)
        pull = await self._pulled(
            lambda: self._backend.pump(workflow_id, run_id, cancelled=cancelled), cancelled
        )
        if pull.result is not None:
            self._plan(pull.result)
            return pull.result
        # Another client continues the run just now, or the turns of the key wait in a long queue.
        if isinstance(pull.error, ConflictError | QueueFullError):
            self._next_step = self._now() + STEP_EVERY
            return None
        if isinstance(pull.error, RunEndedError):  # somebody else has ended it
            raise Closing(DONE, "The run is over.")
        raise _refusal(pull, knows_run=True)

    async def _pulled(
        self,
        begin: Callable[[], TurnStream],
        cancelled: threading.Event,
        *,
        is_stop: bool = False,
        **called: Callable[..., None],
    ) -> Pull:
        on_thread = partial(self._services.turns.run, self._visit.key_id, is_stop=is_stop)
        self._pull = Pull(begin, on_thread, self._outbox, self._services.metrics, **called)
        await self._pull.over()
        self._under_way.discard(cancelled)
        return self._pull

    def _aim(self, frame: TurnFrame) -> tuple[str, str | None]:
        """The workflow and the run that a turn is for; what it leaves open is as before on this socket."""
        workflow_id = frame.turn_input.workflow_id or self._workflow_id
        run_id = frame.turn_input.workflow_run_id or self._run_id
        if workflow_id is None:
            raise Closing.refusing(422, "workflow_id: Field required")
        if self._run_id is not None and run_id != self._run_id:
            raise Closing.refusing(422, f"This socket is for the run {self._run_id}; open another one.")
        self._workflow_id = workflow_id
        return workflow_id, run_id

    def _acknowledge(self, workflow_id: str, run_id: str, turn_number: int | None) -> None:
        """Send the client the run and the number of its turn, which is claimed. On the thread that pulls."""
        self._services.drivers.enter(run_id, self)
        self._run_id = run_id
        self._outbox.put(acknowledgement(run_id, workflow_id, turn_number))

    def _take_another(self) -> None:
        """A turn is kept: the client may send the next one. On the thread that pulls."""
        self._turn_ahead = False

    def _plan(self, result: TurnResult) -> None:
        """When to do the next step of background work."""
        due = max(STEP_EVERY, (result.next_due or 0.0) - time.time())
        self._next_step = self._now() + due if result.has_background_work else None

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _refusal(pull: Pull, *, knows_run: bool) -> Closing:
    if knows_run and isinstance(pull.error, NotFoundError):
        return Closing.of_missing_run(pull.error)
    assert pull.error is not None
    return Closing.after(pull.error)
