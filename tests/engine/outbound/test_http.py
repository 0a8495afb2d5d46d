from __future__ import annotations

import gzip
import socket
import threading
import time

import pytest

from debugger.engine.outbound import OutboundError
from debugger.engine.outbound.http import http_call
from debugger.engine.outbound.http_message import HttpRequest
from debugger.engine.outbound.limits import HttpLimits
from debugger.errors import InputError
from tests.engine.outbound.http_server import HttpServer
from tests.engine.outbound.sending import get, plain, text_body


def test_an_answer_comes_with_status_type_and_body():
    with HttpServer() as server:
        answer = get(f"{server.url}/hello?a=1", headers={"X-Trace": "7"})

    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.json()["path"] == "/hello?a=1"
    assert answer.json()["headers"]["x-trace"] == "7"
    assert answer.json()["headers"]["user-agent"] == "workflow-debugger"


def test_a_status_of_failure_is_an_answer():
    with HttpServer(broken=lambda to: to.send_json({"why": "bug"}, 500)) as server:
        answer = get(f"{server.url}/broken")

    assert (answer.status, answer.json()) == ("500 Internal Server Error", {"why": "bug"})


@pytest.mark.parametrize("length", [True, False], ids=["short of its length", "chunk after chunk"])
def test_an_answer_that_never_ends_is_cut_off_in_time(length):
    def endless(to):
        to.send_response(200)
        if length:
            to.send_header("Content-Length", "1000000000")
        to.end_headers()
        to.trickle(b"x")

    with HttpServer(endless=endless) as server:
        began = time.monotonic()
        with pytest.raises(OutboundError, match=r"whole answer had not come within 0\.3 s"):
            get(f"{server.url}/endless", seconds=0.3)
        took = time.monotonic() - began

    assert 0.3 <= took < 1.5


def test_headers_that_trickle_are_cut_off_in_time():
    with HttpServer(
        slow=lambda to: (to.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: "), to.trickle(b"y"))
    ) as server:
        began = time.monotonic()
        with pytest.raises(OutboundError, match=r"within 0\.3 s"):
            get(f"{server.url}/slow", seconds=0.3)
        took = time.monotonic() - began

    assert 0.3 <= took < 1.5


def test_a_server_that_takes_the_connection_and_says_nothing_is_left_in_time():
    with (
        HttpServer(mute=lambda to: to.server.closing.wait(10)) as server,
        pytest.raises(OutboundError, match=r"within 0\.2 s"),
    ):
        get(f"{server.url}/mute", seconds=0.2)


def test_a_server_that_never_reads_a_long_body_is_left_in_time():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        with pytest.raises(OutboundError, match=r"whole request had not been taken within 0\.3 s"):
            get(url, "POST", seconds=0.3, body=text_body("x" * 20_000_000))


def test_a_stopped_run_ends_the_call_at_once():
    cancelled = threading.Event()

    def endless(to):
        to.send_response(200)
        to.end_headers()
        cancelled.set()
        to.trickle(b"x")

    with HttpServer(endless=endless) as server:
        began = time.monotonic()
        with pytest.raises(OutboundError, match="stopped"):
            get(f"{server.url}/endless", seconds=30, cancelled=cancelled)
        took = time.monotonic() - began

    assert took < 2


def test_a_body_beyond_the_limit_is_refused_and_one_within_is_not():
    with HttpServer(
        large=lambda to: to.send_body(b"x" * 10_000_000, "text/plain"),
        fits=lambda to: to.send_body(b"x" * 5_000_000, "text/plain"),
    ) as server:
        with pytest.raises(OutboundError, match="longer than 5000000 bytes"):
            get(f"{server.url}/large")
        answer = get(f"{server.url}/fits")

    assert len(answer.body) == 5_000_000


def test_a_packed_body_counts_unpacked():
    bomb = gzip.compress(b"\0" * 20_000_000)
    with HttpServer(
        bomb=lambda to: to.send_body(bomb, "text/plain", Content_Encoding="gzip"),
        small=lambda to: to.send_body(gzip.compress(b"tea"), "text/plain", Content_Encoding="gzip"),
        torn=lambda to: to.send_body(b"no gzip", "text/plain", Content_Encoding="gzip"),
    ) as server:
        with pytest.raises(OutboundError, match="longer than 5000000 bytes"):
            get(f"{server.url}/bomb")
        with pytest.raises(OutboundError, match="cannot be unpacked"):
            get(f"{server.url}/torn")
        answer = get(f"{server.url}/small")

    assert answer.body == b"tea"


def test_nothing_listening_is_told_with_host_and_port():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(
        OutboundError, match=rf"Nothing answers at 127\.0\.0\.1 port {port}: connection refused"
    ):
        get(f"http://127.0.0.1:{port}/")


def test_a_host_that_is_not_there_is_told():
    with pytest.raises(OutboundError, match=r"There is no host 'nowhere\.invalid'"):
        get("http://nowhere.invalid/")


def test_a_connection_that_breaks_is_told_without_an_exception_of_the_library():
    def cut(to):
        to.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab")

    with HttpServer(cut=cut, garbage=lambda to: to.wfile.write(b"hello there\r\n\r\n")) as server:
        with pytest.raises(OutboundError, match=r"The connection to GET .*/cut broke: peer closed"):
            get(f"{server.url}/cut")
        with pytest.raises(OutboundError, match=r"The connection to GET .*/garbage broke: "):
            get(f"{server.url}/garbage")


def test_the_user_in_a_url_is_sent_as_basic_authorization():
    with HttpServer() as server:
        answer = get(server.url.replace("//", "//ann:p%40ss@") + "/")

    assert server.received[0].headers["authorization"] == "Basic YW5uOnBAc3M="
    assert answer.json()["headers"]["authorization"] == "Basic ***="


def test_no_proxy_of_the_environment_is_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with HttpServer() as server:
        answer = get(f"{server.url}/")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "url", ["/slots", "api.example/x", "ftp://api.example", "file:///etc/passwd", "http://", ""]
)
def test_what_is_no_url_to_call_is_refused_before_the_door(url):
    with pytest.raises(InputError, match="cannot be called"):
        http_call(HttpRequest("GET", plain(url)), "read", limits=HttpLimits(), cancelled=threading.Event())


def test_a_header_with_a_line_break_is_refused_and_its_value_not_told():
    request = HttpRequest("GET", plain("http://a.example"), {"X-A": plain("s3cret\r\nX-B: 1")})

    with pytest.raises(InputError) as caught:
        http_call(request, "read", limits=HttpLimits(), cancelled=threading.Event())

    assert "'X-A'" in str(caught.value)
    assert "s3cret" not in str(caught.value)
