from __future__ import annotations

import asyncio
import ssl
import subprocess

import httpx2
import pytest

from debugger.engine.outbound import OutboundError
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.outbound.transport import CheckedTransport
from tests.engine.outbound.test_addresses import resolve_to
from tests.support.http_sending import get
from tests.support.http_server import HttpServer


@pytest.fixture
def certificate(tmp_path):
    """The paths of a certificate for 127.0.0.1 that it signed itself, and of its key."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                key,
                "-out",
                certificate,
            ),
            *("-days", "1", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def behind_tls(server, certificate):
    """Let a server speak TLS; its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server.url.replace("http://", "https://")


def test_untrusted_certificate_is_refused(certificate):
    server = HttpServer()
    url = behind_tls(server, certificate)
    with server:
        with pytest.raises(OutboundError, match="certificate verify failed"):
            get(f"{url}/")

        assert server.received == []


def test_tls_answer_may_be_late_without_downgrade(certificate, monkeypatch):
    def late(to):
        to.server.closing.wait(0.2)
        to.send_json("late")

    trusting = ssl.create_default_context(cafile=certificate[0])
    monkeypatch.setattr("debugger.engine.outbound.http._tls", lambda: trusting)
    server = HttpServer(late=late, down=lambda to: to.redirect("http://127.0.0.1:1/"))
    url = behind_tls(server, certificate)
    with server:
        answer = get(f"{url}/late")
        with pytest.raises(OutboundError, match="from https to http"):
            get(f"{url}/down")

    assert answer.json() == "late"


def test_certificate_must_match_the_host_name(certificate, monkeypatch):
    resolve_to(monkeypatch, ["127.0.0.1"])
    trusting = ssl.create_default_context(cafile=certificate[0])

    async def ask(url: str) -> int:
        transport = CheckedTransport(HttpLimits(), trusting)
        async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
            return (await client.get(url, headers={"Accept-Encoding": "identity"})).status_code

    server = HttpServer()
    url = behind_tls(server, certificate)
    with server:
        assert asyncio.run(ask(f"{url}/")) == 200
        with pytest.raises(httpx2.ConnectError, match=r"rebind\.example"):
            asyncio.run(ask(f"https://rebind.example:{server.server_port}/"))
