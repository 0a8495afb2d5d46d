"""Which layer of a top-down picture each box belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Pair = tuple[int, int]
"""Source and target of an arrow, as indices of boxes."""


def layers(count: int, pairs: Sequence[Pair]) -> tuple[list[int], frozenset[int]]:
    """Give each box a layer so that arrows point down.

    Args:
        count: How many boxes there are; the first one is where the picture begins.
        pairs: The arrows between different boxes.

    Returns:
        The layer of each box, from 0, and the indices of the arrows that close a cycle and so point up.
    """
    upward = _upward(count, pairs)
    down = [pair for place, pair in enumerate(pairs) if place not in upward]
    nexts = _neighbours(count, down)
    order = _from_the_top(nexts)
    found = [0] * count
    for box in order:
        for target in nexts[box]:
            found[target] = max(found[target], found[box] + 1)
    _lower_roots(found, nexts, {target for _, target in down})
    return found, upward


def _upward(count: int, pairs: Sequence[Pair]) -> frozenset[int]:
    """The arrows that lead back to a box from which the walk came, walking depth first from the first box."""
    leaving: list[list[int]] = [[] for _ in range(count)]
    for place, (source, _) in enumerate(pairs):
        leaving[source].append(place)
    entered = {target for _, target in pairs}
    roots = sorted(range(count), key=lambda box: (box != 0, box in entered))
    upward: set[int] = set()
    done: set[int] = set()
    for root in roots:
        if root not in done:
            upward.update(_walk(root, leaving, pairs, done))
    return frozenset(upward)


def _walk(root: int, leaving: list[list[int]], pairs: Sequence[Pair], done: set[int]) -> Iterator[int]:
    """Walk on from one box; gives the arrows that lead back. A loop, because workflows can be deep."""
    open_boxes = {root}
    trail = [(root, iter(leaving[root]))]
    while trail:
        box, arrows = trail[-1]
        place = next(arrows, None)
        if place is None:
            trail.pop()
            open_boxes.discard(box)
            done.add(box)
            continue
        target = pairs[place][1]
        if target in open_boxes:
            yield place
        elif target not in done:
            open_boxes.add(target)
            trail.append((target, iter(leaving[target])))


def _neighbours(count: int, pairs: Sequence[Pair]) -> list[list[int]]:
    nexts: list[list[int]] = [[] for _ in range(count)]
    for source, target in pairs:
        nexts[source].append(target)
    return nexts


def _from_the_top(nexts: list[list[int]]) -> list[int]:
    """The boxes in an order in which every arrow leads forward; there must be no cycle."""
    awaited = [0] * len(nexts)
    for targets in nexts:
        for target in targets:
            awaited[target] += 1
    order = [box for box, arrows in enumerate(awaited) if arrows == 0]
    for box in order:  # grows while it is walked
        for target in nexts[box]:
            awaited[target] -= 1
            if awaited[target] == 0:
                order.append(target)
    return order


def _lower_roots(found: list[int], nexts: list[list[int]], entered: set[int]) -> None:
    """Move boxes that nothing leads to down to where they lead, all but the first one."""
    for box, targets in enumerate(nexts):
        if box and targets and box not in entered:
            found[box] = min(found[target] for target in targets) - 1
