from __future__ import annotations

import json
import re
from contextlib import closing

import pytest
from typer.testing import CliRunner

from debugger.backends import open_embedded
from debugger.cli import main
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.replayed import desk


def changed_desk():
    """Return the desk with another text at its booking."""
    made = desk()
    made["node_configs"][1]["static_messages_config"]["static_messages"] = ["When?"]
    return made


class World:
    """A folder with two versions in files and in a store, two scenarios, and a run of each version."""

    def __init__(self, folder):
        self.folder, self.url = folder, f"sqlite:///{folder}/runs.sqlite3"
        self.write("old.json", desk())
        self.write("new.json", changed_desk())
        for name, kind in (("a", "bill"), ("b", "book")):
            (folder / f"{name}.scenario.yaml").write_text(
                f"version: 1\nname: {name}\nworkflow: new.json\n"
                f"input: {{dynamic_variables: {{kind: {kind}}}}}\nturns: [{{expect: [{{says: Which}}]}}]\n"
            )
        with closing(open_embedded(Settings(database=self.url))) as backend:
            self.workflow_id = backend.create_workflow(desk()).id
            backend.import_version(self.workflow_id, changed_desk(), expected=1)
            self.booked, self.billed, self.new = (
                self.run(backend, *each) for each in (("book", 0), ("bill", 0), ("book", 1))
            )

    def run(self, backend, kind, number):
        given = TurnInput.with_message(None, dynamic_variables={"kind": kind})
        return backend.execute(self.workflow_id, given, version_number=number).finish().run_id

    def write(self, name, made):
        (self.folder / name).write_text(json.dumps(made))

    def call(self, command, *arguments):
        return CliRunner().invoke(main, [command, "--database", self.url, *map(str, arguments)])


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return World(tmp_path)


def test_changes_are_printed_with_what_they_affect(world):
    done = world.call("affected", "old.json", "new.json", "--scenarios", ".")

    assert done.exit_code == 0, done.output
    assert done.stdout == (
        "Changes between Front desk (old.json) and Front desk (new.json):\n"
        "  1. node Booking changed (static_messages_config.static_messages[0]): 1 scenario, 1 stored run\n"
        "1 of 2 scenarios affected:\n"
        "  b.scenario.yaml::b: change 1\n"
        "1 of 2 stored runs affected, 1 of the new version left out:\n"
        f"  {world.booked} (version 0): change 1\n"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Front desk@0", "Front desk"),
        ("Front desk@0", "1"),
        ("ID@0", "ID@1"),
        ("old.json", "Front desk@1"),
        ("Front desk@0", "new.json"),
    ],
)
def test_versions_are_named_by_file_name_or_number(world, old, new):
    old, new = (each.replace("ID", world.workflow_id) for each in (old, new))

    done = world.call("affected", old, new)

    assert done.exit_code == 0, done.output
    assert "1. node Booking changed" in done.stdout
    assert f"  {world.booked} (version 0): change 1\n" in done.stdout
    assert "scenario" not in done.stdout


def test_filter_selects_runs(world):
    done = world.call("affected", "old.json", "new.json", "--filter", "version=1")

    assert "0 of 0 stored runs affected, 1 of the new version left out." in done.stdout


def test_changed_default_affects_every_run(world):
    made = desk()
    made["workflow_config"]["miscellaneous"]["default_dynamic_variables"]["kind"] = "book"
    world.write("new.json", made)

    done = world.call("affected", "old.json", "new.json")

    assert (
        "  1. workflow: default_dynamic_variables changed: affects every run: 3 stored runs\n" in done.stdout
    )


def test_no_change_is_reported(world):
    done = world.call("affected", "old.json", "Front desk@0", "--scenarios", ".", "--report", "a.json")

    assert done.exit_code == 0, done.output
    assert json.loads((world.folder / "a.json").read_text())["changes"] == []

    done = world.call("affected", "old.json", "Front desk@0", "--scenarios", ".")

    assert done.stdout == (
        "No node, edge or setting differs between Front desk (old.json) and Front desk (version 0).\n"
    )


def test_report_is_a_file(world):
    done = world.call(
        "affected", "Front desk@0", "new.json", "--scenarios", ".", "--report", "a.json", "--report", "text"
    )

    assert done.stdout.startswith("Changes between Front desk (version 0) and Front desk (new.json):\n")
    found = json.loads((world.folder / "a.json").read_text())
    assert found == {
        "format": "workflow-debugger-affected",
        "version": 1,
        "old": {
            "workflow": "Front desk",
            "workflow_id": world.workflow_id,
            "workflow_version": 0,
            "file": None,
        },
        "new": {
            "workflow": "Front desk",
            "workflow_id": None,
            "workflow_version": None,
            "file": "new.json",
        },
        "changes": [
            {
                "part": "node",
                "id": "booking",
                "name": "Booking",
                "op": "changed",
                "fields": ["static_messages_config.static_messages[0]"],
                "text": "node Booking changed (static_messages_config.static_messages[0])",
                "affects": "passing",
                "items": ["node:booking"],
            }
        ],
        "scenarios": {
            "total": 2,
            "left_out": 0,
            "affected": [{"id": "b.scenario.yaml::b", "changes": [0], "reason": None}],
        },
        "runs": {
            "total": 2,
            "left_out": 1,
            "affected": [{"run_id": world.booked, "workflow_version": 0, "changes": [0], "reason": None}],
        },
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("gone.json", "new.json"), "The file cannot be read: No such file or directory."),
        (("a.scenario.yaml", "new.json"), "error: "),
        (("old.json", "Nowhere"), "No workflow is named 'Nowhere'"),
        (("old.json", "Front desk@7"), "7"),
        (("old.json", "3"), "No workflow is named '3'"),
        (("old.json", "new.json", "--report", "a.html"), "There is no report 'a.html' of this command"),
        (("old.json", "new.json", "--scenarios", "gone"), "There is no file or folder 'gone'"),
        (("old.json", "new.json", "--filter", "colour=red"), "The part 'colour=red' of the filter"),
    ],
)
def test_wrong_use_is_told(world, arguments, told):
    done = world.call("affected", *arguments)

    assert done.exit_code == 2, done.output
    assert told in done.stderr


def test_report_that_cannot_be_written_fails(world, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("debugger.scenarios.reports.affected.write_json", refuse)

    done = world.call("affected", "old.json", "new.json", "--report", "a.json")

    assert done.exit_code == 3
    assert "The report a.json cannot be written: No space left on device." in done.stderr


def test_affected_scenarios_run_first(world):
    plain = world.call("test", ".")
    done = world.call("test", ".", "--affected-by", "old.json")

    ran = [re.findall(r"^\w+ +(\S+)::", each.stdout, re.MULTILINE)[:2] for each in (plain, done)]
    assert ran == [["a.scenario.yaml", "b.scenario.yaml"], ["b.scenario.yaml", "a.scenario.yaml"]]
    assert "1 of 2 scenarios affected; these run first." in done.stderr
    assert plain.exit_code == done.exit_code == 1


def test_order_is_listed_without_a_run(world):
    (world.folder / "c.scenario.yaml").write_text(
        "version: 1\nname: c\nworkflow: new.json\nconnection: hosted\nturns: [{say: Hi}]\n"
    )

    done = world.call("test", ".", "--dry-run", "--affected-by", "Front desk@0")

    assert re.findall(r"^(\w)\.", done.stdout, re.MULTILINE) == ["b", "c", "a"]
    assert "Counts as affected: c.scenario.yaml::c: It runs on the connection 'hosted'.\n" in done.stderr


def test_old_version_that_is_not_there_runs_nothing(world):
    done = world.call("test", ".", "--affected-by", "gone.json")

    assert (done.exit_code, done.stdout) == (2, "")
