"""Exported runs: the record with everything that was noted on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

from debugger.analysis.metrics import Costs, costs
from debugger.analysis.steps import steps_of_turn
from debugger.analysis.timeline import TimelineBuilder
from debugger.protocol.notes import Comment, Rating, RunNotes, Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import ForkRecord, Run, Turn
from debugger.protocol.scenario_runs import ScenarioCheck, ScenarioMark
from debugger.protocol.turn_logs import LazyRun, TurnLog, lazy_turn_logs
from debugger.protocol.workflow import Workflow
from debugger.settings import read_settings


@dataclass(frozen=True)
class ExportedRun:
    """One run to be exported; its turns are read when needed."""

    record: LazyRun
    workflow: Workflow | None = None
    """The version that ran; ``None`` where it cannot be read any more."""
    workflow_name: str = ""
    engine: str = ""
    """The name of the backend: ``Embedded engine``, ``Hosted API``."""
    environment: str = ""
    """The environment of a hosted connection, such as ``staging``."""
    notes: RunNotes = field(default_factory=RunNotes)
    verdicts: Sequence[Verdict] = ()
    fork: ForkRecord | None = None
    scenario: ScenarioMark | None = None
    """The scenario that the run is of, if it is of one."""

    @property
    def run(self) -> Run:
        """Return the record without its turns."""
        return self.record.run

    def turns(self) -> Iterator[tuple[Turn, TurnLog]]:
        """Yield the finished turns, without empty background work."""
        found = lazy_turn_logs(self.record.turns)
        return ((turn, log) for turn, log in found if log is not None and not turn.is_in_progress)

    def last_of(self) -> Iterator[tuple[Turn, TurnLog, bool]]:
        """Yield the finished turns, and whether each is the last; one turn is read ahead."""
        turns = self.turns()
        current = next(turns, None)
        while current is not None:
            following = next(turns, None)
            yield *current, following is None
            current = following

    @property
    def parent_id(self) -> str:
        """Return the run that it was forked from; empty without one."""
        return self.run.source_workflow_run_id or (self.fork.source_run_id if self.fork else "")

    @property
    def fork_turn(self) -> int | None:
        """Return the turn that the fork begins with, from 1."""
        index = self.run.checkpoint_source_turn_index
        if index is None:
            return self.fork.turn_number if self.fork else None
        return index + 1

    @property
    def fork_fidelity(self) -> str:
        """Return how a fork was made, and what its control run found."""
        if self.fork is None:
            return ""
        verdict = (self.fork.fidelity or {}).get("verdict")
        return f"{self.fork.way}, {verdict}" if verdict else self.fork.way

    @property
    def created_at(self) -> datetime | None:
        """Return the time at which the run began; ``None`` where its record has none."""
        return _moment(self.run.created_at)

    @property
    def duration_ms(self) -> float | None:
        """Return the time from the run's begin to its last change."""
        begin, end = self.created_at, _moment(self.run.updated_at)
        if begin is None or end is None:
            return None
        return max(0, round((end - begin).total_seconds() * 1000))  # of two clocks, or of one set back

    def tokens(self, name: str) -> int | None:
        """Return a sum of the record, such as ``total_input_tokens``."""
        value = (self.run.llm_token_usage or {}).get(name)
        return value if isinstance(value, int) else None

    @cached_property
    def costs(self) -> Costs:
        """The costs of all model calls, for which all turns are read; none without prices in the settings."""
        prices = read_settings().model_prices
        if not prices:
            return Costs({}, 0)
        timeline, calls = TimelineBuilder({}), []
        for _, log in self.turns():
            timeline.forget()
            timeline.add_turn(log)
            calls += [call for step in steps_of_turn(log, timeline.rows)[0] for call in step.calls]
        return costs(calls, prices)

    @cached_property
    def scenario_checks(self) -> Mapping[int, Sequence[ScenarioCheck]]:
        """The checks of the run's scenario, by the place of the turn that they are of; empty without any.

        Those at the end, and of turns that the run does not have, are of the last turn.
        """
        checks = self.scenario.checks if self.scenario is not None else ()
        if not checks:
            return {}
        places: dict[tuple[int, bool], int] = {}
        last = 0
        for last, (_, log) in enumerate(self.turns()):
            places[log.number, log.is_background] = last
        found: dict[int, list[ScenarioCheck]] = {}
        for each in checks:
            place = last if each.turn is None else places.get((each.turn, each.is_background), last)
            found.setdefault(place, []).append(each)
        return found

    @cached_property
    def review(self) -> ReviewIndex:
        """The verdicts, comments and ratings by what they are of."""
        return ReviewIndex(self.verdicts, self.notes)


class Remark(NamedTuple):
    """A remark of a person, or a result of a check that a person has named."""

    lead: str
    """Separator, author and verdict, before the text."""
    text: str
    """Words of the person."""
    tail: str = ""


class ReviewIndex:
    """Verdicts, comments and ratings by their targets; ``None`` is what none can be on.

    Args:
        verdicts: Those of one run.
        notes: Those of the same run.
    """

    def __init__(self, verdicts: Iterable[Verdict], notes: RunNotes) -> None:
        self._verdicts = _by_target(sorted(verdicts, key=lambda each: each.updated_at or each.created_at))
        self._comments = _by_target(notes.comments)
        self._ratings = _by_target(notes.ratings)

    def verdict(self, target: Target | None) -> Verdict | None:
        """Return the newest verdict on a target."""
        found: list[Verdict] = self._verdicts.get(_key(target), [])
        return found[-1] if found else None

    def verdicts(self, target: Target | None) -> str:
        """Return every reviewer's verdict: ``pass (Ada); fail (Bob)``."""
        return "; ".join(f"{each.value} ({each.reviewer})" for each in self._verdicts.get(_key(target), ()))

    def reasons(self, target: Target | None) -> list[Remark]:
        """Return every reviewer's verdict with its comment: ``Ada (fail): too long``."""
        return list(map(_reason, self._verdicts.get(_key(target), ())))

    def results(self, target: Target | None) -> dict[str, str]:
        """Return the results of each check of the rubric, with reviewers where several have gone through it.

        They are by the check's name: ``pass``, or ``pass (Ada), fail (Bob)``.
        """
        judged = [each for each in self._verdicts.get(_key(target), ()) if each.checks]
        found: dict[str, list[str]] = {}
        for verdict in judged:
            by = f" ({verdict.reviewer})" if len(judged) > 1 else ""
            for name, result in verdict.checks.items():
                found.setdefault(name, []).append(f"{result}{by}")
        return {name: ", ".join(results) for name, results in found.items()}

    def comments(self, target: Target | None) -> list[Remark]:
        """Return the comments on a target: ``Ada: too long``."""
        found: list[Comment] = self._comments.get(_key(target), [])
        return [Remark(f"{_in_one_line(each.author)}: ", _in_one_line(each.content)) for each in found]

    def rating(self, target: Target | None) -> str:
        """Return the rating of a target, with authors if there are several."""
        found: list[Rating] = self._ratings.get(_key(target), [])
        if len(found) == 1:
            return found[0].value
        return "; ".join(f"{rating.value} ({rating.author})" for rating in found)


def _reason(verdict: Verdict) -> Remark:
    lead, comment = f"{_in_one_line(verdict.reviewer)} ({verdict.value})", _in_one_line(verdict.comment)
    return Remark(f"{lead}: " if comment else lead, comment)


def separated(remarks: Sequence[Remark], separator: str = "\n") -> list[Remark]:
    """Return remarks with a separator before each but the first."""
    return [*remarks[:1], *(each._replace(lead=separator + each.lead) for each in remarks[1:])]


def _in_one_line(text: str) -> str:
    """Return a text without line ends: what follows one would look as if another person had said it."""
    return " ".join(text.split())


def _by_target(items: Iterable[Any]) -> dict[tuple[str, str], list[Any]]:
    found: dict[tuple[str, str], list[Any]] = {}
    for item in items:
        found.setdefault(_key(item.target), []).append(item)
    return found


def _key(target: Target | None) -> tuple[str, str]:
    return (target.kind, target.key) if target else ("", "")


def _moment(text: str | None) -> datetime | None:
    """Return a moment of ISO 8601, one without a zone as UTC; ``None`` for a missing or another text."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
