"""The graph in a browser: chosen by mouse and keyboard, moved, followed, and read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server, free_port, running
from tests.browser.driving import (
    go_to,
    import_workflow,
    keep_import,
    open_app,
    open_workflow,
    say,
    settled,
    start,
)
from tests.support.companions import lab
from tests.support.factories import direct, document, static, when
from tests.support.factories import say as say_node
from tests.support.super_nodes import super_node

pytestmark = pytest.mark.browser

MIDDLE = """path => {
  const at = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
  return [at.x, at.y];
}"""
OVERLAPS = """() => {
  const root = [...document.querySelectorAll("*")].map(each => each.shadowRoot)
    .find(each => each && each.querySelector(".node"));
  const view = root.querySelector(".view");
  const box = each => each.getBoundingClientRect(), isDrawn = each => box(each).width > 0;
  const boxes = what => [...view.querySelectorAll(what)].filter(isDrawn).map(box);
  const meet = (a, b) =>
    a.left + 1 < b.right && b.left + 1 < a.right && a.top + 1 < b.bottom && b.top + 1 < a.bottom;
  const labels = boxes(".edge .label"), nodes = boxes(".node .body");
  const names = boxes(".node .title, .node .large, .node .sub, .name");
  const badges = boxes(".mark rect, .pin circle, .dot:not(.none) .shape");
  const out = [...view.querySelectorAll(".node:not(.group)")].filter(node => {
    const body = box(node.querySelector(".body"));
    const texts = [...node.querySelectorAll(".title, .large, .sub")].filter(isDrawn).map(box);
    return texts.some(text => text.left < body.left || text.right > body.right);
  });
  const marks = [...view.querySelectorAll(".mark")].filter(isDrawn);
  return {
    "labels on nodes": labels.filter(label => nodes.some(node => meet(label, node))).length,
    "labels on names": labels.filter(label => names.some(name => meet(label, name))).length,
    "nodes on names of groups": boxes(".name").filter(name => nodes.some(node => meet(name, node))).length,
    "labels on labels": labels.filter((a, at) => labels.slice(at + 1).some(b => meet(a, b))).length,
    "badges on labels": badges.filter(badge => labels.some(label => meet(badge, label))).length,
    "badges on names": badges.filter(badge => names.some(name => meet(badge, name))).length,
    "badges on badges": badges.filter((a, at) => badges.slice(at + 1).some(b => meet(a, b))).length,
    "badges out of their ground": marks.filter(mark => {
      const ground = box(mark.querySelector("rect")), text = box(mark.querySelector("text"));
      return text.left < ground.left || text.right > ground.right;
    }).length,
    "names out of their box": out.length,
  };
}"""
NAME_HEIGHT = """title => {
  const { a } = title.getScreenCTM();
  return a * parseFloat(getComputedStyle(title).fontSize);
}"""
"""The font size of a name on the screen."""
RESIZE = """(pane, [width, height]) => new Promise(done => {
  pane.style.cssText = `flex: none; width: ${width}px; max-width: none; height: ${height}px;`;
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""
"""An observer of sizes is called between the layout of a frame and its painting."""
FIND = """[...document.querySelectorAll("*")].map(each => each.shadowRoot)
  .find(each => each && each.querySelector(".node"))"""
IN_PANE = f"""() => {{
  const root = {FIND}, stage = root.querySelector(".stage").getBoundingClientRect();
  const foot = root.querySelector(".foot").getBoundingClientRect();
  return [...root.querySelectorAll(".node .body")].map(each => each.getBoundingClientRect()).every(
    ({{ left, right, top, bottom }}) =>
      left >= stage.left && right <= stage.right && top >= stage.top && bottom <= foot.top);
}}"""
INSIDE = f"""([outer, inner]) => {{
  const root = {FIND};
  const box = id => root.querySelector(`.node[data-id="${{id}}"] :is(.body, .room)`).getBoundingClientRect();
  const around = box(outer);
  return inner.map(box).every(({{ left, right, top, bottom }}) =>
    left > around.left && right < around.right && top > around.top && bottom < around.bottom);
}}"""
SMALLER = f"""scale => {FIND}.querySelector(".scene").getCTM().a < scale"""
PANE = f"""
import json
import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, {str(ROOT)!r})

import debugger.samples
from debugger.analysis.position import position
from debugger.graph.graph import Graph
from debugger.graph.layout import layout
from debugger.protocol.workflow import Workflow
from debugger.views.components.graph.component import graph_direction, workflow_graph
from debugger.views.components.graph.node_states import node_states
from debugger.views.components.graph.props import geometry

text = (Path(debugger.samples.__file__).parent / "clinic_front_desk.json").read_text(encoding="utf-8")
graph = Graph(Workflow.from_document(json.loads(text)))
st.html("<style>.st-key-graph {{ flex: 1 1 0 !important; min-height: 0; }}</style>")
with st.container(key="pane"):
    workflow_graph(
        geometry(layout(graph, graph_direction()), graph, {{}}),
        node_states(position([], graph, "not_started"), graph),
        height="stretch",
        aria_label="",
        stamp="0",
        on_choose=lambda element: None,
        on_breakpoint=lambda element: None,
    )
"""
BADGES = f"""
import sys

import streamlit as st

sys.path.insert(0, {str(ROOT)!r})

from debugger.analysis.position import position
from debugger.graph.graph import Graph
from debugger.graph.layout import layout
from debugger.views import run_state
from debugger.views.panels.graph import choose
from debugger.views.run_state import Element
from debugger.views.components.graph.node_states import Badges, Mark
from debugger.views.components.graph.component import workflow_graph
from debugger.views.components.graph.node_states import node_states
from debugger.views.components.graph.props import geometry
from tests.support.factories import direct, say, static, workflow

graph = Graph(workflow(static("greet", "Hi"), say("ask"), direct("greet", "ask")))
badges = Badges({{
    Element("node", "greet"): Mark("verified", "Stops before Greet"),
    Element("node", "ask"): Mark("hollow", "Cannot stop here: no such type"),
}}, {{"ask": "Pinned: says Hello"}})
asked = st.session_state.setdefault("asked", [])
shown = node_states(position([], graph, "not_started"), graph, badges=badges)
workflow_graph(
    geometry(layout(graph), graph, {{}}),
    shown,
    height=500,
    aria_label="",
    stamp="0.0.x",
    on_choose=lambda element: choose(element, "Node"),
    on_breakpoint=lambda element: asked.append(f"{{element.kind}} {{element.id}}"),
)
st.text(f"asked: {{', '.join(asked)}}. chosen: {{run_state.chosen_element()}}.")
"""

BARE_APP = """
import streamlit as st
from starlette.middleware import Middleware

from debugger.views.streamlit_patches.component_assets import ComponentAssets

app = st.App("page.py", middleware=[Middleware(ComponentAssets)])
"""


@pytest.fixture(scope="module")
def badges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page with nothing but a graph on which breakpoints can be set."""
    with serving(tmp_path_factory.mktemp("badges"), BADGES) as server:
        yield server


@pytest.fixture(scope="module")
def pane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page with nothing but the clinic sample in a pane that can be resized."""
    with serving(tmp_path_factory.mktemp("pane"), PANE) as server:
        yield server


@contextmanager
def serving(folder: Path, code: str) -> Iterator[Server]:
    """Serve a page of its own."""
    (folder / "page.py").write_text(code, encoding="utf-8")
    (folder / "app.py").write_text(BARE_APP, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "app.py"), "--server.port", str(port)]
    with running(command, "/_stcore/health", port, folder) as server:
        yield server


def test_click_on_breakpoint_or_its_place_asks_for_it_and_chooses_nothing(page: Page, badges: Server):
    open_app(page, badges.url)

    dot(page, "node", "greet").click(force=True)
    settled(page)
    dot(page, "edge", "edge_greet_ask").click(force=True)
    settled(page)

    expect(page.get_by_test_id("stText")).to_have_text(
        "asked: node greet, edge edge_greet_ask. chosen: None."
    )
    expect(page.locator(".node[data-id='greet'] .dot")).to_have_class("dot verified")
    expect(page.locator(".node[data-id='ask'] .dot")).to_have_class("dot hollow")
    expect(page.locator(".node[data-id='ask']")).to_have_attribute(
        "aria-label", re.compile("Pinned: says Hello, Cannot stop here: no such type")
    )


def test_nodes_edges_and_breakpoints_are_reached_by_keyboard_from_one_tab_stop(page: Page, badges: Server):
    open_app(page, badges.url)
    assert page.locator(".view [tabindex='0'], .view[tabindex='0']").count() == 1
    page.locator(".view [tabindex='0']").focus()

    page.keyboard.press("ArrowRight")
    page.keyboard.press("b")
    settled(page)
    page.keyboard.press("Enter")
    settled(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("b")
    settled(page)

    expect(page.get_by_test_id("stText")).to_have_text(
        "asked: edge edge_greet_ask, node ask. chosen: Element(kind='edge', id='edge_greet_ask')."
    )
    expect(page.locator(".edge.selected")).to_have_count(1)
    expect(page.locator(".node[data-id='ask']")).to_be_focused()


def test_only_main_mouse_button_acts(page: Page, badges: Server):
    open_app(page, badges.url)

    page.locator(".node[data-id='ask']").click(button="right")
    page.locator(".node[data-id='greet']").click(button="middle")
    settled(page)

    expect(page.get_by_test_id("stText")).to_have_text("asked: . chosen: None.")


def test_drag_ends_outside_of_graph(page: Page, badges: Server):
    open_app(page, badges.url)
    stage = page.locator(".stage").bounding_box()
    edge, middle = stage["y"] + 2, stage["x"] + stage["width"] / 3
    before = page.locator(".scene").get_attribute("transform")

    page.mouse.move(middle, edge)
    page.mouse.down()
    page.mouse.move(middle, stage["y"] - 30)  # at once: the picture has not seen it move
    page.mouse.up()
    page.mouse.move(middle, edge + 80, steps=4)

    assert page.locator(".scene").get_attribute("transform") == before


def test_second_finger_does_not_move_view(page: Page, badges: Server):
    open_app(page, badges.url)
    stage = page.locator(".stage").bounding_box()
    x, y = stage["x"] + 60, stage["y"] + 60
    touch = page.context.new_cdp_session(page)
    before = page.locator(".scene").get_attribute("transform")

    def send(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": across, "y": down, "id": at} for at, (across, down) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", (x, y))
    send("touchStart", (x, y), (x + 400, y))
    send("touchMove", (x + 1, y), (x + 400, y))
    send("touchMove", (x + 2, y), (x + 400, y))
    send("touchEnd")

    assert page.locator(".scene").get_attribute("transform") == before


def test_screen_reader_chooses_node_by_click(page: Page, badges: Server):
    open_app(page, badges.url)

    page.locator(".node[data-id='ask']").dispatch_event("click")  # without a pointer
    settled(page)

    expect(page.locator(".node.selected")).to_have_attribute("data-id", "ask")


def test_legend_keeps_signs_in_forced_colours(page: Page, badges: Server):
    page.emulate_media(forced_colors="active")
    open_app(page, badges.url)

    for name in ("break", "pinned"):
        sign = page.locator(f".legend .swatch.{name}")
        ground = sign.evaluate("sign => getComputedStyle(sign).backgroundColor")
        assert ground != page.locator(".stage").evaluate("list => getComputedStyle(list).backgroundColor")


def test_breakpoint_is_set_by_click_and_taken_away_by_key(page: Page, app: Server):
    open_clinic(page, app)
    mark = page.locator(".node[data-id='node_intent_desk'] .dot")

    dot(page, "node", "node_intent_desk").click(force=True)
    settled(page)
    expect(mark).to_have_class("dot verified")
    expect(page.locator(".legend")).to_contain_text("breakpoint")
    page.locator(".node[data-id='node_intent_desk']").focus()
    page.keyboard.press("b")
    settled(page)

    expect(mark).to_have_class("dot none")


def test_edge_is_chosen_by_click_and_given_back_by_another(page: Page, app: Server):
    open_clinic(page, app)
    edge = page.locator(".edge[data-id]").filter(has=page.locator(".label")).first
    middle = edge.locator(".hit").evaluate(MIDDLE)

    page.mouse.click(*middle)
    settled(page)
    expect(page.locator(".edge.selected")).to_have_count(1)
    page.locator(".node[data-id='node_greeting']").click()
    settled(page)
    expect(page.locator(".edge.selected")).to_have_count(0)
    expect(page.locator(".node.selected")).to_have_count(1)
    page.locator(".node[data-id='node_greeting']").click()
    settled(page)

    expect(page.locator(".node.selected")).to_have_count(0)


def test_what_drag_does_buttons_and_keys_do_too(page: Page, app: Server):
    open_clinic(page, app)
    page.get_by_role("button", name="Fit", exact=True).click()
    expect(
        page.get_by_role("button", name="Move left", exact=True)
    ).to_be_hidden()  # the whole graph is on view
    seen = [view_of(page)]

    for name in ("Zoom in", "Zoom in", "Move left", "Move up", "Move down", "Zoom out", "Fit"):
        page.get_by_role("button", name=name, exact=True).click()
        seen.append(view_of(page))
    page.locator(".view [tabindex='0']").focus()
    for key in ("Shift+ArrowRight", "+", "-", "0"):
        page.keyboard.press(key)
        seen.append(view_of(page))

    assert all(before != after for before, after in pairwise(seen))


def test_follow_can_be_switched_off_for_good(page: Page, app: Server):
    open_clinic(page, app)
    page.get_by_role("button", name="Follow").click()
    expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
    look_away(page)
    left = view_of(page)

    say(page, "I have a question about my last bill.")

    expect(page.locator(".node.current")).to_have_attribute("data-id", "node_billing_desk")
    assert view_of(page) == left
    page.get_by_role("button", name="Follow").click()
    assert view_of(page) != left


def test_follow_moves_view_only_for_what_would_leave_it(page: Page, app: Server):
    open_clinic(page, app)
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Current", exact=True).click()
    page.get_by_role(
        "button", name="Zoom in"
    ).click()  # the user's own view, with the current node in its middle
    before = view_of(page)

    say(page, "I have a question about my last bill.")
    expect(page.locator(".node.current")).to_have_attribute("data-id", "node_billing_desk")
    assert view_of(page).split("scale")[1] == before.split("scale")[1]
    assert is_in_pane(page, ".node.current .body")
    look_away(page)
    left = view_of(page)
    say(page, "Thanks, that is all.")

    assert view_of(page) == left


def test_view_is_kept_while_another_page_or_table_is_looked_at(page: Page, app: Server):
    open_clinic(page, app)
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Move left", exact=True).click()
    left = view_of(page)

    page.locator(".st-key-graph_view").get_by_text("Table", exact=True).click()
    settled(page)
    page.locator(".st-key-graph_view").get_by_text("Graph", exact=True).click()
    settled(page)
    assert view_of(page) == left
    go_to(page, "Runs")
    settled(page)
    go_to(page, "Debug")
    settled(page)

    assert view_of(page) == left


def test_graph_takes_whole_window_and_gives_it_back(page: Page, badges: Server):
    open_app(page, badges.url)
    before = page.locator(".stage").bounding_box()

    page.get_by_role("button", name="Expand").click()
    wide = page.locator(".stage").bounding_box()
    page.locator(".node[data-id='greet']").click()
    settled(page)
    assert wide["width"] > 1500 and wide["height"] > 900
    expect(page.locator(".node.selected")).to_have_count(1)
    page.keyboard.press("Escape")

    expect(page.get_by_role("button", name="Expand")).to_be_focused()
    assert page.locator(".stage").bounding_box() == before


def test_row_of_edges_is_chosen_and_drawn_as_chosen(page: Page, app: Server):
    open_clinic(page, app)
    page.locator(".st-key-graph_view").get_by_text("Table", exact=True).click()
    settled(page)
    page.locator(".st-key-graph_table").get_by_text("Edges", exact=True).click()
    settled(page)

    page.locator(".st-key-edge_table tbody tr").first.click()
    settled(page)
    page.locator(".st-key-graph_view").get_by_text("Graph", exact=True).click()
    settled(page)

    expect(page.locator(".edge.selected")).to_have_attribute(
        "aria-label", re.compile("from Greeting to Intent desk")
    )


def test_ways_on_are_listed_with_their_whole_condition_and_chosen_there(page: Page, app: Server):
    open_clinic(page, app)

    page.locator(".steps summary").click()
    page.locator(".steps button").filter(has_text="Billing desk").click()
    settled(page)

    expect(page.locator(".edge.selected")).to_have_attribute("aria-label", re.compile("to Billing desk"))
    expect(page.locator(".steps")).to_contain_text("The caller has a question about a bill")


def test_companions_are_in_boxes_of_their_own_with_their_names(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "x.json", lab(pause=60, name="Lanes"))
    keep_import(page)
    start(page)

    expect(page.locator(".thread")).to_contain_text("◆ labpoll")
    expect(page.locator(".node[data-id='poll']")).to_contain_text("◆ labpoll")
    expect(page.locator(".node[data-id='chat']")).to_contain_text("your turn")
    expect(page.locator(".legend")).to_contain_text("◆ labpoll")
    page.locator(".st-key-graph_thread").get_by_text("labpoll").click()
    settled(page)

    expect(page.locator(".edge.taken")).to_have_count(1)
    expect(page.locator(".node[data-id='chat']")).to_have_class(re.compile("unreached"))


def test_in_graph_of_300_nodes_no_text_covers_another_and_choice_moves_nothing(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "x.json", three_hundred())

    keep_import(page)
    expect(page.locator(".node")).to_have_count(300)

    assert not any(overlaps(page).values())
    before = view_of(page)
    chosen = page.locator(".node[data-id='once0']")
    chosen.focus()
    at = view_of(page)
    page.keyboard.press("Enter")
    settled(page)
    assert view_of(page) == at
    assert before.split("scale")[1] == at.split("scale")[1]


def test_graph_runs_where_its_pane_has_room(page: Page, pane: Server):
    open_pane(page, pane, 1200, 500)
    box = page.locator(".box[data-stamp]")
    expect(box).to_have_attribute("data-direction", "right")
    assert not any(overlaps(page).values())

    resize(page, 650, 500)  # 1.3: not narrow enough to turn it
    expect(page.locator(".scene")).to_have_attribute("transform", re.compile("scale"))
    resize(page, 500, 700)
    expect(box).to_have_attribute("data-direction", "down")
    assert not any(overlaps(page).values())
    resize(page, 920, 700)  # 1.31: not wide enough to turn it back
    resize(page, 1200, 700)

    expect(box).to_have_attribute("data-direction", "right")


def test_graph_fits_its_pane_until_user_moves_it(page: Page, pane: Server):
    open_pane(page, pane, 1400, 700)
    assert are_nodes_in_pane(page)
    wide = scale_of(page)

    resize(page, 1100, 500)
    expect_scale_below(page, wide)
    assert are_nodes_in_pane(page)
    page.get_by_role("button", name="Zoom in").click()
    zoomed = view_of(page)
    resize(page, 1300, 600)

    expect(page.locator(".map[width]")).to_be_hidden()
    assert view_of(page) == zoomed
    page.get_by_role("button", name="Fit", exact=True).click()
    assert are_nodes_in_pane(page)


def test_pane_of_small_window_shows_whole_sample_with_legible_names(page: Page, pane: Server):
    open_pane(page, pane, 950, 340)

    assert page.locator(".node").count() == 18
    assert are_nodes_in_pane(page)
    assert min(heights_of_names(page)) >= 7
    expect(page.locator(".node .sub").first).to_be_hidden()
    assert not any(overlaps(page).values())


def test_neighbourhood_is_enlarged_beside_map_in_small_pane(page: Page, pane: Server):
    open_pane(page, pane, 480, 320)

    expect(page.locator(".map[width]")).to_be_visible()
    assert min(heights_of_names(page)) >= 7
    assert is_in_pane(page, ".node[data-id='node_greeting'] .body")
    assert not is_covered_by_map(page, ".node[data-id='node_greeting'] .body")


def test_map_moves_view_of_large_graph_and_can_be_hidden(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "x.json", three_hundred())
    keep_import(page)
    expect(page.locator(".node")).to_have_count(300)
    assert min(heights_of_names(page)) >= 7
    before = view_of(page)

    box = page.locator(".map[width]").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3)
    assert view_of(page) != before
    page.get_by_role("button", name="Map", exact=True).click()

    expect(page.locator(".map[width]")).to_be_hidden()
    page.get_by_role("button", name="Map", exact=True).click()
    expect(page.locator(".map[width]")).to_be_visible()
    page.get_by_role("button", name="Fit", exact=True).click()
    expect(page.locator(".map[width]")).to_be_hidden()  # the whole graph is on view
    page.get_by_role("button", name="Current", exact=True).click()
    assert min(heights_of_names(page)) >= 7


def test_super_node_is_opened_and_closed_by_its_button(page: Page, app: Server):
    open_booking(page, app)
    scale = scale_of(page)

    fold(page, "box").click(force=True)
    expect(page.locator(".node")).to_have_count(4)
    expect(page.locator(".node[data-id='box']")).to_have_attribute("aria-expanded", "true")
    settled(page)  # the geometry comes in a message of its own
    assert page.evaluate(INSIDE, ["box", ["box/a", "box/ask"]])
    assert are_nodes_in_pane(page)
    assert not any(overlaps(page).values())
    fold(page, "box").click(force=True)

    expect(page.locator(".node")).to_have_count(2)
    assert scale_of(page) == scale
    expect(page.locator(".node.selected")).to_have_count(0)


def test_super_node_is_opened_by_double_click(page: Page, app: Server):
    open_booking(page, app)

    page.locator(".node[data-id='box'] .title").dblclick(force=True)

    expect(page.locator(".node")).to_have_count(4)


def test_super_node_is_opened_by_keyboard_and_keeps_focus(page: Page, app: Server):
    open_booking(page, app)
    page.locator(".node[data-id='box']").focus()

    page.keyboard.press("u")
    expect(page.locator(".node")).to_have_count(4)
    expect(page.locator(".node[data-id='box']")).to_be_focused()
    page.keyboard.press("ArrowDown")  # into it
    expect(page.locator(".node[data-id='box/a']")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".edge[data-id='box/edge_a_ask']")).to_be_focused()
    page.locator(".node[data-id='box']").focus()
    page.keyboard.press("u")

    expect(page.locator(".node")).to_have_count(2)
    expect(page.locator(".node[data-id='box']")).to_be_focused()


def test_opening_a_super_node_keeps_the_view_of_the_user(page: Page, app: Server):
    open_booking(page, app)
    page.get_by_role("button", name="Zoom out").click()
    scale, at = scale_of(page), middle_of(page, ".node[data-id='box'] .body")

    fold(page, "box").click(force=True)
    expect(page.locator(".node")).to_have_count(4)

    assert scale_of(page) == scale
    assert middle_of(page, ".node[data-id='box'] .room") == pytest.approx(at, abs=1)


def test_run_stops_at_inner_breakpoint_that_the_graph_set(page: Page, app: Server):
    open_booking(page, app)
    fold(page, "box").click(force=True)
    expect(page.locator(".node")).to_have_count(4)

    dot(page, "node", "box/a").click(force=True)
    expect(page.locator(".node[data-id='box/a'] .dot")).to_have_class("dot verified")
    page.locator(".st-key-start button").first.click()

    expect(page.locator(".node[data-id='box/a']")).to_have_class(re.compile("current"))
    expect(page.locator(".node[data-id='box/a']")).to_contain_text("paused")
    expect(page.locator(".node[data-id='box']")).to_have_class(re.compile("current"))


def test_inner_node_is_chosen_and_what_is_open_stays_open(page: Page, app: Server):
    open_booking(page, app)
    fold(page, "box").click(force=True)
    expect(page.locator(".node")).to_have_count(4)
    start(page)

    expect(page.locator(".node.current[data-id='box/ask']")).to_contain_text("your turn")
    page.locator(".node[data-id='box/a'] .title").click()
    expect(page.locator(".st-key-inspector")).to_contain_text("box/a")
    go_to(page, "Runs")
    settled(page)
    go_to(page, "Debug")

    expect(page.locator(".node")).to_have_count(4)


def open_booking(page: Page, app: Server) -> None:
    """Import a workflow with a super node of two nodes."""
    inside = document(static("a", "Hello"), say_node("ask"), direct("a", "ask"))
    graph = document(static("hi", "Hi"), super_node("box", inside), direct("hi", "box"), name="Opened")
    open_app(page, app.url)
    import_workflow(page, "x.json", graph)
    keep_import(page)
    expect(page.locator(".node")).to_have_count(2)


def fold(page: Page, node: str):
    """The button that opens or closes a super node."""
    return page.locator(f".node[data-id='{node}'] .fold .touch")


def middle_of(page: Page, part: str) -> tuple[float, float]:
    """Return the middle of a part of the graph on the screen."""
    box = page.locator(part).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def open_pane(page: Page, pane: Server, width: int, height: int) -> None:
    """Open the page with nothing but the clinic sample in a pane of that size."""
    page.set_viewport_size({"width": 1600, "height": 1000})
    open_app(page, pane.url)
    resize(page, width, height)
    expect(page.locator(".node")).to_have_count(18)
    wanted = "right" if width > 1.4 * height else "down"
    expect(page.locator(".box[data-stamp]")).to_have_attribute("data-direction", wanted)


def resize(page: Page, width: int, height: int) -> None:
    """Give the pane a size, and wait for the frame in which the graph has seen it."""
    page.locator(".st-key-pane").evaluate(RESIZE, [width, height])


def are_nodes_in_pane(page: Page) -> bool:
    """Return whether every node is in the pane, above its legend and controls."""
    return bool(page.evaluate(IN_PANE))


def is_covered_by_map(page: Page, part: str) -> bool:
    """Return whether the map is over the first of these parts."""
    one, other = page.locator(part).first.bounding_box(), page.locator(".map[width]").bounding_box()
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "width"), ("y", "height"))
    )


def scale_of(page: Page) -> float:
    """Return the scale of the graph."""
    return float(view_of(page).split("scale(")[1].rstrip(")"))


def expect_scale_below(page: Page, scale: float) -> None:
    """Wait until the graph is smaller."""
    page.wait_for_function(SMALLER, arg=scale)


def heights_of_names(page: Page) -> list[float]:
    """Return the font sizes of the nodes' names on the screen."""
    names = page.locator(".node :is(.title, .large):visible")
    return [name.evaluate(NAME_HEIGHT) for name in names.all()[:20]]


def three_hundred():
    """A hall with rooms, corridors between them, and ways back: 300 nodes and 400 edges."""
    rooms = (static(f"once{number}", "Hi", name=f"Room number {number}") for number in range(1, 300))
    nodes = [say_node("once0"), *rooms]
    edges = [
        when(f"once{(number - 1) // 3}", f"once{number}", f'[[answer]] == "room {number}"')
        for number in range(1, 300)
    ]
    edges += [direct(f"once{number}", f"once{number // 7}") for number in range(100, 200)]
    return document(*nodes, *edges, name="Three hundred")


def overlaps(page: Page):
    """Count overlaps of the graph's texts."""
    return page.evaluate(OVERLAPS)


def open_clinic(page: Page, app: Server) -> None:
    """The clinic sample after its first turn."""
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    expect(page.locator(".node.current")).to_have_attribute("data-id", "node_intent_desk")


def look_away(page: Page) -> None:
    """Zoom in, and move the view until the current node is out of it."""
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    for _ in range(20):
        page.get_by_role("button", name="Move up", exact=True).click()


def is_in_pane(page: Page, part: str) -> bool:
    """Return whether the first of these parts is wholly in the pane of the graph."""
    inner, outer = page.locator(part).first.bounding_box(), page.locator(".stage:visible").bounding_box()
    return all(
        outer[start] <= inner[start] and inner[start] + inner[size] <= outer[start] + outer[size]
        for start, size in (("x", "width"), ("y", "height"))
    )


def view_of(page: Page) -> str:
    """Return the position and scale of the graph."""
    return page.locator(".scene[transform]").get_attribute("transform") or ""


def dot(page: Page, kind: str, name: str):
    """The breakpoint of a node or an edge, or the place for one."""
    return page.locator(f".{kind}[data-id='{name}'] .dot .touch")
