from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.graph.diagram import Direction
from debugger.graph.layered import place
from tests.support.placements import (
    Rectangle,
    around_both,
    assert_no_path_crosses_boxes_or_labels,
    assert_nothing_overlaps,
    boxes_of,
    drawing,
    numbers,
    points_along,
    sample,
    workflow_like,
)

DIRECTIONS = pytest.mark.parametrize("direction", ["down", "right"])


@DIRECTIONS
@pytest.mark.parametrize("count", [1, 2, 12, 125])
def test_boxes_badges_and_labels_stay_apart(count: int, direction: Direction) -> None:
    drawn = drawing(count, workflow_like(count), direction)

    assert_nothing_overlaps(drawn, place(drawn))


@DIRECTIONS
@pytest.mark.parametrize("name", ["clinic_front_desk", "city_services", "lab_results", "tea_welcome"])
def test_badges_and_labels_of_samples_stay_apart(name: str, direction: Direction) -> None:
    drawn = sample(name, direction)

    placed = place(drawn)

    assert_nothing_overlaps(drawn, placed)
    assert_no_path_crosses_boxes_or_labels(drawn, placed)


@DIRECTIONS
@pytest.mark.parametrize("count", [12, 125])
def test_no_arrow_crosses_a_box_or_label(count: int, direction: Direction) -> None:
    drawn = drawing(count, workflow_like(count), direction)

    assert_no_path_crosses_boxes_or_labels(drawn, place(drawn))


@DIRECTIONS
@pytest.mark.parametrize("count", [12, 125])
def test_every_arrow_begins_and_ends_at_its_boxes(count: int, direction: Direction) -> None:
    drawn = drawing(count, workflow_like(count), direction)

    placed = place(drawn)

    boxes = boxes_of(drawn, placed)
    for arrow, route in zip(drawn.arrows, placed.routes, strict=True):
        (first_x, first_y), *_, (last_x, last_y) = numbers(route.path)
        for box, x, y in ((boxes[arrow.source], first_x, first_y), (boxes[arrow.target], last_x, last_y)):
            nearest_x, nearest_y = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
            assert abs(nearest_x - x) + abs(nearest_y - y) < 0.2
            assert not box.holds(x, y)


@DIRECTIONS
def test_breakpoints_of_edges_are_on_their_paths(direction: Direction) -> None:
    drawn = drawing(40, workflow_like(40), direction)

    for route in place(drawn).routes:
        mark = Rectangle.around(route.mark_at, 2, 2)
        assert any(map(mark.overlaps, map(around_both, itertools.pairwise(points_along(route.path)))))


def test_chain_to_the_right_runs_straight() -> None:
    drawn = drawing(4, [(0, 1, ""), (1, 2, ""), (2, 3, "")], "right")

    centres = place(drawn).centres

    xs = [x for x, _ in centres]
    assert len({round(y) for _, y in centres}) == 1
    assert xs == sorted(xs)


def test_a_chain_runs_straight_down() -> None:
    drawn = drawing(4, [(0, 1, ""), (1, 2, ""), (2, 3, "")])

    placed = place(drawn)

    xs = {round(x) for x, _ in placed.centres}
    ys = [y for _, y in placed.centres]
    assert len(xs) == 1
    assert ys == sorted(ys)


def test_an_arrow_that_closes_a_cycle_points_up() -> None:
    drawn = drawing(3, [(0, 1, ""), (1, 2, ""), (2, 0, "again")])

    placed = place(drawn)

    (_, first_y), *_, (_, last_y) = numbers(placed.routes[2].path)
    assert first_y > last_y


def test_parallel_arrows_stay_apart() -> None:
    drawn = drawing(2, [(0, 1, ""), (0, 1, ""), (0, 1, "yes"), (1, 0, "")])

    placed = place(drawn)

    tracks = [points_along(route.path) for route in placed.routes]
    for one, other in itertools.combinations(tracks, 2):
        middles = [min(track, key=lambda point: abs(point[1] - placed.height / 2)) for track in (one, other)]
        assert abs(middles[0][0] - middles[1][0]) > 10


def test_several_loops_of_one_box_are_drawn_below_each_other() -> None:
    drawn = drawing(1, [(0, 0, "ask again"), (0, 0, "still nothing"), (0, 0, ""), (0, 0, "more")])

    placed = place(drawn)

    assert len({route.path for route in placed.routes}) == 4
    assert_nothing_overlaps(drawn, placed)


def test_many_boxes_without_arrows_are_spread_over_several_lines() -> None:
    placed = place(drawing(40, []))

    assert placed.width < 800
    assert len({y for _, y in placed.centres}) > 5


def test_an_empty_drawing_has_a_size() -> None:
    placed = place(drawing(0, []))

    assert placed.width > 0 and placed.height > 0
    assert placed.centres == placed.routes == ()


@DIRECTIONS
@given(
    case=st.integers(1, 9).flatmap(
        lambda count: st.tuples(
            st.just(count),
            st.lists(
                st.tuples(
                    st.integers(0, count - 1),
                    st.integers(0, count - 1),
                    st.sampled_from(["", "yes", "label " * 4]),
                ),
                max_size=14,
            ),
        )
    )
)
def test_nothing_overlaps_in_any_small_graph(
    direction: Direction, case: tuple[int, list[tuple[int, int, str]]]
) -> None:
    drawn = drawing(*case, direction)

    placed = place(drawn)

    assert_nothing_overlaps(drawn, placed)
    assert_no_path_crosses_boxes_or_labels(drawn, placed)
