"""Replays of recorded runs on another version of their workflow.

A run is played twice, in memory and with the answers of its events: on its own version, which gives what was
asked and shows whether the events hold all that is needed, then on the other one, where an answer counts only
for what was asked then.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from debugger.backends.base import Backend
from debugger.engine.interpreter import Interpreter
from debugger.engine.mocks.recording import CallRecorder, Miss
from debugger.engine.mocks.recording_file import Recording
from debugger.engine.options import EngineOptions
from debugger.engine.outbound import Secrets
from debugger.engine.outbound.masking import mask_body, mask_recorded
from debugger.errors import (
    AnswerError,
    ExpressionError,
    InputError,
    NotFoundError,
    NotStartableError,
    RunError,
    UnsupportedError,
    WorkflowError,
)
from debugger.graph import Graph
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.protocol.workflow import Workflow
from debugger.replays.answers import recorded_answers, recorded_turns
from debugger.replays.comparing import (
    Kind,
    find_divergence,
    find_other_path,
    find_other_words,
    last_node,
)
from debugger.replays.playing import PlayedRun, error_of, open_interpreter, reason_against
from debugger.replays.results import Divergence, ReplayResult, ReplayVerdict

_MAX_VERSIONS = 16
"""Interpreters that are kept."""


class Replayer:
    """Plays runs of a workflow on one of its versions; safe for several threads.

    Args:
        backend: Has the runs and the versions.
        workflow_id: The workflow.
        version_number: The version that is played.
        document: A workflow that is played instead, as one that is not stored yet.
        options: Choices of the engine; those of the backend, where it is an engine.
    """

    def __init__(
        self,
        backend: Backend,
        workflow_id: str,
        version_number: int | None,
        document: Workflow | None = None,
        *,
        options: EngineOptions | None = None,
    ) -> None:
        """Read the version.

        Raises:
            NotFoundError: There is no such workflow or version.
            RunError: A super node of it cannot be replaced by its workflow.
        """
        self.workflow = document or backend.workflow(workflow_id, version_number)
        """The version that is played, as its author wrote it."""
        self._backend = backend
        self._workflow_id = workflow_id
        self._options = options or EngineOptions()
        self._lock = threading.Lock()
        self._other = open_interpreter(self.workflow, backend.workflow, self._options)
        self._own: OrderedDict[int, Interpreter] = OrderedDict()

    def replay(self, run_id: str, cancelled: threading.Event | None = None) -> ReplayResult:
        """Return what a run does on the version.

        Args:
            run_id: The run.
            cancelled: Set to end it after the current node; the result is of no use then.

        Raises:
            NotFoundError: There is no such run.
            DebuggerError: Store or server failed: that says nothing on the run.
        """
        run = self._backend.run(run_id)
        logs = turn_logs(run)
        found = _Result(run, logs)
        ended = cancelled or threading.Event()
        try:
            own = self._play_own(run, logs, ended)
        except _UNPLAYABLE as error:
            problem = error.message.rstrip(".")
            return found.not_comparable(f"Version {run.version_number} cannot be played: {problem}")
        if isinstance(own, _Obstacle):
            return found.not_comparable(own.reason, own.divergence)
        return self._compare(own, found, ended)

    def play(self, run_id: str, cancelled: threading.Event | None = None) -> PlayedRun:
        """Return a run as the version plays it, up to the first answer that is not recorded.

        Args:
            run_id: The run.
            cancelled: Set to end it after the current node.

        Raises:
            NotFoundError: There is no such run, or its version is not there.
            InputError: It cannot be played on its own version, with the reason; or no turn on the other one.
        """
        ended = cancelled or threading.Event()
        own = self._play_recorded(run_id, ended)
        played = PlayedRun(self._other, self._recorder(own), ended)
        for log in own.segments:
            try:
                played.play(log)
            except InputError:
                if not played.segments:
                    raise
                break  # it ended before, and takes no more input
            if played.has_missed:
                break
        return played

    def record(self, run_id: str) -> Recording:
        """Return the recorded calls of a run, to be played in its version or another: answers and requests.

        Fields named like secrets are masked in them.

        Raises:
            NotFoundError: There is no such run, or its version is not there.
            InputError: Its events do not have all answers; the message names the first that is missing.
        """
        own = self._play_recorded(run_id, threading.Event())
        made = Recording.of_run(own.recorder, own.workflow)
        # The store has the answers as they came, a file must not.
        calls = (replace(call, answer=mask_recorded(call.answer, Secrets())) for call in made.calls)
        turns = (replace(turn, input=mask_body(turn.input)) for turn in made.turns)
        return replace(made, calls=tuple(calls), turns=tuple(turns))

    def _play_recorded(self, run_id: str, cancelled: threading.Event) -> PlayedRun:
        """Return a run as its own version plays it.

        Raises:
            NotFoundError: There is no such run, or its version is not there.
            InputError: That is another run than the recorded one.
            DebuggerError: Its version does not take the recorded input.
        """
        run = self._backend.run(run_id)
        own = self._play_own(run, turn_logs(run), cancelled)
        if isinstance(own, _Obstacle):
            raise InputError(f"Run {run_id} cannot be replayed: {own.text}.", advice="Open the run itself.")
        return own

    def _own_interpreter(self, version_number: int) -> Interpreter:
        """Return the interpreter of a run's own version; the last `_MAX_VERSIONS` are kept.

        Raises:
            DebuggerError: The version is not there, or cannot be prepared.
        """
        with self._lock:
            made = self._own.get(version_number)
            if made is None:
                workflow = self._backend.workflow(self._workflow_id, version_number)
                made = open_interpreter(workflow, self._backend.workflow, self._options)
                self._own[version_number] = made
            self._own.move_to_end(version_number)
            while len(self._own) > _MAX_VERSIONS:
                self._own.popitem(last=False)
            return made

    def _play_own(self, run: Run, logs: list[TurnLog], cancelled: threading.Event) -> PlayedRun | _Obstacle:
        """Return the run as its own version plays it, or why that is another run than the recorded one.

        Raises:
            DebuggerError: The version is not there, or does not take the recorded input.
        """
        if (reason := reason_against(run, logs)) is not None:
            return _Obstacle(reason.rstrip("."))
        interpreter, seed = self._own_interpreter(run.version_number), self._backend.seed(run.workflow_run_id)
        recorder = CallRecorder(
            recorded_answers(logs, interpreter.graph),
            plays=True,
            recorded_turns=recorded_turns(logs, seed),
            by_order=True,
            of_events=True,
        )
        played = PlayedRun(interpreter, recorder, cancelled)
        for log in logs:
            own = played.play(log)
            if played.has_missed:
                return _Obstacle(_LACKS, _missing(recorder.misses[0], log, interpreter.graph))
            if (problem := error_of(own.events)) != (was := error_of(log.events)):
                ended = Divergence(
                    log.number, *last_node(own.events), was or "no error", problem or "no error"
                )
                return _Obstacle(_OTHER_RUN, ended)
            if (different := find_divergence(log, own, interpreter.graph.edges)) is not None:
                return _Obstacle(_OTHER_RUN, different[1])
        return played

    def _recorder(self, own: PlayedRun) -> CallRecorder:
        """Return what answers on the other version: the calls of the run on its own one alone."""
        return CallRecorder(own.recorder.calls, plays=True, recorded_turns=own.recorder.turns, of_events=True)

    def _compare(self, own: PlayedRun, found: _Result, cancelled: threading.Event) -> ReplayResult:
        """Play a run on the other version up to the first other path, error or missing answer; compare it."""
        recorder = self._recorder(own)
        played = PlayedRun(self._other, recorder, cancelled)
        edges = self._other.graph.edges
        first: dict[Kind, Divergence] = {}
        for log in own.segments:
            try:
                other = played.play(log)
            except InputError as error:
                return found.failed(log, None, error.message)
            found.turns = log.number
            problem = error_of(other.events)
            is_cut = played.has_missed or problem != error_of(log.events)
            if (elsewhere := find_other_path(log, other, edges, is_cut=is_cut)) is not None:
                return found.of("path", elsewhere)
            if played.has_missed:
                missing = _missing(recorder.misses[0], log, self._other.graph)
                if "words" not in first and (words := _other_words(log, other)) is not None:
                    first["words"] = words
                return found.first_of(first, missing) if first else found.of("needs_model", missing)
            if is_cut:
                return found.failed(log, other, problem)
            if (different := find_divergence(log, other, edges)) is not None:
                first.setdefault(*different)
        return found.first_of(first) if first else found.of("same", None)


_UNPLAYABLE = (
    *(InputError, NotFoundError, NotStartableError, RunError),
    *(AnswerError, ExpressionError, UnsupportedError, WorkflowError),
)
"""Errors by which a version cannot be read or played, whenever it is tried."""
_LACKS = "Its events lack an answer"
_OTHER_RUN = "Its own version does not repeat it"


@dataclass(frozen=True)
class _Obstacle:
    """The reason why a run cannot be played on its own version."""

    reason: str
    divergence: Divergence | None = None

    @property
    def text(self) -> str:
        """Return it in words, without a full stop."""
        return f"{self.reason}, {self.divergence.text}" if self.divergence else self.reason


class _Result:
    """Makes the result of one run."""

    def __init__(self, run: Run, logs: list[TurnLog]) -> None:
        self.turns = 0
        self._run = run
        self._logs = logs

    def of(
        self,
        verdict: ReplayVerdict,
        divergence: Divergence | None,
        reason: str = "",
        then: Divergence | None = None,
    ) -> ReplayResult:
        """Return the result with a verdict."""
        run = self._run
        return ReplayResult(
            run.workflow_run_id, run.version_number, verdict, self.turns, divergence, reason, then
        )

    def first_of(self, first: Mapping[Kind, Divergence], then: Divergence | None = None) -> ReplayResult:
        """Return the result of a run on the same path that has other variables, or else other words.

        Args:
            first: The first difference of each kind; there is one.
            then: The request that ended the replay.
        """
        kind: Kind = "variables" if "variables" in first else "words"
        return self.of(kind, first[kind], then=then)

    def not_comparable(self, reason: str, divergence: Divergence | None = None) -> ReplayResult:
        """Return the result of a run that cannot be played on its own version."""
        return self.of("not_comparable", divergence, reason)

    def failed(self, log: TurnLog, other: TurnLog | None, problem: str) -> ReplayResult:
        """Return the result of a run that ends by another error, or by none, on the other version.

        Args:
            log: The turn on its own version.
            other: The turn on the other one; ``None`` where it was refused.
            problem: The error there; empty without one.
        """
        node_id, node = last_node(other.events if other is not None else ())
        was = error_of(log.events) or "no error"
        ended = Divergence(log.number, node_id, node, was, problem or "no error")
        return self.of("failed", ended)


def _other_words(log: TurnLog, other: TurnLog) -> Divergence | None:
    """Return the first words that differ in a turn before an answer was missing; ``None`` where none do."""
    said = [event for event in log.events if event.type == "assistant_response"]
    says = [event for event in other.events if event.type == "assistant_response"]
    return find_other_words(said[: len(says)], says, log.number)


def _missing(miss: Miss, log: TurnLog, graph: Graph) -> Divergence:
    """Return a call that is not recorded as a divergence."""
    request, difference = miss.request, miss.difference
    node = graph.nodes.get(request.node)
    label = node.label if node is not None else request.node
    if difference is None:
        return Divergence(log.number, request.node, label, "no such call", request.label)
    return Divergence(log.number, request.node, label, *difference.sides, subject=difference.where)
