"""Each kind of failure shows in each place, embedded, over our server, and in records of other servers.

Another server's record is one of ours without the key by which our engine marks events.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from junitparser.xunit2 import JUnitXml

from debugger.analysis.filtered_timeline import Filter, filter_timeline
from debugger.analysis.run_facts import FORMAT_VERSION
from debugger.analysis.run_projection import RunProjection
from debugger.analysis.run_statistics import PathFilter, trouble_counts
from debugger.analysis.trouble import LABELS
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.hosted import HostedBackend
from debugger.backends.recorded import RecordedBackend
from debugger.backends.run_summaries import RunSummaries
from debugger.expressions import Scope
from debugger.graph import Graph
from debugger.protocol.events import TROUBLE
from debugger.protocol.json_codec import encode
from debugger.protocol.run_file import read_run_file
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.scenarios.loading import load_text
from debugger.scenarios.reports.junit import write_junit
from debugger.scenarios.reports.masked import Sources
from debugger.scenarios.reports.texts import warning_lines
from debugger.scenarios.runner import ScenarioRunner
from debugger.session.breakpoints import Breakpoint, Breakpoints
from debugger.settings import HostedSettings, Settings
from debugger.views.panels.runs.scope import WantedRuns, counted_run
from tests.conformance.served import serving
from tests.support.exports import NO_MASKING, csv_rows, exported, options, run_file, written
from tests.support.factories import direct, document, node, say, static, when, worker
from tests.support.model_server import said, send
from tests.support.suites import suite

KEY = "sk-failures"
ENVIRONMENT = {
    "WORKFLOW_DEBUGGER_RESPONDER": "model",
    "WORKFLOW_DEBUGGER_CUSTOM_LLM_API_KEY": "sk-models",
    "WORKFLOW_DEBUGGER_OUTBOUND_CONTACT": "simulated",
}
SIDES = ("embedded", "hosted", "foreign")


@dataclass(frozen=True)
class Failure:
    """A workflow in which one thing fails, at the node ``desk``."""

    kind: str
    parts: Callable[[str], list]
    foreign: tuple[str, ...]
    """Its kinds where events are not marked."""


def llm(url, model, **fields):
    """A model of the peer: what it is called says how it fails."""
    return {"type": "custom_llm", "model": model, "base_url": f"{url}/v1", "max_retries": 0, **fields}


def needy_tool():
    """A tool that fails, because an argument has no value."""
    bound = {"argument_name": "day", "source": "runtime", "variable_path": "day", "required": True}
    code = "def slots(day):\n    return day\n"
    return {"type": "inline_python", "name": "slots", "code": code, "variable_arguments": [bound]}


def request(url, **fields):
    return node("desk", "http_request", url=f"{url}/broken", method="GET", **fields)


FAILURES = {
    "model": Failure("model", lambda url: [say("desk", llms_config=llm(url, "failing"))], ("unknown",)),
    "schema": Failure(
        "schema",
        lambda url: [
            worker(
                "desk",
                {"tea": {"type": "string"}},
                llms_config=llm(url, "odd", max_parse_retries=0),
                wait_for_user_message=False,
            )
        ],
        ("unknown",),
    ),
    "cut reply": Failure("cut_reply", lambda url: [say("desk", llms_config=llm(url, "cut"))], ("unknown",)),
    "tool": Failure("tool", lambda url: [node("desk", "tool_node", tool_config=needy_tool())], ("tool",)),
    "tool of a model": Failure(
        "tool",
        lambda url: [say("desk", llms_config=llm(url, "calling"), tools_config={"tools": [needy_tool()]})],
        ("tool",),
    ),
    "http": Failure("http", lambda url: [request(url)], ("http",)),
    "http handled": Failure(
        "http",
        lambda url: [
            request(url),
            static("sorry", "We call you back."),
            when("desk", "sorry", "[[http_request_result_success]] == false"),
        ],
        ("http",),
    ),
    "connector": Failure(
        "connector",
        lambda url: [node("desk", "send_sms", message="Hello", destination_phone_number="nobody")],
        ("unknown", "connector"),
    ),
    "time-out": Failure(
        "timeout",
        lambda url: [
            node("desk", "no_op", delay_seconds=2, self_loop_config={"enabled": True, "expiry_time": 1})
        ],
        ("timeout",),
    ),
    "loop limit": Failure(
        "loop_limit",
        lambda url: [static("desk", "a"), static("b", "b"), direct("desk", "b"), direct("b", "desk")],
        ("unknown",),
    ),
    "error": Failure("error", lambda url: [static("desk", "a"), when("desk", "desk", "1 <")], ("error",)),
}


class Peer(BaseHTTPRequestHandler):
    """Models that fail as their name says, and an address that is broken."""

    def do_GET(self):
        send(self, 503, {"detail": "out of order"})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["model"] == "failing":
            send(self, 400, {"error": {"message": "no such model"}})
        elif asked["model"] == "odd":
            send(self, 200, said(None, (asked["tools"][-1]["function"]["name"], {"tea": 7})))
        elif asked["model"] == "cut":
            send(self, 200, said("We have Assam, Darj", finish="length"))
        elif any(message["role"] == "tool" for message in asked["messages"]):
            send(self, 200, said("The till is out of order."))
        else:
            send(self, 200, said(None, ("slots", {})))

    def log_message(self, *_):
        pass


@contextmanager
def peer():
    http = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


@dataclass
class Played:
    """A run in which something has failed, on one side."""

    backend: object
    run_id: str
    kinds: tuple[str, ...]
    nameless: frozenset[str] = frozenset()
    """Kinds whose events do not name a node."""

    @cached_property
    def run(self):
        return self.backend.run(self.run_id)

    @cached_property
    def workflow(self):
        return self.backend.workflow(self.run.workflow_id, self.run.version_number)

    @cached_property
    def turns(self):
        return turn_logs(self.run)

    @cached_property
    def projections(self):
        return RunProjection(Graph(self.workflow)).read(self.turns)

    @cached_property
    def summary(self):
        return RunSummaries(self.backend).read([self.run], 60)[self.run_id]

    @property
    def failures(self):
        return [kind for kind in self.kinds if kind != "unknown"]


class Sides:
    """The runs of every failure on every side, each made once."""

    def __init__(self, folder, stack, monkeypatch):
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        self.url = stack.enter_context(peer())
        self.settings = Settings(
            database=f"sqlite:///{folder}/embedded.sqlite3", responder="model", outbound_contact="simulated"
        )
        self.embedded = EmbeddedBackend(self.settings)
        stack.callback(self.embedded.close)
        client = stack.enter_context(
            serving(f"sqlite:///{folder}/served.sqlite3", folder, KEY, **ENVIRONMENT)
        )
        self.hosted = HostedBackend(HostedSettings(base_url=str(client.base_url), api_key=KEY, timeout=60))
        stack.callback(self.hosted.close)
        self._known = {}

    def report(self, side, name, folder):
        """Run the failure as a scenario; return its result and the lines of its case in JUnit's file."""
        setup = "calls: {read: live, talk: live}\n" if side == "embedded" else "connection: hosted\n"
        expect = "expect: [{status: failed}]\n" if name == "error" else ""
        if name == "loop limit":
            expect = "expect: [{status: aborted_looping_risk}]\n"
        text = f"version: 1\nname: Failure\n{setup}turns: [{{say: Hello}}]\n{expect}"
        backend = getattr(self, side)
        created = backend.create_workflow(document(*FAILURES[name].parts(self.url)))
        with ScenarioRunner(lambda connection: backend, self.settings) as runner:
            loaded = load_text(f"{text}workflow: {created.id}\n", folder)
            [result] = runner.run(loaded)
        file = io.BytesIO()
        write_junit(file, suite(result), Sources(masking=NO_MASKING))
        (group,) = JUnitXml.fromstring(file.getvalue())
        (case,) = group
        return result, str(case.system_out)

    def play(self, side, name):
        if (side, name) not in self._known:
            self._known[side, name] = self._play(side, FAILURES[name])
        return self._known[side, name]

    def _play(self, side, failure):
        if side == "foreign":
            name = next(name for name, each in FAILURES.items() if each is failure)
            own = self.play("embedded", name)
            file = run_file(own.run, own.workflow).model_dump(mode="json", by_alias=True)
            recorded = RecordedBackend(read_run_file(encode(without_marks(file))))
            return Played(recorded, recorded.run_id, failure.foreign, frozenset({"unknown", "error"}))
        backend = getattr(self, side)
        made = backend.create_workflow(document(*failure.parts(self.url)))
        result = backend.execute(made.id, TurnInput.with_message("Hello")).finish()
        return Played(backend, result.run_id, (failure.kind,))


def without_marks(value):
    if isinstance(value, dict):
        return {key: without_marks(each) for key, each in value.items() if key != TROUBLE}
    return [without_marks(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    with ExitStack() as stack, pytest.MonkeyPatch.context() as monkeypatch:
        yield Sides(tmp_path_factory.mktemp("failures"), stack, monkeypatch)


def expect_timeline(played):
    rows = [row for row in played.projections.timeline.rows if row.trouble and row.trouble.is_problem]
    assert sorted(row.trouble.kind for row in rows) == sorted(played.kinds)
    for row in rows:
        assert row.importance == "high"
        assert row.node_logical_id == "desk" or row.trouble.kind in played.nameless
    found = filter_timeline(played.projections, Filter(failures_only=True), "All events")
    assert {row.index for row in rows} <= set(found.places)
    assert found.trouble["failure"] == len(played.failures)


def expect_badge(played):
    failed = played.projections.position.position(played.run.status).failed
    assert failed == (("desk",) if played.failures else ())


def expect_step(played):
    troubled = [step for step in played.projections.steps if step.trouble == "failure"]
    assert bool(troubled) is bool(played.failures)
    assert all(step.summary for step in troubled)


def expect_breakpoint(played):
    breakpoints = Breakpoints(Graph(played.workflow))
    breakpoints.put(Breakpoint("error"))
    hits = [hit for turn in played.turns for event in turn.events for hit in breakpoints.match(event, Scope)]
    assert len(hits) == len(played.failures)


def expect_runs(played):
    assert played.summary.problems == len(played.kinds)
    assert played.summary.failures == len(played.failures)
    assert WantedRuns(with_problems=True).fits(counted_run(played.run, played.summary))


def expect_statistics(played):
    counted = counted_run(played.run, played.summary)
    found = {each.kind: (each.runs, each.times) for each in trouble_counts([counted])}
    found.pop("configuration", None)
    assert found == dict.fromkeys(played.kinds, (1, 1))
    assert all(PathFilter("trouble", kind).fits(counted) for kind in played.kinds)


def exported_rows(played, file_format, shape, *columns):
    chosen = options(file_format, shape=shape, masking=NO_MASKING, columns=columns)
    data = written([exported(played.run, played.workflow)], chosen)
    rows = csv_rows(data) if file_format == "csv" else [json.loads(line) for line in data.splitlines()]
    return [row for row in rows if row.get("failure_kind")]


def expect_export(played, file_format):
    columns = ("failure_kind", "error_node", "faulted", "is_failure", "summary")
    rows = exported_rows(played, file_format, "event", *columns)
    nodes = {kind: "" if kind in played.nameless else "Desk" for kind in played.kinds}
    assert sorted(row["failure_kind"] for row in rows) == sorted(played.kinds)
    for row in rows:
        assert row["error_node"] == nodes[row["failure_kind"]]
        assert [str(row.get(name)).casefold() for name in ("faulted", "is_failure")] == ["false", "true"]
        assert row["summary"]
    for shape in ("message", "turn"):
        (row,) = exported_rows(played, file_format, shape, "failure_kind", "error_node")
        assert sorted(row["failure_kind"].split("; ")) == sorted(played.kinds)
        assert row["error_node"].split("; ").count("Desk") == len(set(played.kinds) - played.nameless)


def expect_csv(played):
    expect_export(played, "csv")


def expect_jsonl(played):
    expect_export(played, "jsonl")


PLACES = {
    "timeline": expect_timeline,
    "badge": expect_badge,
    "step": expect_step,
    "breakpoint": expect_breakpoint,
    "Runs": expect_runs,
    "statistics": expect_statistics,
    "CSV": expect_csv,
    "JSONL": expect_jsonl,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_shows(sides, name, side, place):
    PLACES[place](sides.play(side, name))


@pytest.mark.parametrize("side", ["embedded", "hosted"])
@pytest.mark.parametrize("name", FAILURES)
def test_a_scenario_reports_the_failure(sides, tmp_path, name, side):
    failure = FAILURES[name]

    result, output = sides.report(side, name, tmp_path)

    assert result.outcome == "passed", "what the workflow makes of a failure is for expectations to say"
    problems = [check for check in result.repetitions[0].warnings if check.event is not None]
    expected = [] if name == "error" else [LABELS[failure.kind]]
    assert [check.expectation.message for check in problems] == expected
    assert [line for line in warning_lines(result) if any(label in line for label in expected)] == [
        line.removeprefix("Warning: ")
        for line in output.splitlines()
        if any(label in line for label in expected)
    ]
    assert all(label in output and "Desk" in output for label in expected)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_a_summary_of_an_older_version_is_made_anew(database, monkeypatch):
    with closing(EmbeddedBackend(Settings(database=database, outbound_contact="simulated"))) as backend:
        made = backend.create_workflow(document(*FAILURES["connector"].parts("")))
        run_ids = [backend.execute(made.id, TurnInput.with_message("Hi")).finish().run_id for _ in range(3)]
        runs = [backend.run(run_id) for run_id in run_ids]
        old = {run_id: (1, {"problems": 0, "error_type": ""}) for run_id in run_ids}
        backend.store.run_facts.save(old, FORMAT_VERSION - 1)

        made_anew = RunSummaries(backend, backend.store.run_facts).read(runs, 60)
        monkeypatch.setattr(RunSummaries, "_make", lambda self, runs: iter(()))
        stored = RunSummaries(backend, backend.store.run_facts).read(runs, 60)

        assert [summary.failures for summary in made_anew.values()] == [1, 1, 1]
        assert stored == made_anew


@pytest.mark.parametrize("name", FAILURES)
def test_embedded_and_served_events_have_equal_marks(sides, name):
    def marks(side):
        events = [event.to_wire() for turn in sides.play(side, name).turns for event in turn.events]
        return [(event["type"], event.get(TROUBLE, "none")) for event in events]

    assert marks("embedded") == marks("hosted")
    warnings = [mark for event_type, mark in marks("embedded") if event_type == "workflow_warning"]
    assert all(isinstance(mark, dict) for mark in warnings), "the engine knows the cause of each"
