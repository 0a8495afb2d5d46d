"""Runs made from earlier turns of other runs: forks, re-runs and replays."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from debugger.backends.embedded.run_loader import InterpreterCache
from debugger.backends.forks.mapping import (
    DroppedParts,
    NodeMatch,
    match_nodes,
    remap_state,
    transfer_variables,
)
from debugger.backends.forks.request import HistoryMode, RerunEdits, RerunMode, RerunTarget
from debugger.backends.forks.restore import Checkpoints, RestoredRun
from debugger.backends.forks.transcript import Line, edited_messages, edited_pairs, lines_of
from debugger.engine.environment import Environment
from debugger.engine.fork_state import prepare_fork, reopen_conversation
from debugger.engine.interpreter import Interpreter
from debugger.engine.state import RunState
from debugger.engine.usage import run_usage
from debugger.engine.variables import VariableEdit, apply_edit
from debugger.errors import ConflictError, InputError, NotFoundError
from debugger.graph import Graph
from debugger.graph.node_types import CONVERSATION_NODES
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import MAIN_THREAD, ForkRecord, RunStatus, Turn, TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.store import CarriedUsage, RunFork, Store, new_id

_GONE = "The version that the run used is not there any more."
_NO_SNAPSHOT = (
    "The run has no snapshot of its configuration: it is older than those, or a request has started it."
)
"""The platform's text speaks of old runs alone (``platform.md#contradictions``)."""
_ENDED = (
    "The conversation ended in this turn, so that it ends again at the user's next message; choose "
    "entry_node_logical_id to continue at another node."
)
_NO_ENTRY = "The run was at a node that the target does not have; choose entry_node_logical_id."

RANKS: dict[RerunMode, int] = {"PORTABLE": 0, "REMAPPED": 1, "EXACT": 2}
"""The higher the rank, the more of the run's state is preserved."""


@dataclass(kw_only=True)
class RerunPlan:
    """The result of a re-run as planned; nothing is stored yet."""

    run_id: str
    turn_index: int
    """The turn that the re-run names, from 0."""
    is_replay: bool
    """True where the turn is executed again; otherwise it is restored, and the run continues after it."""
    workflow_id: str
    version_number: int
    version_name: str | None
    workflow_name: str
    graph_digest: str
    """The digest of the graph that it continues in."""
    mode: RerunMode
    history_mode: HistoryMode
    entry_node_logical_id: str | None
    """The node at which it continues; ``None`` where one has to be chosen first."""
    suggested_entry_nodes: list[str] = field(default_factory=list)
    state: RunState
    status: RunStatus
    pairs: list[Turn]
    """The restored ones."""
    lines: list[Line]
    replayed_input: TurnInput | None
    """The input of a turn that is replayed, as its caller sent it."""
    matches: list[NodeMatch] = field(default_factory=list)
    unmapped_nodes: list[str] = field(default_factory=list)
    dropped_variables: list[str] = field(default_factory=list)
    dropped_parts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reason: str | None = None
    """Why it is refused; ``None`` where it is not."""
    not_resumable_reason: str | None = None
    """Why it cannot continue as requested; ``None`` where it can."""

    @property
    def refusal(self) -> str | None:
        """Return why it cannot be started; ``None`` where it can."""
        return self.reason or self.not_resumable_reason

    @property
    def next_turn_number(self) -> int:
        """Return the source's turn that the re-run replaces, from 1."""
        return self.turn_index + (1 if self.is_replay else 2)

    @property
    def variable_count(self) -> int:
        """Return the number of variables that it starts with."""
        state = self.state
        runtime = sum(len(thread.runtime_variables) for thread in state.threads.values())
        return runtime + len(state.dynamic_variables) + len(state.workflow_variables)


class Forks:
    """Makes runs out of earlier turns of other runs.

    All of them restore a state, change it and copy the turns before it. A fork keeps the graph or refuses; a
    re-run maps the state into another graph; a replay stores nothing.

    The platform lets only runs be re-run that its WebSocket has driven, since it keeps the graph of those
    alone. Here every run can be, as long as its version is there, unless that rule is wanted.
    """

    def __init__(
        self,
        store: Store,
        interpreters: InterpreterCache,
        world: Environment,
        *,
        socket_reruns_only: bool = False,
    ) -> None:
        """Keep the store and the interpreters; nothing is read yet."""
        self._socket_reruns_only = socket_reruns_only
        self._store = store
        self._interpreters = interpreters
        self._world = world
        self._checkpoints = Checkpoints(store, interpreters)
        self.turn_count = self._checkpoints.turn_count

    def fork(
        self,
        run_id: str,
        turn_number: int,
        *,
        version_number: int | None = None,
        edits: Sequence[VariableEdit] = (),
        start_node_logical_id: str | None = None,
        run_by: str | None = None,
    ) -> str:
        """Store a fork of a run before one of its turns and return its id. See `Backend.fork`.

        Raises NotFoundError where there is no such run, turn or version, InputError where an edit or the
        start node cannot be used, and ConflictError where threads are at nodes that the version does not
        have.
        """
        restored = self._checkpoints.restore(run_id, turn_number)
        wanted = restored.version_number if version_number is None else version_number
        version = self._store.resolve_version(restored.workflow_id, wanted)
        graph = self._interpreters.get_or_make(restored.workflow_id, wanted).graph
        prepare_fork(restored.state, graph, edits, start_node_logical_id)
        record = self._record(run_id, turn_number, restored.state, run_by)
        self._store.forks.create(
            RunFork(
                record=record,
                pair_count=restored.pair_count,
                checkpoint=restored.state.to_json(),
                status=restored.status,
                version_number=version.version_number,
                version_name=version.version_name,
                usage=_usage_of(restored.state),
            )
        )
        return record.run_id

    def replay(
        self,
        run_id: str,
        turn_number: int,
        *,
        interpreters: InterpreterCache,
        cancelled: threading.Event | None = None,
    ) -> list[Event]:
        """Execute a recorded turn again, store nothing, and return the events that a record would have.

        See `Backend.replay`.

        Args:
            run_id: The run.
            turn_number: The turn, from 1.
            interpreters: Interpreters whose gateways block calls that write or that reach a person.
            cancelled: Set to end it early.
        """
        restored = self._checkpoints.restore(run_id, turn_number)
        interpreter = interpreters.get_or_make(restored.workflow_id, restored.version_number)
        turn = interpreter.turn(
            restored.state,
            self._checkpoints.next_input(run_id, restored),
            past=lambda: [log for log in turn_logs(self._store.run(run_id)) if log.number < turn_number],
            cancelled=cancelled,
        )
        return [event for event in turn if event.is_persisted]

    def reason_against(self, run_id: str) -> str | None:
        """Return why no turn of a run can be re-run, else ``None``.

        Raises:
            NotFoundError: There is no such run.
        """
        checkpoint = self._store.checkpoint(run_id)
        try:
            self._store.document(checkpoint.workflow_id, checkpoint.version_number)
        except NotFoundError:
            return _GONE
        is_started = self._socket_reruns_only and checkpoint.turn_number > 0
        if is_started and not self._store.pair(run_id, 1).is_over_socket:
            return _NO_SNAPSHOT
        return None

    def plan(
        self, run_id: str, turn_index: int, target: RerunTarget, *, is_replay: bool = False
    ) -> RerunPlan:
        """Return the plan of a re-run that restores through its turn, storing nothing.

        A plan that cannot be started is returned, too: its `refusal` says why.

        Args:
            run_id: The run.
            turn_index: The turn, from 0.
            target: The workflow, version and node to continue at.
            is_replay: Restore the conversation before the turn instead, which is then executed again.

        Raises:
            NotFoundError: There is no such run, turn, workflow or version.
            ConflictError: No turn of the run can be re-run, see `reason_against`.
            InputError: The target names nodes that are not there.
        """
        if not turn_index < self.turn_count(run_id):
            raise NotFoundError(f"Run {run_id} has no turn {turn_index}.", advice="Turns count from 0.")
        if (reason := self.reason_against(run_id)) is not None:
            raise ConflictError(reason)
        # Background work belongs to the turn before it, so that the turn lasts until the next one.
        next_turn = turn_index + (1 if is_replay else 2)
        restored = self._checkpoints.restore(run_id, next_turn, may_be_over=not is_replay)
        workflow_id = target.target_workflow_id or restored.workflow_id
        version = self._store.resolve_version(workflow_id, target.target_version_number)
        source = self._interpreters.get_or_make(restored.workflow_id, restored.version_number)
        goal = self._interpreters.get_or_make(workflow_id, version.version_number)
        _, document = self._store.document(workflow_id, version.version_number)
        is_same = self._is_same(run_id, restored, document)
        position, has_ended = str(restored.state.main.position), restored.state.main.ended
        if has_ended:
            reopen_conversation(restored.state)
        replayed_input = self._checkpoints.next_input(run_id, restored) if is_replay else None
        placed = _place(restored, source.graph, goal.graph, target, is_same=is_same)
        if has_ended and target.entry_node_logical_id is not None:
            restored.state.main.move_to(target.entry_node_logical_id)  # it is run, also where it was the last
        history: HistoryMode = target.history_mode or ("FULL" if is_same else "USER_AND_ASSISTANT_ONLY")
        pair_count = 0 if history == "NONE" else restored.pair_count
        recorded_pairs = self._store.run(run_id).to_wire()["input_output_pairs"][:pair_count]
        pairs = [Turn.from_wire(pair) for pair in recorded_pairs]
        if not pairs:
            restored.state.turn_number = 0
        matched = {match.source_node_logical_id for match in placed.matches}
        is_open = restored.status in ("not_started", "paused")
        plan = RerunPlan(
            run_id=run_id,
            turn_index=turn_index,
            is_replay=is_replay,
            workflow_id=workflow_id,
            version_number=version.version_number,
            version_name=version.version_name,
            workflow_name=version.workflow_name or goal.workflow.name,
            graph_digest=hashlib.sha256(encode(document)).hexdigest(),
            mode=placed.mode,
            history_mode=history,
            entry_node_logical_id=placed.entry,
            suggested_entry_nodes=_entries(goal),
            state=restored.state,
            # A restored conversation waits for the user where it had ended or failed.
            status=restored.status if is_open else "waiting_for_user_input",
            pairs=pairs,
            lines=lines_of(pairs),
            replayed_input=replayed_input,
            matches=placed.matches,
            unmapped_nodes=[node for node in source.graph.nodes if node not in matched],
            dropped_variables=placed.changed.dropped_variables,
            dropped_parts=placed.changed.dropped_parts,
        )
        if target.requested_mode and RANKS[placed.mode] < RANKS[target.requested_mode]:
            plan.reason = f"Only {placed.mode} is possible here, but {target.requested_mode} was requested."
        if has_ended and target.entry_node_logical_id is None:
            plan.warnings.append(_ENDED)
        if placed.entry is None:
            plan.not_resumable_reason = _NO_ENTRY
        if placed.mode != "EXACT":
            plan.warnings.append(f"The run was at {position!r}; it continues at {placed.entry!r}.")
        if placed.changed.dropped_parts:
            plan.warnings.append(f"Not carried over: {', '.join(placed.changed.dropped_parts)}.")
        return plan

    def begin(
        self,
        plan: RerunPlan,
        edits: RerunEdits,
        run_by: str | None = None,
        *,
        is_limited: bool = False,
        token: str | None = None,
    ) -> str:
        """Store the run of a plan and return its id, executing nothing.

        Args:
            plan: The plan; it cannot be used again.
            edits: Edits to make before.
            run_by: The user who requests it.
            is_limited: The run counts against its workflow's limit.
            token: The re-run token that the run redeems; it stays where the run is not stored.

        Raises:
            ConflictError: The plan is refused.
            InputError: An edit cannot be made.
            NotFoundError: The token was redeemed by another client.
            RateLimitError: The run is limited, and the limit of its workflow is reached.
        """
        if plan.refusal is not None:
            raise ConflictError(plan.refusal)
        state = plan.state
        self.edit_variables(plan, edits)
        keeps_memos = plan.history_mode == "FULL"
        written = edited_pairs(plan.pairs, plan.lines, edits, self._world, keeps_memos=keeps_memos)
        state.main.pending = edited_messages(state.main.pending, plan.lines, edits)
        status = plan.status
        if written and not plan.pairs:
            state.turn_number, status = 1, "waiting_for_user_input"
        record = self._record(plan.run_id, plan.next_turn_number, state, run_by)
        self._store.forks.create(
            RunFork(
                record=record,
                pair_count=len(plan.pairs),
                checkpoint=state.to_json(),
                status=status,
                version_number=plan.version_number,
                version_name=plan.version_name,
                usage=_usage_of(state),
                workflow_id=plan.workflow_id,
                workflow_name=plan.workflow_name,
                turn_index=plan.turn_index,
                written=written,
                is_limited=is_limited,
                token=token,
            )
        )
        return record.run_id

    def edit_variables(self, plan: RerunPlan, edits: RerunEdits) -> None:
        """Edit the variables in a plan's state; the first turn reports the edits.

        Raises:
            InputError: An edit cannot be made.
        """
        wanted = [VariableEdit("dynamic", name, value) for name, value in edits.dynamic_variables.items()]
        for thread_id, variables in edits.runtime_variables.items():
            wanted += [
                VariableEdit("runtime", name, value, thread_id=thread_id) for name, value in variables.items()
            ]
        plan.state.unreported_edits += [apply_edit(edit, plan.state) for edit in wanted]

    def turn_input(self, plan: RerunPlan, message: str, run_by: str | None = None) -> TurnInput:
        """Return the input with which a replayed turn is sent again, with another message.

        It has the variables of the replayed one, with `EXACT` its inputs of single nodes, and at the start of
        a run its initial state, too. A turn that has no input is sent with the message alone.

        Raises:
            InputError: A field of it has a value that it cannot have.
        """
        original = plan.replayed_input or TurnInput()
        fields: JsonObject = {
            "command": "data",
            "dynamic_variables": original.dynamic_variables,
            "runtime_variables": original.runtime_variables,
            "run_by": run_by,
        }
        if not plan.pairs and plan.turn_index == 0 and plan.history_mode != "NONE":
            # The start of a run is read from the record of its first turn.
            fields |= {"initial_state": original.initial_state, "welcome_message": original.welcome_message}
        wire = TurnInput.with_message(message, **fields).to_wire()
        threads = original.to_request().get("thread_to_node_inputs", {})
        if MAIN_THREAD in threads and plan.mode == "EXACT":  # what single nodes get, as an override_url
            inputs = threads[MAIN_THREAD].get("node_run_inputs", ())
            kept = [each for each in inputs if not each.get("messages")]
            wire["thread_to_node_inputs"][MAIN_THREAD]["node_run_inputs"] += kept
        return TurnInput.from_wire(wire)

    def _record(self, source_id: str, turn_number: int, state: RunState, run_by: str | None) -> ForkRecord:
        """Return the record of a fork that is made now, with a new run id and the edits not reported yet."""
        return ForkRecord(
            run_id=new_id(),
            source_run_id=source_id,
            turn_number=turn_number,
            changes=tuple(state.unreported_edits),
            forked_by=run_by or "",
            created_at=self._world.now(),
        )

    def _is_same(self, run_id: str, restored: RestoredRun, document: JsonObject) -> bool:
        """Return whether a document is the one that a run continued in.

        Its version must not have been changed since the first run in the chain of forks began.
        """
        _, used = self._store.document(restored.workflow_id, restored.version_number)
        if used != document:
            return False
        versions = self._store.versions(restored.workflow_id)
        changed_at = next(
            version.updated_at for version in versions if version.version_number == restored.version_number
        )
        return (changed_at or "") <= self._started_at(run_id, restored)

    def _started_at(self, run_id: str, restored: RestoredRun) -> str:
        """Return when the first run in this chain of forks was created; empty where that is unknown.

        The chain ends where a run used another version or is not there any more.
        """
        started, seen = "", set[str]()
        while run_id and run_id not in seen:
            seen.add(run_id)
            try:
                run = self._store.record(run_id).run
            except NotFoundError:
                break
            if (run.workflow_id, run.version_number) != (restored.workflow_id, restored.version_number):
                break
            started, run_id = run.created_at or "", run.source_workflow_run_id or ""
        return started


@dataclass
class _Placement:
    """A state in another graph, and the mode of its mapping."""

    mode: RerunMode
    entry: str | None
    matches: list[NodeMatch]
    changed: DroppedParts


def _place(
    restored: RestoredRun, source: Graph, goal: Graph, target: RerunTarget, *, is_same: bool
) -> _Placement:
    """Move a restored state into the requested graph, in the most exact mode that is possible.

    The entry is ``None`` where the run's node has no counterpart and none was chosen.

    Raises:
        InputError: The target names nodes that are not there.
    """
    state, wanted = restored.state, target.entry_node_logical_id
    if wanted is not None and wanted not in goal.nodes:
        raise InputError(f"entry_node_logical_id: the target has no node {wanted!r}.")
    matches = match_nodes(source, goal, target.node_id_map or {})
    position = str(state.main.position)
    moves = wanted is not None and wanted != position
    if is_same and not moves and not target.node_id_map:
        return _Placement("EXACT", position, matches, DroppedParts())
    nodes = {match.source_node_logical_id: match.target_node_logical_id for match in matches}
    if position not in nodes:
        entry = wanted or (goal.start.logical_id if restored.pair_count == 0 else None)
        changed = transfer_variables(state, source, goal, nodes, entry or position)
        return _Placement("PORTABLE", entry, matches, changed)
    changed = remap_state(state, source, goal, nodes)
    entry = wanted or nodes[position]
    if entry != nodes[position]:
        prepare_fork(state, goal, start_node=entry)
    return _Placement("REMAPPED", entry, matches, changed)


def _entries(interpreter: Interpreter) -> list[str]:
    """Return the nodes at which a conversation can continue, each once.

    These are the start, then the enabled ones that wait for the user, in document order.
    """
    nodes = interpreter.graph.nodes
    waiting = [
        node_id
        for node_id, node in nodes.items()
        if node.type in CONVERSATION_NODES
        and (node.model_extra or {}).get("wait_for_user_message", True)
        and not node.disabled
    ]
    return list(dict.fromkeys([*(node_id for node_id, node in nodes.items() if node.is_start), *waiting]))


def _usage_of(state: RunState) -> CarriedUsage:
    """Return the model usage that a copy in this state takes over.

    It has tokens and latencies as JSON, and whether a model was called at all.
    """
    tokens, times = run_usage(state)
    return CarriedUsage(
        token_usage_json=encode(tokens), latency_stats_json=encode(times), has_calls=tokens["call_count"] > 0
    )
