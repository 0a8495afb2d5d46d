"""The state of a run as an ``initial_state`` for another run (`debugger.protocol.initial_state`)."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.analysis.caller_input import supplied_dynamic, supplied_state
from debugger.analysis.chat import spoken
from debugger.analysis.thread_positions import ThreadPosition, ThreadPositions
from debugger.analysis.variables import Scopes, scopes_at
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import COMPANION, reference_id
from debugger.protocol.initial_state import StateSnapshot, ThreadSnapshot
from debugger.protocol.messages import Message
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog


def exported_state(
    turns: Sequence[TurnLog], up_to_turn: int | None = None, *, with_qualified: bool = False
) -> JsonObject:
    """What a run remembered after a turn and its background work, as far as its events tell.

    A companion thread that has ended is left out: given to a new run it would run again. Runtime variables
    that a caller sent stand among the workflow's, where ``[[name]]`` finds them in the same order as before.

    Args:
        turns: The run's turns.
        up_to_turn: The last turn to take in; ``None`` takes all, 0 gives the state of a run not begun.
        with_qualified: Whether to keep the copies of variables that bear their node's id or name. Conditions
            such as ``[[node_price.price]]`` need them; a person who edits the state does not.

    Raises:
        InputError: The run has no such turn.
    """
    past = _until(turns, up_to_turn)
    begun_with = supplied_state(past[0].run_input) if past else StateSnapshot()
    scopes = scopes_at(past)
    standing = ThreadPositions.after(past).threads
    known = [key for key in {**begun_with.threads, **standing} if _goes_on(key, standing.get(key))]
    snapshot = StateSnapshot(
        threads={
            key: ThreadSnapshot(
                node_logical_id=_node(standing.get(key), begun_with.threads.get(key)),
                runtime_variables=_runtime(scopes, key, with_qualified),
                chat_history=_chat(past, key, begun_with.threads.get(key)),
            )
            for key in known
        },
        workflow_runtime_variables=_workflow(scopes),
        dynamic_variables=_dynamic(past, begun_with),
    )
    return snapshot.model_dump(mode="json")


def _until(turns: Sequence[TurnLog], number: int | None) -> list[TurnLog]:
    past = [turn for turn in turns if number is None or turn.number <= number]
    if number and (not past or past[-1].number != number):
        raise InputError(
            f"Turn {number} is not in this run, which has {turns[-1].number if turns else 0} turns.",
            advice="Choose one of its turns, counted from 1.",
        )
    return past


def _goes_on(thread_id: str, thread: ThreadPosition | None) -> bool:
    return COMPANION not in thread_id or thread is None or not thread.ended


def _node(thread: ThreadPosition | None, begun_with: ThreadSnapshot | None) -> str | None:
    """The node that a thread has hopped to, else where it stands, else where it was to begin."""
    found = (thread.ahead or thread.node) if thread else None
    return found or (begun_with.node_logical_id if begun_with else None)


def _runtime(scopes: Scopes, thread_id: str, with_qualified: bool) -> JsonObject:
    key = reference_id(thread_id) or MAIN_THREAD
    copies = scopes.qualified.get(key, {}) if with_qualified else {}
    return {**scopes.runtime.get(key, {}), **copies}


def _chat(turns: Sequence[TurnLog], thread_id: str, begun_with: ThreadSnapshot | None) -> list[Message]:
    said = [words.message for words in spoken(turns) if words.thread_id == thread_id]
    return [*(begun_with.chat_history if begun_with else ()), *said]


def _workflow(scopes: Scopes) -> JsonObject:
    memory = {**scopes.seeds, **scopes.workflow}
    return {key: value for key, value in memory.items() if not key.startswith("_")}


def _dynamic(turns: Sequence[TurnLog], begun_with: StateSnapshot) -> JsonObject:
    found = dict(begun_with.dynamic_variables)
    for turn in turns:
        found |= supplied_dynamic(turn.run_input)
    return found
