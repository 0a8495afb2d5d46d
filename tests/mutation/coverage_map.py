"""Map from lines to the tests that run them, and how long each takes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from coverage import CoverageData

from tests.mutation.mutants import Mutant


class CoverageMap:
    """Lines, tests and durations that `recorder` has written.

    Args:
        folder: Where the files are.
        root: The repository whose tests were recorded.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self.seconds: dict[str, float] = {}
        """By test; only those that passed."""
        self._tests: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for file in sorted(folder.glob("data.*.json")):
            self.seconds |= json.loads(file.read_text())
            data = CoverageData(str(file.with_suffix("")))
            data.read()
            for path in data.measured_files():
                lines = self._tests[Path(path).relative_to(root).as_posix()]
                for line, contexts in data.contexts_by_lineno(path).items():
                    lines[line].update(filter(None, contexts))

    def tests_of(self, mutant: Mutant, seconds: float) -> list[str]:
        """Return the tests that run a mutant's line, the fastest first, up to some seconds.

        A line that runs while its module is imported has those that run any other line of the file. Those of
        the mirrored path come first.
        """
        lines = self._tests.get(mutant.path, {})
        found = lines.get(mutant.line) or set().union(*lines.values())
        mirrored = mutant.path.replace("debugger/", "tests/", 1).rpartition("/")
        file = f"{mirrored[0]}/test_{mirrored[2]}::"
        ordered = sorted(
            found & self.seconds.keys(),
            key=lambda test: (not test.startswith(file), self.seconds[test], test),
        )
        return list(_up_to(ordered, self.seconds, seconds))


def _up_to(tests: Iterable[str], durations: dict[str, float], seconds: float) -> Iterable[str]:
    left = seconds
    for test in tests:
        left -= durations[test]
        if left < 0:
            return
        yield test
