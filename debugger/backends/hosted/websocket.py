"""The socket of the hosted API for live events (``platform.md#websocket``)."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from urllib.parse import urlencode

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, reconnect

from debugger.backends.hosted.client import ApiClient
from debugger.errors import AnswerError
from debugger.protocol.base import JsonObject
from debugger.protocol.urls import STREAM
from debugger.telemetry.context import outgoing_headers

MAX_FRAME_SENT = 1_000_000
"""Bytes of a turn's frame: many servers hang up at 1 MiB, and what became of a turn is not known then."""
MAX_FRAME_BYTES = 32 * 1024 * 1024
"""Bytes of a frame of the server: more than it should ever send."""
REOPEN_SECONDS = 60.0
"""Seconds until a socket is tried again where none could be had."""
MAX_IDLE = 16
"""Sockets that stay open between turns."""
_CLOSE_WITHIN = 1.0
_NORMAL_CLOSE = 1000

# Its own logger: at level DEBUG the library writes every header of the handshake, and so the key.
_quiet = logging.getLogger(f"{__name__}.websockets")
_quiet.setLevel(logging.WARNING)


HANDSHAKE_ERRORS = (WebSocketException, OSError, ValueError, ImportError)
"""The last one: the environment names a SOCKS proxy, and the library for those is not installed."""


class SocketClosed(Exception):
    """The socket is closed, or broken.

    Args:
        code: Why, by the server (``platform.md#close-codes``); ``None`` when the connection broke.
        reason: The same for people.
    """

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """One open socket.

    Args:
        connection: The connection.
        closing: What ends it.
        address: Where it leads, for errors.
        headers: Those of the client when it was opened, with the key.
    """

    def __init__(
        self, connection: ClientConnection, closing: ExitStack, address: str, headers: Mapping[str, str]
    ) -> None:
        """Keep an open connection."""
        self._connection = connection
        self._closing = closing
        self._address = address
        self.headers = headers

    def send(self, text: str) -> None:
        """Send one frame.

        Raises:
            SocketClosed: It was not sent, or that is unknown.
        """
        try:
            self._connection.send(text)
        except ConnectionClosed as closed:
            raise _socket_closed(closed) from None

    def receive(self, timeout: float) -> JsonObject | None:
        """Return the next frame; ``None`` when none has come in time (seconds).

        Raises:
            SocketClosed: None will come any more.
            AnswerError: It is not the protocol.
        """
        try:
            frame = self._connection.recv(timeout)
        except TimeoutError:
            return None
        except ConnectionClosed as closed:
            raise _socket_closed(closed) from None
        try:
            value = json.loads(frame)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise AnswerError(
                f"{self._address} sent a frame that is not a JSON object.",
                advice="Set INTERACTLY_LIVE_EVENTS to off to run turns without it.",
            )
        return value

    @property
    def is_closed(self) -> bool:
        """Return whether the connection is closed, or holds an unexpected frame, which is taken from it."""
        try:
            self._connection.recv(0)
        except TimeoutError:
            return False
        except ConnectionClosed:
            return True
        return True

    @property
    def was_ended_by_server(self) -> bool:
        """Return whether the server has closed the connection in the regular way."""
        return self._connection.close_code == _NORMAL_CLOSE

    def close(self) -> None:
        """Close the connection."""
        self._closing.close()


class SocketConnector:
    """Opens sockets, caches one per run, and remembers where none opens.

    Args:
        client: Knows the API and the credentials.
        is_used: Whether sockets are wanted at all.
        on_change: Called with the reason when no socket can be opened, with an empty text when one can.
    """

    def __init__(self, client: ApiClient, *, is_used: bool, on_change: Callable[[str], None]) -> None:
        """Begin without sockets; none is opened yet."""
        self._client = client
        self._on_change = on_change
        self.keeps_sockets = True
        """False once the server has closed a socket after a turn, or has not acknowledged a second one."""
        self._idle: OrderedDict[str, Socket] = OrderedDict()
        self._lock = threading.Lock()
        self._is_closed = False
        self._shut_until = 0.0 if is_used else math.inf

    def take(self, run_id: str) -> Socket | None:
        """Return the socket of a run's last turn, which is not cached any more; ``None`` without an open one.

        Where the server has ended it in the regular way, no socket is cached from then on.
        """
        with self._lock:
            socket = self._idle.pop(run_id, None)
        if socket is None or not socket.is_closed:
            return socket
        if socket.was_ended_by_server:
            self.keeps_sockets = False
        socket.close()
        return None

    def keep(self, run_id: str, socket: Socket) -> None:
        """Cache a socket for the run's next turn, or close it.

        It is closed after `close`, where the credentials have changed since it was opened, and where the
        server keeps no sockets. Of more than `MAX_IDLE` the oldest is closed.
        """
        with self._lock:
            unused = [self._idle.pop(run_id)] if run_id in self._idle else []
            # A turn that ends after the credentials were replaced used the former ones.
            is_outdated = socket.headers is not self._client.headers
            if self._is_closed or is_outdated or not self.keeps_sockets:
                unused.append(socket)
            else:
                self._idle[run_id] = socket
            if len(self._idle) > MAX_IDLE:
                unused.append(self._idle.popitem(last=False)[1])
        for old in unused:
            old.close()

    def reset(self) -> None:
        """Close the cached sockets, since credentials have changed; the next turn opens a new one.

        Sockets are cached again, and one that could not be opened before is tried at once.
        """
        self.close()
        self._is_closed, self.keeps_sockets = False, True
        if self._shut_until != math.inf:
            self._shut_until = 0.0

    def close(self) -> None:
        """Close the cached sockets; none is cached from then on."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = list(self._idle.values()), OrderedDict()
        for socket in idle:
            socket.close()

    @property
    def can_open(self) -> bool:
        """Return whether a handshake is worth a try."""
        return time.monotonic() >= self._shut_until and self._client.can_send

    def open(self) -> Socket | None:
        """Open a socket; ``None`` where none can be opened.

        ``on_change`` gets the reason, or an empty text where it is open. After a failed handshake none is
        tried for `REOPEN_SECONDS`; without any connection to the API nothing is reported.
        """
        closing, headers = ExitStack(), self._client.headers
        try:
            connection = closing.enter_context(handshake(self._client))
        except ConnectionError:
            return None  # a request reports it better
        except HANDSHAKE_ERRORS as error:
            self._shut_until = time.monotonic() + REOPEN_SECONDS
            reason = f"The API opens no WebSocket ({handshake_failure(error)[1]})"
            self._on_change(f"{reason}, so the events of a turn come all at once when it is over.")
            return None
        self._on_change("")
        return Socket(connection, closing, f"{_socket_url(self._client.base_url)}{STREAM}", headers)


def handshake(client: ApiClient) -> reconnect:
    """Return the context in which a socket is open; it is opened on entry, which raises `HANDSHAKE_ERRORS`.

    A session token is requested first. Raises ConnectionError where the API cannot be reached at all.
    """
    near = client.is_loopback
    address = _socket_url(client.base_url)
    token = client.fetch_session_token()
    return _Handshake(
        f"{address}{STREAM}" + (f"?{urlencode({'token': token})}" if token else ""),
        # The certificates that requests trust, too.
        ssl=httpx.create_ssl_context() if address.startswith("wss") else None,
        additional_headers={**client.headers, **outgoing_headers()},
        user_agent_header=None,
        proxy=None if near else True,
        open_timeout=client.settings.connect_timeout,
        close_timeout=_CLOSE_WITHIN,
        max_size=MAX_FRAME_BYTES,
        compression=None if near else "deflate",
        logger=_quiet,
    )


def handshake_failure(error: Exception) -> tuple[str, str]:
    """Return the HTTP status of a failed handshake, and the reason.

    The status is empty where there is none.
    """
    match error:
        case InvalidStatus():
            status = str(error.response.status_code)
            return status, f"it answered {status} to the handshake"
        case TimeoutError():
            return "", "it did not answer in time to the handshake"
        case _:
            return "", f"the handshake failed ({type(error).__name__})"


class _Handshake(reconnect):
    """Connects to the named address only: a redirect would leak the key."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _socket_url(base_url: str) -> str:
    return base_url.replace("http", "ws", 1)


def _socket_closed(closed: ConnectionClosed) -> SocketClosed:
    frame = closed.rcvd
    if frame is None:
        return SocketClosed(None, "no close frame was sent")
    return SocketClosed(frame.code, frame.reason)
