"""The edges that lead back, in a graph that begins somewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Pair = tuple[int, int]
"""Source and target of an arrow, as indices of boxes."""


def find_back_edges(count: int, pairs: Sequence[Pair]) -> frozenset[int]:
    """Return the indices of the arrows that close a cycle, found depth first.

    Args:
        count: How many boxes there are; the first one is where the picture begins.
        pairs: The arrows between different boxes.
    """
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
    """Yield the arrows below a root that lead back to a box above them, depth first and without recursion.

    Boxes in ``done`` are not entered; every box that is walked is added to it.
    """
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
