from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from junitparser import JUnitXml
from typer.testing import CliRunner

from debugger.backends.embedded import EmbeddedBackend
from debugger.cli import main
from debugger.scenarios.runner import ScenarioRun
from debugger.settings import Settings
from debugger.store import Store
from tests.support.factories import direct, document, node, say, static, when

ROOT = Path(__file__).parents[2]
HEAD = "version: 1\nworkflow: hello.json\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a workflow that says hello to everybody."""
    workflow = document(static("hello", "Hello, call +1 555 010 9988."), name="Hello", logical_id="hello")
    (tmp_path / "hello.json").write_text(json.dumps(workflow))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scenario(folder, name, says="Hello", *, more=""):
    text = f"{HEAD}name: {name}\n{more}turns:\n  - expect: [{{says: '{says}'}}]\n"
    (folder / f"{name.lower()}.scenario.yaml").write_text(text)


def run(*arguments, database="sqlite://"):
    return CliRunner().invoke(main, ["test", "--database", database, *map(str, arguments)])


def child(folder, *arguments, database):
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "debugger", "test", ".", "--database", database, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_passed_scenarios_exit_with_0(folder):
    scenario(folder, "One")
    scenario(folder, "Two", more="rows: [{word: a}, {word: b}]\n")

    done = run(".")

    assert done.exit_code == 0
    assert re.sub(r"\d+\.\d+ s", "N s", done.stdout) == (
        "passed  one.scenario.yaml::One (N s)\n"
        "passed  two.scenario.yaml::Two[row 1] (N s)\n"
        "passed  two.scenario.yaml::Two[row 2] (N s)\n"
        "\n3 passed in N s\n"
    )


def test_packaged_scenarios_pass():
    done = run(ROOT / "debugger" / "samples" / "scenarios", "--parallel", "2")

    assert done.exit_code == 0, done.output
    assert re.search(r"^\d+ passed in", done.stdout, re.MULTILINE)


def test_failures_come_last_and_whole(folder):
    scenario(folder, "Bad", "Goodbye")
    scenario(folder, "Good")

    done = run(".", database=f"sqlite:///{folder}/runs.sqlite3")

    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[:4] == [lines[0], lines[1], "", "FAILED bad.scenario.yaml::Bad (new)"]
    assert "    expected: a message of the agent in the turn that contains 'Goodbye'" in lines
    assert re.search(r"Run: http://localhost:8501/\?backend=embedded&run=\w{24}$", done.stdout, re.MULTILINE)
    assert lines[-1].startswith("1 passed, 1 failed (1 new) in ")


def test_failures_command_no_terminal(folder):
    workflow = document(static("hello", "Hello \x1b]0;title\x07"), name="Hello", logical_id="hello")
    (folder / "hello.json").write_text(json.dumps(workflow))
    scenario(folder, "Bad", "Goodbye")

    done = run(".")

    assert "Hello \\x1b]0;title\\x07" in done.stdout
    assert "\x1b" not in done.stdout


def test_names_command_no_terminal(folder):
    name = "One\\n::error::\\e]0;title\\a"
    text = f'{HEAD}name: "{name}"\nturns:\n  - expect: [{{says: Goodbye}}]\n'
    (folder / "one.scenario.yaml").write_text(text)

    listed, ran = run(".", "--dry-run"), run(".")

    for printed in (listed.stdout, ran.stdout):
        assert "::One\\n::error::\\x1b]0;title\\x07" in printed
        assert not any(line.startswith("::error") for line in printed.splitlines())


def test_terminal_without_a_character_shows_its_code(folder, monkeypatch):
    scenario(folder, "Grüße → Ada")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")

    done = subprocess.run(
        [sys.executable, "-m", "debugger", "test", ".", "--database", "sqlite://"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=120,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert "::Grüße \\u2192 Ada (".encode("latin-1") in done.stdout


def test_reader_that_ends_early_loses_no_report(folder):
    for number in range(30):
        scenario(folder, f"S{number:02}", "Hello" if number else "Goodbye")
    process = child(folder, "--junit", "report.xml", database="sqlite://")
    process.stdout.readline()

    process.stdout.close()

    assert process.wait(120) == 1
    assert JUnitXml.fromfile(str(folder / "report.xml")).tests == 30


def test_report_that_fails_keeps_others(folder):
    scenario(folder, "One")
    (folder / "broken.xml").symlink_to(folder / "gone" / "report.xml")

    done = run(".", "--junit", "broken.xml", "--json", "report.json")

    assert done.exit_code == 3
    assert "error: The report broken.xml cannot be written: No such file or directory." in done.stderr
    assert json.loads((folder / "report.json").read_bytes())["counts"]["passed"] == 1


def test_report_has_the_rights_of_new_files(folder):
    scenario(folder, "One")
    (folder / "new.txt").touch()

    run(".", "--json", "report.json")

    assert (folder / "report.json").stat().st_mode == (folder / "new.txt").stat().st_mode


def test_report_goes_through_a_pipe(folder):
    scenario(folder, "One")
    os.mkfifo(folder / "pipe")
    reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE)

    done = run(".", "--json", "pipe")

    written, _ = reader.communicate(timeout=60)
    assert done.exit_code == 0
    assert json.loads(written)["counts"]["passed"] == 1


def test_reports_are_written_and_masked(folder):
    scenario(folder, "Bad", "Goodbye")
    files = {name: folder / f"report.{name}" for name in ("junit", "json", "markdown", "html")}

    done = run(".", *(part for name, path in files.items() for part in (f"--{name}", path)))

    assert done.exit_code == 1
    assert JUnitXml.fromfile(files["junit"]).failures == 1
    assert json.loads(files["json"].read_bytes())["counts"]["failed"] == 1
    assert files["markdown"].read_text().startswith("## ❌ Scenarios: 1 failed")
    assert "Transcript and path" in files["html"].read_text()
    assert not any("555 010" in path.read_text() for path in files.values())
    assert all("[phone]" in path.read_text() for path in files.values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["empty"], "No scenario was found in empty."),
        (["gone"], "There is no file or folder 'gone'."),
        ([".", "--tags", "smok"], "No scenario has the tag 'smok'. Did you mean 'smoke'?"),
        ([".", "--exclude-tags", "smoke"], "The tags select no scenario."),
        ([".", "--failed"], "No scenario failed last time."),
        ([".", "--junit", "gone/report.xml"], "There is no folder 'gone'."),
        ([".", "--junit", "empty"], "'empty' is a folder."),
        ([".", "--junit", "a.xml", "--html", "./a.xml"], "Two reports have the same file."),
        (["n" * 300], "cannot be read: File name too long."),
        ([".", "--backend", "staging"], "No connection has the name 'staging'."),
    ],
)
def test_wrong_use_exits_with_2(folder, arguments, words):
    scenario(folder, "One", more="tags: [smoke]\n")
    (folder / "empty").mkdir()

    done = run(*arguments)

    assert done.exit_code == 2
    assert words in done.output
    assert "passed" not in done.output


@pytest.mark.parametrize(
    ("package", "database", "more", "words"),
    [
        ("distributed", "sqlite://", [], "--distributed needs a PostgreSQL database, which workers share."),
        ("gone", "sqlite://", [], "Install it: in a checkout pip install '.[dask,postgres]', else"),
        ("distributed", "postgresql://h/d", ["--parallel", "2"], "Leave out --parallel."),
    ],
)
def test_distributed_needs_package_and_postgresql(folder, monkeypatch, package, database, more, words):
    scenario(folder, "One")
    monkeypatch.setattr(import_module("debugger.cli.test"), "find_spec", lambda name: find_spec(package))

    done = run(".", "--distributed", "tcp://127.0.0.1:1", *more, database=database)

    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr


def test_all_broken_files_are_named(folder):
    (folder / "a.scenario.yaml").write_text("version: 1\nname: A\nworkflw: x.json\nturns: []\n")
    (folder / "b.scenario.yaml").write_text("version: 1\nname: [\n")

    done = run(".")

    assert done.exit_code == 1
    assert "a.scenario.yaml:3:1:" in done.output
    assert "b.scenario.yaml:" in done.output


def test_mistake_in_one_file_stops_no_other(folder):
    scenario(folder, "Good")
    gone = "turns: [{expect: [{reached: Helo}]}]\n"
    (folder / "gone.scenario.yaml").write_text(f"{HEAD}name: Gone\ntags: [smoke]\n{gone}")
    (folder / "lost.scenario.yaml").write_text("version: 1\nname: Lost\nworkflow: Lost\nturns: [{say: Hi}]\n")
    rows = "rows: [{node: Hello}, {node: Helo}]\nturns: [{expect: [{reached: '{{node}}'}, {says: Hello}]}]\n"
    (folder / "rows.scenario.yaml").write_text(f"{HEAD}name: Rows\n{rows}")
    reports = {"junit": "r.xml", "html": "r.html", "json": "r.json", "markdown": "r.md"}

    done = run(".", *(part for name, path in reports.items() for part in (f"--{name}", path)))

    assert done.exit_code == 1
    assert "2 passed, 3 with an error" in done.stdout
    found = {each["id"]: each for each in json.loads((folder / "r.json").read_text())["results"]}
    errors = {name: each["repetitions"][0]["error"] for name, each in found.items()}
    assert errors["gone.scenario.yaml::Gone"] == (
        "gone.scenario.yaml:5:20: The workflow has no node 'Helo'. Did you mean 'Hello'?"
    )
    assert errors["lost.scenario.yaml::Lost"].startswith(
        "There is no workflow with the id, logical id or name"
    )
    assert errors["rows.scenario.yaml::Rows[row 2]"] == (
        "Turn 1, reached: The workflow has no node 'Helo'. Did you mean 'Hello'?"
    )
    checks = found["rows.scenario.yaml::Rows[row 2]"]["repetitions"][0]["checks"]
    assert [(each["kind"], each["passed"]) for each in checks] == [("says", True)]
    suites = JUnitXml.fromfile("r.xml")
    assert (suites.tests, suites.errors, suites.failures) == (5, 3, 0)
    for path in ("r.html", "r.md"):
        assert "The workflow has no node" in (folder / path).read_text()


def test_unknown_connection_of_a_file_stops_no_other(folder):
    scenario(folder, "Good")
    scenario(folder, "Lost", more="connection: staging\n")

    done = run(".", "--junit", "r.xml")

    assert (done.exit_code, JUnitXml.fromfile("r.xml").errors) == (1, 1)
    assert "1 passed, 1 with an error" in done.stdout
    assert "No connection has the name 'staging'." in done.stdout


def test_broken_file_may_have_the_only_tag(folder):
    scenario(folder, "Good")
    (folder / "broken.scenario.yaml").write_text("name: Broken\ntags: [smoke]\nturns: [\n")

    done = run(".", "--tags", "smoke", "--junit", "r.xml")

    assert (done.exit_code, JUnitXml.fromfile("r.xml").errors) == (1, 1)
    assert "Good" not in done.stdout


def test_live_setting_without_a_word_is_one_error(folder, monkeypatch):
    workflow = document(node("ask", "http_request", url="https://tea.example/"), logical_id="hello")
    (folder / "hello.json").write_text(json.dumps(workflow))
    for name in ("One", "Two"):
        scenario(folder, name)
    (folder / "broken.scenario.yaml").write_text("name: [\n")
    monkeypatch.setenv("WORKFLOW_DEBUGGER_OUTBOUND_READ", "live")

    done = run(".", "--junit", "r.xml")

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.count("Write `calls: {read: live}` into the scenario") == 1
    assert not (folder / "r.xml").exists()


def test_tags_select_a_file_with_mistakes(folder):
    for name, tags in (("a", "[smoke]"), ("b", "[other]"), ("c", "[")):
        (folder / f"{name}.scenario.yaml").write_text(f"name: {name}\ntags: {tags}\nturn: []\n")

    done = run(".", "--tags", "smoke", "--dry-run")

    assert done.exit_code == 1
    assert [line.partition(" ")[0] for line in done.stdout.splitlines() if "cannot be run" in line] == [
        "a.scenario.yaml::a",
        "c.scenario.yaml::c:",
    ]


def test_unreachable_server_exits_with_3(folder, monkeypatch):
    scenario(folder, "One")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("INTERACTLY_BASE_URL", f"http://127.0.0.1:{free.getsockname()[1]}/workflows")
        monkeypatch.setenv("INTERACTLY_API_KEY", "k")

        done = run(".", "--backend", "hosted")

    assert done.exit_code == 3, done.output


def test_key_is_not_sent_unencrypted(folder, monkeypatch):
    scenario(folder, "One")
    monkeypatch.setenv("INTERACTLY_BASE_URL", "http://api.example/workflows")
    monkeypatch.setenv("INTERACTLY_API_KEY", "k")

    done = run(".", "--backend", "hosted")

    assert done.exit_code == 2
    assert "Nothing was sent" in done.output


def test_bail_stops_at_first_failure(folder):
    for name in ("A", "B", "C"):
        scenario(folder, name, "Hello" if name == "A" else "Goodbye")

    done = run(".", "--bail")

    assert done.exit_code == 1
    assert "1 passed, 1 failed (1 new), 1 not run (--bail)" in done.stdout
    assert "Not run: c.scenario.yaml::C" in done.stdout


def test_failed_runs_what_failed_last(folder):
    database = f"sqlite:///{folder}/runs.sqlite3"
    scenario(folder, "Good")
    scenario(folder, "Bad", "Goodbye")
    first = run(".", database=database)
    again = run(".", "--failed", database=database)
    scenario(folder, "Bad")
    mended = run(".", "--failed", database=database)

    assert "1 failed (1 new)" in first.stdout
    assert "\n1 failed (1 known) in" in again.stdout
    assert "\n1 passed in" in mended.stdout
    assert run(".", "--failed", database=database).exit_code == 2


def test_flaky_failure_exits_with_1(folder):
    database = f"sqlite:///{folder}/runs.sqlite3"
    blank = {"name": "word", "is_secret": False, "description": None, "category": None}
    with closing(EmbeddedBackend(Settings(database=database))) as backend:
        word = backend.store.globals.create({**blank, "value": "Hello"})
        backend.create_workflow(document(static("hello", "{{word}}")), name="Stored")
        text = "version: 1\nname: A\nworkflow: Stored\nturns: [{expect: [{says: Hello}]}]\n"
        (folder / "a.scenario.yaml").write_text(text)
        passed = run(".", database=database)
        backend.store.globals.change(word.id, {"value": "Bye"})

    flaky = run(".", database=database)

    assert (passed.exit_code, flaky.exit_code) == (0, 1)
    assert "\n1 failed (1 flaky) in" in flaky.stdout


@pytest.mark.parametrize("is_import", [True, False])
def test_failure_of_another_workflow_is_new(folder, is_import):
    database = f"sqlite:///{folder}/runs.sqlite3"
    with closing(EmbeddedBackend(Settings(database=database))) as backend:
        hello = backend.create_workflow(document(static("hello", "Hello")), name="Stored")
        text = "version: 1\nname: A\nworkflow: Stored\nturns: [{expect: [{says: Hello}]}]\n"
        (folder / "a.scenario.yaml").write_text(text)
        passed = run(".", database=database)
        worse = document(static("hello", "Bye"))
        if is_import:
            backend.import_version(hello.id, worse, expected=1)
        else:
            backend.create_workflow(worse, name="Stored")

    failed, again = run(".", database=database), run(".", database=database)

    assert (passed.exit_code, failed.exit_code) == (0, 1)
    assert "\n1 failed (1 new) in" in failed.stdout
    assert "\n1 failed (1 known) in" in again.stdout


def test_repeated_scenario_counts_once(folder):
    scenario(folder, "One")

    done = run(".", "--repeat", "3", "--json", folder / "report.json")

    [result] = json.loads((folder / "report.json").read_bytes())["results"]
    assert "\n1 passed in" in done.stdout
    assert (result["passes"], len(result["repetitions"])) == (3, 3)


def test_parallel_runs_every_scenario_once(folder):
    for number in range(8):
        scenario(folder, f"S{number}")

    done = run(".", "--parallel", "3", "--json", folder / "report.json")

    results = json.loads((folder / "report.json").read_bytes())["results"]
    assert done.exit_code == 0, done.output
    assert [result["name"] for result in results] == [f"S{number}" for number in range(8)]
    assert len({result["repetitions"][0]["run_id"] for result in results}) == 8


def test_dry_run_lists_and_runs_nothing(folder):
    scenario(folder, "One", more="tags: [smoke]\n")

    done = run(".", "--dry-run")

    assert done.stdout == (
        "one.scenario.yaml::One [smoke]: 1 turn, embedded\n1 scenario, 1 turn; nothing was run.\n"
    )


def test_interrupted_run_reports_what_was_run(folder):
    scenario(folder, "A")
    scenario(folder, "B", more="repeat: {times: 1000}\n")
    process = child(folder, "--junit", "report.xml", database=f"sqlite:///{folder}/runs.sqlite3")
    while "passed  a.scenario.yaml::A" not in process.stdout.readline():
        assert process.poll() is None

    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=120)

    assert process.returncode == 130
    assert "Not run: b.scenario.yaml::B" in rest
    assert "1 passed, 1 not run (interrupted) in " in rest
    assert JUnitXml.fromfile(str(folder / "report.xml")).tests == 2
    assert "Traceback" not in rest


def test_resume_after_kill_loses_and_repeats_nothing(folder):
    database = f"sqlite:///{folder}/runs.sqlite3"
    names = [f"S{number:02}" for number in range(30)]
    for name in names:
        scenario(folder, name, more="mocks: [{node: hello, delay_seconds: 600}]\n" if name > "S20" else "")
    process = child(folder, "--parallel", "2", database=database)
    for _ in range(5):
        assert "passed" in process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    for name in names[21:]:  # the child was to be killed before it had run all, however slow this process is
        scenario(folder, name)
    with closing(Store(database)) as store:
        [before] = store.suites.newest()

    resumed = run(".", "--resume", "--json", folder / "report.json", database=database)

    with closing(Store(database)) as store:
        [after] = store.suites.newest()
    results = json.loads((folder / "report.json").read_bytes())["results"]
    assert 5 <= before.counts["passed"] <= 21
    assert not before.is_complete
    assert f"{before.counts['passed']} results are stored; " in resumed.output
    assert resumed.stdout.count("passed  ") == 30 - before.counts["passed"]
    assert [result["name"] for result in results] == names
    assert (after.id, after.counts["passed"], after.is_complete) == (before.id, 30, True)


def test_resume_runs_changed_scenario_again(folder):
    database = f"sqlite:///{folder}/runs.sqlite3"
    scenario(folder, "A", "Goodbye")
    scenario(folder, "B")
    run(".", "--bail", database=database)
    scenario(folder, "A")

    done = run(".", "--resume", database=database)

    assert "0 results are stored; 2 scenarios remain." in done.output
    assert "\n2 passed in" in done.stdout


@pytest.fixture
def texting_server(folder):
    """The environment of a connection to a server whose workflow sends a message."""
    workflow = document(
        static("hello", "Hello"),
        node("text", "send_sms", destination_phone_number="+15550100", message="Hi"),
        direct("hello", "text"),
        name="Texting",
        logical_id="texting",
    )
    home = folder / "server"
    home.mkdir()
    database = f"sqlite:///{home}/runs.sqlite3"
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "WORKFLOW_DEBUGGER_OUTBOUND_CONTACT": "simulated",
    }
    with closing(Store(database)) as store:
        store.create_workflow(workflow)
    command = [sys.executable, "-m", "debugger", "serve", "--port", "0", "--database", database]
    with subprocess.Popen(
        [*command, "--api-key", "k"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        while not line.startswith("Serving "):
            line = process.stdout.readline()
        yield {"INTERACTLY_BASE_URL": line.split()[-1], "INTERACTLY_API_KEY": "k"}
        process.terminate()


def test_hosted_side_effects_need_consent(folder, texting_server, monkeypatch):
    head = "version: 1\nname: Text\nworkflow: texting\nconnection: hosted\n"
    text = f"{head}turns:\n  - expect: [{{reached: text}}]\n"
    (folder / "text.scenario.yaml").write_text(text)
    for name, value in texting_server.items():
        monkeypatch.setenv(name, value)

    refused = run(".")
    too_many = run(".", "--allow-side-effects", "--max-turns", "0")
    done = run(".", "--allow-side-effects", "--max-turns", "1")
    monkeypatch.setenv("INTERACTLY_ENVIRONMENT", "production")
    production = run(".", "--allow-side-effects")

    assert refused.exit_code == 2
    assert "Connection hosted: 1 scenario, 1 turn." in refused.output
    assert "Possible: contact (messages and calls to people): Text (send_sms)" in refused.output
    assert "Use --allow-side-effects" in refused.output
    assert (too_many.exit_code, "--max-turns is 0" in too_many.output) == (2, True)
    assert (production.exit_code, "Use --production" in production.output) == (2, True)
    assert done.exit_code == 0, done.output
    assert "Side effects on hosted connections: 1 contact (simulated)." in done.output
    with closing(Store(f"sqlite:///{folder}/server/runs.sqlite3")) as store:
        assert len(store.runs()[0]) == 1


def test_secrets_are_masked_everywhere(folder):
    more = (
        "rows: [{password: k-4711}]\nexpect:\n"
        "  - variable: {name: dynamic.api_key, equals: other}\n"
        "input: {dynamic_variables: {api_key: '{{password}}'}}\n"
    )
    scenario(folder, "One", more=more)

    done = run(".", "--no-mask", "--json", folder / "report.json", "--html", folder / "report.html")

    assert done.exit_code == 1
    assert "expected: " in done.stdout
    for text in (done.output, *((folder / f"report.{name}").read_text() for name in ("json", "html"))):
        assert "k-4711" not in text


def test_unknown_masking_rule_runs_nothing(folder):
    scenario(folder, "One")

    done = run(".", "--mask", "emial", "--json", folder / "report.json")

    assert (done.exit_code, "There is no masking rule 'emial'." in done.output) == (2, True)
    assert not (folder / "report.json").exists()


def test_changed_workflow_is_stored_once(folder):
    database = f"sqlite:///{folder}/runs.sqlite3"
    scenario(folder, "One", "Good day")
    run(".", database=database)
    workflow = document(static("hello", "Good day"), name="Hello", logical_id="hello")
    (folder / "hello.json").write_text(json.dumps(workflow))

    done = [run(".", database=database) for _ in range(3)]

    with closing(Store(database)) as store:
        [stored] = [row for row in store.workflows()[0] if row.name == "Hello"]
        assert len(store.versions(stored.id)) == 2
    assert [each.exit_code for each in done] == [0, 0, 0]


def test_broken_scenario_leaves_others_their_results(folder, monkeypatch):
    scenario(folder, "A")
    scenario(folder, "B")
    started = ScenarioRun.execute

    def execute(self):
        if self._scenario.name == "A":
            raise TypeError("a secret")
        started(self)

    monkeypatch.setattr(ScenarioRun, "execute", execute)

    done = run(".", "--junit", "report.xml")

    assert done.exit_code == 3
    assert "Error: The scenario cannot be run (TypeError in test_test.py, line " in done.stdout
    assert "a secret" not in done.output
    assert (JUnitXml.fromfile("report.xml").tests, JUnitXml.fromfile("report.xml").errors) == (2, 1)


def test_errors_command_no_terminal(folder):
    workflow = document(static("hello", "Hello", name="A\x1b]0;title\x07"), logical_id="hello")
    (folder / "hello.json").write_text(json.dumps(workflow))
    (folder / "one.scenario.yaml").write_text(f"{HEAD}name: One\nturns: [{{expect: [{{reached: Zzz}}]}}]\n")

    done = run(".")

    assert done.exit_code == 1
    assert "It has hello, A\\x1b]0;title\\x07." in done.output
    assert "\x1b" not in done.output


def test_warnings_are_in_every_report(folder):
    script = "version: 1\nworkflow: hello\nanswers: [{to: GET .*/slotz, body: 1}]\n"
    (folder / "hello.script.yaml").write_text(script)
    scenario(folder, "One", more="script: hello.script.yaml\n")
    names = {"--junit": "r.xml", "--json": "r.json", "--markdown": "r.md", "--html": "r.html"}

    done = run(".", *(part for pair in names.items() for part in pair))

    texts = [done.stdout, *((folder / name).read_text() for name in names.values())]
    assert done.exit_code == 0
    assert [("A recorded answer was not used" in text, "slotz" in text) for text in texts] == [
        (True, True)
    ] * 5


def test_record_mode_records_plays_and_says_what_is_missing(folder, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    made = document(say("chat", "Say tea."), name="Hello", logical_id="hello")
    (folder / "hello.json").write_text(json.dumps(made))
    more = "recording: one.recording.jsonl\n"
    (folder / "one.scenario.yaml").write_text(f"{HEAD}name: One\n{more}turns: [{{say: Hi}}]\n")

    missing = run(".", "--record-mode", "none")
    recorded = run(".")
    first = (folder / "one.recording.jsonl").read_bytes()
    made["node_configs"][0]["main_response_config"]["prompt"] = "Say coffee."
    (folder / "hello.json").write_text(json.dumps(made))
    monkeypatch.setenv("CI", "true")
    changed = run(".")
    anew = run(".", "--record-mode", "all")
    played = run(".")

    assert [each.exit_code for each in (missing, recorded, changed, anew, played)] == [1, 0, 1, 0, 0]
    assert "one.recording.jsonl are not there" in missing.output and "--record-mode once" in missing.output
    assert "'system' has" in changed.output and "coffee" in changed.output
    assert (folder / "one.recording.jsonl").read_bytes() != first


def two_ways(folder):
    """A workflow of three edges, and a scenario that takes one of its ways."""
    made = document(
        static("hello", "Hello."),
        static("tea", "Tea."),
        static("cake", "Cake."),
        when("hello", "tea", "{{drink}} == 'tea'", name="tea"),
        when("hello", "cake", "{{drink}} == 'cake'", name="<b>cake"),
        direct("tea", "cake"),
        defaults={"drink": "tea"},
        name="Ways",
    )
    (folder / "hello.json").write_text(json.dumps({**made, "name": "Ways"}))
    scenario(folder, "Tea")


def test_coverage_is_printed_with_what_is_missing(folder):
    two_ways(folder)

    done = run(".", "--coverage", "text")

    assert done.exit_code == 0, done.output
    assert "Coverage of Ways, version 0, by 1 run:\n" in done.stdout
    assert re.search(r"Edges +2 of +3 +66.7 %", done.stdout)
    assert re.search(
        r"never followed: Hello → Cake \(<b>cake\); nearest: Hello, run \w{24}, turn 1\n", done.stdout
    )


@pytest.mark.parametrize(("least", "code"), [("66", 0), ("67", 1)])
def test_too_little_coverage_fails(folder, least, code):
    two_ways(folder)

    done = run(".", "--fail-under", least)

    assert done.exit_code == code
    assert ("2 of 3 edges are covered, 66.7 %: less than 67 %.\n" in done.stdout) is (code == 1)


def test_coverage_is_written_as_page_and_json(folder):
    two_ways(folder)

    pages = [run(".", "--coverage", name) for name in ("a.html", "a.json")]

    assert [done.exit_code for done in pages] == [0, 0]
    page = (folder / "a.html").read_text()
    assert "Hello → Cake (&lt;b&gt;cake)" in page and "<b>cake" not in page
    [version] = json.loads((folder / "a.json").read_text())["workflows"]
    assert version["counts"]["edge"] == {"covered": 2, "total": 3, "percent": 66.67}
    [cake] = [item for item in version["items"] if (item["kind"], item["is_covered"]) == ("edge", False)]
    assert (cake["id"], cake["nearest"]["node_logical_id"], cake["nearest"]["turn"]) == (
        "edge_hello_cake",
        "hello",
        1,
    )


@pytest.mark.parametrize("name", ["a.txt", "nowhere/a.html", "same.html"])
def test_wrong_file_of_coverage_is_told_before_anything_runs(folder, name):
    two_ways(folder)
    more = ("--html", "same.html") if name == "same.html" else ()

    done = run(".", "--coverage", name, *more)

    assert done.exit_code == 2 and "passed" not in done.stdout
