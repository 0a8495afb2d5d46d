from __future__ import annotations

from debugger.graph.back_edges import find_back_edges


def test_what_closes_a_cycle_leads_back():
    assert find_back_edges(4, [(0, 1), (1, 2), (2, 0), (1, 3), (3, 1), (0, 3)]) == {2, 4}


def test_first_box_is_where_it_begins():
    assert find_back_edges(3, [(1, 0), (2, 1), (0, 2)]) == {0}


def test_boxes_that_nothing_leads_to_are_begun_with_before_cycles():
    assert find_back_edges(4, [(3, 1), (1, 2), (2, 1)]) == {2}


def test_long_chain_needs_no_recursion():
    count = 5_000
    chain = [(place, place + 1) for place in range(count - 1)]

    assert find_back_edges(count, [*chain, (count - 1, 0)]) == {count - 1}
