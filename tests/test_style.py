"""The rules of the house: formatting, lint, types, and which part may import which."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENVIRONMENT = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "format", "--check", "."],
        ["ruff", "check", "."],
        ["mypy", "--cache-dir=.mypy_cache"],
        ["lint-imports", "--no-cache"],
    ],
    ids=lambda command: command[0] + "-" + command[1].strip("-.") if isinstance(command, list) else None,
)
def test_a_tool_finds_nothing(command):
    tool = shutil.which(command[0], path=str(ENVIRONMENT)) or command[0]

    done = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_top_level_holds_what_the_map_says():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = {path.split("/")[0] for path in tracked.splitlines()}

    assert {name for name in names if not name.startswith(".")} == {
        "README.md",
        "app.py",
        "debugger",
        "pyproject.toml",
        "tests",
    }
