from __future__ import annotations

import json
import os
import subprocess
from contextlib import closing
from pathlib import Path

import yaml

from debugger.backends import open_embedded
from debugger.settings import Settings
from tests.support.clinic import play

ROOT = Path(__file__).parents[2]


def test_example_of_the_help_runs(tmp_path):
    page = (ROOT / "debugger/docs/replay.md").read_text(encoding="utf-8")
    example = page.partition("## In continuous integration")[2].partition("```yaml\n")[2].partition("```")[0]
    steps = yaml.safe_load(example)["jobs"]["replay"]["steps"]
    [step] = [each for each in steps if "workflow-debugger" in each.get("run", "")]
    database = f"sqlite:///{tmp_path}/runs.sqlite3"
    with closing(open_embedded(Settings(database=database))) as backend:
        run = backend.run(play(backend, "I'd like to book an appointment."))
        made = backend.workflow(run.workflow_id, run.version_number).to_wire()
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "front_desk.json").write_text(json.dumps(made), encoding="utf-8")
    assert list(step["env"]) == ["WORKFLOW_DEBUGGER_DATABASE"]

    done = subprocess.run(
        ["bash", "-c", step["run"]],
        cwd=tmp_path,
        env={**os.environ, "WORKFLOW_DEBUGGER_DATABASE": database},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "1 run on front_desk.json: 1 same.\n"), done.stderr
    assert {"report.xml", "report.csv"} <= {each.name for each in tmp_path.iterdir()}
