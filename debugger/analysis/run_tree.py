"""The tree of a run and its forks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from debugger.analysis.differences import SIGNS
from debugger.protocol.runs import ForkRecord, RunStatus


@dataclass(frozen=True)
class TreeRow:
    """One run of the tree."""

    run_id: str
    depth: int
    """0 is the first run, with its forks below it."""
    fork: ForkRecord | None
    """Where it came from; ``None`` for the first run."""
    status: RunStatus | None
    """``None`` where that is not known."""

    @property
    def label(self) -> str:
        """The label for users."""
        if self.fork is not None and self.fork.way == "played":
            return "played run"
        return f"fork at turn {self.fork.turn_number}" if self.fork else "root"

    @property
    def changed(self) -> tuple[str, ...]:
        """The changes of the fork, each path once, with its sign."""
        made = self.fork.changes if self.fork else ()
        return tuple(f"{SIGNS.get(change.get('op', ''), '~')} {change_name(change)}" for change in made)


def change_name(change: Mapping[str, object]) -> str:
    """Return the path of a change, else its scope and name."""
    return str(change.get("path") or f"{change.get('scope', '')}.{change.get('name', '')}".strip("."))


def run_tree(
    run_id: str, family: Sequence[ForkRecord], statuses: Mapping[str, RunStatus] | None = None
) -> list[TreeRow]:
    """Return the rows of a tree, each fork below its source; a run without forks is one row.

    Siblings are in the order of their turns.

    Args:
        run_id: Any run of the family.
        family: Every fork of it.
        statuses: The known statuses of the runs.
    """
    below: dict[str, list[ForkRecord]] = {}
    for record in sorted(family, key=lambda one: (one.turn_number, one.created_at, one.run_id)):
        below.setdefault(record.source_run_id, []).append(record)
    known = {record.run_id for record in family}
    roots = [source for source in below if source not in known] or [run_id]
    rows: list[TreeRow] = []
    waiting: list[tuple[str, int, ForkRecord | None]] = [(root, 0, None) for root in reversed(roots)]
    seen: set[str] = set()
    while waiting:
        name, depth, fork = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        rows.append(TreeRow(name, depth, fork, (statuses or {}).get(name)))
        waiting += [(child.run_id, depth + 1, child) for child in reversed(below.get(name, ()))]
    return rows


def breadcrumbs(rows: Sequence[TreeRow], run_id: str) -> list[TreeRow]:
    """Return the rows from the root to a run; empty if unknown."""
    by_id = {row.run_id: row for row in rows}
    found: list[TreeRow] = []
    row = by_id.get(run_id)
    while row is not None and row not in found:
        found.insert(0, row)
        row = by_id.get(row.fork.source_run_id) if row.fork else None
    return found
