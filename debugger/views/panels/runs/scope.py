"""Runs of the page Runs: filters, scopes and summaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from debugger.analysis.run_facts import RunSummary
from debugger.analysis.run_statistics import CountedRun, PathFilter, end_reason
from debugger.backends.base import Backend, Page
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.run_summaries import RunSummaries
from debugger.errors import DebuggerError, InputError
from debugger.exports.sources import RunFilter
from debugger.protocol.runs import Run
from debugger.views import state
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, current_backend
from debugger.views.components.markdown import count
from debugger.views.connections import HostedConnection
from debugger.views.times import shown_day

MAX_RUNS = 5_000
"""Runs of the embedded engine that a bulk action or a statistic takes."""
MAX_HOSTED_RUNS = 300
"""The same of a hosted API, whose records are read one by one."""
_EMBEDDED_ROWS, _HOSTED_ROWS = 1_000, 100
"""Rows of one page of the list, where the whole of it is read."""

NOTHING: dict[str, Any] = {
    "runs_workflow": "",
    "runs_version": "",
    "runs_status": "",
    "runs_verdict": "",
    "runs_since": "",
    "runs_until": "",
    "runs_text": "",
    "runs_tag": "",
    "runs_scenario": "",
    "runs_problems": False,
    "runs_starred": False,
}
"""For the key of each filter the value that filters nothing."""
Scope = Literal["ticked", "found"]
"""The runs that an action is for: those whose boxes are ticked, or all that the filters find."""


@dataclass(frozen=True)
class WantedRuns(RunFilter):
    """Filters of the list."""

    path: PathFilter | None = None
    """A part of the picture that was clicked; only runs that came by it."""
    with_problems: bool = False
    """Only runs in which something failed, or was warned of for an unknown cause."""

    @property
    def needs_summaries(self) -> bool:
        """Return whether no query of a backend knows the runs, but only their summaries."""
        return self.path is not None or self.with_problems

    def fits(self, run: CountedRun) -> bool:
        """Return whether a run is chosen by its summary."""
        if self.with_problems and not run.summary.problems:
            return False
        return self.path is None or self.path.fits(run)

    @property
    def is_everything(self) -> bool:
        """Return whether nothing is filtered out."""
        return self == WantedRuns()


@dataclass
class Erasure:
    """The run of which every trace is to be deleted."""

    run_id: str
    forks: dict[str, int]
    """Forks of it with the number of turns that each took over."""


@dataclass(frozen=True)
class Counted:
    """The runs that the statistics count."""

    wanted: WantedRuns
    source: list[Run]
    """The runs of the filters without the path, by which it is known whether they are read again."""
    runs: list[CountedRun]
    missing: int
    """Runs that could not be read."""


@dataclass
class RunsState:
    """State of the page Runs in one tab."""

    view: Literal["list", "statistics", "deleted"] = "list"
    path: PathFilter | None = None
    wanted: WantedRuns | None = None
    """The filters of the list that was drawn last."""
    undo: list[str] = field(default_factory=list)
    """The runs that were deleted last and can be restored by one click."""
    notice: str = ""
    """What the last action did, as one sentence."""
    deleting: list[str] = field(default_factory=list)
    """The runs that the open dialog asks about."""
    erasing: Erasure | None = None
    listed: list[str] = field(default_factory=list)
    """The runs of the list as the backend lists them."""
    ticked: list[str] = field(default_factory=list)
    """Those of them whose boxes are ticked."""
    scope: Scope = "ticked"
    """What the actions of the ticked runs are for; a change of the ticks makes it these again."""
    clicked: str = ""
    """The run of the list that is opened next."""
    compared: list[str] = field(default_factory=list)
    """The two runs of the list that are compared next, the later one first."""
    sort: tuple[str, bool] = ("", False)
    """The column by which the list is sorted, and whether it descends; empty is as the backend lists."""
    ticked_deleted: list[str] = field(default_factory=list)
    """The runs of the list of deleted runs whose boxes are ticked."""
    deleted_run: str = ""
    """A deleted run that was opened by its id."""
    summaries: dict[int, RunSummaries] = field(default_factory=dict)
    """Those of backends without a store, by the backend's identity."""
    listings: int = 0
    """Counts the lists that began at their first page; part of the key of the choice of a page."""
    clicks: int = 0
    """Counts the clicks on charts and tables; part of their keys."""
    counted: Counted | None = None
    """What the statistics counted last."""
    counted_workflow: str = ""
    """The workflow that the numbers on view are of."""


def click_key(name: str) -> str:
    """Return the key of a chart or table until it is clicked.

    The browser repeats a selection with every request: another key lets it begin anew.
    """
    return f"{name}_{runs_state().clicks}"


def first_page() -> None:
    """Show the first page of the list again."""
    runs_state().listings += 1


def page_key() -> str:
    """Return the key of the choice of a page of the list."""
    return f"runs_page_{runs_state().listings}"


def take_click() -> None:
    """Let every chart and table begin anew, without a selection."""
    runs_state().clicks += 1


def runs_state() -> RunsState:
    """Return the state of the page Runs in this tab."""
    return state.record(RunsState)


def summaries_of(backend: Backend) -> RunSummaries:
    """Return the reader of summaries of a backend's runs.

    That of the embedded engine keeps them in its store; of another backend the reader keeps them in memory,
    and is held in `RunsState` until another one is asked for.
    """
    if isinstance(backend, EmbeddedBackend):
        return RunSummaries(backend, backend.store.run_facts)
    held = runs_state().summaries
    if id(backend) not in held:
        held.clear()  # a backend of an earlier connection
        held[id(backend)] = RunSummaries(backend)
    return held[id(backend)]


def connection_of_runs() -> str:
    """Return the connection of verdicts; empty for another backend than the hosted API."""
    return state.record(HostedConnection).name if state.record(CurrentBackend).name == "hosted" else ""


def environment_of_runs() -> str:
    """Return the environment of the hosted connection; empty for another backend."""
    is_hosted = state.record(CurrentBackend).name == "hosted"
    return state.record(HostedConnection).settings.environment if is_hosted else ""


def max_runs(backend: Backend) -> int:
    """Return the most runs of one action or statistic."""
    return MAX_RUNS if isinstance(backend, EmbeddedBackend) else MAX_HOSTED_RUNS


def newest_runs(backend: Backend, wanted: RunFilter) -> Page[Run]:
    """Return the newest runs of the filters, without the path.

    At most `max_runs`; ``total`` is the number of all.

    Raises:
        DebuggerError: The backend does not answer.
    """
    limit = max_runs(backend)
    size = min(limit, _EMBEDDED_ROWS if isinstance(backend, EmbeddedBackend) else _HOSTED_ROWS)
    rows: dict[str, Run] = {}
    total = unread = 0
    for number in range(1, -(-limit // size) + 1):
        found = wanted.page(backend, number, size)
        total, unread, known = found.total, found.unread, len(rows)
        rows.update((run.workflow_run_id, run) for run in found.rows)
        if len(rows) >= total or len(rows) == known:
            break
    return Page(list(rows.values())[:limit], total, unread)


def counted_run(run: Run, summary: RunSummary) -> CountedRun:
    """Return a run as the statistics count it, with its day in the page's zone and the reason of its end.

    The day is empty where the run has no time of creation.
    """
    return CountedRun(
        run.workflow_run_id,
        run.version_number,
        run.status,
        shown_day(run.created_at),
        end_reason(run.status, run.termination_source, summary),
        summary,
    )


def runs_on_path(backend: Backend, wanted: WantedRuns, seconds: float) -> Page[Run]:
    """Return the runs of the filters, also of those that need the runs' summaries.

    ``unread`` counts runs whose summaries are missing: not read in time, deleted or damaged.

    Raises:
        DebuggerError: The backend or the store cannot be read.
    """
    found = newest_runs(backend, wanted)
    if not wanted.needs_summaries:
        return found
    known = summaries_of(backend).read(found.rows, seconds)
    rows = [
        run
        for run in found.rows
        if run.workflow_run_id in known and wanted.fits(counted_run(run, known[run.workflow_run_id]))
    ]
    return Page(rows, len(rows), found.unread + len(found.rows) - len(known))


def found_ids(backend: Backend, wanted: WantedRuns) -> list[str]:
    """Return the ids of `found_runs`.

    Raises:
        InputError: There are too many for one action, or some could not be read.
        DebuggerError: The backend or the store cannot be read.
    """
    return ids_of(found_runs(backend, wanted))


def found_runs(backend: Backend, wanted: WantedRuns) -> list[Run]:
    """Return all runs of the filters, the newest first.

    Raises:
        InputError: There are too many for one action, or some could not be read.
        DebuggerError: The backend or the store cannot be read.
    """
    found = runs_on_path(backend, wanted, _BULK_SECONDS)
    limit = max_runs(backend)
    if not wanted.needs_summaries and found.total > limit:
        raise InputError(
            f"The filter finds {found.total:,} runs, and one action takes {limit:,} at most.",
            advice="Narrow the filter, for example by dates.",
        )
    if found.unread:
        raise InputError(
            f"{count(found.unread, 'run')} could not be read, in time or because of damage: "
            "the filter may find more.",
            advice="Press Refresh, then try again. A damaged run says so when it is opened: filter it out.",
        )
    return found.rows


_BULK_SECONDS = 20.0


def rows_of(found: Page[Run], number: int, size: int) -> Page[Run]:
    """Return one page of runs that were read as a whole."""
    return Page(found.rows[(number - 1) * size : number * size], found.total, found.unread)


def chosen_ids() -> list[str]:
    """Return the runs that the actions are for.

    Raises:
        DebuggerError: The filters find too many, or the backend does not answer.
    """
    held = runs_state()
    if held.scope == "ticked" or held.wanted is None:
        return list(held.ticked)
    return found_ids(current_backend(), held.wanted)


def chosen_rows() -> list[Run]:
    """Return the records of the runs that the actions are for.

    Raises:
        DebuggerError: The filters find too many, or the backend does not answer.
    """
    held, backend = runs_state(), current_backend()
    if held.scope == "ticked" or held.wanted is None:
        return [backend.run(run_id) for run_id in held.ticked]
    return found_runs(backend, held.wanted)


def ids_of(runs: Sequence[Run]) -> list[str]:
    """Return the ids of runs in their order."""
    return [run.workflow_run_id for run in runs]


def recorded_name(run: Run) -> str:
    """Return a workflow's name as the run's record has it, else its id."""
    return run.workflow_name or run.workflow_id


def distinct(names: Mapping[str, str]) -> dict[str, str]:
    """Return a label for each id: its name, where several have it with a part of the id."""
    sizes = Counter(names.values())
    return {key: name if sizes[name] == 1 else f"{name} ({key[-6:]})" for key, name in names.items()}


def read_day(text: str) -> date | None:
    """Return a day in ISO 8601, as ``2026-11-28``; ``None`` for another text."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def workflow_names(backend: Backend) -> dict[str, str]:
    """Return workflow names by id, from the cache; after an error the last known ones, else none."""
    answers = state.record(BackendCache)
    try:
        rows = answers.ask(("workflows",), lambda: backend.workflows())
    except DebuggerError:
        rows = answers.last(("workflows",)) or []
    return {row.id: row.label for row in rows}
