"""Run all campaigns, a file of tests at a time, and print a table.

``python -m tests.campaigns [PATH ..] [--workers 2] [--table campaigns.md]``. The exit status is 1 where one
failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from tests.campaigns.selected_files import MARK

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    """The outcome of one file's campaigns."""

    file: str
    passed: int
    failed: int
    skipped: int
    seconds: int

    def line(self) -> str:
        """Return the row of the table."""
        return "| " + " | ".join(str(getattr(self, field.name)) for field in fields(self)) + " |"


HEAD = f"| {' | '.join(field.name for field in fields(Result))} |\n| --- |{' ---: |' * 4}"


def main(arguments: list[str] | None = None) -> int:
    """Run the campaigns, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns", description="Run all campaigns.")
    parser.add_argument("paths", nargs="*", default=["tests"], help="files or folders of tests")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--table", type=Path, help="a file for the table")
    options = parser.parse_args(arguments)
    lines, has_failed = [HEAD], False
    print(HEAD, flush=True)
    for file in find_files(options.paths):
        result = run_file(file, options.workers)
        has_failed |= result.failed > 0
        lines.append(result.line())
        print(lines[-1], flush=True)
        if options.table:  # after each file: one that is ended before has what there was
            options.table.write_text("\n".join(lines) + "\n")
    return int(has_failed)


def find_files(paths: list[str]) -> Iterator[str]:
    """Yield the files that have campaigns, each once, in the order of their tests.

    Raises:
        SystemExit: The tests cannot be collected; pytest's output says why.
    """
    plugin = ["-p", "tests.campaigns.selected_files"]
    command = [*_PYTEST, *plugin, "--collect-only", "-q", "-n", "0", *paths]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode not in (0, 5):  # 5: there is none
        raise SystemExit(found.stdout + found.stderr)
    for line in found.stdout.splitlines():
        if line.startswith(MARK):
            path = Path(line.removeprefix(MARK))
            yield str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def run_file(file: str, workers: int) -> Result:
    """Run the campaigns of a file; what a failure printed goes to the standard error."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [*_PYTEST, "-q", "-n", str(workers), f"--junitxml={report}", file]
        ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        counts = count_outcomes(report) if report.exists() else {"failed": 1}
    if ran.returncode:
        print(ran.stdout, file=sys.stderr)
    seconds = round(time.monotonic() - began)
    failed = counts.get("failed", 0) or int(ran.returncode != 0)
    return Result(file, counts.get("passed", 0), failed, counts.get("skipped", 0), seconds)


def count_outcomes(report: Path) -> dict[str, int]:
    """Return how many tests of a JUnit report passed, failed and were skipped."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for case in ElementTree.parse(report).iter("testcase"):
        tags = {child.tag for child in case}
        outcome = "failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"
        counts[outcome] += 1
    return counts


_PYTEST = [sys.executable, "-m", "pytest", "-m", "campaign"]

if __name__ == "__main__":
    raise SystemExit(main())
