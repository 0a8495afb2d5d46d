from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from junitparser import JUnitXml
from typer.testing import CliRunner

from debugger.backends import open_embedded
from debugger.cli import main
from debugger.cli.export import INTERRUPTED, USAGE
from debugger.cli.replay import read_verdicts
from debugger.cli.test import FAILED
from debugger.engine.mocks.recording_file import Recording
from debugger.errors import InputError
from debugger.protocol.runs import TurnInput
from debugger.replays.replayer import Replayer
from debugger.settings import Settings
from debugger.store import Store
from tests.support.factories import direct, document, static
from tests.support.postgres import a_database, a_schema

ROOT = Path(__file__).parents[2]


def made(text="Hello.", last="Bye."):
    return document(static("hello", text), static("bye", last), direct("hello", "bye"), name="Tea")


class World:
    """A store with the workflow *Tea*: version 0 with its runs, version 1 with another greeting."""

    def __init__(self, folder, runs=3, url=""):
        self.folder = folder
        self.url = url or f"sqlite:///{folder}/runs.sqlite3"
        with closing(open_embedded(Settings(database=self.url))) as backend:
            self.workflow_id = backend.create_workflow(made()).id
            start = TurnInput.with_message(None)
            self.ids = [backend.execute(self.workflow_id, start).finish().run_id for _ in range(runs)]
            backend.import_version(self.workflow_id, made("Good morning."), expected=1)
            backend.import_version(self.workflow_id, made(), expected=2)

    def replay(self, *arguments):
        return CliRunner().invoke(main, ["replay", "--database", self.url, *map(str, arguments)])

    def of_tea(self, *arguments):
        return self.replay("--filter", "workflow=Tea", *arguments)

    def newest(self):
        with closing(Store(self.url)) as store:
            return store.replays.newest()


@pytest.fixture(scope="module")
def postgres():
    with a_database() as name:
        yield name


@pytest.fixture
def world(tmp_path, request):
    if getattr(request, "param", "sqlite") == "sqlite":
        yield World(tmp_path)
        return
    with a_schema(request.getfixturevalue("postgres")) as url:
        yield World(tmp_path, url=url)


on_both = pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True)


def group_in(done):
    return next(line for line in done.stdout.splitlines() if "group: " in line).split("group: ")[1][:24]


def test_same_runs_exit_with_0(world):
    done = world.of_tea("--version", 2)

    assert (done.exit_code, done.stdout) == (0, "3 runs on version 2: 3 same.\n"), done.output
    [replay] = world.newest()
    assert (replay.is_complete, replay.target.version_number, replay.selected) == (True, 2, 3)


@on_both
def test_differing_runs_are_grouped_and_exit_with_1(world):
    done = world.of_tea("--version", 1, "--threads", 2)

    assert done.exit_code == FAILED
    first, change, example, group, summary = done.stdout.splitlines()
    assert first == "3 × Other words: turn 1, Hello: Good morning. instead of Hello."
    assert change == "  change: node Hello changed (static_messages_config.static_messages[0])"
    assert example == f"  example: {max(world.ids)}, recorded on version 0"
    assert group.startswith("  group: ")
    assert summary == "3 runs on version 1: 3 other words."


def test_version_may_be_a_file(world):
    file = world.folder / "tea.json"
    file.write_text(json.dumps(made(last="Good night.")))

    done = world.replay(world.ids[0], "--version", file)

    assert done.exit_code == FAILED
    assert "Good night. instead of Bye." in done.stdout
    assert done.stdout.endswith("1 run on tea.json: 1 other words.\n")


@pytest.mark.parametrize(("fail_on", "code"), [("path,failed", 0), ("none", 0), ("path,words", 1)])
def test_verdicts_decide_exit_code(world, fail_on, code):
    assert world.of_tea("--version", 1, "--fail-on", fail_on).exit_code == code


def test_verdicts_are_read():
    assert read_verdicts("needs-model, path") == {"needs_model", "path"}
    assert read_verdicts("none") == frozenset()
    for text in ("same", "nonsense", ""):
        with pytest.raises(InputError, match="verdict"):
            read_verdicts(text)


@on_both
def test_accepted_group_never_fails_again(world):
    key = group_in(world.of_tea("--version", 1))

    done = world.replay("--accept", key, "--comment", "Friendlier.")
    again = world.of_tea("--version", 1)

    assert (done.exit_code, done.stdout) == (
        0,
        f"Accepted the group {key} of the workflow {world.workflow_id}.\n",
    )
    assert again.exit_code == 0
    who = Settings().author
    assert f"  group: {key}, accepted by {who}: Friendlier.\n" in again.stdout
    assert again.stdout.endswith("3 runs on version 1: 3 other words (3 accepted).\n")


@on_both
def test_reports_have_each_run(world):
    junit, found, table = (world.folder / name for name in ("a.xml", "a.json", "a.csv"))

    done = world.of_tea("--version", 1, "--junit", junit, "--json", found, "--csv", table)

    assert f"{junit}: {junit.stat().st_size} bytes." in done.stderr
    xml = JUnitXml.fromfile(str(junit))
    assert (xml.tests, xml.failures) == (3, 3)
    assert {case.name for suite in xml for case in suite} == set(world.ids)
    report = json.loads(found.read_text())
    assert [each["runs"] for each in report["groups"]] == [3]
    assert {each["run_id"] for each in report["results"]} == set(world.ids)
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["verdict"], row["before"], row["after"]) for row in rows] == [
        ("words", "Hello.", "Good morning.")
    ] * 3


def test_reports_mask_personal_data(tmp_path):
    world = World(tmp_path, runs=1)
    file = tmp_path / "tea.json"
    file.write_text(json.dumps(made("Write to ada.moreno@example.org.")))
    reports = [option for kind in ("junit", "json", "csv") for option in (f"--{kind}", tmp_path / kind)]

    done = world.of_tea("--version", file, *reports)

    assert "ada.moreno@example.org" in done.stdout
    for kind in ("junit", "json", "csv"):
        assert "ada.moreno" not in (tmp_path / kind).read_text(encoding="utf-8")
        assert "Write to [e-mail]" in (tmp_path / kind).read_text(encoding="utf-8")

    world.of_tea("--version", file, *reports, "--no-mask")
    assert "ada.moreno@example.org" in (tmp_path / "csv").read_text(encoding="utf-8")


def test_cells_are_guarded_against_formulas(tmp_path):
    world = World(tmp_path, runs=1)
    file = tmp_path / "tea.json"
    file.write_text(json.dumps(made("=HYPERLINK(1)")))

    world.of_tea("--version", file, "--csv", tmp_path / "a.csv")

    assert "'=HYPERLINK(1)" in (tmp_path / "a.csv").read_text(encoding="utf-8")


@on_both
def test_interrupted_replay_goes_on(world, monkeypatch):
    played, replay = [], Replayer.replay

    def interrupt(replayer, run_id, cancelled):
        result = replay(replayer, run_id, cancelled)
        played.append(run_id)
        if len(played) == 2:
            os.kill(os.getpid(), signal.SIGINT)
            assert cancelled.wait(60)
        return result

    monkeypatch.setattr(Replayer, "replay", interrupt)

    stopped = world.of_tea("--version", 1)
    again = world.of_tea("--version", 1, "--resume")

    assert stopped.exit_code == INTERRUPTED
    assert "Interrupted; --resume continues from there." in stopped.stderr
    assert again.exit_code == FAILED
    assert "1 result of an interrupted replay." in again.stderr
    assert again.stdout.endswith("3 runs on version 1: 3 other words.\n")
    assert len(played) == 4  # one of them twice
    [replay] = world.newest()
    assert replay.is_complete


KILLED = """
import os, signal, sys
from debugger.cli import main
from debugger.replays.replayer import Replayer

replay, played = Replayer.replay, []

def killed(*given):
    played.append(given)
    if len(played) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return replay(*given)

Replayer.replay = killed
main(sys.argv[1:])
"""


@on_both
def test_killed_replay_goes_on(world):
    arguments = ("--filter", "workflow=Tea", "--version", "1")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(world.folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", KILLED, "replay", *arguments, "--database", world.url]
    killed = subprocess.run(command, env=environment, check=False, timeout=120)
    [replay] = world.newest()
    assert (killed.returncode, replay.counts.total()) == (-signal.SIGKILL, 2)
    assert (replay.is_running, replay.is_complete) == (False, False)

    done = world.replay(*arguments, "--resume")

    assert "2 results of an interrupted replay." in done.stderr
    [replay] = world.newest()
    assert (replay.is_complete, replay.counts) == (True, {"words": 3})


@pytest.fixture
def server(world):
    """The environment of a connection to a server with the runs."""
    home = world.folder / "server"
    home.mkdir()
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
    command = [sys.executable, "-m", "debugger", "serve", "--port", "0", "--database", world.url]
    with subprocess.Popen(
        [*command, "--api-key", "k"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        while not line.startswith("Serving "):
            line = process.stdout.readline()
        yield {"INTERACTLY_BASE_URL": line.split()[-1], "INTERACTLY_API_KEY": "k"}
        process.terminate()


def test_hosted_runs_are_played_here(world, server, monkeypatch):
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    url, report = f"sqlite:///{world.folder}/own.sqlite3", world.folder / "a.csv"
    arguments = ("--backend", "hosted", "--version", "1", "--database", url, "--csv", str(report))

    done = CliRunner().invoke(main, ["replay", "--filter", "workflow=Tea", *arguments])

    assert done.exit_code == FAILED, done.output
    assert done.stdout.endswith("3 runs on version 1: 3 other words.\n")
    assert "change: node Hello changed" in done.stdout
    with closing(Store(url)) as store:
        [replay] = store.replays.newest()
        assert (replay.target.connection, replay.counts) == ("hosted", {"words": 3})
        assert store.runs().total == 0
    with closing(Store(world.url)) as theirs:
        assert theirs.runs().total == 3


def test_other_version_is_not_continued(world):
    with closing(Store(world.url)) as store:
        world.of_tea("--version", 1)
        [replay] = store.replays.newest()
        store.replays.end(replay.id, is_complete=False)

        done = world.of_tea("--version", 2, "--resume")

        assert "0 results of an interrupted replay." in done.stderr
        assert len(store.replays.newest()) == 2


def test_named_runs_go_before_those_of_the_filter(world):
    done = world.replay(world.ids[1], "--filter", f"workflow={world.workflow_id} since=1d", "--version", 2)

    assert done.stdout == "3 runs on version 2: 3 same.\n"


def test_runs_older_than_days_are_left_out(world):
    done = world.of_tea("--version", 2, "--filter", "workflow=Tea until=1d")

    assert done.exit_code == USAGE
    assert "No run matches 'workflow=Tea until=1d'." in done.stderr


def test_missing_answers_are_told(world):
    with closing(open_embedded(Settings(database=world.url))) as backend:
        other = backend.create_workflow(document(static("only", "Tea?"), name="Other")).id
        run_id = backend.execute(other, TurnInput.with_message(None)).finish().run_id
        backend.delete_workflow(other)
    file = world.folder / "other.json"
    file.write_text(json.dumps(document(static("only", "Tea?"), name="Other")))

    done = world.replay(run_id, "--version", file)

    assert done.exit_code == 0
    assert "Not comparable: Version 0 cannot be played" in done.stdout
    assert "Warning: No run could be compared." in done.stderr


WRONG = {
    "nothing to play": (["--version", "1"], "No run was selected."),
    "no version": (["--filter", "workflow=Tea"], "No version is named."),
    "no workflow": (["--filter", "all", "--version", "1"], "The filter names no workflow."),
    "unknown workflow": (["--filter", "workflow=Coffee", "--version", "1"], "No workflow is named 'Coffee'."),
    "unknown version": (["--filter", "workflow=Tea", "--version", "9"], "version"),
    "no file": (["--filter", "workflow=Tea", "--version", "gone.json"], "The file cannot be read"),
    "unknown run": (["6" * 24, "--version", "1"], "run"),
    "no reason": (["--accept", "k"], "An accepted group needs a reason."),
    "unknown group": (["--accept", "k", "--comment", "x"], "No replay has a group 'k'."),
    "both": (["--accept", "k", "--comment", "x", "--version", "1"], "--accept plays nothing."),
    "accepted, with a report": (["--accept", "k", "--comment", "x", "--csv", "a.csv"], "Leave out --csv."),
    "accepted, continued": (
        ["--accept", "k", "--comment", "x", "--resume", "--threads", "2"],
        "Leave out --threads and --resume.",
    ),
    "lone comment": (["--comment", "x", "--version", "1"], "--comment is for accepted groups."),
    "unknown verdict": (["--fail-on", "nonsense", "--version", "1"], "There is no verdict 'nonsense'."),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use_is_told(world, name):
    arguments, message = WRONG[name]

    done = world.replay(*arguments)

    assert done.exit_code == USAGE
    assert message in done.stderr
    assert world.newest() == []


def test_runs_of_two_workflows_are_refused(world):
    with closing(open_embedded(Settings(database=world.url))) as backend:
        other = backend.create_workflow(made()).id
        run_id = backend.execute(other, TurnInput.with_message(None)).finish().run_id

    done = world.replay(world.ids[0], run_id, "--version", 1)

    assert done.exit_code == USAGE
    assert "The runs are of 2 workflows." in done.stderr


def test_group_of_two_workflows_needs_one_named(world):
    with closing(open_embedded(Settings(database=world.url))) as backend:
        other = backend.create_workflow(made(), name="Other").id
        backend.execute(other, TurnInput.with_message(None)).finish()
        backend.import_version(other, made("Good morning."), expected=1)
    key = group_in(world.of_tea("--version", 1))
    world.replay("--filter", "workflow=Other", "--version", 1)

    unclear = world.replay("--accept", key, "--comment", "Friendlier.")
    done = world.of_tea("--accept", key, "--comment", "Friendlier.")

    assert "Replays of 2 workflows have the group" in unclear.stderr
    assert done.exit_code == 0
    assert world.replay("--filter", "workflow=Other", "--version", 1).exit_code == FAILED


def test_answers_of_a_run_are_written(world, tmp_path):
    path = tmp_path / "tea.recording.jsonl"
    done = world.replay(world.ids[0], "--record", path)

    assert done.exit_code == 0, done.output
    assert len(Recording.load(path).turns) == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--version", 1], "for one run"),
        (["--accept", "x"], "for one run"),
        (["--filter", "all", "--comment", "x"], "Leave out --filter and --comment."),
        (["--no-mask"], "Leave out --no-mask."),
        ([], "There is no folder"),
    ],
)
def test_answers_are_written_of_one_run_alone(world, tmp_path, more, words):
    done = world.replay(world.ids[0], "--record", tmp_path / "none" / "a.jsonl", *more)

    assert done.exit_code == USAGE
    assert words in done.output
