"""A recorded run as a session plays it: inputs and answers, and what the session does otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from debugger.engine.mocks.recording import CallRecorder
from debugger.errors import InputError
from debugger.graph import Graph
from debugger.protocol.runs import Run, TurnInput
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.replays.answers import recorded_answers, recorded_turns
from debugger.replays.comparing import find_divergence, find_other_path, last_node
from debugger.replays.playing import error_of, reason_against


@dataclass(frozen=True)
class PlayedSegment:
    """A turn that was played, or a step of background work."""

    turn: int
    """The user's turn, from 1."""
    is_background: bool
    difference: str
    """The first difference from the record, as `Divergence.text` has it; empty without one."""


class Playback:
    """The recorded run that one session plays.

    Its calls are answered in their order by the recorded answers, whatever they ask; without one left the
    run fails. Nothing is called.

    Args:
        run: The run.
        graph: The version that ran, with its super nodes expanded.
        seed: That of the run's random values, where it is known.
    """

    def __init__(self, run: Run, graph: Graph, seed: int | None) -> None:
        """Read the answers.

        Raises:
            InputError: The run cannot be played.
        """
        logs = turn_logs(run)
        if (reason := reason_against(run, logs)) is not None:
            raise InputError(
                f"Run {run.workflow_run_id} cannot be played. {reason}", advice="Choose another run."
            )
        self.run_id = run.workflow_run_id
        """The recorded run."""
        self.note = ""
        """What was done to be able to play it, as a sentence; empty where nothing was."""
        self.recorder = CallRecorder(
            recorded_answers(logs, graph),
            plays=True,
            recorded_turns=recorded_turns(logs, seed),
            by_order=True,
            of_events=True,
        )
        self.segments: list[PlayedSegment] = []
        """What was played so far."""
        self.problem = ""
        """Why the rest of the record cannot be played, as a sentence; empty where it can."""
        self._logs = logs
        self._edges = graph.edges

    @property
    def total(self) -> int:
        """Return the number of recorded turns and steps."""
        return len(self._logs)

    @property
    def inputs(self) -> list[TurnInput | None]:
        """Return the inputs that are left, in order; ``None`` is a step of background work."""
        return [
            None if log.is_background else log.run_input.with_client_turn_id(None)
            for log in self._logs[len(self.segments) :]
        ]

    @property
    def first_difference(self) -> PlayedSegment | None:
        """Return the first turn or step that differs from the record; ``None`` without one."""
        return next((segment for segment in self.segments if segment.difference), None)

    @property
    def lines(self) -> list[str]:
        """Return what was played, a line for each difference and each row of turns as recorded.

        ``turns 1 to 3: as recorded``; the steps of background work count with their turns.
        """
        lines: list[str] = []
        same: list[int] = []
        for segment in self.segments:
            if segment.difference:
                lines, same = [*lines, *_same(same), segment.difference], []
            else:
                same.append(segment.turn)
        return [*lines, *_same(same)]

    def take(self, played: TurnLog | None) -> None:
        """Compare the turn or step that was played last with the record.

        Args:
            played: The turn or step; ``None`` where a step found nothing to do.
        """
        log = self._logs[len(self.segments)]
        if played is None:  # the engine numbers the next step as this one, the record does not
            self.problem = "A recorded step of background work did nothing here; the rest cannot be played."
        self.segments.append(PlayedSegment(log.number, log.is_background, self._difference(log, played)))

    def _difference(self, log: TurnLog, played: TurnLog | None) -> str:
        if played is None:
            return f"turn {log.number}, background work: nothing instead of the recorded step"
        problem = error_of(played.events)
        is_cut = problem != error_of(log.events)
        if (elsewhere := find_other_path(log, played, self._edges, is_cut=is_cut)) is not None:
            return elsewhere.text
        if is_cut:
            _, node = last_node(played.events)
            return (
                f"turn {log.number}, {node or 'the run'}: {problem or 'no error, where the record has one'}"
            )
        found = find_divergence(log, played, self._edges)
        return "" if found is None else found[1].text


def _same(turns: Sequence[int]) -> list[str]:
    """Return the line of turns in a row that are as recorded; none without any."""
    if not turns:
        return []
    first, last = turns[0], turns[-1]
    return [
        f"turn{'' if first == last else 's'} {first if first == last else f'{first} to {last}'}: as recorded"
    ]
