from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import debugger.samples
from debugger.graph import Graph
from debugger.graph.diagram import Diagram, Direction
from debugger.graph.edge_paths import Placement
from debugger.graph.layered import place
from debugger.protocol.workflow import Workflow

SAMPLES = Path(debugger.samples.__file__).parent


class Rectangle(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, centre: tuple[float, float], width: float, height: float) -> Rectangle:
        x, y = centre
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def overlaps(self, other: Rectangle) -> bool:
        beside = self.right <= other.left or other.right <= self.left
        return not beside and self.top < other.bottom and other.top < self.bottom

    def holds(self, x: float, y: float) -> bool:
        return self.left + 0.3 < x < self.right - 0.3 and self.top + 0.3 < y < self.bottom - 0.3


def drawing(count: int, pairs: list[tuple[int, int, str]], direction: Direction = "down") -> Diagram:
    nodes = [
        {"logical_id": f"n{place}", "name": f"Node number {place}", "is_start": place == 0}
        for place in range(count)
    ]
    edges = [
        {
            "logical_id": f"e{place}",
            "type": "conditional",
            "name": label,
            "source_node_logical_id": f"n{source}",
            "destination_node_logical_id": f"n{target}",
        }
        for place, (source, target, label) in enumerate(pairs)
    ]
    document = {"node_configs": nodes, "edge_configs": edges}
    return Diagram.of(Graph(Workflow.from_document(document)), direction)


def workflow_like(count: int) -> list[tuple[int, int, str]]:
    """A tree with short cuts, ways back and loops, as conversations have them."""
    dice = random.Random(7)
    pairs = [
        (max(0, node - dice.randint(1, 6)), node, dice.choice(["", "yes", "no"])) for node in range(1, count)
    ]
    for _ in range(count // 2):
        node = dice.randrange(count)
        target = max(0, min(count - 1, node + dice.choice([-9, -3, 0, 0, 2, 5, 12])))
        pairs.append((node, target, dice.choice(["", "the guest wants another thing", "no"])))
    return pairs


def boxes_of(drawn: Diagram, placed: Placement) -> list[Rectangle]:
    pairs = zip(drawn.boxes, placed.centres, strict=True)
    return [Rectangle.around(centre, box.width, box.height) for box, centre in pairs]


def badges_of(box: Rectangle) -> list[Rectangle]:
    """The places of a box's badges: numbers on its top, chips below it, dot and pin at its sides."""
    return [
        Rectangle(box.left - 7, box.top - 9, box.right + 8, box.top + 6),
        Rectangle(box.left + 8, box.bottom - 2.5, box.right + 6, box.bottom + 12.5),
        Rectangle(box.left - 7, box.bottom - 10, box.left + 7, box.bottom + 4),
        Rectangle(box.right - 8, box.bottom - 11, box.right + 8, box.bottom + 5),
    ]


def labels_of(placed: Placement) -> list[Rectangle]:
    """The places of the labels with their ground and the numbers before them."""
    return [Rectangle.around(route.label_at, route.label_room, 13) for route in placed.routes]


def marks_of(placed: Placement) -> list[Rectangle]:
    """The places of breakpoints on edges."""
    return [Rectangle.around(route.mark_at, 9, 9) for route in placed.routes]


def numbers(path: str) -> list[tuple[float, float]]:
    found = [float(number) for number in re.findall(r"-?[\d.]+", path)]
    return list(zip(found[::2], found[1::2], strict=True))


def points_along(path: str) -> list[tuple[float, float]]:
    """Places on a path of cubic curves, twenty for each."""
    first, *rest = numbers(path)
    along = []
    for begin in range(0, len(rest), 3):
        corners = (first, *rest[begin : begin + 3])
        for step in range(21):
            t = step / 20
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            along.append(
                tuple(sum(w * c[axis] for w, c in zip(weights, corners, strict=True)) for axis in (0, 1))
            )
        first = rest[begin + 2]
    return along


def around_both(ends: tuple[tuple[float, float], tuple[float, float]]) -> Rectangle:
    """The smallest rectangle with two points."""
    (x1, y1), (x2, y2) = ends
    return Rectangle(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def assert_nothing_overlaps(drawn: Diagram, placed: Placement) -> None:
    boxes = boxes_of(drawn, placed)
    things = [[box, *badges_of(box)] for box in boxes] + [[label] for label in labels_of(placed)]
    for some, others in itertools.combinations(things, 2):
        assert not any(one.overlaps(other) for one in some for other in others)
    for mark in marks_of(placed):
        assert not any(mark.overlaps(one) for some in things for one in some)
    whole = Rectangle(0, 0, placed.width, placed.height)
    for thing in itertools.chain(*things):
        assert whole.left <= thing.left and thing.right <= whole.right
        assert whole.top <= thing.top and thing.bottom <= whole.bottom


def assert_no_path_crosses_boxes_or_labels(drawn: Diagram, placed: Placement) -> None:
    things = boxes_of(drawn, placed) + labels_of(placed)
    for route in placed.routes:
        for x, y in points_along(route.path):
            assert not any(thing.holds(x, y) for thing in things)


DIRECTIONS = pytest.mark.parametrize("direction", ["down", "right"])


@DIRECTIONS
@pytest.mark.parametrize("count", [1, 2, 12, 125])
def test_boxes_badges_and_labels_stay_apart(count: int, direction: Direction) -> None:
    drawn = drawing(count, workflow_like(count), direction)

    assert_nothing_overlaps(drawn, place(drawn))


@DIRECTIONS
@pytest.mark.parametrize("sample", ["clinic_front_desk", "city_services", "lab_results", "tea_welcome"])
def test_badges_and_labels_of_samples_stay_apart(sample: str, direction: Direction) -> None:
    document = json.loads((SAMPLES / f"{sample}.json").read_text(encoding="utf-8"))
    drawn = Diagram.of(Graph(Workflow.from_document(document)), direction)

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
