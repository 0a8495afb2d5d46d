"""The WebSocket of a page, as a browser uses it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect


@contextmanager
def open_socket(
    port: int,
    *,
    origin: str = "",
    host: str = "127.0.0.1",
    cookie: str = "",
    session: str = "",
    base: str = "",
) -> Iterator[ClientConnection]:
    """The WebSocket by a host name, to this machine whatever the name; of a session that is continued."""
    with (
        closing(socket.create_connection(("127.0.0.1", port))) as connected,
        connect(
            f"ws://{host}:{port}{base}/_stcore/stream",
            sock=connected,
            origin=origin or f"http://{host}:{port}",
            additional_headers={"Cookie": cookie},
            subprotocols=["streamlit", *(["no-token", session] if session else [])],
            max_size=None,
        ) as page,
    ):
        yield page


def run_script(page: ClientConnection) -> None:
    message = BackMsg()
    message.rerun_script.query_string = ""
    page.send(message.SerializeToString())


def messages_of(page: ClientConnection, seconds: float) -> Iterator[ForwardMsg]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield ForwardMsg.FromString(page.recv(timeout=deadline - time.monotonic()))


def messages_until_end(page: ClientConnection) -> Iterator[ForwardMsg]:
    for message in messages_of(page, 20):
        yield message
        is_end = message.WhichOneof("type") == "script_finished"
        if is_end and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return
