"""The interpreter of one workflow.

All that lasts is in the `RunState`, so an interpreter serves any number of runs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence

from debugger.engine.environment import NEVER_SET
from debugger.engine.execution import Execution, ExecutionResult
from debugger.engine.history import History
from debugger.engine.inspection import RunInspector
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.outbound import Gateway
from debugger.engine.run_input_check import read_start, reject_faulty, start_node_of
from debugger.engine.runnable_workflow import RunnableWorkflow
from debugger.engine.scheduler import run_background, run_turn
from debugger.engine.state import RunState
from debugger.errors import InputError
from debugger.protocol.events import Event
from debugger.protocol.runs import MAIN_THREAD, TurnInput
from debugger.protocol.turn_logs import TurnLog


class Interpreter(RunnableWorkflow):
    """The execution of one version of a workflow, a turn or a step of background work at a time.

    Args:
        workflow: What the author wrote; see `RunnableWorkflow` for the others.
    """

    def begin(self, turn_input: TurnInput) -> RunState:
        """Return the state of a run before its first turn, with a new seed and the initial variables.

        Args:
            turn_input: The first turn's; its start node and its initial state decide where the run begins.

        Raises:
            NotStartableError: The workflow has no start node.
            InputError: The start node is not in the workflow, or the initial state cannot be used.
        """
        snapshot = read_start(turn_input, self.graph)
        state = RunState.at(start_node_of(turn_input, snapshot) or self.graph.start.logical_id)
        state.seed = self.environment.random.getrandbits(48)
        state.dynamic_variables.update(snapshot.dynamic_variables)
        state.workflow_variables.update(snapshot.workflow_runtime_variables)
        if (thread := snapshot.threads.get(MAIN_THREAD)) is not None:
            state.main.runtime_variables.update(thread.runtime_variables)
        return state

    def turn(
        self,
        state: RunState,
        turn_input: TurnInput,
        *,
        transfer_to: str | None = None,
        past: Callable[[], Sequence[TurnLog]] = tuple,
        cancelled: threading.Event | None = None,
        inspector: RunInspector | None = None,
        outbound: Gateway | None = None,
    ) -> Generator[Event, None, ExecutionResult]:
        """Check a turn's input; return the generator that runs until the workflow waits, ends or fails.

        A `RunError` during the turn is no exception here: it is an event, and the result has the status
        ``failed``.

        Args:
            state: The state of the run; changed while the turn runs.
            turn_input: The input of the turn.
            transfer_to: The id of a node that the main thread is moved to before it continues (U-48).
            past: Gives the finished turns; called only if a model needs the chat.
            cancelled: Set from another thread to end the turn after what it is doing.
            inspector: Access to the turn's variables, pins and faults.
            outbound: Makes the calls to the outside; a new gateway by default.

        Returns:
            How the turn ended. Yields its events in order, stamped.

        Raises:
            InputError: The input is too large, or holds what the engine could not use; the node to move to is
                not in the workflow; the conversation is over; or the recorder has the calls of another run.
        """
        reject_faulty(turn_input, self.graph, position=state.main.position)
        if turn_input.command != "stop" and state.main.ended:
            raise InputError(
                "The conversation of this run has ended; only its companion threads still run.",
                advice="Advance its background work, or stop it.",
            )
        if transfer_to is not None and transfer_to not in self.graph.nodes:
            raise InputError(
                f"The node {transfer_to!r} is not in this version of the workflow, so nothing can go there.",
                advice="Choose one of its nodes.",
            )
        execution = self._execution(state, turn_input, past, cancelled, inspector, outbound)
        return run_turn(execution, transfer_to)

    def pump(
        self,
        state: RunState,
        *,
        past: Callable[[], Sequence[TurnLog]] = tuple,
        cancelled: threading.Event | None = None,
        inspector: RunInspector | None = None,
        outbound: Gateway | None = None,
    ) -> Generator[Event, None, ExecutionResult]:
        """Run background work: due companion threads and waiting edges.

        Args:
            state: What the run remembers; changed while the pump runs. Where no event is yielded it is as it
                was.
            past: Gives the finished segments; called only if a model needs the chat.
            cancelled: Set from another thread to end the pump after what it is doing.
            inspector: Access to the variables, pins and faults.
            outbound: Makes the calls to the outside; a new gateway by default.

        Returns:
            How it ended. Yields its events in order, stamped.

        Source: ``platform.md#companion-threads``, ``platform.md#waiting-edges`` and ``platform.md#turns``.
        """
        turn_input = TurnInput(command="data", miscellaneous={"background": True})
        execution = self._execution(state, turn_input, past, cancelled, inspector, outbound)
        return run_background(execution)

    def _execution(
        self,
        state: RunState,
        turn_input: TurnInput,
        past: Callable[[], Sequence[TurnLog]],
        cancelled: threading.Event | None,
        inspector: RunInspector | None,
        outbound: Gateway | None,
    ) -> Execution:
        """Return a new execution of the workflow with an input, and bind the inspector to it.

        The inspector's interceptor, or a new one without mocks, gets the recorded answers and guards the
        gateway.
        """
        wire = turn_input.to_wire()
        log = TurnLog(state.segments + 1, turn_input)
        interceptor = (inspector.interceptor if inspector is not None else None) or Interceptor()
        interceptor.recorded = self.recorded
        execution = Execution(
            self,
            state,
            log,
            wire,
            History(past, log),
            cancelled or NEVER_SET,
            interceptor.guard(outbound or self.open_gateway()),
            interceptor,
        )
        if inspector is not None:
            inspector.execution = execution
        return execution
