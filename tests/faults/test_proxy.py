"""The faults of requests do what their names say."""

from __future__ import annotations

import socket
import threading
import time

import httpx
import pytest

from tests.faults.fault import CONNECTION, EXECUTE, OTHER, PUMP, RUN, RUNS, SESSION, Fault, target_of
from tests.faults.http_messages import answer
from tests.faults.plain_server import EXECUTE_PATH, PUMP_PATH, RUN_PATH, RUNS_PATH, plain_server
from tests.faults.proxy import fault_proxy

LONG = 0.3
"""Seconds of a client's timeout."""


@pytest.fixture(scope="module")
def server():
    with plain_server() as server:
        yield server


@pytest.fixture
def proxy(server):
    server.executed.clear()
    with fault_proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def client(proxy):
    with httpx.Client(base_url=proxy.url, trust_env=False, timeout=5) as client:
        yield client


def kinds(proxy):
    return [applied.fault.kind for applied in proxy.applied]


@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("POST", EXECUTE_PATH + "?version=0", EXECUTE),
        ("POST", PUMP_PATH, PUMP),
        ("GET", RUN_PATH, RUN),
        ("GET", RUNS_PATH + "?page=1", RUNS),
        ("GET", "/v1/session", SESSION),
        ("DELETE", RUN_PATH, OTHER),
        ("GET", "/workflows/v1/workflows", OTHER),
    ],
)
def test_target_of_a_request(method, path, target):
    assert target_of(method, path) == target


def test_proxy_passes_requests(proxy, client, server):
    texts = [client.post(EXECUTE_PATH, content=str(number)).json()["text"] for number in range(5)]

    assert texts == server.executed == ["0", "1", "2", "3", "4"]
    assert client.get(RUNS_PATH).json() == {"workflow_runs": []}
    assert client.post(PUMP_PATH).status_code == 204
    assert (proxy.requests[EXECUTE], proxy.requests[RUNS], proxy.requests[PUMP]) == (5, 1, 1)
    assert proxy.applied == []


def test_proxy_passes_large_messages(client, server):
    text = "x" * 4_000_000

    assert client.post(EXECUTE_PATH, content=text).json()["text"] == text


def test_proxy_keeps_a_connection_alive(proxy):
    with (
        socket.create_connection(("127.0.0.1", proxy.port)) as connection,
        connection.makefile("rb") as lines,
    ):
        for number in b"12":
            body = bytes([number])
            head = f"POST {EXECUTE_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"
            connection.sendall(head.encode() + body)
            while (line := lines.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert b'"text":"%b"' % body in lines.read(length)


def test_proxy_serves_connections_in_parallel(proxy, client):
    proxy.arm(Fault(kind="delay answer", target=EXECUTE, seconds=LONG))
    slow = threading.Thread(target=client.post, args=(EXECUTE_PATH,))
    slow.start()
    wait_until(lambda: proxy.applied)

    start = time.monotonic()

    assert client.get(RUN_PATH).status_code == 200
    assert time.monotonic() - start < LONG
    slow.join()


def test_proxy_adds_little_latency(proxy, client, server):
    with httpx.Client(base_url=server.url, trust_env=False) as direct:
        bare, through = (min(times(one)) for one in (direct, client))

    assert through < bare + 0.005


def times(client):
    for _ in range(30):
        start = time.perf_counter()
        client.get(RUN_PATH)
        yield time.perf_counter() - start


def test_fault_skips_requests_and_strikes_once(proxy, client):
    proxy.arm(Fault(kind="replace answer", target=EXECUTE, status=503, skip=2))

    statuses = [client.post(EXECUTE_PATH).status_code for _ in range(4)]

    assert statuses == [200, 200, 503, 200]
    assert [applied.subject for applied in proxy.applied] == [f"POST {EXECUTE_PATH} HTTP/1.1"]


def test_disarm_takes_back_what_has_not_struck(proxy, client):
    left = Fault(kind="drop", target=RUN)
    proxy.arm(Fault(kind="replace answer", target=EXECUTE, status=500), left)
    client.post(EXECUTE_PATH)

    assert proxy.disarm() == [left]
    assert client.get(RUN_PATH).status_code == 200


@pytest.mark.parametrize("kind", ["delay request", "delay answer"])
def test_short_delay(proxy, client, server, kind):
    proxy.arm(Fault(kind=kind, target=EXECUTE, seconds=0.1))

    start = time.monotonic()

    assert client.post(EXECUTE_PATH, content="a").json()["text"] == "a"
    assert time.monotonic() - start >= 0.1
    assert kinds(proxy) == [kind]


def test_long_delay_executes_request_late(proxy, client, server):
    proxy.arm(Fault(kind="delay request", target=EXECUTE, seconds=LONG + 0.1))

    with pytest.raises(httpx.ReadTimeout):
        client.post(EXECUTE_PATH, content="late", timeout=LONG)

    assert server.executed == []
    wait_until(lambda: server.executed == ["late"])


def test_long_delay_of_an_answer(proxy, client, server):
    proxy.arm(Fault(kind="delay answer", target=EXECUTE, seconds=LONG * 2))

    with pytest.raises(httpx.ReadTimeout):
        client.post(EXECUTE_PATH, content="a", timeout=LONG)

    assert server.executed == ["a"]


def test_refused_connections(proxy, client, server):
    client.get(RUN_PATH)
    proxy.arm(Fault(kind="refuse", target=CONNECTION, seconds=0.3))

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port))
    with pytest.raises(httpx.ConnectError):
        client.post(EXECUTE_PATH)
    assert server.executed == []

    proxy.wait_until_listening()
    assert client.get(RUN_PATH).status_code == 200
    assert kinds(proxy) == ["refuse"]


def test_reset_connection(proxy, client, server):
    client.get(RUN_PATH)
    proxy.arm(Fault(kind="reset", target=CONNECTION))

    with pytest.raises((httpx.ConnectError, httpx.ReadError, httpx.WriteError), match=r"reset|closed|ipe"):
        client.post(EXECUTE_PATH)

    assert server.executed == []
    assert client.get(RUN_PATH).status_code == 200


@pytest.mark.parametrize("is_forwarded", [False, True])
@pytest.mark.parametrize(("is_reset", "error"), [(False, httpx.RemoteProtocolError), (True, httpx.ReadError)])
def test_dropped_request(proxy, client, server, is_forwarded, is_reset, error):
    proxy.arm(Fault(kind="drop", target=EXECUTE, is_forwarded=is_forwarded, is_reset=is_reset))

    with pytest.raises(error):
        client.post(EXECUTE_PATH, content="a")

    assert server.executed == ["a"] * is_forwarded


@pytest.mark.parametrize("is_forwarded", [False, True])
def test_no_answer(proxy, client, server, is_forwarded):
    proxy.arm(Fault(kind="no answer", target=EXECUTE, is_forwarded=is_forwarded))

    with pytest.raises(httpx.ReadTimeout):
        client.post(EXECUTE_PATH, content="a", timeout=LONG)

    assert server.executed == ["a"] * is_forwarded


@pytest.mark.parametrize("is_chunked", [False, True])
def test_cut_answer(proxy, client, server, is_chunked):
    proxy.arm(Fault(kind="cut answer", target=EXECUTE, is_chunked=is_chunked))

    with (
        pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|peer closed"),
        client.stream("POST", EXECUTE_PATH, content="a") as response,
    ):
        assert response.status_code == 200
        assert ("transfer-encoding" in response.headers) == is_chunked
        response.read()

    assert server.executed == ["a"]


def test_duplicate_answer(proxy, client, server):
    client.post(EXECUTE_PATH, content="a")
    proxy.arm(Fault(kind="duplicate answer", target=EXECUTE))

    texts = [client.post(EXECUTE_PATH, content=text).json()["text"] for text in ("b", "c")]

    assert texts == ["a", "c"]
    assert server.executed == ["a", "b", "c"]


def test_duplicate_answer_waits_for_an_earlier_one(proxy, client):
    proxy.arm(Fault(kind="duplicate answer", target=EXECUTE))

    texts = [client.post(EXECUTE_PATH, content=text).json()["text"] for text in ("a", "b")]

    assert texts == ["a", "a"]


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_duplicate_request(proxy, client, server, seconds):
    proxy.arm(Fault(kind="duplicate request", target=EXECUTE, seconds=seconds))

    assert client.post(EXECUTE_PATH, content="a").json()["text"] == "a"
    assert server.executed == ["a", "a"]


def test_duplicate_request_without_an_answer(proxy, client, server):
    proxy.arm(Fault(kind="duplicate request", target=EXECUTE, is_answered=False))

    with pytest.raises(httpx.RemoteProtocolError):
        client.post(EXECUTE_PATH, content="a")
    assert server.executed == ["a", "a"]


def test_half_json_has_a_right_length(proxy, client, server):
    proxy.arm(Fault(kind="half json", target=EXECUTE))

    half = client.post(EXECUTE_PATH, content="a")
    server.executed.clear()
    whole = client.post(EXECUTE_PATH, content="a").content

    assert half.status_code == 200
    assert half.content == whole[: len(half.content)]
    assert len(half.content) == len(whole) // 2
    assert half.headers["content-length"] == str(len(half.content))
    assert half.headers["x-turn-numbers"] == "checked"


@pytest.mark.parametrize("is_forwarded", [False, True])
@pytest.mark.parametrize(
    ("status", "content_type", "content", "retry_after"),
    [
        (200, "application/json", b"", None),
        (200, "text/html", b"<html>Sign in</html>", None),
        (401, "application/json", b'{"detail": "no"}', None),
        (429, "application/json", b'{"detail": "slowly"}', "2"),
        (429, "application/json", b'{"detail": "slowly"}', None),
        (500, "application/json", b"", None),
        (502, "text/html", b"<html>Bad gateway</html>", None),
        (503, "application/json", b"", "1"),
        (504, "application/json", b"", None),
    ],
)
def test_replaced_answer(proxy, client, server, is_forwarded, status, content_type, content, retry_after):
    proxy.arm(
        Fault(
            kind="replace answer",
            target=EXECUTE,
            is_forwarded=is_forwarded,
            status=status,
            content=content,
            content_type=content_type,
            headers=(("Retry-After", retry_after),) if retry_after else (),
        )
    )

    response = client.post(EXECUTE_PATH, content="a")

    assert (response.status_code, response.content) == (status, content)
    assert response.headers["content-type"] == content_type
    assert response.headers.get("retry-after") == retry_after
    assert server.executed == ["a"] * is_forwarded
    assert client.post(EXECUTE_PATH, content="b").json()["text"] == "b"


def test_answer_is_replaced_before_the_server_answers(proxy, client, server):
    proxy.arm(Fault(kind="replace answer", target=EXECUTE, status=504, is_awaited=False))

    assert client.post(EXECUTE_PATH, content="a").status_code == 504
    wait_until(lambda: server.executed == ["a"])


def test_fault_that_strikes_several_times(proxy, client):
    proxy.arm(Fault(kind="replace answer", target=RUN, status=503, times=2))

    assert [client.get(RUN_PATH).status_code for _ in range(3)] == [503, 503, 200]


def test_broken_gzip(proxy, client, server):
    proxy.arm(Fault(kind="broken gzip", target=EXECUTE))

    with pytest.raises(httpx.DecodingError):
        client.post(EXECUTE_PATH, content="a")
    assert server.executed == ["a"]


@pytest.mark.parametrize(
    ("change", "events"),
    [
        ("reversed", "2.4 2.3 2.2 2.1"),
        ("last first", "2.4 2.1 2.2 2.3"),
        ("without the last", "2.1 2.2 2.3"),
        ("without one", "2.1 2.2 2.4"),
        ("without all", ""),
        ("one twice", "2.1 2.2 2.3 2.3 2.4"),
        ("all twice", "2.1 2.2 2.3 2.4 2.1 2.2 2.3 2.4"),
        ("of the former turn", "1.1 1.2 1.3 1.4"),
        ("behind those of the former turn", "1.1 1.2 1.3 1.4 2.1 2.2 2.3 2.4"),
    ],
)
def test_changed_events(proxy, client, change, events):
    client.post(EXECUTE_PATH, content="a")
    proxy.arm(Fault(kind="change events", target=EXECUTE, change=change))

    answered = client.post(EXECUTE_PATH, content="b").json()

    assert (answered["text"], answered["events"]) == ("b", events.split())


def test_cache_serves_a_former_answer_with_its_age(proxy, client, server):
    client.post(EXECUTE_PATH, content="a")
    proxy.arm(Fault(kind="cache", target=EXECUTE, seconds=LONG, times=3))

    cached = client.post(EXECUTE_PATH, content="b")
    other_path = client.post(EXECUTE_PATH + "?version=1", content="c")
    threading.Event().wait(2 * LONG)
    old = client.post(EXECUTE_PATH, content="d")

    assert (cached.json()["text"], cached.headers["age"]) == ("a", "0")
    assert [response.json()["text"] for response in (other_path, old)] == ["c", "d"]
    assert server.executed == ["a", "c", "d"]


@pytest.mark.parametrize(("heeds_no_cache", "text"), [(True, "b"), (False, "a")])
def test_cache_is_told_to_ask(proxy, client, heeds_no_cache, text):
    client.post(EXECUTE_PATH, content="a")
    proxy.arm(Fault(kind="cache", target=EXECUTE, seconds=60, heeds_no_cache=heeds_no_cache))

    answered = client.post(EXECUTE_PATH, content="b", headers={"Cache-Control": "no-cache"})

    assert answered.json()["text"] == text


def test_dripping_answer(proxy, client, server):
    proxy.arm(Fault(kind="drip", target=EXECUTE, seconds=1.5))

    start = time.monotonic()

    # The limit is for each read, which a busy machine makes late, and less than the answer takes as a whole.
    assert client.post(EXECUTE_PATH, content="a" * 500, timeout=1.2).json()["text"] == "a" * 500
    assert time.monotonic() - start >= 1.5


def test_answer_in_chunks_is_cut(proxy, client):
    proxy.arm(Fault(kind="cut answer", target=RUNS))

    with pytest.raises(httpx.RemoteProtocolError):
        client.get(RUNS_PATH)


def test_response_without_content_is_cut_in_head(proxy, client):
    proxy.arm(Fault(kind="cut answer", target=PUMP))

    with pytest.raises(httpx.RemoteProtocolError):
        client.post(PUMP_PATH)


def test_proxy_reports_what_the_server_refuses(server):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with fault_proxy(port) as proxy, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(proxy.url, trust_env=False)


def test_unknown_fault_is_a_proxy_error(server):
    with pytest.raises(AssertionError, match="melt"), fault_proxy(server.port) as proxy:
        proxy.arm(Fault(kind="melt", target=RUN))
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(proxy.url + RUN_PATH, trust_env=False)


def test_answer_without_retry_after():
    assert answer(429).headers == {"content-type": "application/json", "content-length": "0"}


def wait_until(condition, timeout=5.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)
