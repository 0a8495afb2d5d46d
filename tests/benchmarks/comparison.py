"""Cost of putting two long runs side by side.

Run from the top of the repository: ``python -m tests.benchmarks.comparison FILE.sqlite3 50000``. The file is
made where it is not there; see `tests.benchmarks.long_runs`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from debugger.analysis.comparison.ignored import IGNORED_BETWEEN_RUNS
from debugger.backends.embedded import EmbeddedBackend
from debugger.session.comparison import RunComparison
from debugger.session.loading import load_run
from debugger.settings import Settings
from tests.benchmarks.long_runs import record

Found = TypeVar("Found")


def measured(what: str, do: Callable[[], Found]) -> Found:
    """Do something, and print the CPU seconds that it took."""
    began = time.process_time()
    found = do()
    print(f"{what:12} {time.process_time() - began:6.2f} s", flush=True)
    return found


def main() -> None:
    """Print the table."""
    path, size = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{path}", responder="rules"))
    ids = [row.workflow_run_id for row in backend.runs().rows][:2]
    ids += [record(backend, size + 100 * len(ids)) for _ in range(2 - len(ids))]
    a, b = (
        measured(f"read {name}", lambda run_id=run_id: load_run(backend, run_id))
        for name, run_id in zip("AB", ids, strict=True)
    )
    seen = RunComparison(a, b, IGNORED_BETWEEN_RUNS, 0)
    measured("rows", lambda: seen.comparison)
    measured("sentence", lambda: seen.sentence)
    measured("paths", lambda: seen.paths)
    measured("words", lambda: seen.lines)
    measured("variables", lambda: seen.variables(seen.turns[-1]))
    print(f"{len(seen.comparison.rows)} rows, {len(seen.turns)} turns")
    backend.close()


if __name__ == "__main__":
    main()
