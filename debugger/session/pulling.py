"""To pull the turns and the background work of one run, with a person's hand on them.

Each event is kept, entered in the journal when it is time to, and shown to the gate, which may hold it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from debugger.analysis.recorded_scope import recorded_scope
from debugger.backends.base import Ability, Backend, TurnStream
from debugger.engine.control import Control
from debugger.engine.interventions import Interventions
from debugger.engine.interventions.hand import Hand
from debugger.expressions import Scope
from debugger.graph import Graph
from debugger.protocol.events import Event
from debugger.protocol.runs import MAIN_THREAD, TurnInput, TurnLog
from debugger.session.breakpoints import Breakpoints
from debugger.session.desk import Desk
from debugger.session.journal import Journal
from debugger.session.ledger import Ledger
from debugger.session.logbook import Logbook
from debugger.session.stepping import Gate
from debugger.session.worker import Worker

Keep = Callable[[TurnLog, Event], None]


class Pulling:
    """Begins the workers of one session.

    Args:
        backend: Where the run goes.
        workflow_id: The workflow.
        version_number: The version to start with.
        graph: The workflow as it is drawn, for breakpoints.
        now: Gives the time in seconds since the epoch.
    """

    def __init__(
        self,
        backend: Backend,
        workflow_id: str,
        version_number: int | None,
        graph: Graph,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.breakpoints = Breakpoints(graph)
        self.gate = Gate(self.breakpoints, holds=_can(backend, "pause_mid_turn"))
        self.interventions = Interventions()
        self.desk = Desk()
        self.journal = Journal(backend.notebook, workflow_id, version_number, now)
        self._backend = backend
        self._workflow_id = workflow_id
        self._version_number = version_number
        self._shows_state = _can(backend, "set_state")

    def turn(
        self,
        log: TurnLog,
        given: TurnInput,
        run_id: str | None,
        *,
        after: Worker | None,
        keep: Keep,
        ledger: Ledger,
        logbook: Logbook,
    ) -> Worker:
        """Begin a turn of the user.

        Args:
            log: Where its events go.
            given: What it is given.
            run_id: The run to go on with.
            after: Background work that has to end first.
            keep: Puts an event where whoever looks finds it.
            ledger: Follows the calls outside.
            logbook: The turns so far.
        """
        self.gate.begin()

        def begin(worker: Worker) -> TurnStream:
            if after is not None:
                after.wait()
            stream = self._backend.execute(
                self._workflow_id,
                given,
                run_id=run_id,
                version_number=self._version_number,
                cancelled=worker.cancelled,
                control=worker.control,
            )
            return ledger.follow(stream, worker.log)

        return self._worker(log, begin, keep, logbook)

    def step(self, log: TurnLog, run_id: str, *, keep: Keep, ledger: Ledger, logbook: Logbook) -> Worker:
        """Begin a step of background work; see `turn`."""

        def begin(worker: Worker) -> TurnStream:
            stream = self._backend.pump(
                self._workflow_id, run_id, cancelled=worker.cancelled, control=worker.control
            )
            return ledger.follow(stream, worker.log)

        return self._worker(log, begin, keep, logbook)

    def _worker(
        self, log: TurnLog, begin: Callable[[Worker], TurnStream], keep: Keep, logbook: Logbook
    ) -> Worker:
        self.journal.begin()

        def receive(worker: Worker, event: Event) -> None:
            keep(worker.log, event)
            self._enter(worker, stands_still=False)
            self.gate.pass_by(
                worker.log,
                event,
                lambda: self._scope(worker, event, logbook.logs),
                worker.cancelled,
                lambda: self._enter(worker, stands_still=True),
                lambda: worker.control.hold("paused"),
            )

        return Worker(log, begin, receive, Control(self._hand()))

    def _hand(self) -> Hand | None:
        """The person's hand in what nodes do; ``None`` where nothing is set up, which costs nothing."""
        asks = self.desk.asks_all or bool(self.desk.nodes)
        if not self.interventions and not asks:
            return None
        return Hand(self.interventions, self.desk)

    def _enter(self, worker: Worker, *, stands_still: bool) -> None:
        self.journal.follow(worker.run_id, worker.log, stands_still=stands_still)

    def _scope(self, worker: Worker, event: Event, logs: Sequence[TurnLog]) -> Scope:
        """What the thread of an event can see."""
        if self._shows_state:
            return worker.control.scope(event.origin_thread_id or MAIN_THREAD)
        return recorded_scope(logs, thread=event.thread_reference_id or MAIN_THREAD)


def _can(backend: Backend, ability: Ability) -> bool:
    return backend.capabilities.reason_against(ability) is None
