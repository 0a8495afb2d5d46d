"""Lanes of tests, and the limit of a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_test_that_hangs_fails_and_the_next_runs(tmp_path: Path) -> None:
    text = "import time\n\ndef test_hangs():\n    time.sleep(60)\n\ndef test_next():\n    pass\n"
    (tmp_path / "test_own.py").write_text(text)

    done = run("-o", "timeout=1", "-v", str(tmp_path))

    assert "test_hangs FAILED" in done
    assert "Timeout" in done
    assert "test_next PASSED" in done


def test_quick_lane_has_one_test_of_a_file_and_none_of_the_whole_product() -> None:
    chosen = ["tests/expressions/test_conditions.py", "tests/views/test_times.py"]

    done = run("-m", "quick", "--collect-only", "-q", *chosen, "tests/safety/test_roles.py")

    found = [line.partition("::")[0] for line in done.splitlines() if "::" in line]
    assert found == chosen


def run(*arguments: str) -> str:
    """Return what pytest prints with the project's settings, in this process's own lane."""
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120).stdout
