"""What an expansion gives: the workflow without super nodes, and what there is to tell about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from debugger.protocol.workflow import Workflow


@dataclass(frozen=True)
class Report:
    """What is worth knowing about an expansion."""

    duplicate_node_ids: tuple[str, ...] = ()
    """Ids that more than one of the joined workflows uses, or one of them twice. Nothing clashes: an inner
    node's id has the super node's in front."""
    warnings: tuple[str, ...] = ()
    """What could not be taken over as the author may have meant it, in plain words."""


@dataclass(frozen=True)
class Expansion:
    """A workflow whose enabled super nodes are replaced by what they stand for."""

    workflow: Workflow
    """Without a super node to expand it is the very workflow that was given."""
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the id of each inner node the super nodes around it, outermost first."""
    report: Report = field(default_factory=Report)
    loaded: frozenset[tuple[str, int | None]] = frozenset()
    """The stored workflows in it, as (id, version asked for); ``None`` is the version that was active."""
