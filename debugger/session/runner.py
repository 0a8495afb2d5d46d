"""The runner of a session: starts the workers of its turns and background work, and lets them be stepped."""

from __future__ import annotations

import time
from collections.abc import Callable

from debugger.analysis.recorded_scope import recorded_scope
from debugger.backends.base import Ability, Backend, TurnStream
from debugger.engine.control import Control
from debugger.engine.interventions import Interventions
from debugger.engine.interventions.hand import Hand
from debugger.errors import TurnInProgressError
from debugger.expressions import Scope
from debugger.graph import Graph
from debugger.protocol.events import Event
from debugger.protocol.runs import MAIN_THREAD, TurnInput, TurnLog, TurnResult
from debugger.session.background import BackgroundScheduler
from debugger.session.breakpoints import Breakpoints
from debugger.session.desk import Desk
from debugger.session.side_effect_log import SideEffectLog
from debugger.session.stepping import Gate
from debugger.session.turn_list import TurnList
from debugger.session.worker import TurnWorker

BUSY_SECONDS = 10.0
"""How long a turn waits for another one of the run, or for a step of its background work."""
_BUSY_POLL = 0.1


class TurnRunner:
    """Starts turns on threads, adds their events to the turn list and applies stepping and breakpoints.

    Args:
        backend: Executes the turns.
        workflow_id: The workflow.
        version_number: The version to start with.
        graph: The workflow as it is drawn, for breakpoints.
        background: The schedule of the run's background work.
    """

    def __init__(
        self,
        backend: Backend,
        workflow_id: str,
        version_number: int | None,
        graph: Graph,
        background: BackgroundScheduler,
    ) -> None:
        self.breakpoints = Breakpoints(graph)
        self.gate = Gate(self.breakpoints, holds=_can(backend, "pause_mid_turn"))
        self.interventions = Interventions()
        self.desk = Desk()
        self.turns = TurnList()
        """The run's turns."""
        self.side_effects = SideEffectLog(backend)
        self.background = background
        self._backend = backend
        self._workflow_id = workflow_id
        self._version_number = version_number
        self._shows_state = _can(backend, "set_state")

    def start_turn(
        self, log: TurnLog, turn_input: TurnInput, run_id: str | None, *, after: TurnWorker | None
    ) -> TurnWorker:
        """Start a turn of the user, and return its worker.

        Args:
            log: The turn; its number is the one that is expected.
            turn_input: Its input.
            run_id: The run; ``None`` starts a new one.
            after: Background work that has to end first.
        """
        self.gate.begin()

        def start(worker: TurnWorker) -> TurnStream:
            if after is not None:
                after.wait()
            deadline = time.monotonic() + BUSY_SECONDS
            while True:
                try:
                    return self._backend.execute(
                        self._workflow_id,
                        turn_input,
                        run_id=run_id,
                        expected_turn_number=log.number,
                        version_number=self._version_number,
                        cancelled=worker.cancelled,
                        control=worker.control,
                    )
                except TurnInProgressError:
                    if worker.cancelled.wait(_BUSY_POLL) or time.monotonic() >= deadline:
                        raise

        return self._worker(log, start)

    def start_step(self, log: TurnLog, run_id: str) -> TurnWorker:
        """Start a step of background work, and return its worker."""

        def start(worker: TurnWorker) -> TurnStream:
            return self._backend.pump(
                self._workflow_id, run_id, cancelled=worker.cancelled, control=worker.control
            )

        return self._worker(log, start)

    def _worker(self, log: TurnLog, start: Callable[[TurnWorker], TurnStream]) -> TurnWorker:
        return TurnWorker(log, start, self._on_event, self._on_end, Control(self._hand()))

    def _on_event(self, worker: TurnWorker, event: Event) -> None:
        self.background.judged += event.type == "waiting_evaluation_boundary"
        self.turns.add(worker.log, event)
        self.gate.pass_by(
            worker.log,
            event,
            lambda: self._scope(worker, event),
            worker.cancelled,
            lambda: worker.control.hold("paused"),
        )

    def _on_end(self, worker: TurnWorker, result: TurnResult) -> None:
        self.side_effects.update(result.run_id, worker.log)

    def _hand(self) -> Hand | None:
        """Return what intervenes in nodes and models; ``None`` where nothing is set up."""
        asks = self.desk.asks_all or bool(self.desk.nodes)
        if not self.interventions and not asks:
            return None
        return Hand(self.interventions, self.desk)

    def _scope(self, worker: TurnWorker, event: Event) -> Scope:
        """Return the variables that the thread of an event can see."""
        if self._shows_state:
            return worker.control.scope(event.origin_thread_id or MAIN_THREAD)
        return recorded_scope(self.turns.logs, thread=event.thread_reference_id or MAIN_THREAD)


def _can(backend: Backend, ability: Ability) -> bool:
    return backend.capabilities.reason_against(ability) is None
