"""Replays in the background, for a page or a command that shows their progress."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from debugger.errors import DebuggerError, NotFoundError, UnexpectedError
from debugger.replays.results import ReplayResult
from debugger.store import ReplayRepository, ReplayTarget, StoredReplayResult, new_id, program_version

PlayRun = Callable[[str, threading.Event], ReplayResult]
"""Plays the run of an id on the other version, until it is cancelled; called by several threads at once."""

_PORTION = 100
"""Runs of which it is asked at once whether they have a result."""

_log = logging.getLogger(__name__)


class ReplayJob:
    """A replay on threads of its own.

    job = ReplayJob(replayer.replay, store.replays, target, ids, started_by="Ada", selected=len(ids))
    job.start()
    job.wait()
    store.replays.groups(job.replay_id)

    Args:
        play: Plays one run. After a cancellation its result is not stored.
        replays: Where results are stored as they come.
        target: The version on which the runs are played.
        run_ids: The runs; read while they are played, so that they need not be in memory.
        started_by: The user.
        selected: The number of the runs, as far as it is known.
        threads: Runs that are played at once.
        replay_id: An interrupted replay to continue: its runs that have a result are passed over.
    """

    def __init__(
        self,
        play: PlayRun,
        replays: ReplayRepository,
        target: ReplayTarget,
        run_ids: Iterable[str],
        *,
        started_by: str,
        selected: int,
        threads: int = 1,
        replay_id: str = "",
    ) -> None:
        """Hold the runs; nothing runs yet."""
        self.replay_id = replay_id or new_id()
        self.target = target
        self.selected = selected
        self.counts: Counter[str] = Counter()
        """Results of this job so far, by verdict."""
        self.passed_over = 0
        """Runs so far that had a result before."""
        self.missing = 0
        """Runs so far that were deleted meanwhile."""
        self.error: DebuggerError | None = None
        """The reason why the replay ended early."""
        self.began_at = time.monotonic()
        self._play = play
        self._replays = replays
        self._run_ids = run_ids
        self._started_by = started_by
        self._threads = threads
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._ended = threading.Event()

    @property
    def is_running(self) -> bool:
        """Return whether it has not ended."""
        return not self._ended.is_set()

    @property
    def is_cancelled(self) -> bool:
        """Return whether a user has cancelled it."""
        return self._cancelled.is_set() and self.error is None

    @property
    def done(self) -> int:
        """Return the number of runs so far, with those that had a result or are gone."""
        return self.counts.total() + self.passed_over + self.missing

    def start(self) -> None:
        """Store the start, and play in the background."""
        self._replays.begin(
            self.replay_id,
            self.target,
            started_by=self._started_by,
            program_version=program_version(),
            selected=self.selected,
        )
        threading.Thread(target=self._run, name="replay", daemon=True).start()

    def cancel(self) -> None:
        """End soon; results so far stay stored, so that the replay can be continued."""
        self._cancelled.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; return whether it came in time."""
        return self._ended.wait(seconds)

    def _run(self) -> None:
        """Play the runs on all threads, and store the end.

        Any error is kept in `error`, and none is raised.
        """
        try:
            pending = self._pending()
            with ThreadPoolExecutor(self._threads, thread_name_prefix="replay") as threads:
                for _ in range(self._threads):
                    threads.submit(self._work, pending)
            is_complete = self.error is None and not self._cancelled.is_set()
            self._replays.end(self.replay_id, is_complete=is_complete)
        except DebuggerError as error:
            self._fail(error)
        finally:
            self._ended.set()

    def _pending(self) -> Iterator[str]:
        """Yield the runs without a result."""
        rest = iter(self._run_ids)
        while portion := list(islice(rest, _PORTION)):
            pending = self._replays.without_result(self.replay_id, portion)
            self.passed_over += len(portion) - len(pending)
            yield from pending

    def _work(self, pending: Iterator[str]) -> None:
        """Play runs and store their results, until none is left, one has an error, or it is cancelled.

        An unexpected error is logged.
        """
        try:
            while (run_id := self._next(pending)) is not None:
                self._replay(run_id)
        except DebuggerError as error:
            self._fail(error)
        except Exception as error:
            _log.exception("A replay failed")
            found = UnexpectedError(
                f"The replay ended early ({type(error).__name__}).", advice="See the log of the app."
            )
            found.__cause__ = error
            self._fail(found)

    def _next(self, pending: Iterator[str]) -> str | None:
        with self._lock:
            return None if self._cancelled.is_set() else next(pending, None)

    def _replay(self, run_id: str) -> None:
        """Play a run, and store and count its result, unless it was cancelled or is gone."""
        try:
            result = self._play(run_id, self._cancelled)
        except NotFoundError:
            with self._lock:
                self.missing += 1
            return
        except DebuggerError:
            if self._cancelled.is_set():
                return
            raise
        if self._cancelled.is_set():
            return
        stored = StoredReplayResult(run_id, result.verdict, result.key, result.to_json())
        is_stored = self._replays.add(self.replay_id, stored, is_hosted=bool(self.target.connection))
        with self._lock:
            if is_stored:
                self.counts[result.verdict] += 1
            else:
                self.missing += 1

    def _fail(self, error: DebuggerError) -> None:
        """Keep the first error, and end the other threads."""
        with self._lock:
            self.error = self.error or error
        self._cancelled.set()
