"""Re-runs, planned and begun."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from debugger.backends.embedded.run_loader import Interpreters
from debugger.backends.forks.mapping import ChangedState, NodeMatch, carry, change_over, match_nodes
from debugger.backends.forks.request import HistoryMode, Mode, RerunEdits, RerunTarget
from debugger.backends.forks.restore import Forks, PastMoment, usage_of
from debugger.backends.forks.transcript import Line, edited_pairs, lines_of
from debugger.engine.environment import World
from debugger.engine.fork_state import go_another_way, reopen
from debugger.engine.interpreter import Interpreter
from debugger.engine.state import RunState
from debugger.engine.variable_edits import VariableEdit, apply_edit
from debugger.errors import ConflictError, InputError, NotFoundError
from debugger.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import ForkRecord, RunStatus, Turn, TurnInput
from debugger.store import RerunCopy, Store, new_id

_GONE = "The version that the run used is not there any more."
_ENDED = (
    "The conversation ended in this turn, so that it ends again at the user's next message; choose "
    "entry_node_logical_id to continue at another node."
)
_NO_ENTRY = "The run stood at a node that the target does not have; choose entry_node_logical_id."


@dataclass
class _Way:
    """How a state gets into another graph."""

    mode: Mode
    entry: str | None
    matches: list[NodeMatch]
    changed: ChangedState


class Reruns:
    """Makes runs out of past turns of other runs.

    The platform lets only runs be re-run that its WebSocket has driven, since it keeps the graph of those
    alone. Here every run can be, as long as its version is there.

    Args:
        store: Has the runs and their checkpoints.
        interpreters: Of every version.
        forks: Knows how a run stood before a turn.
        world: Time and chance.
    """

    def __init__(self, store: Store, interpreters: Interpreters, forks: Forks, world: World) -> None:
        self._store = store
        self._interpreters = interpreters
        self._forks = forks
        self._world = world

    def turn_count(self, run_id: str) -> int:
        """How many turns of the user a run has.

        Raises:
            NotFoundError: There is no such run.
        """
        return RunState.from_json(self._store.checkpoint(run_id).checkpoint).turn_number

    def reason_against(self, run_id: str) -> str | None:
        """Why no turn of a run can be taken again; ``None`` where each can.

        Raises:
            NotFoundError: There is no such run.
        """
        checkpoint = self._store.checkpoint(run_id)
        try:
            self._store.document(checkpoint.workflow_id, checkpoint.version_number)
        except NotFoundError:
            return _GONE
        return None

    def plan(
        self, run_id: str, turn_index: int, target: RerunTarget, *, is_replay: bool = False
    ) -> RerunPlan:
        """Return what a re-run would be. It restores the conversation through its turn, that turn included.

        Args:
            run_id: The run.
            turn_index: The turn, from 0.
            target: Where it is to go.
            is_replay: Restore the conversation before the turn instead, which is then executed again.

        Raises:
            NotFoundError: There is no such run, turn, workflow or version.
            ConflictError: The version that the run used is not there any more.
            InputError: The target names nodes that are not there.
        """
        if not turn_index < self.turn_count(run_id):
            raise NotFoundError(f"Run {run_id} has no turn {turn_index}.", advice="Turns count from 0.")
        if (reason := self.reason_against(run_id)) is not None:
            raise ConflictError(reason)
        moment = self._moment(run_id, turn_index, is_replay=is_replay)
        workflow_id = target.target_workflow_id or moment.workflow_id
        version = self._store.starting_version(workflow_id, target.target_version_number)
        source = self._interpreters.of(moment.workflow_id, moment.version_number)
        goal = self._interpreters.of(workflow_id, version.version_number)
        _, document = self._store.document(workflow_id, version.version_number)
        is_same = self._is_same(run_id, moment, document)
        stood, has_ended = str(moment.state.main.position), moment.state.main.ended
        if has_ended:
            reopen(moment.state)
        given = moment.given(self._recorded_input(run_id, moment), source) if is_replay else None
        way = _way(moment, source.graph, goal.graph, target, is_same=is_same)
        history: HistoryMode = target.history_mode or ("FULL" if is_same else "USER_AND_ASSISTANT_ONLY")
        pair_count = 0 if history == "NONE" else moment.pair_count
        recorded = self._store.run(run_id).to_wire()["input_output_pairs"][:pair_count]
        pairs = [Turn.from_wire(pair) for pair in recorded]
        if not pairs:
            moment.state.turn_number = 0
        matched = {match.source_node_logical_id for match in way.matches}
        plan = RerunPlan(
            run_id=run_id,
            turn_index=turn_index,
            is_replay=is_replay,
            workflow_id=workflow_id,
            version_number=version.version_number,
            version_name=version.version_name,
            workflow_name=goal.workflow.name,
            graph_digest=_digest(document),
            mode=way.mode,
            history_mode=history,
            entry_node_logical_id=way.entry,
            suggested_entry_nodes=_entries(goal),
            state=moment.state,
            status=_open_status(moment.status),
            pairs=pairs,
            lines=lines_of(pairs),
            given=given,
            matches=way.matches,
            unmapped_nodes=[node for node in source.graph.nodes if node not in matched],
            dropped_variables=way.changed.dropped_variables,
            dropped_parts=way.changed.dropped_parts,
        )
        if target.requested_mode and RANKS[way.mode] < RANKS[target.requested_mode]:
            plan.reason = f"Only {way.mode} is possible here, and {target.requested_mode} is asked for."
        if has_ended and target.entry_node_logical_id is None:
            plan.warnings.append(_ENDED)
        if way.entry is None:
            plan.not_resumable_reason = _NO_ENTRY
        if way.mode != "EXACT":
            plan.warnings.append(f"The run stood at {stood!r}; it goes on at {way.entry!r}.")
        if way.changed.dropped_parts:
            plan.warnings.append(f"Not carried over: {', '.join(way.changed.dropped_parts)}.")
        return plan

    def begin(self, plan: RerunPlan, edits: RerunEdits, run_by: str | None = None) -> str:
        """Make the run and return its id; no node is run.

        Args:
            plan: What it is to be; used up.
            edits: What is edited before.
            run_by: Who asks for it.

        Raises:
            ConflictError: The plan is refused.
            InputError: An edit cannot be made.
        """
        if plan.refusal is not None:
            raise ConflictError(plan.refusal)
        state = plan.state
        self.edit_variables(plan, edits)
        keeps_memos = plan.history_mode == "FULL"
        written = edited_pairs(plan.pairs, plan.lines, edits, self._world, keeps_memos=keeps_memos)
        status = plan.status
        if written and not plan.pairs:
            state.turn_number, status = 1, "waiting_for_user_input"
        record = ForkRecord(
            run_id=new_id(),
            source_run_id=plan.run_id,
            turn_number=plan.next_turn_number,
            changes=tuple(state.untold),
            forked_by=run_by or "",
            created_at=self._world.now(),
        )
        self._store.reruns.keep(
            RerunCopy(
                record=record,
                turn_index=plan.turn_index,
                workflow_id=plan.workflow_id,
                workflow_name=plan.workflow_name,
                version_number=plan.version_number,
                version_name=plan.version_name,
                status=status,
                checkpoint=state.to_json(),
                pair_count=len(plan.pairs),
                written=written,
                usage=usage_of(state),
            )
        )
        return record.run_id

    def edit_variables(self, plan: RerunPlan, edits: RerunEdits) -> None:
        """Edit the variables of a plan's state; its first turn tells of it.

        Raises:
            InputError: An edit cannot be made.
        """
        wanted = [VariableEdit("dynamic", name, value) for name, value in edits.dynamic_variables.items()]
        for thread_id, variables in edits.runtime_variables.items():
            wanted += [
                VariableEdit("runtime", name, value, thread_id=thread_id) for name, value in variables.items()
            ]
        plan.state.untold += [apply_edit(edit, plan.state) for edit in wanted]

    def turn_input(self, plan: RerunPlan, message: str, run_by: str | None = None) -> TurnInput:
        """Return the input of a turn that is replayed, with another message in it."""
        given = plan.given or TurnInput()
        fields: JsonObject = {
            "command": "data",
            "dynamic_variables": given.dynamic_variables,
            "runtime_variables": given.runtime_variables,
            "run_by": run_by,
        }
        if not plan.pairs and plan.turn_index == 0 and plan.history_mode != "NONE":
            # What a run is given to begin with is read where its first turn is recorded.
            fields |= {"initial_state": given.initial_state, "welcome_message": given.welcome_message}
        return TurnInput.with_message(message, **fields)

    def _moment(self, run_id: str, turn_index: int, *, is_replay: bool) -> PastMoment:
        if is_replay:
            return self._forks.moment(run_id, turn_index + 1)
        # Background work belongs to the turn before it, so that the turn lasts until the next one.
        return self._forks.moment(run_id, turn_index + 2, may_be_over=True)

    def _recorded_input(self, run_id: str, moment: PastMoment) -> TurnInput:
        return TurnInput.from_wire(self._store.pair(run_id, moment.pair_count + 1).run_input)

    def _is_same(self, run_id: str, moment: PastMoment, document: JsonObject) -> bool:
        """Whether a document is the one that a run went on in."""
        _, used = self._store.document(moment.workflow_id, moment.version_number)
        if used != document:
            return False
        versions = self._store.versions(moment.workflow_id)
        changed_at = next(one.updated_at for one in versions if one.version_number == moment.version_number)
        return (changed_at or "") <= self._began_at(run_id, moment)

    def _began_at(self, run_id: str, moment: PastMoment) -> str:
        """When the run began, or the run that it was forked from as long as that used the same version."""
        began, seen = "", set[str]()
        while run_id and run_id not in seen:
            seen.add(run_id)
            try:
                run = self._store.record(run_id).run
            except NotFoundError:
                break
            if (run.workflow_id, run.version_number) != (moment.workflow_id, moment.version_number):
                break
            began, run_id = run.created_at or "", run.source_workflow_run_id or ""
        return began


def _open_status(status: RunStatus) -> RunStatus:
    """Return the status of a restored conversation, which waits for the user where it had ended or failed."""
    is_open = status in ("not_started", "paused")
    return status if is_open else "waiting_for_user_input"


def _way(moment: PastMoment, source: Graph, goal: Graph, target: RerunTarget, *, is_same: bool) -> _Way:
    """Bring a moment's state into the graph that is asked for.

    Raises:
        InputError: The target names nodes that are not there.
    """
    state, wanted = moment.state, target.entry_node_logical_id
    if wanted is not None and wanted not in goal.nodes:
        raise InputError(f"entry_node_logical_id: the target has no node {wanted!r}.")
    matches = match_nodes(source, goal, target.node_id_map or {})
    stands = str(state.main.position)
    moves = wanted is not None and wanted != stands
    if is_same and not moves and not target.node_id_map:
        return _Way("EXACT", stands, matches, ChangedState(state))
    nodes = {match.source_node_logical_id: match.target_node_logical_id for match in matches}
    if stands not in nodes:
        entry = wanted or (_start(goal) if moment.pair_count == 0 else None)
        changed = carry(state, source, goal, nodes, entry or stands)
        return _Way("PORTABLE", entry, matches, changed)
    changed = change_over(state, source, goal, nodes)
    entry = wanted or nodes[stands]
    if entry != nodes[stands]:
        go_another_way(state, goal, start_node=entry)
    return _Way("REMAPPED", entry, matches, changed)


def _start(graph: Graph) -> str:
    return graph.start.logical_id


def _entries(interpreter: Interpreter) -> list[str]:
    """The nodes at which a conversation can go on: the start, and those that wait for the user."""
    graph = interpreter.graph
    waiting = [
        node_id for node_id, node in graph.nodes.items() if _waits(interpreter, node_id) and not node.disabled
    ]
    starts = [node_id for node_id, node in graph.nodes.items() if node.is_start]
    return list(dict.fromkeys([*starts, *waiting]))


def _waits(interpreter: Interpreter, node_id: str) -> bool:
    node = interpreter.graph.nodes[node_id]
    return node.type in ("say_llm", "worker_llm") and (node.model_extra or {}).get(
        "wait_for_user_message", True
    )


def _digest(document: JsonObject) -> str:
    return hashlib.sha256(encode(document)).hexdigest()


@dataclass(kw_only=True)
class RerunPlan:
    """A re-run as it would be."""

    run_id: str
    turn_index: int
    """The turn that the re-run names, from 0."""
    is_replay: bool
    """Whether the turn is executed again; otherwise it is restored, and the run continues after it."""
    workflow_id: str
    version_number: int
    version_name: str | None
    workflow_name: str
    graph_digest: str
    """Of the graph that it goes on in."""
    mode: Mode
    history_mode: HistoryMode
    entry_node_logical_id: str | None
    """Where it goes on; ``None`` where a node has to be chosen first."""
    suggested_entry_nodes: list[str] = field(default_factory=list)
    state: RunState
    status: RunStatus
    pairs: list[Turn]
    """The restored ones."""
    lines: list[Line]
    given: TurnInput | None
    """The input of a turn that is replayed, as its caller sent it."""
    matches: list[NodeMatch] = field(default_factory=list)
    unmapped_nodes: list[str] = field(default_factory=list)
    dropped_variables: list[str] = field(default_factory=list)
    dropped_parts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reason: str | None = None
    """Why it is refused; ``None`` where it is not."""
    not_resumable_reason: str | None = None
    """Why it cannot go on as it is asked for; ``None`` where it can."""

    @property
    def refusal(self) -> str | None:
        """Why it cannot be begun; ``None`` where it can."""
        return self.reason or self.not_resumable_reason

    @property
    def next_turn_number(self) -> int:
        """Return the number of the source's turn in whose place the re-run continues, from 1."""
        return self.turn_index + (1 if self.is_replay else 2)

    @property
    def variable_count(self) -> int:
        """How many variables it begins with."""
        state = self.state
        runtime = sum(len(thread.runtime_variables) for thread in state.threads.values())
        return runtime + len(state.dynamic_variables) + len(state.workflow_variables)


RANKS: dict[Mode, int] = {"PORTABLE": 0, "REMAPPED": 1, "EXACT": 2}
"""The more, the more of the run is kept."""
