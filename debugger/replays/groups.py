"""Results of a replay by their cause, with the change of the workflow that may explain it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from debugger.analysis.comparison.tables import WorkflowChange, workflow_changes
from debugger.backends.base import Backend
from debugger.errors import AnswerError, InputError, NotFoundError, UnsupportedError, WorkflowError
from debugger.protocol.workflow import Workflow
from debugger.replays.results import VERDICT_LABELS, ReplayResult, ReplayVerdict
from debugger.store import Acceptance, ReplayRepository, StoredReplay

MAX_GROUPS = 500
"""Groups that are read, those with the most runs."""
_MAX_FIELDS = 4
"""Fields of one change that are named."""
_MAX_OTHERS = 3
"""Changes that are named where none is at the node itself."""


@dataclass(frozen=True)
class ReplayGroup:
    """Runs that differ for the same cause."""

    key: str
    verdict: ReplayVerdict
    count: int
    """The number of its runs."""
    example: ReplayResult
    """The result of its newest run."""
    change: str = ""
    """The changes between both versions at the node where the runs differ, in words.

    Where that node is as it was, they are those of other nodes, and begin with ``elsewhere``: what a node is
    told or does may depend on nodes before it. Empty where no node and edge was changed."""
    acceptance: Acceptance | None = None

    @property
    def text(self) -> str:
        """Return it in words, with the divergence or the reason of the example."""
        label, detail = VERDICT_LABELS[self.verdict], self.example.text
        return f"{label}: {detail}" if detail else label


def read_groups(
    backend: Backend,
    replays: ReplayRepository,
    replay: StoredReplay,
    *,
    other: Workflow | None = None,
    limit: int = MAX_GROUPS,
) -> list[ReplayGroup]:
    """Return at most ``limit`` groups of a replay, the one with the most runs first.

    The changes are those between the version of a group's example and the other one. They are empty where a
    version cannot be read any more, or is in a file that is not given.

    Args:
        backend: Has the versions.
        replays: The store's.
        replay: The replay.
        other: The other version, instead of the stored one.
        limit: The number of groups at most.

    Raises:
        StoreError: A result was changed by another program.
    """
    target = replay.target
    if other is None and not target.file:
        other = _version(backend, target.workflow_id, target.version_number)
    texts: dict[tuple[int, str], str] = {}
    changes: dict[int, Sequence[_NodeChange]] = {}
    groups = []
    for stored in replays.groups(replay.id, limit):
        example = ReplayResult.from_json(stored.example)
        number, node_id = example.version_number, example.divergence.node_id if example.divergence else ""
        if node_id and other is not None and number not in changes:
            own = _version(backend, target.workflow_id, number)
            changes[number] = () if own is None else _changes(own, other)
        if (number, node_id) not in texts:
            texts[number, node_id] = _text_at(node_id, changes.get(number, ())) if node_id else ""
        change = texts[number, node_id]
        groups.append(
            ReplayGroup(stored.key, example.verdict, stored.runs, example, change, stored.acceptance)
        )
    return groups


def _text_at(node_id: str, changes: Sequence[_NodeChange]) -> str:
    """Return the changes at a node in words, or the first ones of other nodes where it has none."""
    if own := [each.change for each in changes if each.node_id == node_id]:
        return "; ".join(map(change_text, own))
    others = list(dict.fromkeys(change_text(each.change) for each in changes))
    more = f"; {len(others) - _MAX_OTHERS} more" if len(others) > _MAX_OTHERS else ""
    return f"elsewhere: {'; '.join(others[:_MAX_OTHERS])}{more}" if others else ""


def change_text(change: WorkflowChange) -> str:
    """Return a change in words: ``node Intent desk changed (prompt, model)``."""
    names = [each.path for each in change.fields]
    more = f" and {len(names) - _MAX_FIELDS} more" if len(names) > _MAX_FIELDS else ""
    fields = f" ({', '.join(names[:_MAX_FIELDS])}{more})" if names else ""
    return f"{change.part} {change.name} {change.op}{fields}"


@dataclass(frozen=True)
class _NodeChange:
    """A change, and the node that it belongs to: of an edge its source."""

    node_id: str
    change: WorkflowChange


def _changes(own: Workflow, other: Workflow) -> list[_NodeChange]:
    """Return the changes of nodes and edges; an edge with another source belongs to both nodes."""
    return [
        _NodeChange(node_id, change)
        for change in workflow_changes(own, other)
        for node_id in dict.fromkeys(_nodes_of(change, own, other))
    ]


def _nodes_of(change: WorkflowChange, own: Workflow, other: Workflow) -> Iterator[str]:
    if change.part == "node":
        yield change.id
    elif change.part == "edge":
        for edge in (*own.edge_configs, *other.edge_configs):
            if edge.logical_id == change.id and edge.source_node_logical_id:
                yield edge.source_node_logical_id


def _version(backend: Backend, workflow_id: str, number: int) -> Workflow | None:
    """Return a version; ``None`` where it was deleted, or an API shows the active one alone."""
    try:
        return backend.workflow(workflow_id, number)
    except (NotFoundError, WorkflowError, InputError, UnsupportedError, AnswerError):
        return None
