from __future__ import annotations

import gzip
import re
import socket
import threading
import time

import pytest
import zstandard

from debugger.engine.outbound import MaskedValue, OutboundError, RecordedAnswer
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.outbound.http import HttpAnswer, http_call, send, simulate_answer
from debugger.engine.outbound.http_request import HttpBody, HttpRequest
from debugger.errors import InputError
from tests.safety.bounded_child import run_bounded
from tests.support.http_sending import get, plain, text_body
from tests.support.http_server import HttpServer


def test_answer_has_status_type_and_body():
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
def test_endless_answer_is_cut_off(length):
    def endless(to):
        to.send_response(200)
        if length:
            to.send_header("Content-Length", "1000000000")
        to.end_headers()
        to.trickle(b"x")

    with HttpServer(endless=endless) as server:
        began = time.monotonic()
        with pytest.raises(OutboundError, match=r"answer was not complete within 0\.3 s"):
            get(f"{server.url}/endless", seconds=0.3)
        took = time.monotonic() - began

    assert 0.3 <= took < 1.5


def test_trickling_headers_are_cut_off():
    with HttpServer(
        slow=lambda to: (to.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: "), to.trickle(b"y"))
    ) as server:
        began = time.monotonic()
        with pytest.raises(OutboundError, match=r"within 0\.3 s"):
            get(f"{server.url}/slow", seconds=0.3)
        took = time.monotonic() - began

    assert 0.3 <= took < 1.5


def test_silent_server_is_cut_off():
    with (
        HttpServer(mute=lambda to: to.server.closing.wait(10)) as server,
        pytest.raises(OutboundError, match=r"within 0\.2 s"),
    ):
        get(f"{server.url}/mute", seconds=0.2)


def test_unread_long_body_is_cut_off():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        with pytest.raises(OutboundError, match=r"request was not sent completely within 0\.3 s"):
            get(url, "POST", seconds=0.3, body=text_body("x" * 20_000_000))


def test_stopped_run_ends_the_call():
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


def test_body_beyond_limit_is_refused():
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


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_packed_body_without_its_end_fails(encoding):
    pack = gzip.compress if encoding == "gzip" else zstandard.compress
    with HttpServer(
        cut=lambda to: to.send_body(pack(b"tea and cake" * 9)[:-5], "text/plain", Content_Encoding=encoding),
        empty=lambda to: to.send_body(b"", "text/plain", 200, Content_Encoding=encoding),
    ) as server:
        with pytest.raises(OutboundError, match=r"ended in the middle|cannot be unpacked"):
            get(f"{server.url}/cut")
        assert get(f"{server.url}/empty").body == b""


def test_body_packed_more_than_once_is_refused():
    bomb = gzip.compress(gzip.compress(b"\0" * 200_000_000))
    with HttpServer(
        both=lambda to: to.send_body(bomb, "text/plain", Content_Encoding="gzip, gzip"),
        none=lambda to: to.send_body(b"tea", "text/plain", Content_Encoding="identity, identity"),
    ) as server:

        def call():
            with pytest.raises(OutboundError, match="packed more than once"):
                get(f"{server.url}/both")

        assert run_bounded(call).grown_bytes < 20_000_000
        assert get(f"{server.url}/none").body == b"tea"


def test_body_packed_in_unknown_way_is_refused():
    with HttpServer(
        brotli=lambda to: to.send_body(b"\x0b\x01\x80tea\x03", "text/plain", Content_Encoding="BR"),
        mistaken=lambda to: to.send_body(b"tea", "text/plain", Content_Encoding="utf-8"),
    ) as server:
        with pytest.raises(OutboundError, match="packed as br, which is not unpacked"):
            get(f"{server.url}/brotli")
        assert get(f"{server.url}/mistaken").body == b"tea"


def test_unpacking_ends_soon_after_the_limit():
    zeros = zstandard.ZstdCompressor(19).compressobj()
    bomb = b"".join(zeros.compress(b"\0" * 1_000_000) for _ in range(500)) + zeros.flush()
    with HttpServer(bomb=lambda to: to.send_body(bomb, "text/plain", Content_Encoding="zstd")) as server:

        def call():
            with pytest.raises(OutboundError, match="longer than 5000000 bytes"):
                get(f"{server.url}/bomb")

        assert run_bounded(call).grown_bytes < 50_000_000


def test_refused_connection_names_host_and_port():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(
        OutboundError, match=rf"No server answers at 127\.0\.0\.1 port {port}: connection refused"
    ):
        get(f"http://127.0.0.1:{port}/")


def test_unknown_host_is_reported():
    with pytest.raises(OutboundError, match=r"There is no host 'nowhere\.invalid'"):
        get("http://nowhere.invalid/")


def test_broken_connection_is_an_outbound_error():
    def cut(to):
        to.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab")

    with HttpServer(cut=cut, garbage=lambda to: to.wfile.write(b"hello there\r\n\r\n")) as server:
        with pytest.raises(OutboundError, match=r"The connection to GET .*/cut broke: peer closed"):
            get(f"{server.url}/cut")
        with pytest.raises(OutboundError, match=r"The connection to GET .*/garbage broke: "):
            get(f"{server.url}/garbage")


def test_url_user_becomes_basic_authorization():
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
def test_invalid_url_is_rejected_before_the_call(url):
    with pytest.raises(InputError, match="cannot be called"):
        http_call(HttpRequest("GET", plain(url)), "read", limits=HttpLimits(), cancelled=threading.Event())


def test_header_line_break_is_rejected_without_value():
    request = HttpRequest("GET", plain("http://a.example"), {"X-A": plain("s3cret\r\nX-B: 1")})

    with pytest.raises(InputError) as caught:
        http_call(request, "read", limits=HttpLimits(), cancelled=threading.Event())

    assert "'X-A'" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def json_answer(text):
    return HttpAnswer(200, "application/json", text.encode())


def nested(levels):
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(("text", "value"), [("", None), (" \n", None), ("\ufeff[1]", [1]), ("null", None)])
def test_body_is_json_and_blank_is_none(text, value):
    assert json_answer(text).json() == value


def test_too_deep_body_is_refused():
    deepest = json_answer(nested(101)).json()

    assert deepest == json_answer(nested(101)).json() != []
    for levels in (102, 900, 100_000):
        with pytest.raises(ValueError, match="it is nested deeper than 100 levels"):
            json_answer(nested(levels)).json()


@pytest.mark.parametrize(
    "charset", ["utf-8", "latin-1", "no-such-set", "utf-8\r\nX: y", "", "undefined", "idna", "Unicode-Escape"]
)
def test_text_is_never_refused(charset):
    answer = HttpAnswer(200, f"text/plain; charset={charset}", b"tea \xff")

    assert answer.text.startswith("tea ")


def test_text_in_punycode_takes_no_hours():
    answer = HttpAnswer(200, "text/plain; charset=punycode", b"a-" + b"b" * 1_000_000)

    assert len(run_bounded(lambda: answer.text).value) == 1_000_002


@pytest.mark.parametrize(("code", "told"), [(404, "404 Not Found"), (299, "299"), (799, "799")])
def test_status_has_its_phrase(code, told):
    assert HttpAnswer(code).status == told


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (200, "", b"")),
        ({"status": 404}, (404, "", b"")),
        ({"body": {"a": 1}}, (200, "application/json", b'{"a":1}')),
        ({"body": False}, (200, "application/json", b"false")),
        ({"status": 201, "body": "Grüße"}, (201, "text/plain; charset=utf-8", "Grüße".encode())),
    ],
)
def test_a_recorded_answer_becomes_a_real_one(fields, expected):
    answer = simulate_answer(RecordedAnswer(re.compile("."), **fields))

    assert (answer.status_code, answer.content_type, answer.body) == expected


def test_a_made_up_answer_says_so():
    assert simulate_answer(None).json() == {"simulated": True}


def test_redirects_stop_after_the_fifth():
    def onward(to):
        number = int(to.path.partition("=")[2])
        to.redirect(f"/onward?n={number - 1}") if number else to.send_json("there")

    with HttpServer(onward=onward) as server:
        answer = get(f"{server.url}/onward?n=5")
        with pytest.raises(OutboundError, match="redirects more than 5 times"):
            get(f"{server.url}/onward?n=6")

    assert answer.json() == "there"


def test_a_redirect_loop_ends():
    with HttpServer(loop=lambda to: to.redirect("/loop")) as server:
        with pytest.raises(OutboundError, match="redirects more than 5 times"):
            get(f"{server.url}/loop")

        assert len(server.received) == 6


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("file:///etc/passwd", "redirects to file:///etc/passwd, which is not http or https"),
        ("gopher://127.0.0.1/", "which is not http or https"),
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254 is not called"),
        ("http://[::ffff:169.254.169.254]/", "is not called"),
        ("http://[fd00:ec2::254]/", "is not called"),
        ("http://metadata.google.internal/", "metadata.google.internal is not called"),
        ("http://0.0.0.0:1/", "0.0.0.0 is not called"),
        ("http://2852039166/", "2852039166 is not called"),
        ("http://[::1/", "redirects to something that is not a URL"),
    ],
)
def test_redirect_target_is_checked_like_first_address(location, reason):
    with (
        HttpServer(away=lambda to: to.redirect(location)) as server,
        pytest.raises(OutboundError) as caught,
    ):
        get(f"{server.url}/away")

    assert reason in str(caught.value)


def test_refused_redirect_masks_literal_secrets():
    with (
        HttpServer(away=lambda to: to.redirect(f"ftp://h/{to.headers['X-Api-Key']}")) as server,
        pytest.raises(OutboundError) as caught,
    ):
        get(f"{server.url}/away", headers={"X-Api-Key": "of-the-author-42"})

    assert "redirects to ftp://h/***, which is not http or https" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        (301, "POST", ("GET", b"")),
        (302, "POST", ("GET", b"")),
        (303, "PUT", ("GET", b"")),
        (307, "POST", ("POST", b"tea")),
        (308, "PUT", ("PUT", b"tea")),
        (302, "PUT", ("PUT", b"tea")),
        (303, "HEAD", ("HEAD", b"")),
    ],
)
def test_redirect_method_follows_browsers(status, method, expected):
    body = None if method == "HEAD" else text_body("tea")
    with HttpServer(old=lambda to: to.redirect("/new", status)) as server:
        get(f"{server.url}/old", method, body=body)

        moved = server.received[1]

    assert (moved.method, moved.body) == expected
    assert ("content-type" in moved.headers) == (expected[1] == b"tea")


def test_secrets_stay_at_their_host():
    headers = {
        "Authorization": plain("Bearer t"),
        "X-Api-Key": plain("k"),
        "X-Tenant": MaskedValue("s3cret", "***"),
        "X-Trace": plain("7"),
    }
    with HttpServer() as other, HttpServer(away=lambda to: to.redirect(f"{other.url}/in")) as server:
        server.routes["/near"] = lambda to: to.redirect("/in")
        for path in ("away", "near"):
            request = HttpRequest("GET", plain(f"{server.url}/{path}"), headers)
            send(request, 5, HttpLimits(), threading.Event())

        far, near = other.received[0].headers, server.received[2].headers

    assert {"authorization", "x-api-key", "x-tenant", "x-trace"} & far.keys() == {"x-trace"}
    assert (near["authorization"], near["x-api-key"], near["x-tenant"]) == ("Bearer t", "k", "s3cret")


def test_body_with_secret_stays_at_its_host():
    with HttpServer() as other, HttpServer(away=lambda to: to.redirect(f"{other.url}/in", 307)) as server:
        value = MaskedValue("pin 1234", "pin ***", secret_names=frozenset({"PIN"}))
        held = HttpBody("text/plain", value)
        with pytest.raises(OutboundError, match=f"the secret 'PIN' must not be sent to {other.url}"):
            get(f"{server.url}/away", "POST", body=held)
        get(f"{server.url}/away", "POST", body=text_body("no secret"))

        assert [request.body for request in other.received] == [b"no secret"]
