"""Suite runs in the background, for a page that shows their progress."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from debugger.errors import DebuggerError, UnexpectedError
from debugger.scenarios.history import SuiteHistory
from debugger.scenarios.runner import ScenarioRunner
from debugger.scenarios.suite import Case, SuiteExecution
from debugger.store import SuiteRepository

_log = logging.getLogger(__name__)


class SuiteJob:
    """A suite run on a thread of its own.

    Args:
        cases: The scenarios to run.
        suites: Where results are stored as they come.
        make_runner: Makes the runner.
        started_by: The user.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        suites: SuiteRepository,
        make_runner: Callable[[], ScenarioRunner],
        started_by: str,
    ) -> None:
        """Hold the cases; nothing runs yet."""
        self.cases = cases
        self.counts: Counter[str] = Counter()
        """Results so far, by outcome."""
        self.error: DebuggerError | None = None
        """The reason why the suite run ended early."""
        self.began_at = time.monotonic()
        self._history = SuiteHistory(suites, cases)
        self._make_runner = make_runner
        self._started_by = started_by
        self._cancelled = threading.Event()
        self._ended = threading.Event()

    @property
    def suite_id(self) -> str:
        """Return the id of the stored suite run."""
        return self._history.suite_id

    @property
    def is_running(self) -> bool:
        """Return whether it has not ended."""
        return not self._ended.is_set()

    @property
    def done(self) -> int:
        """Return the number of results so far."""
        return self.counts.total()

    def start(self) -> None:
        """Store the start, and run in the background."""
        self._history.begin(self._started_by)
        threading.Thread(target=self._run, name="suite", daemon=True).start()

    def cancel(self) -> None:
        """End after the current node; results so far stay stored."""
        self._cancelled.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; return whether it came in time."""
        return self._ended.wait(seconds)

    def _run(self) -> None:
        """Run the cases, count their outcomes and store the end.

        Any error is kept in `error`, and none is raised. An unexpected error is logged.
        """
        try:
            execution = SuiteExecution(self._make_runner, self._history.record)
            try:
                for _, result in execution.run(self.cases, self._cancelled):
                    self.counts[result.outcome] += 1
            finally:
                self._history.end(is_complete=self.done == len(self.cases))
        except DebuggerError as error:
            self.error = error
        except Exception as error:
            _log.exception("A suite run failed")
            self.error = UnexpectedError(
                f"The suite run ended early ({type(error).__name__}).", advice="See the log of the app."
            )
            self.error.__cause__ = error
        finally:
            self._ended.set()
