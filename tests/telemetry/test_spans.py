from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from debugger.backends import open_embedded
from debugger.errors import SettingsError
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from debugger.telemetry.spans import span, start_traces, steps, use_tracer
from tests.server.conftest import serving
from tests.support.clinic import CALL, play

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def exporter():
    """The spans that end within a test."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    use_tracer(provider.get_tracer("test"))
    yield memory
    use_tracer(None)


def hexadecimal(context):
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def test_turn_over_http_is_one_trace(exporter):
    with closing(open_embedded(Settings(database="sqlite://"))) as backend:
        clinic = next(each for each in backend.workflows("Clinic front desk"))
        run_id = play(backend, *CALL[:3])
        exporter.clear()
        with serving(backend) as client:
            sent = {"run_id": run_id, "run_input": TurnInput.with_message(CALL[3], command="data").to_wire()}
            headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
            answer = client.post(f"/v1/workflows/{clinic.id}/execute", json=sent, headers=headers)

    assert answer.status_code == 200
    spans = exporter.get_finished_spans()
    by_id = {hexadecimal(each.context)[1]: each for each in spans}

    def parents(each):
        while each is not None:
            yield each.name
            each = by_id.get(hexadecimal(each.parent)[1])

    lines = {tuple(parents(each)) for each in spans}
    assert {hexadecimal(each.context)[0] for each in spans} == {TRACE}
    assert {("turn", "HTTP POST"), ("node", "turn", "HTTP POST")} < lines
    assert {("model", "node", "turn", "HTTP POST"), ("tool", "node", "turn", "HTTP POST")} < lines
    (request,) = [each for each in spans if each.name == "HTTP POST"]
    assert hexadecimal(request.parent) == (TRACE, PARENT)
    assert answer.headers["traceparent"] == "00-{}-{}-01".format(*hexadecimal(request.context))
    assert request.attributes["http.route"] == "/v1/workflows/{workflow_id}/execute"
    turn = next(each for each in spans if each.name == "turn")
    assert turn.attributes["run_id"] == run_id
    assert not [each for each in spans if "Tuesday" in each.to_json()]


def test_error_is_marked_without_its_message(exporter):
    with pytest.raises(ValueError, match="hunter2"), span("tool"):
        raise ValueError("hunter2")

    (ended,) = exporter.get_finished_spans()
    assert ended.status.description == "ValueError"
    assert "hunter2" not in ended.to_json()


def test_interleaved_generators_have_own_children(exporter):
    def work(name):
        for _ in range(2):
            with span(f"inner of {name}"):
                yield name

    first, second = steps("one", work("one")), steps("two", work("two"))
    for generator in (first, second, first, second):
        next(generator)
    first.close()
    second.close()

    spans = exporter.get_finished_spans()
    outer = {each.context.span_id: each.name for each in spans if each.name in ("one", "two")}
    inner = [each for each in spans if each.name.startswith("inner")]
    assert sorted(outer.values()) == ["one", "two"]
    assert [f"inner of {outer[each.parent.span_id]}" for each in inner] == [each.name for each in inner]


def test_generator_is_unchanged_without_tracer():
    generator = (number for number in range(3))

    assert steps("node", generator) is generator


def test_nothing_is_imported_without_address():
    script = (
        "import sys; import debugger.backends; from debugger.telemetry.spans import start_traces\n"
        "start_traces(); print('opentelemetry.sdk' in sys.modules, 'opentelemetry.trace' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], env={}, capture_output=True, text=True, check=True)

    assert run.stdout == "False False\n"


def test_missing_package_is_reported(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    with pytest.raises(SettingsError, match=r"'\.\[otel\]'"):
        start_traces()
