"""Changes of a run's state for a fork: variables, node, version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from debugger.engine.state import RunState, ThreadState
from debugger.engine.variables import VariableEdit, apply_edit, variables_of
from debugger.errors import ConflictError, InputError
from debugger.graph import Graph


def prepare_fork(
    state: RunState, graph: Graph, edits: Sequence[VariableEdit] = (), start_node: str | None = None
) -> None:
    """Change variables of a state between two turns and move its main thread; the next turn reports edits.

    A thread that is moved loses its waits, returns and waiting edges.

    Args:
        state: What the run remembers; changed here unless an error is raised.
        graph: The version that it goes on in.
        edits: The variables to change.
        start_node: The node that the main thread is moved to; ``None`` leaves it at its node.

    Raises:
        InputError: An edit cannot be made, the start node is not in the version, or there is no main thread
            left that could be moved.
        ConflictError: Threads are at nodes that are not in the version.
    """
    for edit in edits:
        variables_of(edit, state)
    if start_node is not None:
        _check_start(state, graph, start_node)
    _check_places(state, graph, is_moved=start_node is not None)
    if start_node is not None:
        state.main.move_to(start_node)  # the next message stays for the node
        state.main.waiting_edges.clear()
    state.unreported_edits += [apply_edit(edit, state) for edit in edits]


def reopen_conversation(state: RunState) -> None:
    """Let an ended conversation continue at its last node.

    The node is not run again.
    """
    state.main.ended, state.main.awaits_second_message, state.main.loop = False, True, None


def _check_start(state: RunState, graph: Graph, start_node: str) -> None:
    """Check that a fork may begin at a node.

    Raises:
        InputError: The node is not in the graph, or the main thread has ended.
    """
    if start_node not in graph.nodes:
        raise InputError(
            f"The start node {start_node!r} is not in this version of the workflow.",
            advice="Choose one of its nodes, or leave it empty to begin where the run was.",
        )
    if state.main.ended:
        raise InputError(
            "The conversation had ended before this turn, so it cannot begin at another node.",
            advice="Fork from an earlier turn.",
        )


def _check_places(state: RunState, graph: Graph, *, is_moved: bool) -> None:
    """Check that the active threads are at nodes of the graph, and would return to such nodes.

    Args:
        state: The state.
        graph: The version to continue in.
        is_moved: Whether the main thread is moved, so that its own places do not count.

    Raises:
        ConflictError: Some of their nodes are not in the graph; the message names all of these.
    """
    lost = [
        f"{node_id!r} (thread {thread.thread_id})"
        for thread in state.active_threads
        if not (is_moved and thread is state.main)
        for node_id in places(thread)
        if node_id not in graph.nodes
    ]
    if lost:
        raise ConflictError(
            f"The run is at {', '.join(dict.fromkeys(lost))}, which this version does not have.",
            advice="Choose a start node of this version, or fork in the version that the run used.",
        )


def places(thread: ThreadState) -> Iterator[str]:
    """Yield a thread's node and the nodes of its returns."""
    if thread.position is not None:
        yield thread.position
    for called, caller in thread.return_stack:
        yield called
        yield caller
