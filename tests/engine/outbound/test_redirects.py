from __future__ import annotations

import threading

import pytest

from debugger.engine.outbound import OutboundError, Veiled
from debugger.engine.outbound.http import send
from debugger.engine.outbound.http_message import HttpBody, HttpRequest
from debugger.engine.outbound.limits import HttpLimits
from tests.engine.outbound.http_server import HttpServer
from tests.engine.outbound.sending import get, plain, text_body


def test_redirects_are_followed_and_the_fifth_is_the_last():
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
        ("http://[::1/", "redirects to something that is no URL"),
    ],
)
def test_a_redirect_is_checked_as_the_first_address_is(location, reason):
    with (
        HttpServer(away=lambda to: to.redirect(location)) as server,
        pytest.raises(OutboundError) as caught,
    ):
        get(f"{server.url}/away")

    assert reason in str(caught.value)


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
def test_a_redirect_keeps_or_changes_the_method_as_browsers_do(status, method, expected):
    body = None if method == "HEAD" else text_body("tea")
    with HttpServer(old=lambda to: to.redirect("/new", status)) as server:
        get(f"{server.url}/old", method, body=body)

        moved = server.received[1]

    assert (moved.method, moved.body) == expected
    assert ("content-type" in moved.headers) == (expected[1] == b"tea")


def test_secrets_stay_at_the_host_that_they_were_meant_for():
    headers = {
        "Authorization": plain("Bearer t"),
        "X-Api-Key": plain("k"),
        "X-Tenant": Veiled("s3cret", "***"),
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


def test_a_body_that_holds_a_secret_is_not_sent_on_to_another_host():
    with HttpServer() as other, HttpServer(away=lambda to: to.redirect(f"{other.url}/in", 307)) as server:
        value = Veiled("pin 1234", "pin ***", secret_names=frozenset({"PIN"}))
        held = HttpBody("text/plain", value)
        with pytest.raises(OutboundError, match=f"the secret 'PIN' must not be sent to {other.url}"):
            get(f"{server.url}/away", "POST", body=held)
        get(f"{server.url}/away", "POST", body=text_body("no secret"))

        assert [request.body for request in other.received] == [b"no secret"]
