"""The state of a run as an ``initial_state`` for another run (`debugger.protocol.initial_state`)."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.analysis.caller_input import supplied_dynamic, supplied_state
from debugger.analysis.chat import spoken_messages
from debugger.analysis.thread_positions import ThreadPositions
from debugger.analysis.variables import scopes_at
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import COMPANION, reference_id
from debugger.protocol.initial_state import StateSnapshot, ThreadSnapshot
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog


def exported_state(turns: Sequence[TurnLog], up_to_turn: int | None = None) -> JsonObject:
    """Return the recorded state after a turn and its background work.

    A companion thread that has ended is left out: in a new run it would run again. Runtime variables from the
    caller are among the workflow's, where ``[[name]]`` finds them in the same order as before. The copies of
    variables under their node's id or name are included: conditions such as ``[[node_price.price]]`` need
    them.

    Args:
        turns: The run's turns.
        up_to_turn: The last turn to include; ``None`` includes all, 0 returns the state before the first.

    Raises:
        InputError: The run has no such turn.
    """
    past = _until(turns, up_to_turn)
    initial = supplied_state(past[0].run_input) if past else StateSnapshot()
    scopes, messages = scopes_at(past), spoken_messages(past)
    positions = ThreadPositions.after(past).threads
    threads = {}
    for key in {**initial.threads, **positions}:
        position, start = positions.get(key), initial.threads.get(key, ThreadSnapshot())
        if position is None or COMPANION not in key or not position.ended:
            own = [message.message or {} for message in messages if message.thread_id == key]
            thread = reference_id(key) or MAIN_THREAD
            threads[key] = ThreadSnapshot(
                node_logical_id=(position and (position.next_node or position.node)) or start.node_logical_id,
                runtime_variables={**scopes.runtime.get(thread, {}), **scopes.qualified.get(thread, {})},
                chat_history=[*start.chat_history, *own],
            )
    memory = {**scopes.seeds, **scopes.workflow}
    dynamic = dict(initial.dynamic_variables)
    for turn in past:
        dynamic |= supplied_dynamic(turn.run_input)
    snapshot = StateSnapshot(
        threads=threads,
        workflow_runtime_variables={key: value for key, value in memory.items() if not key.startswith("_")},
        dynamic_variables=dynamic,
    )
    return snapshot.model_dump(mode="json")


def _until(turns: Sequence[TurnLog], number: int | None) -> list[TurnLog]:
    """Return the turns up to a number, all for ``None`` and none for 0.

    Raises:
        InputError: The run has no such turn.
    """
    past = [turn for turn in turns if number is None or turn.number <= number]
    if number and (not past or past[-1].number != number):
        raise InputError(
            f"Turn {number} is not in this run, which has {turns[-1].number if turns else 0} turns.",
            advice="Choose one of its turns, counted from 1.",
        )
    return past
