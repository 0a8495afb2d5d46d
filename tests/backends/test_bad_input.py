"""Too much, too deep, too long, or malicious: each is told in a sentence and bounded, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import contextmanager, suppress
from socket import create_server

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import InputError, RunError
from debugger.graph import Graph, check, layout, load_workflow
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.factories import direct, document, node, say, static, tool

MEGABYTE = 1_000_000


@pytest.fixture
def backend(tmp_path):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules", tool_timeout=2)
    backend = EmbeddedBackend(settings)
    yield backend
    backend.close()


def begun(backend, flow, **fields):
    """The first turn of a run of a new workflow."""
    workflow_id = backend.create_workflow(flow).id
    return backend.execute(workflow_id, TurnInput.with_message(None, **fields)).finish()


def outputs(result):
    """Return the output of each node."""
    ended = [event for event in result.events if event["type"] == "end_node_run"]
    return {event["run_output"]["node_logical_id"]: event["run_output"] for event in ended}


def still_works(backend, earlier):
    """Check that an earlier run continues and a new one starts."""
    gone_on = backend.execute(
        backend.run(earlier.run_id).workflow_id, TurnInput.with_message("Hi"), run_id=earlier.run_id
    )
    new = begun(backend, document(static("a", "Hello")))
    return gone_on.finish().status == "waiting_for_user_input" and new.status == "completed"


def nested(value, levels):
    for _ in range(levels):
        value = [value]
    return value


def cyclic():
    ring = {}
    ring["itself"] = ring
    return ring


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param(
            """
            import os
            def t():
                while True:
                    try:
                        os.fork()
                    except OSError:
                        pass
            """,
            "longer than its limit of 2 s",
            id="forks",
        ),
        pytest.param(
            "def t():\n    return open('/etc/passwd').read()", "FileNotFoundError", id="opens a file"
        ),
        pytest.param(
            "def t():\n    kept = []\n    while True: kept.append(open('/dev/null'))",
            "OSError",
            id="opens files for ever",
        ),
        pytest.param("def t():\n    return len(bytearray(10**10))", "MemoryError", id="allocates 10 GB"),
        pytest.param(
            "import time\ndef t():\n    time.sleep(3600)", "longer than its limit of 2 s", id="sleeps an hour"
        ),
        pytest.param("def t():\n    return 'x' * 10**7", "10,000,0", id="answers 10 MB"),
    ],
)
def test_misbehaving_tool_fails_by_name(backend, code, reason):
    earlier = begun(backend, document(say("chat")))
    flow = document(tool("t", textwrap.dedent(code)), static("after", "After it"), direct("t", "after"))
    began = time.monotonic()

    result = begun(backend, flow)

    assert time.monotonic() - began < 20
    assert result.status == "completed"
    assert outputs(result)["t"]["success"] is False
    assert reason in outputs(result)["t"]["error_message"]
    assert "after" in outputs(result)
    assert backend.run(result.run_id).input_output_pairs[0].run_output.events
    assert still_works(backend, earlier)


@contextmanager
def endless_server(first, again, pause):
    """A server that sends for ever; gives its port."""
    listener = create_server(("127.0.0.1", 0))

    def serve():
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(first)
                while True:
                    connection.sendall(again)
                    time.sleep(pause)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.close()
    thread.join()


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.mark.parametrize(
    ("first", "again", "pause"),
    [
        pytest.param(_HEAD + b"\r\n", b"x" * 65_536, 0, id="without end, fast"),
        pytest.param(_HEAD + b"\r\n", b"x", 0.1, id="without end, byte by byte"),
        pytest.param(_HEAD, b"X-A: " + b"y" * 1000 + b"\r\n", 0, id="headers without end"),
    ],
)
def test_endless_http_answer_is_given_up(backend, first, again, pause):
    earlier = begun(backend, document(say("chat")))
    with endless_server(first, again, pause) as port:
        asking = node("h", "http_request", url=f"http://127.0.0.1:{port}/", method="GET", timeout=1)
        began = time.monotonic()

        result = begun(backend, document(asking, static("after", "After it"), direct("h", "after")))

    assert time.monotonic() - began < 15
    assert result.status == "completed"
    assert outputs(result)["h"]["success"] is False
    assert len(json.dumps(result.events)) < MEGABYTE
    assert still_works(backend, earlier)


@pytest.mark.parametrize("kind", [static, say])
def test_template_of_100_mb_fails_with_sentence(backend, kind):
    earlier = begun(backend, document(say("chat")))
    flow = document(kind("a", "{{big}}" * 101), defaults={"big": "x" * MEGABYTE})

    result = begun(backend, flow)
    if result.status == "waiting_for_user_input":
        workflow_id = backend.run(result.run_id).workflow_id
        result = backend.execute(workflow_id, TurnInput.with_message("Hi"), run_id=result.run_id).finish()

    assert result.status == "failed"
    assert "longer than 10 million characters" in result.error
    assert len(json.dumps(result.events)) < MEGABYTE
    assert backend.run(result.run_id).status == "failed"
    assert still_works(backend, earlier)


@pytest.mark.parametrize(
    "field", ["dynamic_variables", "runtime_variables", "initial_state", "miscellaneous"]
)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(cyclic(), "Circular reference", id="a ring"),
        pytest.param(float("nan"), "float", id="not a number"),
        pytest.param(float("-inf"), "float", id="infinity"),
        pytest.param(b"\xff", "bytes", id="bytes"),
        pytest.param({1, 2}, "set", id="a set"),
        pytest.param({(1, 2): 3}, "keys must be str", id="keys that are no texts"),
        pytest.param(nested("x", 10_000), "recursion", id="10,000 levels"),
        pytest.param(10**5000, "digits", id="5,000 digits"),
    ],
)
def test_non_json_is_rejected_before_start(backend, field, value, reason):
    earlier = begun(backend, document(say("chat")))
    workflow_id = backend.create_workflow(document(say("chat"))).id
    holder = {"dynamic_variables": {"x": value}} if field == "initial_state" else {"x": value}

    with pytest.raises(InputError, match=f"cannot be written as JSON.*{reason}"):
        backend.execute(workflow_id, TurnInput.with_message(None, **{field: holder})).finish()

    assert backend.runs().total == 1
    assert still_works(backend, earlier)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(cyclic(), id="a ring"),
        pytest.param(nested("x", 10_000), id="10,000 levels"),
        pytest.param(b"\xff", id="bytes"),
        pytest.param({(1, 2): 3}, id="keys that are no texts"),
        pytest.param(10**5000, id="5,000 digits"),
    ],
)
def test_non_json_document_is_rejected(backend, value):
    with pytest.raises(InputError, match="cannot be stored, because it is not JSON"):
        backend.create_workflow(document(say("chat", odd=value)))

    assert backend.workflows() == []


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(10**400, id="400 digits"),
        pytest.param("half a character: \ud800", id="half a character"),
        pytest.param({1: "one"}, id="a number as a key"),
        pytest.param(nested("x", 50), id="50 levels"),
    ],
)
def test_odd_json_values_are_stored(backend, value):
    result = begun(backend, document(say("chat", "Hi {{x}}")), dynamic_variables={"x": value})

    again = backend.execute(
        backend.run(result.run_id).workflow_id, TurnInput.with_message("\ud800"), run_id=result.run_id
    ).finish()

    assert again.status == "waiting_for_user_input"
    assert len(backend.run(result.run_id).input_output_pairs) == 2


def test_prompt_of_5_mb_is_not_repeated_in_events(backend):
    prompt = f"{'words ' * 15}and {{{{name}}}}. " * 50_000
    text = json.dumps(document(say("chat", prompt), defaults={"name": "Ada"}))
    flow = load_workflow(text)

    result = begun(backend, json.loads(text))
    workflow_id = backend.run(result.run_id).workflow_id
    turns = [
        backend.execute(workflow_id, TurnInput.with_message("Hi"), run_id=result.run_id).finish()
        for _ in "12"
    ]

    assert check(flow) == []
    assert [placed.lines for placed in layout(flow).nodes] == [("Chat",)]
    assert turns[-1].status == "waiting_for_user_input"
    assert len(json.dumps(turns[-1].events)) < 100_000
    assert backend.workflow(workflow_id).to_wire() == json.loads(text)


def test_workflow_50_levels_deep_runs(backend):
    flow = document(static("leaf", "Deep down"))
    for level in range(50):
        flow = document(node(f"s{level}", "super_node", encapsulated_workflow_config=flow))

    result = begun(backend, flow)

    assert result.status == "completed"
    assert "Deep down" in json.dumps(result.events)
    assert check(load_workflow(json.dumps(flow))) == []
    assert [placed.id for placed in layout(load_workflow(json.dumps(flow))).nodes] == ["s49"]


def test_super_nodes_beyond_bound_fail_with_sentence(backend):
    flow = document(static("leaf", "Deep down"))
    for level in range(120):
        flow = document(node(f"s{level}", "super_node", encapsulated_workflow_config=flow))

    with pytest.raises(RunError, match="deep"):
        begun(backend, flow)


def test_2000_nodes_stay_within_time_and_memory(tmp_path):
    measured = """
        import sys, time
        from pathlib import Path
        from debugger.backends.embedded import EmbeddedBackend
        from debugger.graph import check, layout
        from debugger.protocol.runs import TurnInput
        from debugger.settings import Settings
        from tests.benchmarks.large_graphs import line

        backend = EmbeddedBackend(Settings(database=sys.argv[1], responder="rules"))
        began = time.process_time()
        workflow_id = backend.create_workflow(line()).id
        flow = backend.workflow(workflow_id)
        found = check(flow)
        picture = layout(flow)
        result = backend.execute(workflow_id, TurnInput.with_message(None)).finish()
        print(len(found), len(picture.nodes), result.status)
        print(picture.note)
        print(time.process_time() - began)
        # Not of getrusage: it counts the process from which this one was started, too.
        print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    """
    command = [sys.executable, "-c", textwrap.dedent(measured), f"sqlite:///{tmp_path}/runs.sqlite3"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    counted, note, seconds, kilobytes = done.stdout.splitlines()
    assert counted == "19901 0 waiting_for_user_input"
    assert note.startswith("The workflow is too large to be drawn: 2,000 nodes and 20,000 edges.")
    assert float(seconds) < 60
    assert int(kilobytes) < 600 * 1024


def test_walk_through_100_nodes_ends_correctly(backend):
    parts = [static(f"n{index}", f"Text {index}") for index in range(99)]
    edges = [direct(f"n{index}", f"n{index + 1}") for index in range(98)]

    result = begun(backend, document(*parts, say("end"), *edges, direct("n98", "end")))

    assert result.status == "waiting_for_user_input"
    assert len(outputs(result)) == 99
    assert len(Graph(backend.workflow(backend.run(result.run_id).workflow_id)).edges) == 99
