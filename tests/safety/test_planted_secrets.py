"""Secrets of twelve kinds, looked for in whatever leaves the process."""

from __future__ import annotations

import io
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from psycopg.sql import SQL, Identifier
from streamlit.testing.v1 import AppTest

from debugger.analysis.side_effects import ledgers, side_effects
from debugger.backends.embedded import EmbeddedBackend
from debugger.boundary import MaskingOptions, register_process_secrets, release_line
from debugger.errors import InputError, ServerError
from debugger.exports.csv_files import side_effects_csv
from debugger.exports.problem_report import Failure, ReportMasker, problem_report
from debugger.protocol.notes import RunNotes
from debugger.protocol.runs import Run, TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.scenarios.reports import REPORTS
from debugger.scenarios.reports.masked import Sources
from debugger.server.errors import error_response
from debugger.settings import HostedSettings, Settings
from debugger.store.compression import decompress
from debugger.telemetry.logs import JsonFormatter, LogHandler, TextFormatter
from debugger.telemetry.spans import span, use_tracer
from tests.backends.test_secrets import OF_ENVIRONMENT, WRITTEN, planted, stored, traces
from tests.engine.tools.test_mcp import serving as serving_mcp
from tests.support.exports import NO_MASKING, every_text, exported
from tests.support.http_server import HttpServer
from tests.support.model_server import said
from tests.support.model_server import serving as serving_model
from tests.support.postgres import a_database, a_schema
from tests.support.proxy import proxy
from tests.support.suites import check, result, suite

CONNECTION_KEY, INPUT, PASSWORD = "planted-connection-77", "planted-input-77", "planted-database-77"
SECRETS = {**OF_ENVIRONMENT, **WRITTEN, "connection": CONNECTION_KEY, "input": INPUT}
"""A secret of the environment, of an integration, of each provider, of the hosted connection, of a run's
input; and what an author wrote as header, token, password and parameter of a URL, key of a model, header of
MCP, webhook token and credential of a connector."""
OF_PROCESS = {**OF_ENVIRONMENT, "connection": CONNECTION_KEY}
"""Secrets that are masked by their values in any text."""
SHOP = "WORKFLOW_DEBUGGER_SECRET_SHOP_KEY"
MASKINGS = [NO_MASKING, MaskingOptions()]


@contextmanager
def a_store(kind: str, folder: Any) -> Iterator[str]:
    """Yield the URL of an empty database."""
    with ExitStack() as stack:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/runs.sqlite3"
        else:
            yield stack.enter_context(a_schema(stack.enter_context(a_database())))


def everything_in(url: str, folder: Any) -> str:
    """Return all that a database holds but the workflows, whose documents are the author's own."""
    if url.startswith("sqlite"):
        return stored(folder / "runs.sqlite3")
    cells: list[Any] = []
    with psycopg.connect(url) as database:
        tables = database.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        ).fetchall()
        for (table,) in tables:
            if table != "versions":
                rows = database.execute(SQL("SELECT * FROM {}").format(Identifier(table))).fetchall()
                cells += [cell for row in rows for cell in row]
    return "\n".join(
        decompress(bytes(cell)).decode() if isinstance(cell, bytes | memoryview) else str(cell)
        for cell in cells
    )


def rebinding(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Resolve ``shop.invalid`` to this machine, and every other time to another of its addresses."""
    look_up, names = socket.getaddrinfo, []

    def answer(host: Any, *arguments: Any, **more: Any) -> Any:
        if str(host) == "shop.invalid":
            names.append(host)
            host = "127.0.0.1" if len(names) % 2 else "127.0.0.2"
        return look_up(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return names


@pytest.mark.parametrize("is_redirected", [False, True])
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_planted_secrets_leave_nowhere(tmp_path, monkeypatch, caplog, database, is_redirected):
    caplog.set_level(logging.DEBUG)
    for name, value in OF_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    names = rebinding(monkeypatch)
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    use_tracer(provider.get_tracer("test"), release_line)
    everything = " and ".join(OF_PROCESS.values())

    def away(to: Any) -> None:
        path = to.server.received[-1].path
        to.redirect(f"http://127.0.0.2:{to.server.server_port}/x{path}", 307)

    with (
        a_store(database, tmp_path) as url,
        HttpServer(**({"echo": away} if is_redirected else {})) as http,
        serving_mcp(token=WRITTEN["mcp"]) as mcp,
        serving_model(said(None, ("echo_headers", {}), ("crm", {})), said("Done.")) as model,
        proxy([("127.0.0.1", http.server_port)], is_sticky=False) as (port, _),
    ):
        settings = Settings(
            database=url,
            responder="model",
            hosted=HostedSettings(api_key=CONNECTION_KEY),
            **{f"outbound_{name}": "live" for name in ("talk", "read", "write", "contact")},
        )
        register_process_secrets(settings)
        monkeypatch.setenv("WORKFLOW_DEBUGGER_CUSTOM_LLM_BASE_URL", model.url)
        backend = EmbeddedBackend(settings)
        made = backend.create_workflow(planted(f"http://shop.invalid:{port}", model.url, mcp))
        message = TurnInput.with_message(f"Go: {OF_ENVIRONMENT[SHOP]}").to_wire()
        turn_input = TurnInput.from_wire({**message, "secret_variables": {"k": INPUT}})
        turn = backend.execute(made.id, turn_input).finish()
        run, workflow = backend.run(turn.run_id), backend.workflow(made.id)
        with span(f"call {everything}", target=everything):
            pass
        backend.close()
        rows = everything_in(url, tmp_path)
    use_tracer(None)

    notes = RunNotes(note=everything, tags=[CONNECTION_KEY])
    given = exported(saying(run, everything), workflow, notes=notes, workflow_name=everything)
    effects = side_effects(turn_logs(run), ledgers(run))
    texts = {
        "events": json.dumps([turn.to_wire(), run.to_wire()], ensure_ascii=False) + repr(turn) + repr(run),
        "database": rows,
        "side effects": side_effects_csv(turn.run_id, effects).decode(),
        **{
            f"{name} {masking.words}": text
            for masking in MASKINGS
            for name, text in every_text(given, masking)
        },
        **{f"report {name}": text for name, text in reports(everything)},
        "spans": str([(each.name, dict(each.attributes)) for each in exporter.get_finished_spans()]),
        "log": "".join(lines(everything)) + caplog.text,
        "problem report": report(settings, everything),
        "answer": error_response(InputError(f"It is {everything}")).body.decode(),
        "page": page(everything),
    }
    found = {
        (place, name)
        for place, text in texts.items()
        for name, secret in SECRETS.items()
        for trace in traces(secret)
        if trace in text
    }
    assert found == set()
    assert len(names) > 1
    assert http.received
    assert {effect.kind for effect in effects} >= {"http", "mcp", "model"}


def saying(run: Run, text: str) -> Run:
    """Return the record of another server in which a model and an error say a text."""
    wire = json.loads(json.dumps(run.to_wire()))
    events = [
        {"type": "assistant_response", "content": text, "origin_node_name": text, "timestamp": 1.0},
        {"type": "workflow_error", "error_message": text, "stack_trace": text, "timestamp": 2.0, text: text},
    ]
    wire["input_output_pairs"][-1]["run_output"]["events"] += events
    return Run.from_wire(wire)


def reports(text: str) -> Iterator[tuple[str, str]]:
    """Yield the reports of a scenario that failed, by format."""
    made = suite(
        result("failed", check(text, got=text, message=text), path=text, error=text, row={"a": text})
    )
    for name, write in REPORTS.items():
        for masking in MASKINGS:
            file = io.BytesIO()
            write(file, made, Sources(masking=masking))
            yield f"{name} {masking.words}", file.getvalue().decode()


def lines(text: str) -> Iterator[str]:
    """Yield a log line with a traceback in each format."""
    for formatter in (TextFormatter(release_line), JsonFormatter(release_line)):
        handler, out = LogHandler(), io.StringIO()
        handler.setFormatter(formatter)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stderr", out)
            error = ValueError(text)
            handler.emit(
                logging.LogRecord(
                    "debugger", logging.ERROR, "x.py", 1, "%s", (text,), (type(error), error, None)
                )
            )
        assert "***" in out.getvalue()
        yield out.getvalue()


def report(settings: Settings, text: str) -> str:
    """Return a problem report of a failure that says it."""
    masker = ReportMasker(settings)
    return problem_report(Failure("send", ServerError(text, request_id="1")), settings, masker, log=[text])


def page(text: str) -> str:
    """Return what the page shows of an error that says it."""
    source = f"""
from debugger.errors import InputError
from debugger.views.components.error_box import show_error
show_error(InputError({text!r}, advice="Try again."))
"""
    drawn = AppTest.from_string(source).run()
    assert not drawn.exception
    assert "Try again" in drawn.error[0].value
    return "\n".join(str(each.value) for kind in ("error", "code", "text") for each in drawn.get(kind))
