"""Socket that executes the turns of one run.

Source: ``platform.md#websocket``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from starlette.websockets import WebSocket, WebSocketDisconnect

from debugger.backends.base import TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import (
    ConflictError,
    DebuggerError,
    NotFoundError,
    RateLimitError,
    RerunTokenError,
    RunEndedError,
)
from debugger.protocol.runs import TurnInput, TurnResult, requested_version
from debugger.server import rerun_tokens
from debugger.server.auth import principal_of
from debugger.server.auth.keys import FRESH_SECONDS
from debugger.server.services import Services
from debugger.server.streaming.frames import (
    DONE,
    READS_TOO_SLOWLY,
    REFUSED,
    CloseSocket,
    TurnFrame,
    acknowledgement,
    read_frame,
)
from debugger.server.streaming.outbox import Outbox
from debugger.server.streaming.turn_worker import TurnWorker
from debugger.server.turn_limiter import QueueFullError

_log = logging.getLogger(__name__)

FIRST_FRAME_SECONDS = 30.0
"""Time in which a client must send its first frame."""
STEP_SECONDS = 1.0
"""Time between two steps of background work (``platform.md#background-work``)."""
_CLOSE_SECONDS = 2.0
"""Time in which a close must be written."""


class TurnSocket:
    """Serves one socket until it is closed.

    Args:
        socket: The socket, not accepted yet.
        services: The services of the app.
    """

    def __init__(self, socket: WebSocket, services: Services) -> None:
        """Make the state of a socket, on the running event loop; nothing is received or sent."""
        self._socket = socket
        self._services = services
        self._backend = services.backend
        self._principal = principal_of(socket.scope)
        self._outbox = Outbox()
        self._turns: asyncio.Queue[TurnFrame] = asyncio.Queue()
        self._has_turn = False
        """A turn of this socket is being executed, or about to be."""
        self._cancel_events: set[threading.Event] = set()
        """The events that cancel what is being executed."""
        self._stop: TurnFrame | None = None
        """A stop that came while something was being executed, which may have ended the run by itself."""
        self._has_left = False
        """The client has gone: it owns no run any more."""
        self._worker: TurnWorker | None = None
        self._workflow_id: str | None = None
        self._run_id: str | None = None
        self._next_step: float | None = None
        """The time of the next step of background work, by the loop's clock."""

    async def serve(self) -> None:
        """Serve until one side closes the socket.

        A turn that runs or was taken is executed to its end all the same, and a stop is carried out.
        """
        await self._socket.accept()
        loops = [
            asyncio.create_task(loop())
            for loop in (
                self._run_turns,
                self._receive,
                self._send,
                self._watch_for_overrun,
                self._watch_for_revocation,
            )
        ]
        try:
            await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
            await self._end(next(loop for loop in loops if loop.done()))
        finally:
            self._outbox.abandon()
            self._has_left = True
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            self._release_run()
        try:
            if self._worker is not None:
                await self._worker.wait()
            with suppress(CloseSocket):  # the last requests of the client
                await self._stop_run(self._worker.result if self._worker else None)
                if not self._turns.empty():
                    await self._run_turn(self._turns.get_nowait())
        finally:
            self._release_run()  # a turn may have been acknowledged while the client left

    # Each loop ends by raising `CloseSocket`, or `WebSocketDisconnect` when the client has gone.

    async def _run_turns(self) -> None:
        """Run the client's turns, and the background work between them.

        Ends by raising CloseSocket: with `DONE` once the run is over and all frames are sent, else with the
        code of the error of a turn or a step.
        """
        while True:
            frame = await self._next_turn()
            result = await self._run_step() if frame is None else await self._run_turn(frame)
            result = await self._stop_run(result)
            if result is not None and result.is_completed:
                await self._outbox.wait_until_sent()
                raise CloseSocket(DONE)

    async def _receive(self) -> None:
        """Receive frames until the client leaves; queue a turn, and let a stop cancel the one under way.

        A stop cancels steps of background work, too; without anything under way it is a turn.

        Raises:
            CloseSocket: A frame cannot be read, or comes during a turn.
            WebSocketDisconnect: The client has left.
        """
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            frame = read_frame(message, limit=self._services.body_limit)
            if frame.is_stop and self._cancel_events:
                self._stop = frame
                for cancelled in self._cancel_events:
                    cancelled.set()
            elif self._has_turn:
                self._services.metrics.refuse_turn()
                raise CloseSocket.with_status(
                    409, "A turn is running on this socket already; it continues without this client."
                )
            else:
                self._has_turn = True
                self._cancel_events.add(frame.cancelled)
                self._turns.put_nowait(frame)

    async def _send(self) -> None:
        while True:
            await self._socket.send_text(await self._outbox.next())
            self._outbox.sent()

    async def _watch_for_overrun(self) -> None:
        await self._outbox.overrun.wait()
        raise CloseSocket(READS_TOO_SLOWLY, "This client reads too slowly; the run's record has the rest.")

    async def _watch_for_revocation(self) -> None:
        """Close the socket once its key is revoked.

        Raises CloseSocket with 401 then.
        """
        while await self._services.keys.is_still_valid(self._principal):
            await asyncio.sleep(FRESH_SECONDS)
        raise CloseSocket.with_status(401, "The key that opened this socket is not good any more.")

    async def _end(self, loop: asyncio.Task[None]) -> None:
        """Close the socket after its loop has ended, with the error's code; not if the client has left.

        An unexpected error is logged, and closes it with 1011.
        """
        error = loop.exception()
        match error:
            case CloseSocket():
                await self._close(error)
            case WebSocketDisconnect() | None:
                return
            case _:
                _log.error("a WebSocket broke", exc_info=error)
                await self._close(CloseSocket(1011, "Internal server error"))

    async def _close(self, close: CloseSocket) -> None:
        """Close the socket, and count a refusal.

        Does not raise where the close is not written within `_CLOSE_SECONDS`, or where the client has left.
        """
        self._services.metrics.count_refusal(close.code - REFUSED, "concurrency")
        try:
            # A client that does not read does not let the close be written either.
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._socket.close(close.code, close.reason)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return

    async def _next_turn(self) -> TurnFrame | None:
        """Return the client's next turn; ``None`` when background work is due first.

        Raises CloseSocket with 408 when no first turn comes within `FIRST_FRAME_SECONDS`. Later, without
        background work, it waits as long as the socket is open.
        """
        if self._workflow_id is None:
            until: float | None = self._now() + FIRST_FRAME_SECONDS
        else:
            until = self._next_step
        try:
            async with asyncio.timeout_at(until):
                return await self._turns.get()
        except TimeoutError:
            if self._workflow_id is None:
                raise CloseSocket.with_status(408, "No frame with a run input arrived.") from None
            return None

    async def _run_turn(self, frame: TurnFrame) -> TurnResult:
        """Execute the turn of a frame in a thread, acknowledge it, and schedule its background work.

        Raises:
            CloseSocket: It has no workflow, or another run than this socket; or it failed, and everything
                sent before has reached the client.
        """
        workflow_id, run_id = self._resolve_target(frame)
        worker = await self._run_worker(
            lambda: self._claim(workflow_id, run_id, frame),
            frame.cancelled,
            is_stop=frame.is_stop,
            on_started=partial(self._acknowledge, workflow_id),
            on_stored=partial(self._on_stored, asyncio.get_running_loop(), workflow_id),
        )
        if worker.result is None:
            await self._outbox.wait_until_sent()
            raise _close_for(worker, has_run=run_id is not None)
        self._schedule_step(worker.result)
        return worker.result

    def _claim(self, workflow_id: str, run_id: str | None, frame: TurnFrame) -> TurnStream:
        """Begin the turn of a frame; redeem its re-run token first, which creates the run.

        A token is not redeemed where the frame or this socket has a run. Called on a thread. Raises
        RerunTokenError when the token cannot be redeemed, and RateLimitError at the limit of the workflow;
        else as `Backend.execute`.
        """
        if run_id is None and frame.rerun_token is not None:
            run_id = _redeem(self._services, workflow_id, frame.rerun_token, frame.turn_input)
        is_new = run_id is None
        is_started = is_new or frame.rerun_token is not None
        turn_input = self._services.mark_socket(frame.turn_input) if is_started else frame.turn_input
        execute: Callable[..., TurnStream] = self._services.begin_run if is_new else self._backend.execute
        return execute(
            workflow_id,
            turn_input,
            run_id=run_id,
            expected_turn_number=frame.expected_turn_number,
            version_number=requested_version(None, turn_input),
            cancelled=frame.cancelled,
        )

    async def _stop_run(self, result: TurnResult | None) -> TurnResult | None:
        """Run a requested stop, unless the run has ended by itself.

        Returns the result of the stop, else the given result. The request is removed in any case. Raises
        CloseSocket when the stop fails.
        """
        stop, self._stop = self._stop, None
        if stop is None or (result is not None and result.is_completed):
            return result
        return await self._run_turn(stop)

    async def _run_step(self) -> TurnResult | None:
        """Run a step of background work, if this socket owns it.

        ``None`` without a run, where another socket owns it, and where another turn or a full queue delays
        the step, which then is scheduled again. Raises CloseSocket with `DONE` when another client has ended
        the run, else with the code of the error.
        """
        self._next_step = None
        workflow_id, run_id = self._workflow_id, self._run_id
        if workflow_id is None or run_id is None:
            return None
        if not self._services.background_owners.is_owner(run_id, self):
            return None
        cancelled = threading.Event()
        self._cancel_events.add(cancelled)
        worker = await self._run_worker(
            lambda: self._backend.pump(workflow_id, run_id, cancelled=cancelled), cancelled
        )
        if worker.result is not None:
            self._schedule_step(worker.result)
            return worker.result
        # Another client continues the run just now, or the turns of the key wait in a long queue.
        if isinstance(worker.error, ConflictError | QueueFullError):
            self._next_step = self._now() + STEP_SECONDS
            return None
        if isinstance(worker.error, RunEndedError):  # another client has ended it
            raise CloseSocket(DONE, "The run has ended.")
        raise _close_for(worker, has_run=True)

    async def _run_worker(
        self,
        begin: Callable[[], TurnStream],
        cancelled: threading.Event,
        *,
        is_stop: bool = False,
        **callbacks: Callable[..., None],
    ) -> TurnWorker:
        """Execute a turn or a step to its end, and return its worker, which has the result or the error.

        Afterwards a stop does not cancel it any more.
        """
        run_on_thread = partial(self._services.run_turn, self._principal.key_id, is_stop=is_stop)
        self._worker = TurnWorker(begin, run_on_thread, self._outbox, self._services.metrics, **callbacks)
        await self._worker.wait()
        self._cancel_events.discard(cancelled)
        return self._worker

    def _resolve_target(self, frame: TurnFrame) -> tuple[str, str | None]:
        """Return workflow and run of a turn, by default this socket's.

        The run is ``None`` for a new one. The workflow becomes this socket's. Raises CloseSocket with 422
        when there is no workflow, or when the run is another one than this socket's.
        """
        workflow_id = frame.turn_input.workflow_id or self._workflow_id
        run_id = frame.turn_input.workflow_run_id or self._run_id
        if workflow_id is None:
            raise CloseSocket.with_status(422, "workflow_id: Field required")
        if self._run_id is not None and run_id != self._run_id:
            raise CloseSocket.with_status(
                422, f"This socket is for the run {self._run_id}; open another one."
            )
        self._workflow_id = workflow_id
        return workflow_id, run_id

    # On the thread of the turn:

    def _acknowledge(self, workflow_id: str, run_id: str, turn_number: int | None) -> None:
        if not self._has_left:
            self._services.background_owners.acquire(run_id, self)
        self._run_id = run_id
        self._outbox.put(acknowledgement(run_id, workflow_id, turn_number))

    def _on_stored(self, loop: asyncio.AbstractEventLoop, workflow_id: str) -> None:
        """Permit the client's next turn, and add this one to the audit list on the event loop."""
        # Before the final events: a client that leaves with the last of them ends what waits for the turn.
        self._has_turn = False
        entry = partial(
            self._services.audit.add,
            self._principal,
            "send turn",
            self._run_id or "",
            workflow_id=workflow_id,
        )
        loop.call_soon_threadsafe(entry)

    def _release_run(self) -> None:
        if self._run_id is not None:
            self._services.background_owners.release(self._run_id, self)

    def _schedule_step(self, result: TurnResult) -> None:
        delay = max(STEP_SECONDS, (result.next_due or 0.0) - time.time())
        self._next_step = self._now() + delay if result.has_background_work else None

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _close_for(worker: TurnWorker, *, has_run: bool) -> CloseSocket:
    """Return the close for the error of a worker; an unknown run counts as an ended one."""
    assert worker.error is not None
    if has_run and isinstance(worker.error, NotFoundError):
        # A run that does not exist counts as an ended session, as it does over HTTP.
        return CloseSocket.for_error(RunEndedError(worker.error.message))
    return CloseSocket.for_error(worker.error)


def _redeem(services: Services, workflow_id: str, token: str, turn_input: TurnInput) -> str:
    """Start the re-run of a token, and return the run's id.

    A frame that was sent before, by its client turn id, gives the run of the first one.

    Raises:
        RateLimitError: The workflow's limit on active runs is reached.
        RerunTokenError: The token cannot be redeemed, or the backend is not embedded.
        DebuggerError: The status is 500 or above: the token may be valid all the same.
    """
    engine = services.backend
    if not isinstance(engine, EmbeddedBackend):
        raise RerunTokenError("Runs are not taken again here.")
    try:
        return rerun_tokens.redeem(
            engine,
            token,
            workflow_id=workflow_id,
            version_number=turn_input.version_number,
            run_by=turn_input.run_by,
            is_limited=services.run_limiter.prepare(engine, workflow_id),
        )
    except DebuggerError as error:
        if error.status >= 500 or isinstance(error, RateLimitError):  # the token may be valid all the same
            raise
        claim = engine.store.claims.find(turn_input.client_turn_id) if turn_input.client_turn_id else None
        if claim is not None:  # the frame was sent before, and the token redeemed
            return claim.run_id
        raise RerunTokenError(error.message) from error
