from __future__ import annotations

import asyncio

import httpx2
import pytest

from debugger.engine.outbound import OutboundError
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.outbound.transport import CheckedTransport, checked_client
from tests.engine.outbound.test_addresses import resolve_to
from tests.support.http_server import HttpServer


def get(*urls: str, limits: HttpLimits | None = None, **how: bool) -> list[httpx2.Response]:
    """The answers to requests of one client."""

    async def ask() -> list[httpx2.Response]:
        transport = CheckedTransport(limits or HttpLimits())
        headers = {"Accept-Encoding": "identity"}
        async with httpx2.AsyncClient(transport=transport, headers=headers, trust_env=False) as client:
            return [await client.get(url, **how) for url in urls]

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "100.100.100.200",
        "metadata.google.internal",
        "0.0.0.0",
        "224.0.0.1",
    ],
)
def test_refused_address_in_any_spelling(host):
    with pytest.raises(OutboundError, match=r"is not called"):
        get(f"http://{host}/v1")


def test_rebound_name_uses_the_checked_address(monkeypatch):
    resolve_to(monkeypatch, ["127.0.0.1"], ["169.254.169.254"])

    with HttpServer() as server:
        url = f"http://rebind.example:{server.server_port}/"
        first, second = get(url, url)

    assert first.json()["headers"]["host"] == f"rebind.example:{server.server_port}"
    assert second.status_code == 200


def test_first_answering_address_is_used(monkeypatch):
    resolve_to(monkeypatch, ["127.0.0.9", "127.0.0.1"])

    with HttpServer() as server:
        (answer,) = get(f"http://rebind.example:{server.server_port}/")

    assert answer.status_code == 200


def test_answers_together_are_bounded():
    limits = HttpLimits(answer_bytes=150)

    with (
        HttpServer(tea=lambda to: to.send_body(b"x" * 100, "text/plain")) as server,
        pytest.raises(OutboundError, match="larger than the limit, 150 bytes"),
    ):
        get(f"{server.url}/tea", f"{server.url}/tea", limits=limits)


def test_an_answer_that_is_packed_is_refused():
    with (
        HttpServer(tea=lambda to: to.send_body(b"x", "text/plain", Content_Encoding="gzip")) as server,
        pytest.raises(OutboundError, match="compressed although this was not requested"),
    ):
        get(f"{server.url}/tea")


def test_no_proxy_of_the_environment_is_heeded(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    with HttpServer() as server:
        (answer,) = get(server.url + "/")

    assert answer.status_code == 200


@pytest.mark.parametrize("target", ["127.0.0.1", "169.254.169.254"])
def test_client_that_follows_redirects_keeps_the_origin_and_their_limit(target):
    async def ask(url: str) -> None:
        async with checked_client(CheckedTransport(HttpLimits()), 5, {"X-Key": "planted"}) as client:
            await client.get(url, follow_redirects=True)

    with (
        HttpServer() as other,
        HttpServer(
            away=lambda to: to.redirect(f"http://{target}:{other.server_port}/"),
            round=lambda to: to.redirect("/round"),
        ) as server,
    ):
        with pytest.raises(OutboundError, match="another host, port or scheme"):
            asyncio.run(ask(f"{server.url}/away"))
        with pytest.raises(httpx2.TooManyRedirects):
            asyncio.run(ask(f"{server.url}/round"))

        assert other.received == []
        assert len(server.received) == 1 + 1 + HttpLimits().redirects
