"""Twenty workflows laid out, counted and drawn.

Run it with ``python -m tests.benchmarks.layouts [--pictures FOLDER]``. It prints a table in Markdown: a row
for each workflow, and below it the medians and sums. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from debugger.engine.super_nodes import expand, unfold
from debugger.errors import NotFoundError
from debugger.graph import graphviz_layout
from debugger.graph.diagram import DIRECTIONS, EDGE_LABEL_SIZE, NAME_SIZE, BoxKind, Diagram, EdgeLine
from debugger.graph.graph import Graph
from debugger.graph.graphviz_program import identify_program
from debugger.graph.groups import Group, thread_groups
from debugger.graph.placement import Placement
from debugger.protocol.workflow import Workflow
from tests.support.factories import direct, document, node, say, when
from tests.support.placements import SAMPLES, Rectangle, badges_of, points_along
from tests.support.super_nodes import super_node

PANES = ((917, 533), (917, 294), (1258, 565), (1385, 501))
"""Of the graph without its foot: at 1280x720 before the start, in a run, maximised; in a run at 1920x1080."""
_MARGIN, _LARGEST_SCALE = 6, 1.25  # as in view.js
_NAMES = (
    *("Greeting", "Ask for the name", "Verify date of birth", "Look up account", "Explain the bill"),
    *("Offer callback", "Transfer", "Check availability", "Confirm", "Summary", "Apologise and escalate"),
    *("Rate the call", "Goodbye"),
)
_LABELS = (
    "",
    "yes",
    "no",
    "not found",
    "wants another day",
    "3 attempts",
    "confirmed",
    "caller is angry",
    "other",
)


class Case(NamedTuple):
    name: str
    graph: Graph
    groups: Sequence[Group] = ()


class Figures(NamedTuple):
    drawing: Diagram
    placement: Placement
    overlaps: Counter[str]
    crossings: int
    turned: float
    seconds: float


def cases() -> Iterator[Case]:
    """Yield the twenty workflows."""
    for name in ("tea_welcome", "clinic_front_desk", "lab_results", "city_services"):
        written = Workflow.from_document(json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8")))
        yield Case(name, Graph(written), thread_groups(Graph(written)))
        if name == "lab_results":
            yield _opened("lab_results, opened", written)
    yield _made("chain of 5", 5, _tree(5, 1))
    yield _made("tree of 8", 8, _tree(8, 3))
    yield _made(
        "14, one hub", 14, [(0, place) for place in range(1, 14)] + [(place, 0) for place in range(3, 9)]
    )
    yield _made("15 with loops", 15, _tree(15, 4) + [(place, place) for place in range(1, 15, 2)])
    yield _made("16, half of them alone", 16, _tree(8, 3))
    yield _made("20, edges side by side", 20, _tree(20, 3) * 2)
    yield _made("25, long back edges", 25, _tree(25, 2) + [(place, place // 6) for place in range(12, 25, 2)])
    yield _made(
        "30, short cuts", 30, _tree(30, 5) + [(place, min(29, place + 9)) for place in range(0, 20, 3)]
    )
    yield _with_companions(18)
    closed, opened = _with_super_nodes()
    yield closed
    yield opened
    yield _made("40, conversation", 40, _conversation(40))
    yield _made("60, conversation", 60, _conversation(60))
    yield _made("100, conversation", 100, _conversation(100))
    yield _made("150, conversation", 150, _conversation(150))


def _tree(count: int, width: int) -> list[tuple[int, int]]:
    dice = random.Random(count)
    return [(max(0, place - dice.randint(1, width)), place) for place in range(1, count)]


def _conversation(count: int) -> list[tuple[int, int]]:
    dice = random.Random(count)
    jumps = [(place, dice.choice((-12, -4, -3, 0, 2, 5))) for place in range(3, count, 3)]
    return _tree(count, 5) + [(place, min(count - 1, max(0, place + jump))) for place, jump in jumps]


def _made(name: str, count: int, pairs: Sequence[tuple[int, int]]) -> Case:
    graph = Graph(Workflow.from_document(_document("n", count, pairs)))
    return Case(name, graph)


def _document(key: str, count: int, pairs: Sequence[tuple[int, int]]) -> dict[str, object]:
    dice = random.Random(len(pairs))
    nodes = [
        {**say(f"{key}{place}"), "name": f"{_NAMES[place % len(_NAMES)]}{f' {place}' if place > 12 else ''}"}
        for place in range(count)
    ]
    edges = [
        {
            **when(f"{key}{source}", f"{key}{target}", "[[a]] == 1"),
            "logical_id": f"{key}e{place}",
            "name": dice.choice(_LABELS),
        }
        for place, (source, target) in enumerate(pairs)
    ]
    return document(*nodes, *edges)


def _with_companions(count: int) -> Case:
    written = _document("n", count, _tree(count, 3))
    for place in (2, 5):
        written["node_configs"] += [node(f"c{place}{each}", "no_op") for each in "abc"]
        fork = {"companion_thread_config": {"is_companion_thread": True, "thread_id": f"poll {place}"}}
        written["edge_configs"] += [
            {**direct(f"n{place}", f"n{place + 1}"), "logical_id": f"main{place}"},
            {**direct(f"n{place}", f"c{place}a"), **fork},
            direct(f"c{place}a", f"c{place}b"),
            when(f"c{place}b", f"c{place}a", "[[more]]"),
            direct(f"c{place}b", f"c{place}c"),
        ]
    graph = Graph(Workflow.from_document(written))
    return Case(f"{count + 6} with companions", graph, thread_groups(graph))


def _with_super_nodes() -> tuple[Case, Case]:
    written = _document("n", 12, _conversation(12))
    for place in (3, 7):
        inside = _document("i", 6, _conversation(6))
        written["node_configs"][place] = {**super_node(f"n{place}", inside), "name": f"Part {place}"}
    workflow = Workflow.from_document(written)
    return Case("12, two super nodes", Graph(workflow)), _opened("the same, opened", workflow)


def _opened(name: str, workflow: Workflow) -> Case:
    def find(workflow_id: str, version: int | None) -> Workflow:
        raise NotFoundError(f"There is no workflow {workflow_id!r}.")

    graph, groups = unfold(workflow, expand(workflow, find))
    assert groups
    threads = thread_groups(graph, [group.members[0] for group in groups])
    return Case(name, graph, (*groups, *threads))


def measure(drawing: Diagram) -> Figures:
    """Lay a diagram out and count what is wrong with it."""
    began = time.perf_counter()
    placement = graphviz_layout.place(drawing)
    seconds = time.perf_counter() - began
    paths = list(_paths(drawing, placement))
    tracks = [points_along(path) for arrow, path in paths]
    turned = [
        _turned(track)
        for (arrow, _), track in zip(paths, tracks, strict=True)
        if arrow.ends[0] != arrow.ends[1]
    ]
    overlaps = _overlaps(drawing, placement, tracks)
    crossings = _crossings(paths, tracks)
    return Figures(drawing, placement, overlaps, crossings, statistics.mean(turned or [0.0]), seconds)


def _parts(drawing: Diagram, placement: Placement) -> Iterator[tuple[Diagram, Placement]]:
    yield drawing, placement
    for index, part in drawing.inner.items():
        yield from _parts(part, placement.inner[index])


def _paths(drawing: Diagram, placement: Placement) -> Iterator[tuple[EdgeLine, str]]:
    for part, placed in _parts(drawing, placement):
        for arrow, route in zip(part.arrows, placed.routes, strict=True):
            yield arrow, route.path


def _overlaps(
    drawing: Diagram, placement: Placement, tracks: Sequence[Sequence[tuple[float, float]]]
) -> Counter[str]:
    things: list[tuple[str, int, Rectangle]] = []
    owner = itertools.count()
    for part, placed in _parts(drawing, placement):
        for index, (centre, size) in enumerate(zip(placed.centres, placed.sizes, strict=True)):
            frame, who = Rectangle.around(centre, *size), next(owner)
            body = frame
            if index in part.inner:  # its name
                body = Rectangle(*frame[:2], frame.left + part.boxes[index].width, frame.top + 18)
            things.append(("box", who, body))
            things += [("badge", who, badge) for badge in _badges(frame, part.boxes[index].kind)]
        for route in placed.routes:
            things.append(("label", next(owner), Rectangle.around(route.label_at, route.label_room, 13)))
            things.append(("mark", next(owner), Rectangle.around(route.mark_at, 9, 9)))
    cells: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    found: set[tuple[str, int, int]] = set()
    for number, (kind, who, frame) in enumerate(things):
        for cell in _cells(frame):
            for other_number in cells[cell]:
                other_kind, other, other_frame = things[other_number]
                if who != other and frame.overlaps(other_frame):
                    found.add(("/".join(sorted((kind, other_kind))), min(who, other), max(who, other)))
            cells[cell].append(number)
    counts = Counter(kind for kind, _, _ in found)
    for track in tracks:
        met = {
            (things[number][0], number)
            for x, y in track
            for number in cells[int(x // 64), int(y // 64)]
            if things[number][0] in ("box", "label") and things[number][2].holds(x, y)
        }
        counts.update(f"edge/{kind}" for kind, _ in met)
    return counts


def _badges(frame: Rectangle, kind: BoxKind) -> list[Rectangle]:
    """Return those of a node or super node; a companion thread has none."""
    return [] if kind == "thread" else badges_of(frame)


def _cells(frame: Rectangle) -> Iterator[tuple[int, int]]:
    for column in range(int(frame.left // 64), int(frame.right // 64) + 1):
        for row in range(int(frame.top // 64), int(frame.bottom // 64) + 1):
            yield column, row


def _crossings(paths: Sequence[tuple[EdgeLine, str]], tracks: Sequence[Sequence[tuple[float, float]]]) -> int:
    """Count the pairs of edges that cross, of edges at one box away from it."""
    cells: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    thin = [[*track[::4], track[-1]] for track in tracks]
    pairs: set[tuple[int, int]] = set()
    for edge, track in enumerate(thin):
        for place, ((x1, y1), (x2, y2)) in enumerate(itertools.pairwise(track)):
            frame = Rectangle(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
            for cell in _cells(frame):
                for other, there in cells[cell]:
                    pair = other, edge
                    if other != edge and pair not in pairs:
                        point = _meeting(
                            track[place], track[place + 1], thin[other][there], thin[other][there + 1]
                        )
                        ends = (tracks[each][end] for each in pair for end in (0, -1))
                        if point and all(math.dist(point, end) > 12 for end in ends):
                            pairs.add(pair)
                cells[cell].append((edge, place))
    return len(pairs)


Point = tuple[float, float]


def _meeting(a: Point, b: Point, c: Point, d: Point) -> Point | None:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = a, b, c, d
    cross = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx)
    if abs(cross) < 1e-9:
        return None
    t = ((cx - ax) * (dy - cy) - (cy - ay) * (dx - cx)) / cross
    u = ((cx - ax) * (by - ay) - (cy - ay) * (bx - ax)) / cross
    return (ax + t * (bx - ax), ay + t * (by - ay)) if 0 <= t <= 1 and 0 <= u <= 1 else None


def _turned(track: Sequence[Point]) -> float:
    distinct = [
        point for point, before in zip(track[1:], track, strict=False) if math.dist(point, before) > 0.2
    ]
    headings = [math.atan2(y2 - y1, x2 - x1) for (x1, y1), (x2, y2) in itertools.pairwise(distinct)]
    return sum(
        abs(math.degrees(math.remainder(second - first, math.tau)))
        for first, second in itertools.pairwise(headings)
    )


def text_size(figures: Figures, pane: tuple[int, int]) -> float:
    """Return the size of names in pixels where the whole is fitted into a pane."""
    width, height = (side - 2 * _MARGIN for side in pane)
    return NAME_SIZE * min(width / figures.placement.width, height / figures.placement.height, _LARGEST_SCALE)


def main() -> None:
    """Print the table, and draw the pictures if a folder is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=Path)
    folder = parser.parse_args().pictures
    print(identify_program("json0"), file=sys.stderr)
    print("| workflow | px " + " | px ".join(f"{w}x{h}" for w, h in PANES), end=" ")
    print("| overlaps | crossings | turned | ms |")
    print("|---|" + "---|" * (len(PANES) + 4))
    totals: Counter[str] = Counter()
    sizes: list[list[float]] = []
    for case in cases():
        made = [measure(Diagram.of(case.graph, direction, case.groups)) for direction in DIRECTIONS]
        fits = [[text_size(figures, pane) for pane in PANES] for figures in made]
        sizes.append([max(both) for both in zip(*fits, strict=True)])
        chosen = max(made, key=lambda figures: text_size(figures, PANES[0]))
        overlaps = made[0].overlaps + made[1].overlaps
        totals.update(overlaps, crossings=chosen.crossings)
        cells = [
            case.name,
            *(f"{max(both):.1f} {'dr'[both[0] < both[1]]}" for both in zip(*fits, strict=True)),
            " ".join([str(sum(overlaps.values())), *(f"{key} {number}" for key, number in overlaps.items())]),
            str(chosen.crossings),
            f"{chosen.turned:.0f}",
            f"{1000 * max(figures.seconds for figures in made):.0f}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)
        if folder is not None:
            for figures in made:
                name = f"{case.name} {figures.drawing.direction}".replace(" ", "_").replace(",", "")
                draw(figures.drawing, figures.placement).save(folder / f"{name}.png")
    medians = [round(statistics.median(column), 1) for column in zip(*sizes, strict=True)]
    print(f"median px {medians}, {dict(totals)}")


def draw(drawing: Diagram, placement: Placement) -> Image.Image:
    """Return a picture with the places of badges, labels and breakpoints."""
    scale = min(2.0, 2400 / max(placement.width, placement.height))
    image = Image.new("RGB", (int(placement.width * scale) + 1, int(placement.height * scale) + 1), "white")
    pen = ImageDraw.Draw(image)

    def box(frame: Rectangle, **look: object) -> None:
        pen.rectangle([side * scale for side in frame], **look)

    for part, placed in _parts(drawing, placement):
        for index, (centre, size) in enumerate(zip(placed.centres, placed.sizes, strict=True)):
            frame = Rectangle.around(centre, *size)
            for badge in _badges(frame, part.boxes[index].kind):
                box(badge, outline="#f3c98b")
            box(frame, outline="#5577aa", fill=None if index in part.inner else "#eef3fb")
            name = part.boxes[index].lines
            font = ImageFont.load_default(scale * NAME_SIZE)
            top = frame.top + 10 if index in part.inner else centre[1]
            pen.multiline_text((centre[0] * scale, top * scale), "\n".join(name), "black", font, "mm")
        for arrow, route in zip(part.arrows, placed.routes, strict=True):
            track = [(x * scale, y * scale) for x, y in points_along(route.path)]
            pen.line(track, "#556677", 2)
            (x, y), tip = track[-6], track[-1]
            way = math.atan2(tip[1] - y, tip[0] - x)
            sides = [
                (tip[0] - 7 * scale * math.cos(way + turn), tip[1] - 7 * scale * math.sin(way + turn))
                for turn in (-0.35, 0.35)
            ]
            pen.polygon([tip, *sides], "#556677")
            box(Rectangle.around(route.label_at, route.label_room, 13), outline="#99ccaa")
            font = ImageFont.load_default(scale * EDGE_LABEL_SIZE)
            pen.text(
                (route.label_at[0] * scale, route.label_at[1] * scale), arrow.label, "#226633", font, "mm"
            )
            mark = Rectangle.around(route.mark_at, 9, 9)
            pen.ellipse([side * scale for side in mark], outline="#cc3333")
    return image


if __name__ == "__main__":
    main()
