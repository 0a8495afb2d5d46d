"""The faults of a socket's frames do what their names say."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from tests.faults.fault import FRAME, HANDSHAKE, TURN_FRAME, Fault
from tests.faults.plain_server import EVENTS, RUN, STREAM_PATH, plain_server
from tests.faults.proxy import fault_proxy

LONG = 0.3
ALL = list(range(EVENTS + 1))
"""The numbers of a turn's frames; 0 is the acknowledgement."""


@pytest.fixture(scope="module")
def server():
    with plain_server() as server:
        yield server


@pytest.fixture
def proxy(server):
    server.frames.clear()
    server.left.clear()
    with fault_proxy(server.port) as proxy:
        yield proxy


def opened(proxy, **options):
    url = proxy.url.replace("http", "ws") + STREAM_PATH
    return connect(url, compression=None, proxy=None, close_timeout=LONG, **options)


def received(connection, count=EVENTS + 1, timeout=2.0):
    """Return the next frames' numbers; fewer after a loss."""
    numbers = []
    with suppress(ConnectionClosed, TimeoutError):
        while len(numbers) < count:
            numbers.append(json.loads(connection.recv(timeout)).get("number", 0))
    return numbers


def close_of(connection):
    """Return the server's close code; ``None`` after a break."""
    with pytest.raises(ConnectionClosed) as closed:
        connection.recv(2)
    return closed.value.rcvd and closed.value.rcvd.code


def wait_until(condition, timeout=5.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def test_relay_passes_turns_on_one_socket(proxy, server):
    with opened(proxy) as connection:
        for text in ("one", "two"):
            connection.send(text)
            assert received(connection) == ALL

    assert server.frames == ["one", "two"]
    assert server.left.wait(5)
    assert proxy.applied == []


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 3_000_000])
def test_relay_passes_frames_of_any_size(proxy, server, size):
    with opened(proxy, max_size=None) as connection:
        connection.send("x" * size)

        assert len(json.loads(connection.recv(5))["frame"]) == size


def test_relay_passes_fragments_as_one_message(proxy, server):
    proxy.arm(Fault(kind="lose", target=TURN_FRAME, skip=1))
    with opened(proxy) as connection:
        connection.send(["a", "b", "c"])
        assert received(connection) == ALL
        connection.send(["d", "e"])
        connection.send("f")
        assert received(connection) == ALL

    assert server.frames == ["abc", "f"]


def test_relay_answers_pings(proxy):
    with opened(proxy) as connection:
        assert connection.ping().wait(5)


def test_frames_swapped(proxy):
    proxy.arm(Fault(kind="swap", target=FRAME, frame=2))
    with opened(proxy) as connection:
        connection.send("a")

        assert received(connection) == [0, 1, 3, 2, 4]


def test_frames_held_until_the_next_turn(proxy):
    proxy.arm(Fault(kind="hold", target=FRAME, frame=3))
    with opened(proxy) as connection:
        connection.send("a")
        assert received(connection, timeout=LONG) == [0, 1, 2]
    with opened(proxy) as connection:
        connection.send("b")

        assert received(connection, 2 + len(ALL)) == [3, 4, *ALL]


def test_frame_without_json(proxy):
    proxy.arm(Fault(kind="garbage", target=FRAME, frame=1))
    with opened(proxy) as connection:
        connection.send("a")
        connection.recv(2)

        with pytest.raises(ValueError):
            json.loads(connection.recv(2))
        assert received(connection, 3) == [2, 3, 4]


def test_acknowledgement_of_a_foreign_run(proxy):
    proxy.arm(Fault(kind="foreign run", target=FRAME, frame=0))
    with opened(proxy) as connection:
        connection.send("a")
        foreign = json.loads(connection.recv(2))["workflow_run_id"]

        assert received(connection, 4) == [1, 2, 3, 4]
    assert foreign != RUN


@pytest.mark.parametrize("is_reset", [False, True])
@pytest.mark.parametrize("frame", [0, 1, 3])
def test_cut_before_a_frame(proxy, server, frame, is_reset):
    proxy.arm(Fault(kind="cut", target=FRAME, frame=frame, is_reset=is_reset))
    with opened(proxy) as connection:
        connection.send("a")
        got = received(connection)
        code = close_of(connection)

    assert got == ALL[:frame] or (is_reset and got == ALL[: len(got)])
    assert code is None
    assert server.frames == ["a"]
    assert server.left.wait(5)


def test_cut_with_the_network_away(proxy):
    proxy.arm(Fault(kind="cut", target=FRAME, frame=2, seconds=0.3))
    with opened(proxy) as connection:
        connection.send("a")
        assert received(connection) == ALL[:2]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port))

    proxy.wait_until_listening()
    with opened(proxy) as connection:
        connection.send("b")
        assert received(connection) == ALL


def test_duplicate_frame(proxy):
    proxy.arm(Fault(kind="duplicate", target=FRAME, frame=2))
    with opened(proxy) as connection:
        connection.send("a")

        assert received(connection, EVENTS + 2) == [0, 1, 2, 2, 3, 4]


@pytest.mark.parametrize("frame", [0, 2, EVENTS])
def test_lost_frame(proxy, frame):
    proxy.arm(Fault(kind="lose", target=FRAME, frame=frame))
    with opened(proxy) as connection:
        connection.send("a")

        assert received(connection, timeout=LONG) == [number for number in ALL if number != frame]


def test_half_frame(proxy):
    proxy.arm(Fault(kind="half", target=FRAME, frame=2))
    with opened(proxy) as connection:
        connection.send("a")

        assert received(connection) == ALL[:2]
        assert close_of(connection) is None


def test_silence_keeps_the_connection(proxy, server):
    proxy.arm(Fault(kind="silence", target=FRAME, frame=2))
    with opened(proxy) as connection:
        connection.send("a")
        assert received(connection, timeout=LONG) == ALL[:2]
        connection.send("b")
        wait_until(lambda: server.frames == ["a", "b"])
        with pytest.raises(TimeoutError):
            connection.recv(LONG)


@pytest.mark.parametrize("frame", [0, 1, 3])
@pytest.mark.parametrize("code", [1001, 1011, 4401, 4429])
def test_close_by_the_proxy(proxy, server, code, frame):
    proxy.arm(Fault(kind="close", target=FRAME, frame=frame, status=code))
    with opened(proxy) as connection:
        connection.send("a")

        assert received(connection) == ALL[:frame]
        assert close_of(connection) == code

    assert server.frames == ["a"]


@pytest.mark.parametrize("code", [1011, 4401])
def test_close_before_the_turn_is_forwarded(proxy, server, code):
    proxy.arm(Fault(kind="close", target=TURN_FRAME, status=code))
    with opened(proxy) as connection:
        connection.send("a")
        assert close_of(connection) == code

    assert server.left.wait(5)
    assert server.frames == []


def test_lost_turn_frame(proxy, server):
    proxy.arm(Fault(kind="lose", target=TURN_FRAME))
    with opened(proxy) as connection:
        connection.send("a")
        assert received(connection, timeout=LONG) == []
        connection.send("b")
        assert received(connection) == ALL

    assert server.frames == ["b"]


def test_cut_before_the_turn_is_forwarded(proxy, server):
    proxy.arm(Fault(kind="cut", target=TURN_FRAME))
    with opened(proxy) as connection:
        connection.send("a")
        assert close_of(connection) is None

    assert server.left.wait(5)
    assert server.frames == []


def test_duplicate_turn_frame(proxy, server):
    proxy.arm(Fault(kind="duplicate", target=TURN_FRAME))
    with opened(proxy) as connection:
        connection.send("a")
        assert received(connection, 2 * len(ALL)) == ALL * 2

    assert server.frames == ["a", "a"]


def test_delayed_turn_frame(proxy, server):
    proxy.arm(Fault(kind="delay", target=TURN_FRAME, seconds=LONG))
    with opened(proxy) as connection:
        connection.send("a")
        assert received(connection, 1, timeout=LONG / 3) == []
        assert received(connection) == ALL


def test_second_turn_is_struck(proxy):
    with opened(proxy) as connection:
        connection.send("a")
        assert received(connection) == ALL
        proxy.arm(Fault(kind="cut", target=FRAME, frame=1))
        connection.send("b")
        assert received(connection) == ALL[:1]


def test_refused_handshake(proxy):
    proxy.arm(Fault(kind="replace answer", target=HANDSHAKE, status=503, is_forwarded=False))

    with pytest.raises(InvalidStatus, match="503"):
        opened(proxy)


def test_dropped_handshake(proxy, server):
    proxy.arm(Fault(kind="drop", target=HANDSHAKE))

    with pytest.raises(InvalidMessage):
        opened(proxy)
    assert server.left.wait(5)


def test_delayed_handshake(proxy):
    proxy.arm(Fault(kind="delay answer", target=HANDSHAKE, seconds=0.1))

    with opened(proxy) as connection:
        connection.send("a")
        assert received(connection) == ALL
