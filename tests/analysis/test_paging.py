from __future__ import annotations

import pytest

from debugger.analysis.paging import VISIBLE_ROWS, first_visible_row, page_bounds, page_count, page_of


@pytest.mark.parametrize(("rows", "expected"), [(0, 1), (1, 1), (200, 1), (201, 2), (50_000, 250)])
def test_pages_are_counted_over_all_rows(rows, expected):
    assert page_count(rows) == expected


def test_the_last_page_holds_what_is_left():
    assert page_bounds(1, 450) == (0, 200)
    assert page_bounds(3, 450) == (400, 450)


def test_page_bounds_of_a_removed_page():
    assert page_bounds(9, 450) == (400, 450)
    assert page_bounds(0, 450) == (0, 200)


def test_a_row_is_on_its_page():
    assert [page_of(place) for place in (0, 199, 200)] == [1, 1, 2]


def test_first_visible_row_shows_the_chosen():
    assert first_visible_row(range(1_000), 500, 0) == 496


def test_first_visible_row_stays_if_possible():
    assert first_visible_row(range(1_000), 500, 495) == 495


def test_first_visible_row_begins_above_the_chosen():
    assert first_visible_row(range(1_000), 12, None) == 8


def test_first_visible_row_stays_in_range():
    assert first_visible_row(range(1_000), 2, 900) == 0
    assert first_visible_row(range(1_000), 999, 0) == 1_000 - VISIBLE_ROWS
    assert first_visible_row(range(3), None, 50) == 0


def test_first_visible_row_of_a_hidden_choice():
    assert first_visible_row([10, 20, 30], 25, 0) == 0
    assert first_visible_row(list(range(0, 1_000, 10)), 505, 0) == 47
