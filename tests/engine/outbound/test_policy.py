from __future__ import annotations

import ast
import asyncio
from pathlib import Path

import httpx
import httpx2
import pytest

import debugger
from debugger.engine.outbound import OutboundError
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.outbound.policy import DestinationPolicy, Origin, check_redirect
from debugger.engine.outbound.transport import CheckedTransport
from tests.engine.outbound.test_addresses import resolve_to
from tests.support.http_sending import get
from tests.support.http_server import HttpServer

PRIVATE = HttpLimits(refuses_private=True)


def get_by_httpx2(url, limits=None):
    async def ask():
        transport = CheckedTransport(limits or HttpLimits())
        async with httpx2.AsyncClient(
            transport=transport,
            trust_env=False,
            follow_redirects=True,
            headers={"Accept-Encoding": "identity"},
        ) as client:
            return (await client.get(url)).status_code

    return asyncio.run(ask())


@pytest.mark.parametrize("ask", [get, get_by_httpx2])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://metadata.google.internal/", "credentials of this machine"),
        ("http://169.254.169.254/", "credentials of this machine"),
        ("http://[::ffff:169.254.169.254]/", "credentials of this machine"),
        ("http://224.0.0.1/", "an address of many machines"),
        ("http://0.0.0.0/", "no address of a machine"),
    ],
)
def test_both_libraries_refuse_the_same_hosts(ask, url, words):
    with pytest.raises(OutboundError, match=words):
        ask(url)


@pytest.mark.parametrize("ask", [get, get_by_httpx2])
def test_both_libraries_refuse_private_addresses(ask):
    with pytest.raises(OutboundError, match="WORKFLOW_DEBUGGER_OUTBOUND_PRIVATE"):
        ask("http://127.0.0.1:1/", limits=PRIVATE)


@pytest.mark.parametrize("ask", [get, get_by_httpx2])
@pytest.mark.parametrize("target", ["ftp://files.example/", "file:///etc/passwd"])
def test_both_libraries_refuse_redirect_to_another_scheme(ask, target):
    with (
        HttpServer(away=lambda to: to.redirect(target)) as server,
        pytest.raises(OutboundError, match="which is not http or https"),
    ):
        ask(f"{server.url}/away")


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_redirect_keeps_its_encryption(library):
    here, there = library.URL("https://a.example/"), library.URL("http://a.example/")

    with pytest.raises(OutboundError, match=r"^GET a redirects to b, from https to http\.$"):
        check_redirect(here, there, "GET a redirects to b")
    check_redirect(there, here, "GET b redirects to a")


def test_name_is_looked_up_once_for_all_requests(monkeypatch):
    resolve_to(monkeypatch, ["127.0.0.1"])
    policy = DestinationPolicy(HttpLimits())
    first = policy.look_up("rebind.example", 80)
    first.done.wait(5)
    resolve_to(monkeypatch, ["169.254.169.254"])

    again = policy.look_up("rebind.example", 80)

    assert again.allowed() == ["127.0.0.1"]


def test_policy_of_one_origin_takes_no_other():
    policy = DestinationPolicy(HttpLimits(), only=Origin.of(httpx.URL("https://a.example")))

    policy.keep_origin(httpx2.URL("https://a.example:443/more"))
    for other in ("http://a.example:443", "https://a.example:444", "https://b.example"):
        with pytest.raises(OutboundError, match="the headers may hold secrets"):
            policy.keep_origin(httpx2.URL(other))


def test_policy_keeps_the_origin_of_the_first_request():
    policy = DestinationPolicy(HttpLimits())

    policy.keep_origin(httpx2.URL("https://a.example/v1"))
    with pytest.raises(OutboundError, match="the headers may hold secrets"):
        policy.keep_origin(httpx2.URL("https://b.example/v1"))


def test_no_connection_takes_longer_than_the_limit_nor_the_rest_of_the_call():
    policy = DestinationPolicy(HttpLimits(connect_seconds=5))

    assert [policy.connect_seconds(left) for left in (None, 2.0, 60.0)] == [5, 2.0, 5]


def test_clients_of_the_engine_heed_no_proxy_of_the_environment():
    """Every client of an HTTP library in the engine is `checked_client`, or has a checked network."""
    wrong = []
    for path in (Path(debugger.__file__).parent / "engine").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(call, "func", None), "attr", "")
            if name in {"AsyncClient", "Client", "AsyncHTTPTransport", "HTTPTransport", "create_ssl_context"}:
                owner = getattr(call.func.value, "id", "")
                named = {keyword.arg: getattr(keyword.value, "id", "") for keyword in call.keywords}
                is_elsewhere = name == "AsyncClient" and path.name != "transport.py"
                heeds = owner in {"httpx", "httpx2"} and named.get("trust_env") != "TRUST_ENV"
                if heeds or is_elsewhere:
                    wrong.append((path.name, name))
            if name == "ConnectionPool" and "network_backend" not in {each.arg for each in call.keywords}:
                wrong.append((path.name, name))

    assert wrong == [("clients.py", "create_ssl_context")]  # SSL_CERT_FILE names a company's own authority


HTTP_LIBRARIES = {"httpx", "httpx2"}
REQUESTS = {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream"}
OTHER_CLIENTS = {"urllib.request", "http.client", "requests", "urllib3", "aiohttp", "ftplib", "smtplib"}


def requests_without_client(tree):
    """Yield what makes a request by itself: a function of an HTTP library, or another library."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(each.name, each.asname) for each in node.names]
            yield from (f"{name} as {alias}" for name, alias in names if alias and name in HTTP_LIBRARIES)
            yield from (name for name, _ in names if is_other_client(name))
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{each.name}" for each in node.names]
            yield from (name for name in names if is_other_client(name) or is_request(name))
        elif isinstance(node, ast.Call) and is_request(ast.unparse(node.func)):
            yield ast.unparse(node.func)


def is_request(name):
    library, _, function = name.rpartition(".")
    return library in HTTP_LIBRARIES and function in REQUESTS


def is_other_client(name):
    return any(name == each or name.startswith(f"{each}.") for each in OTHER_CLIENTS)


def test_no_request_is_made_without_a_client():
    root = Path(debugger.__file__).parent
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in root.rglob("*.py")}

    found = {str(path): list(requests_without_client(tree)) for path, tree in trees.items()}

    assert {place: calls for place, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    "line",
    [
        "httpx.get(url)",
        "from httpx import post",
        "import httpx as h",
        "import urllib.request",
        "from urllib import request",
        "from http import client",
        "from http.client import HTTPConnection",
        "import requests.sessions",
        "import urllib3",
    ],
)
def test_request_without_a_client_is_found(line):
    assert len(list(requests_without_client(ast.parse(line)))) == 1


def test_use_of_a_client_is_no_request_without_one():
    source = "import httpx\nfrom urllib.parse import quote\nclient.get(url)\nhttpx.Headers()\n"

    assert list(requests_without_client(ast.parse(source))) == []
