"""The graph in a browser: chosen by mouse and keyboard, moved, followed, and read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from debugger.analysis.position import position
from debugger.analysis.run_tables import unmapped_edges
from debugger.backends import open_embedded
from debugger.engine.super_nodes import UnfoldedGraph, expand, unfold
from debugger.graph.graph import Graph
from debugger.graph.groups import thread_groups
from debugger.graph.layout import layout_both_ways
from debugger.protocol.base import JsonObject
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow
from debugger.session.session import DebugSession
from debugger.settings import Settings
from debugger.views import state
from debugger.views.components.graph.component import graph_direction, workflow_graph
from debugger.views.components.graph.node_states import NONE, Badges, Mark, node_states
from debugger.views.components.graph.props import geometry
from debugger.views.run_state import Element, Selection
from tests.benchmarks.long_runs import record
from tests.components.driving import Host
from tests.support.factories import direct, document, static, when
from tests.support.factories import say as say_node
from tests.support.graph_on_page import (
    INSIDE,
    are_nodes_in_pane,
    heights_of_names,
    is_in_pane,
    overlaps,
    scale_of,
    sizes_of_texts,
    view_of,
)
from tests.support.sample_runs import run_of
from tests.support.super_nodes import Shelf, super_node

pytestmark = pytest.mark.browser

LEAST = 10.99
"""The size in pixels below which no text is, rounding aside."""
SIDES = """bodies => bodies.map(body => body.getBoundingClientRect())
  .filter(({ bottom }) => bottom < innerHeight - 30).flatMap(({ left, right }) => [left, right])"""
"""Gives the left and right sides of the nodes above the foot."""
MIDDLE = """path => {
  const at = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
  return [at.x, at.y];
}"""


@dataclass
class Picture:
    """A graph as the app draws it, and what a person has done to it."""

    host: Host
    workflow: JsonObject
    turns: list[TurnLog] = field(default_factory=list)
    """Those of the run that have been so far."""
    badges: Badges = NONE
    height: Any = "stretch"
    chosen: Element | None = None
    asked: list[str] = field(default_factory=list)
    """Where breakpoints were asked for."""
    opened: frozenset[str] = frozenset()

    def draw(self) -> None:
        self.host.draw(self._draw)

    def resize(self, width: int, height: int) -> None:
        """Give the pane a size, and wait for the frame in which the graph has seen it."""
        self.host.page.set_viewport_size({"width": width, "height": height})
        self.host.page.evaluate("window.drawn()")

    def open(self, width: int, height: int) -> None:
        """Draw it in a pane of that size, in the direction that it asks for."""
        self.resize(width, height)
        self.draw()
        self.host.page.evaluate("window.drawn()")
        self.host.answer()

    def turn(self, direction: str) -> None:
        """Wait until the graph asks for a direction, and lay it out so."""
        self.host.answer_event("direction")
        expect(self.host.page.locator(".box[data-stamp]")).to_have_attribute("data-direction", direction)

    def _draw(self) -> None:
        workflow = Workflow.from_document(self.workflow)
        graph = Graph(workflow)
        shown = UnfoldedGraph(graph, thread_groups(graph))
        if self.opened:
            shown = unfold(workflow, expand(workflow, Shelf().load), self.opened)
        place = position(self.turns, shown.graph, None if self.turns else "not_started")
        placed = layout_both_ways(shown.graph, graph_direction(graph), shown.groups)
        workflow_graph(
            geometry(placed, shown.graph, place.missing_nodes, unmapped_edges(place, shown.graph)),
            node_states(place, shown.graph, groups=shown.groups, badges=self.badges),
            height=self.height,
            aria_label="",
            stamp=str(len(self.turns)),
            on_choose=self._choose,
            on_breakpoint=lambda element: self.asked.append(f"{element.kind} {element.id}"),
            on_fold=self._fold,
        )

    def _choose(self, element: Element | None) -> None:
        self.chosen = element
        state.record(Selection).choose(element)

    def _fold(self, node: str) -> None:
        self.opened ^= {node}


@pytest.fixture
def badges(host: Host) -> Picture:
    """Two nodes, on which breakpoints can be set."""
    marks = {
        Element("node", "greet"): Mark("verified", "Stops before Greet"),
        Element("node", "ask"): Mark("hollow", "Cannot stop here: no such type"),
    }
    workflow = document(static("greet", "Hi"), say_node("ask"), direct("greet", "ask"))
    drawn = Picture(host, workflow, badges=Badges(marks, {"ask": "Pinned: says Hello"}), height=500)
    drawn.draw()
    return drawn


def clinic_run() -> tuple[JsonObject, list[TurnLog]]:
    """The clinic sample, and three turns of a run of it."""
    session = run_of("Clinic front desk", "I have a question about my last bill.", "Thanks, that is all.")
    return session.workflow.to_wire(), session.turns


@pytest.fixture
def clinic(host: Host) -> Picture:
    """The clinic sample after its first turn."""
    workflow, turns = clinic_run()
    drawn = Picture(host, workflow, turns[:1])
    drawn.open(1160, 620)
    expect(host.page.locator(".node.current")).to_have_attribute("data-id", "node_intent_desk")
    return drawn


def next_turn(drawn: Picture) -> None:
    """Draw the run of the clinic with one turn more."""
    drawn.turns = clinic_run()[1][: len(drawn.turns) + 1]
    drawn.draw()


def open_pane(host: Host, width: int, height: int) -> Picture:
    """Draw the clinic sample in a pane of that size."""
    drawn = Picture(host, clinic_run()[0])
    drawn.open(width, height)
    expect(host.page.locator(".node")).to_have_count(18)
    return drawn


def open_booking(host: Host) -> Picture:
    """Draw a workflow with a super node of two nodes."""
    inside = document(static("a", "Hello"), say_node("ask"), direct("a", "ask"))
    drawn = Picture(host, document(static("hi", "Hi"), super_node("box", inside), direct("hi", "box")))
    drawn.open(1160, 520)
    expect(host.page.locator(".node")).to_have_count(2)
    return drawn


def test_click_on_breakpoint_or_its_place_asks_for_it_and_chooses_nothing(host: Host, badges: Picture):
    dot(host.page, "node", "greet").click(force=True)
    host.answer()
    dot(host.page, "edge", "edge_greet_ask").click(force=True)
    host.answer()

    assert (badges.asked, badges.chosen) == (["node greet", "edge edge_greet_ask"], None)
    expect(host.page.locator(".node[data-id='greet'] .dot")).to_have_class("dot verified")
    expect(host.page.locator(".node[data-id='ask'] .dot")).to_have_class("dot hollow")
    expect(host.page.locator(".node[data-id='ask']")).to_have_attribute(
        "aria-label", re.compile("Pinned: says Hello, Cannot stop here: no such type")
    )


def test_nodes_edges_and_breakpoints_are_reached_by_keyboard_from_one_tab_stop(host: Host, badges: Picture):
    assert host.page.locator(".view [tabindex='0'], .view[tabindex='0']").count() == 1
    host.page.locator(".view [tabindex='0']").focus()

    for key in ("ArrowRight", "b", "Enter", "ArrowDown", "b"):
        host.page.keyboard.press(key)
        host.answer()

    assert badges.asked == ["edge edge_greet_ask", "node ask"]
    assert badges.chosen == Element("edge", "edge_greet_ask")
    assert host.keys == []
    expect(host.page.locator(".edge.selected")).to_have_count(1)
    expect(host.page.locator(".node[data-id='ask']")).to_be_focused()


def test_only_main_mouse_button_acts(host: Host, badges: Picture):
    host.page.locator(".node[data-id='ask']").click(button="right")
    host.page.locator(".node[data-id='greet']").click(button="middle")

    assert "selected" not in [event for _, event, _ in host.events]


def test_drag_ends_outside_of_graph(host: Host, badges: Picture):
    page = host.page
    page.evaluate("document.body.style.paddingTop = '60px'")
    stage = page.locator(".stage").bounding_box()
    edge, middle = stage["y"] + 2, stage["x"] + stage["width"] / 3
    before = view_of(page)

    page.mouse.move(middle, edge)
    page.mouse.down()
    page.mouse.move(middle, stage["y"] - 30)  # at once: the picture has not seen it move
    page.mouse.up()
    page.mouse.move(middle, edge + 80, steps=4)

    assert view_of(page) == before


def test_second_finger_does_not_move_view(host: Host, badges: Picture):
    stage = host.page.locator(".stage").bounding_box()
    x, y = stage["x"] + 60, stage["y"] + 60
    touch = host.page.context.new_cdp_session(host.page)
    before = view_of(host.page)

    def send(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": across, "y": down, "id": at} for at, (across, down) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", (x, y))
    send("touchStart", (x, y), (x + 400, y))
    send("touchMove", (x + 1, y), (x + 400, y))
    send("touchMove", (x + 2, y), (x + 400, y))
    send("touchEnd")

    assert view_of(host.page) == before


def test_screen_reader_chooses_node_by_click(host: Host, badges: Picture):
    host.page.locator(".node[data-id='ask']").dispatch_event("click")  # without a pointer
    host.answer()

    expect(host.page.locator(".node.selected")).to_have_attribute("data-id", "ask")


def test_legend_keeps_signs_in_forced_colours(host: Host, badges: Picture):
    host.page.emulate_media(forced_colors="active")

    for name in ("break", "pinned"):
        sign = host.page.locator(f".legend .swatch.{name}")
        ground = sign.evaluate("sign => getComputedStyle(sign).backgroundColor")
        assert ground != host.page.locator(".stage").evaluate("it => getComputedStyle(it).backgroundColor")


def test_graph_takes_whole_window_and_gives_it_back(host: Host, badges: Picture):
    before = host.page.locator(".stage").bounding_box()

    host.page.get_by_role("button", name="Expand").click()
    wide = host.page.locator(".stage").bounding_box()
    host.page.locator(".node[data-id='greet']").click()
    host.answer()
    assert wide["width"] > 1500 and wide["height"] > 900
    expect(host.page.locator(".node.selected")).to_have_count(1)
    host.page.keyboard.press("Escape")

    expect(host.page.get_by_role("button", name="Expand")).to_be_focused()
    assert host.page.locator(".stage").bounding_box() == before


def test_edge_is_chosen_by_click_and_given_back_by_another(host: Host, clinic: Picture):
    edge = host.page.locator(".edge[data-id]").filter(has_text="person")  # far from its breakpoint
    middle = edge.locator(".hit").evaluate(MIDDLE)
    node = host.page.locator(".node[data-id='node_greeting']")

    host.page.mouse.click(*middle)
    host.answer()
    expect(host.page.locator(".edge.selected")).to_have_count(1)
    node.click()
    host.answer()
    expect(host.page.locator(".edge.selected")).to_have_count(0)
    expect(host.page.locator(".node.selected")).to_have_count(1)
    node.click()
    host.answer()

    expect(host.page.locator(".node.selected")).to_have_count(0)
    assert clinic.chosen is None


def test_what_drag_does_buttons_and_keys_do_too(host: Host, clinic: Picture):
    page = host.page
    page.get_by_role("button", name="Fit", exact=True).click()
    left = page.get_by_role("button", name="Move left", exact=True)
    expect(left).to_be_hidden()  # the whole graph is on view
    seen = [view_of(page)]

    for name in ("Zoom in", "Zoom in", "Move left", "Move up", "Move down", "Zoom out", "Fit"):
        page.get_by_role("button", name=name, exact=True).click()
        seen.append(view_of(page))
    page.locator(".view [tabindex='0']").focus()
    for key in ("Shift+ArrowRight", "+", "-", "0"):
        page.keyboard.press(key)
        seen.append(view_of(page))

    assert all(before != after for before, after in pairwise(seen))


def test_follow_can_be_switched_off_for_good(host: Host, clinic: Picture):
    follow = host.page.get_by_role("button", name="Follow")
    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "false")
    look_away(host.page)
    left = view_of(host.page)

    next_turn(clinic)

    expect(host.page.locator(".node.current")).to_have_attribute("data-id", "node_billing_desk")
    assert view_of(host.page) == left
    follow.click()
    assert view_of(host.page) != left


def test_follow_moves_view_only_for_what_would_leave_it(host: Host, clinic: Picture):
    page = host.page
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Current", exact=True).click()
    # The user's own view, with the current node in its middle:
    page.get_by_role("button", name="Zoom in").click()
    before = view_of(page)

    next_turn(clinic)
    expect(page.locator(".node.current")).to_have_attribute("data-id", "node_billing_desk")
    assert view_of(page).split("scale")[1] == before.split("scale")[1]
    assert is_in_pane(page, ".node.current .body")
    look_away(page)
    left = view_of(page)
    next_turn(clinic)

    assert view_of(page) == left


def test_moved_view_is_left_alone_until_current_node_is_asked_for(host: Host, clinic: Picture):
    page = host.page
    page.get_by_role("button", name="Zoom in").click()
    stage = page.locator(".stage").bounding_box()
    right, top = stage["x"] + stage["width"] - 20, stage["y"] + 20
    page.mouse.move(right, top)
    page.mouse.down()
    page.mouse.move(right - 1120, top, steps=4)
    page.mouse.up()
    clinic.draw()
    moved = view_of(page)
    node_box = page.locator(".node.current .body").bounding_box()
    assert node_box["x"] + node_box["width"] < stage["x"]

    next_turn(clinic)
    assert view_of(page) == moved
    page.get_by_role("button", name="Current", exact=True).click()

    assert is_in_pane(page, ".node.current .body")


def test_zoom_and_view_are_kept_from_turn_to_turn(host: Host, clinic: Picture):
    host.page.get_by_role("button", name="Zoom in").click()
    before = scale_of(host.page)

    next_turn(clinic)

    expect(host.page.locator(".box")).to_have_attribute("data-stamp", "2")
    assert scale_of(host.page) == before


def test_ways_on_are_listed_with_their_whole_condition_and_chosen_there(host: Host, clinic: Picture):
    host.page.locator(".steps summary").click()
    host.page.locator(".steps button").filter(has_text="Billing desk").click()
    host.answer()

    chosen = host.page.locator(".edge.selected")
    expect(chosen).to_have_attribute("aria-label", re.compile("to Billing desk"))
    expect(host.page.locator(".steps")).to_contain_text("The caller has a question about a bill")


def test_possible_next_steps_are_listed_within_a_narrow_pane(host: Host):
    workflow, turns = clinic_run()
    drawn, page = Picture(host, workflow, turns[:1]), host.page
    drawn.open(900, 324)
    page.locator(".steps summary").click()
    at = page.locator(".steps ul").bounding_box()["x"]
    assert at == pytest.approx(page.locator(".steps").bounding_box()["x"], abs=1)

    drawn.resize(560, 324)

    assert is_in_pane(page, ".steps ul")
    page.locator(".steps summary").click()
    page.locator(".steps summary").click()
    assert is_in_pane(page, ".steps ul")


def test_in_graph_of_300_nodes_no_text_covers_another_and_choice_moves_nothing(host: Host):
    open_large(host)

    assert not any(overlaps(host.page).values())
    before = view_of(host.page)
    host.page.locator(".node[data-id='once0']").focus()
    at = view_of(host.page)
    host.page.keyboard.press("Enter")
    host.answer()
    expect(host.page.locator(".node.selected")).to_have_attribute("data-id", "once0")
    assert view_of(host.page) == at
    assert before.split("scale")[1] == at.split("scale")[1]


def test_small_node_that_was_visited_often_is_drawn(host: Host):
    backend = open_embedded(Settings(database="sqlite://", responder="rules"))
    session = DebugSession.open(backend, record(backend, 0, turns=150))
    backend.close()
    drawn = Picture(host, session.workflow.to_wire(), session.turns)

    drawn.open(900, 600)

    expect(host.page.locator(".node[aria-label*=visits]").first).to_be_visible()


def test_graph_of_125_nodes_opens_at_current_node_in_readable_size(host: Host):
    session = run_of("City services")
    drawn = Picture(host, session.workflow.to_wire(), session.turns)
    drawn.open(1160, 520)

    expect(host.page.locator(".node")).to_have_count(125)
    assert is_in_pane(host.page, ".node.current .body")
    assert min(sizes_of_texts(host.page)) >= LEAST
    assert not any(overlaps(host.page).values())


def test_graph_has_the_direction_of_larger_text_in_the_pane_of_the_user(host: Host):
    drawn, page = open_pane(host, 1500, 330), host.page
    expect(page.locator(".box[data-stamp]")).to_have_attribute("data-direction", "right")
    assert not any(overlaps(page).values())

    drawn.resize(700, 700)  # as by the edge of the window
    drawn.turn("down")
    assert not any(overlaps(page).values())
    page.keyboard.press("Shift")  # from now on the page has its shape
    page.evaluate("document.body.style.height = '200px'")  # as by the page, which unfolds something below
    page.wait_for_timeout(400)
    page.evaluate("window.drawn()")
    host.answer()
    expect(page.locator(".box[data-stamp]")).to_have_attribute("data-direction", "down")
    page.evaluate("document.dispatchEvent(new Event('panes'))")  # as by a splitter

    drawn.turn("right")


def test_graph_turns_while_the_page_is_taking_its_shape(host: Host):
    drawn, page = Picture(host, clinic_run()[0]), host.page
    page.evaluate("document.body.style.height = '200px'")
    drawn.open(1400, 900)
    expect(page.locator(".box[data-stamp]")).to_have_attribute("data-direction", "right")

    page.evaluate("document.body.style.height = '900px'")

    drawn.turn("down")


def test_workflow_that_comes_back_has_its_direction_again(host: Host):
    drawn, page = Picture(host, clinic_run()[0]), host.page
    drawn.open(1160, 300)
    expect(page.locator(".box[data-stamp]")).to_have_attribute("data-direction", "right")
    nodes = [static(f"room{number}", "Hi", name=f"Room number {number}") for number in range(40)]
    drawn.workflow = document(*nodes, *(direct("room0", f"room{number}") for number in range(1, 40)))
    drawn.draw()
    drawn.turn("down")
    drawn.workflow = clinic_run()[0]

    drawn.draw()

    expect(page.locator(".box[data-stamp]")).to_have_attribute("data-direction", "right")
    assert min(sizes_of_texts(page)) >= LEAST


def test_opening_a_super_node_turns_nothing(host: Host):
    rooms = [static(f"room{number}", "Hi", name=f"Room number {number}") for number in range(9)]
    ways = [when("room0", f"room{number}", "[[key]]") for number in range(1, 9)]
    workflow = document(static("hi", "Hi"), super_node("box", document(*rooms, *ways)), direct("hi", "box"))
    drawn, page = Picture(host, workflow), host.page
    drawn.open(420, 500)
    expect(page.locator(".box[data-stamp]")).to_have_attribute("data-direction", "down")

    fold(page, "box").click(force=True)
    host.answer()
    expect(page.locator(".node")).to_have_count(11)
    page.wait_for_timeout(400)

    host.answer()
    expect(page.locator(".box[data-stamp]")).to_have_attribute("data-direction", "down")
    page.evaluate("document.dispatchEvent(new Event('panes'))")  # it would have

    drawn.turn("right")


def test_graph_fits_its_pane_until_user_moves_it(host: Host):
    drawn, page = open_pane(host, 1400, 700), host.page
    assert are_nodes_in_pane(page)
    wide = scale_of(page)

    drawn.resize(1100, 600)
    assert scale_of(page) < wide
    assert are_nodes_in_pane(page)
    page.get_by_role("button", name="Zoom in").click()
    zoomed = view_of(page)
    drawn.resize(1300, 620)

    expect(page.locator(".map[width]")).to_be_hidden()
    assert view_of(page) == zoomed
    page.get_by_role("button", name="Fit", exact=True).click()
    assert are_nodes_in_pane(page)


def test_whole_sample_is_shown_at_12_px_before_the_start(host: Host):
    drawn = open_pane(host, 917, 563)

    assert are_nodes_in_pane(host.page)
    assert min(heights_of_names(host.page)) >= 12
    assert min(sizes_of_texts(host.page)) >= LEAST
    assert not any(overlaps(host.page).values())
    assert drawn.chosen is None


def test_part_around_position_is_shown_beside_map_in_small_pane(host: Host):
    drawn, page = Picture(host, *clinic_run()), host.page
    drawn.open(917, 324)

    assert min(sizes_of_texts(page)) >= LEAST
    assert not any(overlaps(page).values())
    for node in ("node_billing_desk", "node_intent_desk"):
        assert is_in_pane(page, f".node[data-id='{node}'] .body"), node
    expect(page.locator(".map[width]")).to_be_visible()
    assert not is_covered_by_map(page, ".node.current .body")
    page.locator(".view [tabindex='0']").focus()
    page.keyboard.press("0")  # Fit

    assert are_nodes_in_pane(page)
    assert min(sizes_of_texts(page)) >= LEAST
    assert not any(overlaps(page).values())


def test_part_of_a_long_graph_is_in_the_middle_of_a_wide_pane(host: Host):
    drawn = Picture(host, run_of("Lab results line").workflow.to_wire())
    drawn.open(917, 563)

    nodes = host.page.locator(".node:not(.group) .body").evaluate_all(SIDES)
    left, right = min(nodes), 917 - max(nodes)

    assert host.page.locator(".map").is_visible()  # only a part is in sight
    assert abs(left - right) < 0.15 * 917


def test_state_beside_a_short_name_is_whole_in_a_flow_to_the_right(host: Host):
    session = run_of("Clinic front desk", "Hi, I'd like to book an appointment, please.")
    drawn = Picture(host, session.workflow.to_wire(), session.turns)
    drawn.open(1700, 400)
    expect(host.page.locator(".box[data-stamp]")).to_have_attribute("data-direction", "right")

    expect(host.page.locator(".node.current .mark.here text")).to_have_text("your turn")
    expect(host.page.locator(".edge.taken .label", has_text="3")).to_have_text("3 · incomplete")
    assert not any(overlaps(host.page).values())


def test_view_moves_on_with_the_run_where_its_next_steps_are_out_of_it(host: Host):
    workflow, turns = clinic_run()
    drawn, page = Picture(host, workflow, turns[:1]), host.page
    drawn.open(600, 324)
    before = view_of(page)

    next_turn(drawn)
    next_turn(drawn)

    assert view_of(page) != before
    assert is_in_pane(page, ".node.current .body")
    assert min(sizes_of_texts(page)) >= LEAST


def test_names_keep_their_size_when_the_run_adds_an_edge(host: Host):
    workflow, turns = clinic_run()
    added = "node_billing_desk"  # by an edge that this version has not
    edges = [edge for edge in workflow["edge_configs"] if edge["destination_node_logical_id"] != added]
    drawn, page = Picture(host, workflow | {"edge_configs": edges}, turns[:1]), host.page
    drawn.open(600, 324)
    page.get_by_role("button", name="Fit", exact=True).click()
    whole = view_of(page)

    next_turn(drawn)

    expect(page.locator(".edge.removed")).to_have_count(1)
    assert view_of(page) == whole
    assert min(sizes_of_texts(page)) >= LEAST


def test_part_is_shown_where_the_first_box_is_around_a_thread(host: Host):
    beside = {"companion_thread_config": {"is_companion_thread": True, "thread_id": "watch"}}
    nodes = [static(name, "Hi") for name in ("note", "done", "fork", "end")]
    edges = direct("fork", "end"), direct("fork", "note", **beside), direct("note", "done")
    workflow = document(*nodes, *edges)
    workflow["node_configs"][0]["is_start"] = False
    drawn = Picture(host, workflow)

    drawn.open(240, 200)

    expect(host.page.locator(".thread")).to_have_count(1)
    assert is_in_pane(host.page, ".node[data-id='fork'] .body")


def test_node_that_was_walked_to_stays_in_view_when_it_is_chosen(host: Host):
    workflow, turns = clinic_run()
    drawn, page = Picture(host, workflow, turns[:1]), host.page
    drawn.open(600, 324)
    page.locator(".view [tabindex='0']").focus()

    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    at = view_of(page)
    page.keyboard.press("Enter")
    host.answer()

    expect(page.locator(".node.selected")).to_have_attribute("data-id", drawn.chosen.id)
    assert view_of(page) == at
    assert is_in_pane(page, ".node.selected .body")
    assert not is_in_pane(page, ".node.current .body")


def test_map_moves_view_of_large_graph_and_can_be_hidden(host: Host):
    open_large(host)
    page, graph_map = host.page, host.page.locator(".map[width]")
    assert min(sizes_of_texts(page)) >= LEAST
    before = view_of(page)

    box = graph_map.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3)
    assert view_of(page) != before
    page.get_by_role("button", name="Map", exact=True).click()

    expect(graph_map).to_be_hidden()
    page.get_by_role("button", name="Map", exact=True).click()
    expect(graph_map).to_be_visible()
    page.get_by_role("button", name="Fit", exact=True).click()
    expect(graph_map).to_be_hidden()  # the whole graph is on view
    page.get_by_role("button", name="Current", exact=True).click()
    assert min(sizes_of_texts(page)) >= LEAST


def test_map_waits_in_low_pane_until_it_is_asked_for(host: Host):
    workflow, turns = clinic_run()
    Picture(host, workflow, turns[:1]).open(600, 170)
    page, graph_map = host.page, host.page.locator(".map[width]")

    expect(page.locator(".node.current")).to_be_visible()
    expect(graph_map).to_be_hidden()
    page.get_by_role("button", name="Map", exact=True).click(force=True)
    expect(graph_map).to_be_visible()


def test_map_is_in_the_corner_with_the_fewest_nodes(host: Host):
    workflow, turns = clinic_run()
    drawn = Picture(host, workflow, turns[:1])
    drawn.open(600, 324)

    for number in range(1, 5):
        expect(host.page.locator(".map[width]")).to_be_visible()
        shown, others = covered_by_map(host.page)
        assert shown <= min(others), number
        next_turn(drawn)


def test_super_node_is_opened_and_closed_by_its_button(host: Host):
    open_booking(host)
    page, scale = host.page, scale_of(host.page)

    fold(page, "box").click(force=True)
    host.answer()
    expect(page.locator(".node")).to_have_count(4)
    expect(page.locator(".node[data-id='box']")).to_have_attribute("aria-expanded", "true")
    assert page.evaluate(INSIDE, ["box", ["box/a", "box/ask"]])
    assert are_nodes_in_pane(page)
    assert not any(overlaps(page).values())
    fold(page, "box").click(force=True)
    host.answer()

    expect(page.locator(".node")).to_have_count(2)
    assert scale_of(page) == scale
    expect(page.locator(".node.selected")).to_have_count(0)


def test_super_node_is_opened_by_double_click(host: Host):
    open_booking(host)

    host.page.locator(".node[data-id='box'] .title").dblclick(force=True)
    host.answer()

    expect(host.page.locator(".node")).to_have_count(4)


def test_super_node_is_opened_by_keyboard_and_keeps_focus(host: Host):
    open_booking(host)
    page, box = host.page, host.page.locator(".node[data-id='box']")
    box.focus()

    page.keyboard.press("u")
    host.answer()
    expect(page.locator(".node")).to_have_count(4)
    expect(box).to_be_focused()
    page.keyboard.press("ArrowDown")  # into it
    expect(page.locator(".node[data-id='box/a']")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".edge[data-id='box/edge_a_ask']")).to_be_focused()
    box.focus()
    page.keyboard.press("u")
    host.answer()

    expect(page.locator(".node")).to_have_count(2)
    expect(box).to_be_focused()


def test_opening_a_super_node_keeps_the_view_of_the_user(host: Host):
    open_booking(host)
    page = host.page
    page.get_by_role("button", name="Zoom out").click()
    scale, at = scale_of(page), middle_of(page, ".node[data-id='box'] .body")

    fold(page, "box").click(force=True)
    host.answer()
    expect(page.locator(".node")).to_have_count(4)

    assert scale_of(page) == scale
    assert middle_of(page, ".node[data-id='box'] .room") == pytest.approx(at, abs=1)


def open_large(host: Host) -> None:
    """Draw a hall with rooms, corridors between them, and ways back: 300 nodes and 400 edges."""
    rooms = (static(f"once{number}", "Hi", name=f"Room number {number}") for number in range(1, 300))
    edges = [
        when(f"once{(number - 1) // 3}", f"once{number}", f'[[answer]] == "room {number}"')
        for number in range(1, 300)
    ]
    edges += [direct(f"once{number}", f"once{number // 7}") for number in range(100, 200)]
    drawn = Picture(host, document(say_node("once0"), *rooms, *edges))
    drawn.open(1160, 520)
    expect(host.page.locator(".node")).to_have_count(300)


def look_away(page: Page) -> None:
    """Zoom in, and move the view until the current node is out of it."""
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    for _ in range(20):
        page.get_by_role("button", name="Move up", exact=True).click()


def is_covered_by_map(page: Page, part: str) -> bool:
    """Return whether the map is over the first of these parts."""
    one, other = page.locator(part).first.bounding_box(), page.locator(".map[width]").bounding_box()
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "width"), ("y", "height"))
    )


def covered_by_map(page: Page) -> tuple[int, list[int]]:
    """Return how many nodes the map covers, and how many it would in each of the other corners."""
    pane = page.locator(".view").first.bounding_box()
    box = page.locator(".map[width]").bounding_box()
    nodes = [each.bounding_box() for each in page.locator(".node .body").all()]

    def covered(x: float, y: float) -> int:
        return sum(
            x < node["x"] + node["width"]
            and node["x"] < x + box["width"]
            and y < node["y"] + node["height"]
            and node["y"] < y + box["height"]
            for node in nodes
        )

    foot = page.locator(".foot").bounding_box()["height"]
    left, right = pane["x"] + 8, pane["x"] + pane["width"] - 8 - box["width"]
    top, bottom = pane["y"] + 8, pane["y"] + pane["height"] - foot - 8 - box["height"]
    return covered(box["x"], box["y"]), [covered(x, y) for x in (left, right) for y in (top, bottom)]


def middle_of(page: Page, part: str) -> tuple[float, float]:
    """Return the middle of a part of the graph on the screen."""
    box = page.locator(part).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def fold(page: Page, node: str):
    """The button that opens or closes a super node."""
    return page.locator(f".node[data-id='{node}'] .fold .touch")


def dot(page: Page, kind: str, name: str):
    """The breakpoint of a node or an edge, or the place for one."""
    return page.locator(f".{kind}[data-id='{name}'] .dot .touch")
