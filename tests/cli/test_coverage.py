from __future__ import annotations

import json
from contextlib import closing

import pytest
from typer.testing import CliRunner

from debugger.backends import open_embedded
from debugger.cli import main
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.replayed import desk


class World:
    """A store with the workflow *Front desk*, and a run that books."""

    def __init__(self, folder):
        self.folder, self.url = folder, f"sqlite:///{folder}/runs.sqlite3"
        with closing(open_embedded(Settings(database=self.url))) as backend:
            workflow = backend.create_workflow(desk())
            given = TurnInput.with_message(None, dynamic_variables={"kind": "book"})
            self.run_id = backend.execute(workflow.id, given).finish().run_id

    def coverage(self, *arguments):
        return CliRunner().invoke(main, ["coverage", "--database", self.url, *map(str, arguments)])


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.mark.parametrize("by", ["id", "filter", "both"])
def test_recorded_runs_cover(world, by):
    named = () if by == "filter" else (world.run_id,)
    filters = () if by == "id" else ("--filter", "workflow='Front desk' since=1d")

    done = world.coverage(*named, *filters)

    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("Coverage of Front desk, version 0, by 1 run:\n")
    assert (
        f"never followed: Desk → Billing (bill); nearest: Desk, run {world.run_id}, turn 1\n" in done.stdout
    )


def test_report_is_a_file(world):
    file = world.folder / "a.json"

    done = world.coverage(world.run_id, "--report", file)

    assert done.exit_code == 0, done.output
    [version] = json.loads(file.read_text())["workflows"]
    assert version["runs"] == [world.run_id]
    assert version["counts"]["edge"] == {"covered": 1, "total": 2, "percent": 50.0}


@pytest.mark.parametrize(("least", "code"), [(50, 0), (51, 1)])
def test_least_share_decides_exit_code(world, least, code):
    assert world.coverage(world.run_id, "--fail-under", least).exit_code == code


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "No run was selected"),
        (("--filter", "workflow='Front desk' status=failed"), "No run was found"),
        (("665f0c2b9a3e4d5f6a7b8c90",), "665f0c2b9a3e4d5f6a7b8c90"),
        (("--filter", "all", "--report", "a.txt"), "no report of coverage"),
    ],
)
def test_wrong_use_is_told(world, arguments, told):
    done = world.coverage(*arguments)

    assert done.exit_code == 2
    assert told in done.stderr
