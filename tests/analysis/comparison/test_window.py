from __future__ import annotations

from debugger.analysis.paging import ROWS, top_for


def test_a_chosen_row_is_on_view_with_some_before_it():
    assert top_for(range(1_000), 500, 0) == 496


def test_the_rows_stay_where_the_chosen_one_is_among_them():
    assert top_for(range(1_000), 500, 495) == 495


def test_there_is_nothing_above_the_first_and_below_the_last():
    assert top_for(range(1_000), 2, 900) == 0
    assert top_for(range(1_000), 999, 0) == 1_000 - ROWS
    assert top_for(range(3), None, 50) == 0


def test_of_some_rows_the_one_that_comes_next_is_on_view_where_the_chosen_one_is_hidden():
    assert top_for([10, 20, 30], 25, 0) == 0
    assert top_for(list(range(0, 1_000, 10)), 505, 0) == 47
