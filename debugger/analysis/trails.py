"""The trails of a run: which ways it went and which nodes it came to, as counts that do not grow with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from debugger.analysis.hops import Hop

LATEST = 3
"""How many hops of each trail are told apart; of the earlier ones only the number is."""


@dataclass(slots=True)  # not frozen, for the reason that `TimelineRow` has
class Trail:
    """One way that was gone, or one node that was come to, at least once."""

    first: Hop
    """The hop that did so first."""
    last: Hop
    count: int
    """How many did."""
    latest: tuple[int, ...]
    """The numbers of the last ones, in their order."""
    threads: frozenset[str]
    """The internal ids of the threads that did; an empty one where an event names none."""


@dataclass
class Trails:
    """The trails of some hops."""

    along: dict[str, Trail] = field(default_factory=dict)
    """By the id of each way, see `way_of`, in the order in which they were first gone.

    What a node does with itself is no way: its visits are counted at the node.
    """
    to: dict[str, Trail] = field(default_factory=dict)
    """By the id of each node that a hop ended at."""

    @classmethod
    def of(cls, hops: Iterable[Hop]) -> Trails:
        """The trails of hops, in their order."""
        trails = cls()
        for hop in hops:
            trails.take(hop)
        return trails

    def take(self, hop: Hop) -> None:
        """Take in the next hop."""
        if hop.edge_id or hop.source != hop.destination:
            _extend(self.along, way_of(hop), hop)
        if hop.destination:
            _extend(self.to, hop.destination, hop)

    def copy(self) -> Trails:
        """Other ones that stand here, to go on by themselves."""
        return Trails(self.along.copy(), self.to.copy())


def way_of(hop: Hop) -> str:
    """The id under which the way of a hop is drawn: that of its edge, or one made from its ends."""
    return hop.edge_id or f"{hop.source} > {hop.destination}"


def _extend(trails: dict[str, Trail], key: str, hop: Hop) -> None:
    thread = hop.thread_id or ""
    known = trails.get(key)
    if known is None:
        trails[key] = Trail(hop, hop, 1, (hop.number,), frozenset({thread}))
        return
    threads = known.threads if thread in known.threads else known.threads | {thread}
    latest = (*known.latest, hop.number)[-LATEST:]
    trails[key] = Trail(known.first, hop, known.count + 1, latest, threads)
