"""Rules of the repository that no tool checks.

`.ci/run` calls the formatter, the linters and mypy.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_top_level_has_no_other_entry():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = {path.split("/")[0] for path in tracked.splitlines()}

    assert {name for name in names if not name.startswith(".")} == {
        "README.md",
        "app.py",
        "debugger",
        "pyproject.toml",
        "tests",
    }
