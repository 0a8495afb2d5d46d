"""Runs to review: their filter, their order, and the page's address."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Self, get_args

from debugger.backends.base import Backend
from debugger.errors import StoreError
from debugger.protocol.base import is_id
from debugger.protocol.reviews import VERDICT_VALUES
from debugger.protocol.runs import NO_VERDICT, RunSearch, RunStatus
from debugger.protocol.scenario_runs import OUTCOMES
from debugger.views.panels.runs.scope import WantedRuns, read_day
from debugger.views.times import day_begin, day_end, zone

MAX_RUNS = 1_000
"""Of a queue."""
MAX_CHOSEN_RUNS = 200
"""Runs that an address names one by one."""
_PAGE_SIZE = 100
_MAX_SEARCHES = 120
"""Requests for one queue; a search that still has to index runs takes several."""


@dataclass(frozen=True)
class ReviewFilter:
    """The runs to review; defaults filter nothing."""

    workflow: str = ""
    version: int | None = None
    status: str = ""
    tag: str = ""
    since: date | None = None
    until: date | None = None
    """The last day, included."""
    text: str = ""
    starred: bool = False
    verdict: str = ""
    """A verdict of any reviewer on the run as a whole, or `NO_VERDICT`."""
    scenario: str = ""
    """The name of a scenario."""
    scenario_outcome: str = ""
    """The result of a scenario."""
    is_open_only: bool = False
    """Only runs on which the reviewer has no verdict."""
    with_scenarios: bool = False
    """Also runs that suites and the command ``test`` have made; a scenario or a result finds them anyway."""
    runs: tuple[str, ...] = ()
    """Only these runs, in this order; the other fields are then not used, but for `is_open_only`."""

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Read the address bar; an invalid part counts as absent.

        Search text, tag and scenario are taken as they are; of runs those that are ids, each once, at most
        `MAX_RUNS`.
        """
        version = parameters.get("version", "")
        runs = [part for part in parameters.get("runs", "").split(",") if is_id(part)]
        return cls(
            workflow=_id(parameters.get("workflow", "")),
            version=int(version) if version.isascii() and version.isdigit() and len(version) < 9 else None,
            status=_one_of(get_args(RunStatus), parameters.get("status", "")),
            tag=parameters.get("tag", ""),
            since=read_day(parameters.get("since", "")),
            until=read_day(parameters.get("until", "")),
            text=parameters.get("text", ""),
            starred=parameters.get("starred") == "1",
            verdict=_one_of((*VERDICT_VALUES, NO_VERDICT), parameters.get("verdict", "")),
            scenario=parameters.get("scenario", ""),
            scenario_outcome=_one_of(OUTCOMES, parameters.get("outcome", "")),
            is_open_only=parameters.get("open") == "1",
            with_scenarios=parameters.get("tests") == "1",
            runs=tuple(dict.fromkeys(runs))[:MAX_RUNS],
        )

    def to_parameters(self) -> dict[str, str]:
        """Return the query parameters, absent ones left out; of the runs the first `MAX_CHOSEN_RUNS`."""
        values = {
            "workflow": self.workflow,
            "version": "" if self.version is None else str(self.version),
            "status": self.status,
            "tag": self.tag,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "text": self.text,
            "starred": "1" if self.starred else "",
            "verdict": self.verdict,
            "scenario": self.scenario,
            "outcome": self.scenario_outcome,
            "open": "1" if self.is_open_only else "",
            "tests": "1" if self.with_scenarios else "",
            "runs": ",".join(self.named.runs),
        }
        return {key: value for key, value in values.items() if value}

    @property
    def finds_scenarios(self) -> bool:
        """Return whether runs of scenarios are among those that it finds."""
        return self.with_scenarios or bool(self.scenario or self.scenario_outcome)

    @property
    def search(self) -> RunSearch:
        """Return the search that a backend takes, without workflow, status, "open only" and chosen runs."""
        since, until = day_begin(self.since), day_end(self.until)
        return RunSearch(
            self.version,
            since,
            until,
            self.text,
            self.tag,
            self.starred,
            verdict=self.verdict,
            scenario=self.scenario,
            scenario_outcome=self.scenario_outcome,
            without_scenarios=not self.finds_scenarios,
        )

    @classmethod
    def of_list(cls, wanted: WantedRuns) -> Self:
        """Return the filter of the page Runs, which lists runs of scenarios, too.

        Without what this page has no field for: `wanted` tells whether that is all.
        """
        search = wanted.search
        return cls(
            workflow=wanted.workflow_id or "",
            version=search.version_number,
            status=wanted.status or "",
            tag=search.tag,
            since=search.since.astimezone(zone()).date() if search.since else None,
            until=(search.until.astimezone(zone()) - timedelta(days=1)).date() if search.until else None,
            text=search.text,
            starred=search.starred,
            verdict=search.verdict,
            scenario=search.scenario,
            scenario_outcome=search.scenario_outcome,
            with_scenarios=not search.without_scenarios,
        )

    @property
    def wanted(self) -> WantedRuns:
        """Return the filter of the page Runs that finds the same, but for the reviewer's own decisions."""
        return WantedRuns(self.workflow or None, self.status or None, self.search)

    @property
    def named(self) -> Self:
        """Return what an address names of it."""
        return replace(self, runs=self.runs[:MAX_CHOSEN_RUNS])

    @property
    def is_everything(self) -> bool:
        """Return whether nothing is filtered out."""
        return self == type(self)()


@dataclass(frozen=True)
class ReviewAddress:
    """Address of the page; absent parts are empty."""

    backend: str = ""
    connection: str = ""
    run: str = ""
    """The run on view."""
    wanted: ReviewFilter = field(default_factory=ReviewFilter)

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Read the address bar; an invalid run or part of the filter counts as absent.

        Backend and connection are taken as they are.
        """
        return cls(
            parameters.get("backend", ""),
            parameters.get("connection", ""),
            _id(parameters.get("run", "")),
            ReviewFilter.from_parameters(parameters),
        )

    def to_parameters(self) -> dict[str, str]:
        """Return the query parameters, absent ones left out."""
        place = {"backend": self.backend, "connection": self.connection, "run": self.run}
        return {key: value for key, value in place.items() if value} | self.wanted.to_parameters()


@dataclass(frozen=True)
class ReviewQueue:
    """The runs to review, in order."""

    runs: tuple[str, ...] = ()
    total: int = 0
    """Runs that the filter fits, of which the queue has the first `MAX_RUNS`."""

    def without(self, decided: Collection[str]) -> Self:
        """Return the queue without the runs that need no decision."""
        left = tuple(run_id for run_id in self.runs if run_id not in decided)
        return replace(self, runs=left, total=self.total - len(self.runs) + len(left))

    def next_open(self, after: str, open_runs: Collection[str]) -> str:
        """Return the next open run, from the beginning again after the last.

        It is the run itself if no other is open.
        """
        place = self.runs.index(after) if after in self.runs else -1
        order = [*self.runs[place + 1 :], *self.runs[: max(place, 0)]]
        return next((run_id for run_id in order if run_id in open_runs), after)

    def neighbour(self, of: str, step: int) -> str:
        """Return the run some places away, or the outermost one."""
        if of not in self.runs:
            return self.runs[0] if self.runs else of
        return self.runs[min(max(self.runs.index(of) + step, 0), len(self.runs) - 1)]


def read_queue(backend: Backend, wanted: ReviewFilter) -> ReviewQueue:
    """Return the runs that a filter fits, the newest first, at most ``MAX_RUNS``; count all.

    Raises:
        DebuggerError: The backend cannot search for that, or the search has not finished.
    """
    if wanted.runs:
        return ReviewQueue(wanted.runs[:MAX_RUNS], len(wanted.runs))
    found: list[str] = []
    total, number = 0, 1
    for _ in range(_MAX_SEARCHES):
        page = wanted.wanted.page(backend, number, _PAGE_SIZE)
        if page.unread:
            continue  # the search goes on with the runs that are not indexed yet
        found += (run.workflow_run_id for run in page.rows)
        total, number = page.total, number + 1
        if not page.rows or len(found) >= min(total, MAX_RUNS):
            break
    else:
        raise StoreError(
            f"The search for runs to review has not finished: {page.unread} runs are not indexed yet.",
            advice="Reload the page: the search continues from there.",
        )
    return ReviewQueue(tuple(dict.fromkeys(found))[:MAX_RUNS], total)


def target_order(turns: Sequence[tuple[int, Sequence[int]]]) -> list[tuple[str, str]]:
    """Return kind and key of each part, in reading order.

    Args:
        turns: The number of each turn with the sequence numbers of its messages.
    """
    order = [("run", "")]
    for number, messages in turns:
        order.append(("turn", str(number)))
        order += (("message", str(sequence)) for sequence in messages)
    return order


def _id(text: str) -> str:
    return text if is_id(text) else ""


def _one_of(known: Collection[str], text: str) -> str:
    return text if text in known else ""
