"""Runs of a workflow that nothing keeps."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable

from debugger.engine.environment import Environment
from debugger.engine.execution import ExecutionResult
from debugger.engine.inspection import RunInspector
from debugger.engine.interpreter import Interpreter
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.mocks.recording import CallRecorder
from debugger.engine.models.base import Model
from debugger.engine.models.heuristic import HeuristicModel
from debugger.engine.options import EngineOptions
from debugger.engine.outbound import Gateway
from debugger.engine.outbound.gateway import BlockedGateway
from debugger.engine.prepared_workflow import prepare
from debugger.engine.super_nodes import LoadWorkflow
from debugger.errors import NotFoundError
from debugger.protocol.events import Event
from debugger.protocol.runs import TERMINAL_STATUSES, TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow


def no_stored_workflow(workflow_id: str, version_number: int | None) -> Workflow:
    """Raise the error of a run without a store of workflows.

    Raises:
        NotFoundError: Always.
    """
    raise NotFoundError(f"There is no workflow {workflow_id!r} here: the run has no store.")


def run(
    workflow: Workflow,
    messages: Iterable[str] = (),
    *,
    model: Model | None = None,
    options: EngineOptions | None = None,
    environment: Environment | None = None,
    open_gateway: Callable[[], Gateway] = BlockedGateway,
    load_workflow: LoadWorkflow = no_stored_workflow,
    recorder: CallRecorder | None = None,
) -> Generator[Event, None, ExecutionResult]:
    """Run a workflow in memory: a turn without a message, then one for each message.

    It ends with the conversation, or after the last message. Each message is taken when the turn before has
    ended, so that a generator may read the events and say what comes next. Companion threads take their first
    step; to advance them further is `Interpreter.pump`'s.

    Args:
        workflow: What the author wrote.
        messages: What the user says.
        model: Answers all prompts; by default the built-in rules do, without a network.
        options: Choices where the platform leaves a question open.
        environment: Clock and random values.
        open_gateway: Makes the gateway of a turn's calls to the outside; by default every call is blocked.
        load_workflow: Gives the stored workflow of a super node by id and version.
        recorder: Records the calls of the run, or answers them from a recording; one for each run.

    Returns:
        How the last turn ended. Yields the events of all turns in order, stamped.

    Raises:
        InputError: The recorder has the calls of another run.
        NotStartableError: The workflow has no start node.
        RunError: A super node cannot be replaced by its workflow.
    """
    prepared = prepare(workflow, load_workflow)
    interpreter = Interpreter(
        prepared.workflow,
        model or HeuristicModel(),
        options,
        environment,
        open_gateway=open_gateway,
        notes=prepared.notes,
    )
    turn_input = TurnInput.with_message(None)
    state = interpreter.begin(turn_input)
    following, past = iter(messages), list[TurnLog]()
    while True:
        log = TurnLog(len(past) + 1, turn_input)
        inspector = RunInspector(Interceptor(recorder=recorder))
        turn = interpreter.turn(state, turn_input, past=lambda: past, inspector=inspector)
        while True:
            try:
                event = next(turn)
            except StopIteration as stop:
                result: ExecutionResult = stop.value
                break
            log.add(event)
            yield event
        past.append(log)
        if state.main.ended or result.status in TERMINAL_STATUSES:
            return result
        message = next(following, None)
        if message is None:
            return result
        turn_input = TurnInput.with_message(message, command="data")
