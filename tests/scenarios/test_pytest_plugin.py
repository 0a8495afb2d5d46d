from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.factories import direct, document, say, static

ROOT = Path(__file__).parents[2]
HEAD = "version: 1\nworkflow: hello.json\n"
LAUNCH = "import socket, sys, pytest\n{before}\nsys.exit(pytest.main(sys.argv[1:]))"
NO_SOCKET = "def refuse(*_): raise OSError('no network here')\nsocket.socket.connect = refuse"


@pytest.fixture
def folder(tmp_path):
    """A folder with a workflow that says hello and echoes."""
    workflow = document(
        static("hello", "Hello!"),
        say("chat", "Say anything."),
        direct("hello", "chat"),
        name="Hello",
        logical_id="hello",
    )
    (tmp_path / "hello.json").write_text(json.dumps(workflow))
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    return tmp_path


def pytest_in(folder, *arguments, before=""):
    return subprocess.run(
        [
            sys.executable,
            "-c",
            LAUNCH.format(before=before),
            "-p",
            "debugger.scenarios.pytest_plugin",
            *arguments,
        ],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def scenario(folder, name, says="Hello", *, more=""):
    text = f"{HEAD}name: {name}\n{more}turns:\n  - expect: [{{says: '{says}', message: Greets}}]\n"
    (folder / f"{name.lower()}.scenario.yaml").write_text(text)


def test_scenarios_and_rows_are_items(folder):
    scenario(folder, "One", more="tags: [smoke, a b]\n")
    scenario(folder, "Two", more="rows: [{word: a}, {word: b}]\n")

    done = pytest_in(folder, "-v", before=NO_SOCKET)
    smoke = pytest_in(folder, "-v", "-m", "smoke and a_b")

    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("one.scenario.yaml::One", "two.scenario.yaml::Two[row 1]", "two.scenario.yaml::Two[row 2]"):
        assert f"{name} PASSED" in done.stdout
    assert "1 passed, 2 deselected" in smoke.stdout
    assert "warning" not in (done.stdout + smoke.stdout).lower()


def test_failure_has_whole_message_and_link(folder):
    scenario(folder, "Bad", "Goodbye")

    done = pytest_in(folder, "-n", "2", "--scenario-database", f"sqlite:///{folder}/runs.sqlite3")

    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = lines.index("Turn 1: Greets")
    assert lines[at + 1 : at + 3] == [
        "  expected: a message of the agent in the turn that contains 'Goodbye'",
        "  got:      'Hello!'",
    ]
    assert lines[at + 3] == "  why:      'Hello' said 'Hello!'"
    assert lines[at + 4].startswith("  nearest event: ")
    assert lines[at + 5] == "Workflow: Hello, version 0"
    assert lines[at + 6].startswith("Path: Hello > always > Chat")
    assert lines[at + 7].startswith("Run: http://localhost:8501/?backend=embedded&run=")
    assert "Traceback" not in done.stdout


def test_soft_failures_are_shown_with_failure(folder):
    more = "expect: [{status: failed, soft: true}, {status: failed}]\n"
    scenario(folder, "Bad", more=more)

    done = pytest_in(folder)

    assert "scenario warnings" in done.stdout
    assert "at the end: expected the status failed; got" in done.stdout
    assert "FAILED bad.scenario.yaml::Bad - at the end: expected the status failed" in done.stdout


def test_broken_file_fails_alone(folder):
    (folder / "bad.scenario.yaml").write_text("version: 1\nname: Bad\nworkflw: x.json\n")
    scenario(folder, "Good")

    done = pytest_in(folder)

    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert "bad.scenario.yaml:3:1: workflw: this key is unknown." in done.stdout
    assert "Traceback" not in done.stdout


def test_tags_skip_and_expect_failures(folder):
    for tag in ("skip", "xfail"):
        (folder / f"{tag}.scenario.yaml").write_text(
            f"{HEAD}name: A\ntags: [{tag}]\nturns: [{{expect: [{{says: Goodbye}}]}}]\n"
        )

    done = pytest_in(folder, "-rs")

    assert "1 skipped, 1 xfailed" in done.stdout, done.stdout
    assert "skip.scenario.yaml: unconditional skip" in done.stdout


def test_failures_command_no_terminal(folder):
    expected = '{says: Goodbye, message: "\\e]0;title\\a"}'
    (folder / "bad.scenario.yaml").write_text(f"{HEAD}name: A\nturns: [{{expect: [{expected}]}}]\n")

    done = pytest_in(folder)

    assert "\\x1b]0;title\\x07" in done.stdout
    assert "\x1b" not in done.stdout


def test_documented_example_passes(folder):
    page = (ROOT / "debugger/docs/scenarios_in_ci.md").read_text(encoding="utf-8")
    [example] = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (folder / "test_booking.py").write_text(example)
    for name in ("clinic_front_desk.json", "clinic_front_desk.script.yaml"):
        shutil.copy(ROOT / "debugger/samples" / name, folder)

    done = pytest_in(folder)

    assert "1 passed" in done.stdout, done.stdout


def test_fixture_runs_workflow_from_python(folder):
    (folder / "test_hello.py").write_text(
        """
def test_passes(workflow_run):
    run = workflow_run("hello.json", seed=1)
    run.begin()
    assert run.says("hello") and not run.says("goodbye")
    assert run.reached("Hello") and run.has_status("waiting_for_user_input")
    run.say("Hi")
    assert not run.says("hello") and run.says("hello", at_end=True)
    assert run.run_id and run.path.startswith("Hello")
    assert run.check(not_reached="hello") and run.variable("runtime.x", absent=True)


def test_odd_values_arrive(workflow_run):
    odd = {"text": "a\\x7fb\\x85c\\ufffe", "number": 1e-07}
    run = workflow_run("hello.json", input={"dynamic_variables": odd})
    run.begin()
    for name, value in odd.items():
        assert run.variable(f"dynamic.{name}", equals=value)


def test_fails(workflow_run):
    run = workflow_run("hello.json")
    run.begin()
    assert run.says("goodbye")


def test_mistake(workflow_run):
    workflow_run("gone.json")
"""
    )

    done = pytest_in(folder)

    assert "2 failed, 2 passed" in done.stdout, done.stdout
    assert (
        "assert <expected a message of the agent in the turn that contains 'goodbye'; got 'Hello!'>"
        in done.stdout
    )
    assert "The file 'gone.json' cannot be read" in done.stdout


def test_plugin_imports_nothing_else():
    program = (
        "import pytest, sys\nbefore = set(sys.modules)\nimport debugger.scenarios.pytest_plugin\n"
        "print(sorted(set(sys.modules) - before))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert done.stdout.strip() == (
        "['debugger', 'debugger.lazy_names', 'debugger.scenarios', 'debugger.scenarios.pytest_plugin']"
    ), done.stderr


def test_names_command_no_terminal(folder):
    more = static("odd", "Hi", name="Odd\x1b]0;title\x07")
    (folder / "hello.json").write_text(json.dumps(document(static("hello", "Hello!"), more)))
    text = f'{HEAD}name: "One\\n::error::boo\\e]0;title"\nturns: [{{}}]\n'
    (folder / "one.scenario.yaml").write_text(text)
    scenario(folder, "Two", more="expect: [{reached: Zzzzz}]\n")

    found = pytest_in(folder, "-v", "--continue-on-collection-errors").stdout

    assert "one.scenario.yaml::One\\n::error::boo\\x1b]0;title PASSED" in found
    assert "It has hello, odd, Hello, Odd\\x1b]0;title\\x07." in found
    assert "\x1b" not in found
    assert not any(line.startswith("::error") for line in found.splitlines())


def test_record_mode_is_an_option(folder):
    scenario(folder, "One", more="recording: one.recording.jsonl\n")

    none = pytest_in(folder, "--scenario-record-mode", "none")
    once = pytest_in(folder)
    again = pytest_in(folder, "--scenario-record-mode", "none", before=NO_SOCKET)

    assert [each.returncode for each in (none, once, again)] == [1, 0, 0], once.stdout
    assert "one.recording.jsonl are not there" in none.stdout
