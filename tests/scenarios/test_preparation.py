"""Tests of the policies of scenarios, against a server on a socket that counts requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from debugger.backends import open_embedded
from debugger.backends.base import Backend
from debugger.errors import InputError
from debugger.protocol.workflow import Workflow
from debugger.scenarios.editing import read_plain
from debugger.scenarios.loading import load_scenario
from debugger.scenarios.opening import open_scenario, read_uploads
from debugger.scenarios.preparation import check_abilities, check_calls, read_classes, scenario_settings
from debugger.scenarios.python_runs import WorkflowRun
from debugger.scenarios.runner import ScenarioRunner
from debugger.scenarios.suite import cases_of, load_cases
from debugger.scenarios.suite_job import SuiteJob
from debugger.settings import Settings
from tests.support.factories import direct, document, node, say
from tests.support.http_server import HttpServer

ROOT = Path(__file__).parents[2]
ANSWER = "script: slots.script.yaml\n"
SCRIPT = """
version: 1
workflow: slots
answers:
  - {to: GET .*/slots, body: {free: [7]}}
"""


@pytest.fixture
def server():
    with HttpServer(slots=lambda to: to.send_json({"free": [9]})) as started:
        yield started


@pytest.fixture
def folder(tmp_path, server, monkeypatch):
    """A working folder with a workflow that reads, writes, and asks a model and a server for tools."""
    model = {"type": "custom_llm", "model": "tea-1", "base_url": f"{server.url}/v1"}
    read = {"type": "external_api", "name": "read_slots", "api_endpoint": f"{server.url}/slots"}
    shop = {"name": "shop", "server_url": f"{server.url}/mcp"}
    workflow = document(
        node("ask", "http_request", url=f"{server.url}/slots", result_runtime_variable_name="asked"),
        node("call", "tool_node", tool_config=read),
        node("book", "http_request", url=f"{server.url}/book", method="POST"),
        say(
            "chat",
            llms_config=model,
            use_mcp_tools=True,
            mcp_servers=[shop],
        ),
        direct("ask", "call"),
        direct("call", "book"),
        direct("book", "chat"),
        name="Slots",
        logical_id="slots",
    )
    (tmp_path / "slots.json").write_text(json.dumps(workflow))
    (tmp_path / "slots.script.yaml").write_text(SCRIPT)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_scenario(folder, more="", expect="[]"):
    text = f"version: 1\nname: Slots\nworkflow: slots.json\n{more}turns: [{{say: hello, expect: {expect}}}]\n"
    (folder / "slots.scenario.yaml").write_text(text)


def by_page(folder, settings, live=""):
    """The outcome as the page Suites makes it."""
    with closing(open_embedded(settings)) as backend:
        cases = load_cases([folder], live=read_classes(live))
        job = SuiteJob(
            cases,
            backend.store.suites,
            lambda: ScenarioRunner(lambda _: backend, settings, store=backend.store),
            "Ada",
        )
        job.start()
        assert job.wait(60)
        assert job.error is None
        return next(iter(job.counts))


def by_command(folder, settings, live=""):
    done = run_python(settings, "-m", "debugger", "test", ".", "--database", "sqlite://", "--live", live)
    return {0: "passed", 1: "failed", 2: "error", 3: "error"}[done.returncode]


def by_pytest(folder, settings, live=""):
    plugin = ("-p", "debugger.scenarios.pytest_plugin", "-p", "no:cacheprovider")
    done = run_python(settings, "-m", "pytest", "-q", *plugin, "--scenario-live", live, ".")
    return "passed" if done.returncode == 0 else "error"


def run_python(settings, *arguments):
    given = settings.model_dump(exclude_unset=True, exclude={"database"})
    environment = {f"WORKFLOW_DEBUGGER_{name.upper()}": str(value) for name, value in given.items()}
    own = {"PATH": os.environ["PATH"], "HOME": str(Path.cwd()), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], env={**own, **environment}, capture_output=True, text=True, timeout=120
    )


def by_session(folder, settings, live=""):
    """The outcome as the dialog *Open scenario* makes it."""
    uploads = {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix in (".json", ".yaml")}
    uploaded = next(
        each for each in read_uploads(uploads, "").scenarios if each.loaded.scenario.name == "Slots"
    )
    with closing(open_embedded(settings)) as backend:
        backend.create_workflow(json.loads((folder / "slots.json").read_text()))
        case = next(cases_of(uploaded.loaded, live=read_classes(live))).scenario
        try:
            opened = open_scenario(uploaded, case, backend)
        except InputError:
            return "error"
        replay = opened.replay(1)
        opened.session.replay_inputs(replay)
        assert replay.wait(60)
        opened.session.poll()
        return "failed" if opened.failure() else "passed"


def by_python(folder, settings, live=""):
    """The outcome of a test in Python by the fixture ``workflow_run``."""
    written = read_plain((folder / "slots.scenario.yaml").read_text())
    fields = {key: written[key] for key in ("calls", "script") if key in written}
    with ScenarioRunner(dict[str, Backend]().__getitem__, settings) as runner:
        try:
            run = WorkflowRun(runner, folder, "slots.json", **fields)
        except InputError:
            return "error"
        run.say("hello")
        expected = written["turns"][0]["expect"]
        return "passed" if all(run.check(**each) for each in expected) else "failed"


WAYS = pytest.mark.parametrize("run", [by_page, by_command, by_pytest, by_session, by_python])
MODEL = {"database": "sqlite://", "responder": "model"}
READS = ["GET /slots", "GET /slots"]


def hits(server):
    return [f"{each.method} {each.path}" for each in server.received]


@WAYS
def test_scenario_sends_nothing_by_default(run, folder, server):
    write_scenario(folder)

    assert run(folder, Settings(**MODEL)) == "passed"
    assert hits(server) == []


@WAYS
def test_blocked_class_stays_blocked(run, folder, server):
    write_scenario(folder, "calls: {talk: live, read: live, write: live}\n")
    blocked = {"outbound_talk": "blocked", "outbound_read": "blocked"}

    assert run(folder, Settings(**MODEL, **blocked)) == "passed"
    assert hits(server) == []


@WAYS
def test_what_both_permit_is_sent(run, folder, server):
    write_scenario(
        folder, "calls: {read: live}\n", expect="[{variable: {name: runtime.asked.free, equals: [9]}}]"
    )

    assert run(folder, Settings(**MODEL)) == "passed"
    assert [hit for hit in hits(server) if "/mcp" not in hit] == READS
    assert any("/mcp" in hit for hit in hits(server))


@WAYS
def test_recorded_answer_wins_over_live(run, folder, server):
    used = "[{variable: {name: runtime.asked.free, equals: [7]}}]"
    write_scenario(folder, f"calls: {{read: live}}\n{ANSWER}", expect=used)

    assert run(folder, Settings(**MODEL, outbound_write="live")) == "passed"
    assert [hit for hit in hits(server) if "/mcp" not in hit] == ["POST /book"]


@WAYS
def test_live_setting_without_a_word_is_an_error(run, folder, server):
    write_scenario(folder)

    assert run(folder, Settings(**MODEL, outbound_read="live")) == "error"
    assert hits(server) == []


@pytest.mark.parametrize("run", [by_page, by_command, by_pytest])
def test_option_asks_for_classes_that_file_does_not_name(run, folder, server):
    write_scenario(folder, "calls: {talk: simulated}\n")

    assert run(folder, Settings(**MODEL, outbound_read="live"), live="read,talk") == "passed"
    assert [hit for hit in hits(server) if "/mcp" not in hit] == READS


def test_live_model_is_called(folder, server):
    write_scenario(folder, "calls: {talk: live}\n")

    assert by_page(folder, Settings(**MODEL)) == "passed"
    assert {hit.partition("/v1")[1] for hit in hits(server)} == {"/v1"}


@pytest.mark.parametrize(
    ("wanted", "setting", "policy"),
    [
        ("live", "live", "live"),
        ("live", "simulated", "simulated"),
        ("live", "blocked", "blocked"),
        ("simulated", "live", "simulated"),
        ("simulated", "blocked", "blocked"),
        ("blocked", "live", "blocked"),
        ("blocked", "simulated", "blocked"),
    ],
)
@pytest.mark.parametrize("name", ["talk", "read", "write", "contact"])
def test_stricter_of_file_and_setting_holds(folder, name, wanted, setting, policy):
    write_scenario(folder, f"calls: {{{name}: {wanted}}}\n")
    scenario = load_scenario(folder / "slots.scenario.yaml").scenario

    settings = scenario_settings(scenario, Settings(**{f"outbound_{name}": setting}))

    assert getattr(settings, f"outbound_{name}") == policy


@pytest.mark.parametrize("setting", ["live", "simulated", "blocked"])
def test_unnamed_class_of_writes_is_as_settings_say(folder, setting):
    write_scenario(folder)
    scenario = load_scenario(folder / "slots.scenario.yaml").scenario

    settings = scenario_settings(scenario, Settings(outbound_write=setting, outbound_contact=setting))

    assert (settings.outbound_write, settings.outbound_contact) == (setting, setting)


def test_error_says_what_to_write(folder):
    write_scenario(folder)
    scenario = load_scenario(folder / "slots.scenario.yaml").scenario
    workflow = Workflow.from_document(json.loads((folder / "slots.json").read_text()))

    with pytest.raises(InputError) as error:
        check_calls(scenario, Settings(outbound_read="live"), workflow)

    assert str(error.value) == (
        "WORKFLOW_DEBUGGER_OUTBOUND_READ=live is set, but the scenario 'Slots' does not ask for live calls "
        "of the class 'read'. Their answers would be made up. Write `calls: {read: live}` into the scenario "
        "or use --live read; `calls: {read: simulated}` makes none in any case."
    )


def test_workflow_without_reads_needs_no_word(folder):
    write_scenario(folder)
    scenario = load_scenario(folder / "slots.scenario.yaml").scenario

    check_calls(scenario, Settings(outbound_read="live"), Workflow.from_document(document(say("chat"))))


def test_unknown_class_is_refused():
    with pytest.raises(InputError, match="There is no class of calls 'reads'"):
        read_classes("talk, reads")


def test_policies_for_calls_need_the_embedded_engine(folder):
    write_scenario(folder, "calls: {read: live}\nconnection: hosted\n")
    loaded = load_scenario(folder / "slots.scenario.yaml")

    with pytest.raises(InputError, match="needs policies for calls, which the connection 'hosted' does not"):
        check_abilities(loaded.scenario, "hosted")
    write_scenario(folder, "connection: hosted\n")
    [case] = cases_of(load_scenario(folder / "slots.scenario.yaml"), live=["read"])
    check_abilities(case.scenario, "hosted")
