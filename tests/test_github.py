"""Checks that the workflow of GitHub agrees with the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8"))
JOB = WORKFLOW["jobs"]["run"]


def test_matrix_has_every_supported_python():
    versions = JOB["strategy"]["matrix"]["python"]

    assert [
        match[1]
        for each in PROJECT["classifiers"]
        if (match := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each))
    ] == versions
    assert PROJECT["requires-python"] == f">={versions[0]}"


def test_job_runs_what_must_pass():
    assert ".ci/run" in [step.get("run") for step in JOB["steps"]]


def test_job_may_only_read():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in JOB


def test_actions_of_others_are_pinned_by_commit():
    used = [step["uses"] for step in JOB["steps"] if "uses" in step]

    assert [each for each in used if not re.fullmatch(r"actions/[\w-]+@v\d+|[^@]+@[0-9a-f]{40}", each)] == []
    assert used
