from __future__ import annotations

from debugger.analysis.transitions import Hop, Trails


def hop(number, source, destination, *, edge=None, thread="0"):
    return Hop(number, edge, source, destination, "direct_edge", "", 1, number, thread)


def test_a_way_knows_its_first_hop_its_last_ones_and_who_went_it():
    ways = [hop(number, "a", "b", edge="a_b", thread=f"{number % 2}") for number in range(1, 6)]

    trail = Trails.of(ways).along["a_b"]

    assert (trail.first, trail.last, trail.count) == (ways[0], ways[4], 5)
    assert trail.latest == (3, 4, 5)
    assert trail.threads == {"0", "1"}


def test_what_a_node_does_with_itself_is_no_way_unless_an_edge_says_so():
    trails = Trails.of([hop(1, "a", "a"), hop(2, "a", "a", edge="loop"), hop(3, "a", "b"), hop(4, "b", None)])

    assert list(trails.along) == ["loop", "a > b", "b > None"]
    assert {node: trail.latest for node, trail in trails.to.items()} == {"a": (1, 2), "b": (3,)}


def test_a_copy_stays_as_it_is():
    trails = Trails.of([hop(1, "a", "b")])
    copy = trails.copy()

    trails.take(hop(2, "a", "b"))

    assert (trails.along["a > b"].count, copy.along["a > b"].count) == (2, 1)
