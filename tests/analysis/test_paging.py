from __future__ import annotations

import pytest

from debugger.analysis.paging import page_bounds, page_count, page_of


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
