"""Change the source a little, and see whether a test notices.

First, what each test runs: ``python -m tests.mutation --record`` (all tests without a browser). Then
``python -m tests.mutation --sample 400``, or with ``--changed`` only the lines that differ from a commit.
What no test has noticed is written to ``survivors.md`` in the folder, with room for a verdict each.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.coverage_map import CoverageMap
from tests.mutation.mutants import Mutant, draw_mutants
from tests.mutation.recorder import VARIABLE

ROOT = Path(__file__).parents[2]
SECONDS_OF_TESTS = 60.0
"""Of the tests that are run for one mutant, as they took without it."""
SLOWNESS = 5.0
"""A mutant whose tests take longer than so many times their usual time is noticed: it never ends."""
START = 60.0
"""Seconds for the start of a process of tests."""


@dataclass(frozen=True)
class Verdict:
    """Outcome of the tests of a mutant."""

    mutant: Mutant
    outcome: str
    """``killed``, ``time-out``, ``survived`` or ``no test``."""
    tests: int
    """How many were run at most."""

    @property
    def is_noticed(self) -> bool:
        return self.outcome in ("killed", "time-out")


def record(folder: Path, paths: list[str], workers: int) -> int:
    """Run tests and record what they run; return pytest's status."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "pytest", "-p", "tests.mutation.recorder", "-q", "-n", str(workers)]
    command += ["-m", "not browser and not campaign", *paths]
    environment = {**os.environ, VARIABLE: str(folder / "data"), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def changed_lines(base: str) -> dict[str, set[int]]:
    """Return the lines of the package that differ from a commit, by path."""
    command = ["git", "diff", "-U0", base, "--", "debugger"]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found: dict[str, set[int]] = {}
    lines: set[int] = set()
    for row in text.splitlines():
        if row.startswith("+++ "):
            lines = found.setdefault(row[6:], set())
        elif match := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", row):
            first, count = int(match[1]), int(match[2] or 1)
            lines.update(range(first, first + count))
    return found


class Workplace:
    """A copy of the repository in which one mutant after the other is tried."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        for name in filter(None, listed.decode().split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)

    def try_mutant(self, mutant: Mutant, tests: list[str], seconds: float) -> str:
        """Run tests on the changed source; return the outcome."""
        file = self._folder / mutant.path
        source = file.read_bytes()
        file.write_bytes(mutant.apply(source))
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
        command += ["-m", "not campaign", *tests]
        environment = {**os.environ, "PYTHONPATH": str(self._folder), "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            command,
            cwd=self._folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return "survived" if process.wait(START + SLOWNESS * seconds) == 0 else "killed"
        except subprocess.TimeoutExpired:
            return "time-out"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 9)
                process.wait()
            file.write_bytes(source)


def try_mutants(mutants: list[Mutant], known: CoverageMap, folder: Path, workers: int) -> Iterator[Verdict]:
    """Try mutants in some processes at a time; yield the verdicts in the order of the mutants."""
    places: SimpleQueue[Workplace] = SimpleQueue()
    for number in range(workers):
        places.put(Workplace(folder / f"copy {number}"))

    def work(mutant: Mutant) -> Verdict:
        tests = known.tests_of(mutant, SECONDS_OF_TESTS)
        if not tests:
            return Verdict(mutant, "no test", 0)
        place = places.get()
        try:
            took = sum(known.seconds[test] for test in tests)
            return Verdict(mutant, place.try_mutant(mutant, tests, took), len(tests))
        finally:
            places.put(place)

    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(work, mutants)


def report(verdicts: list[Verdict], folder: Path, seed: int) -> str:
    """Write the survivors, and return the shares that were noticed as text."""
    survivors = [one for one in verdicts if not one.is_noticed]
    lines = [f"# Survivors of seed {seed}", "", "| mutant | outcome | tests | verdict |", "|---|---|---|---|"]
    for one in survivors:
        shown = one.mutant.describe((ROOT / one.mutant.path).read_bytes()).replace("|", "\\|")
        lines.append(f"| `{shown}` | {one.outcome} | {one.tests} | |")
    (folder / "survivors.md").write_text("\n".join([*lines, ""]))

    def share(found: list[Verdict]) -> str:
        noticed = sum(one.is_noticed for one in found)
        return f"{noticed} of {len(found)} ({noticed / max(1, len(found)):.0%})"

    of_views = [one for one in verdicts if one.mutant.path.startswith("debugger/views/")]
    kinds = Counter(one.mutant.kind for one in survivors)
    shares = f"noticed {share(verdicts)}, in views {share(of_views)}"
    return f"{shares}; survivors by kind {dict(kinds.most_common())}"


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--record", nargs="*", metavar="PATH", help="record all tests, or those of some paths"
    )
    parser.add_argument("--sample", type=int, default=400, help="how many mutants (400)")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--under", default="debugger/", help="only files below this path")
    parser.add_argument(
        "--changed", metavar="COMMIT", nargs="?", const="HEAD~1", help="only lines changed since"
    )
    parser.add_argument("--folder", type=Path, default=Path("/tmp/mutation"))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.record is not None:
        return record(options.folder, options.record, options.workers)

    began = time.monotonic()
    lines = changed_lines(options.changed) if options.changed else None
    mutants = draw_mutants(ROOT, options.sample, options.seed, under=options.under, lines=lines)
    known = CoverageMap(options.folder, ROOT)
    verdicts = []
    for verdict in try_mutants(mutants, known, options.folder, options.workers):
        verdicts.append(verdict)
        if not verdict.is_noticed:
            print(
                verdict.outcome,
                verdict.mutant.describe((ROOT / verdict.mutant.path).read_bytes()),
                flush=True,
            )
    print(report(verdicts, options.folder, options.seed), f"in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
