"""The graph in a browser: chosen by mouse and keyboard, moved, followed, and read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server, free_port, running
from tests.browser.driving import (
    choose,
    context,
    go_to,
    import_workflow,
    keep_import,
    open_app,
    say,
    settled,
    start,
)
from tests.support.companions import lab
from tests.support.factories import direct, document, static, when
from tests.support.factories import say as say_node

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
  const names = boxes(".node .title, .node .sub");
  const badges = boxes(".mark rect, .pin circle, .dot:not(.none) .shape");
  const out = [...view.querySelectorAll(".node")].filter(node => {
    const body = box(node.querySelector(".body"));
    const texts = [...node.querySelectorAll(".title, .sub")].filter(isDrawn).map(box);
    return texts.some(text => text.left < body.left || text.right > body.right);
  });
  const marks = [...view.querySelectorAll(".mark")].filter(isDrawn);
  return {
    "labels on nodes": labels.filter(label => nodes.some(node => meet(label, node))).length,
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
BADGES = f"""
import sys

import streamlit as st

sys.path.insert(0, {str(ROOT)!r})

from debugger.analysis.position import position
from debugger.graph.graph import Graph
from debugger.graph.layout import layout
from debugger.views import selection
from debugger.views.panels.graph import choose
from debugger.views.selection import Element
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
st.text(f"asked: {{', '.join(asked)}}. chosen: {{selection.chosen_element()}}.")
"""

BADGES_APP = """
import streamlit as st
from starlette.middleware import Middleware

from debugger.views.streamlit_patches.component_assets import ComponentAssets

app = st.App("page.py", middleware=[Middleware(ComponentAssets)])
"""


@pytest.fixture(scope="module")
def badges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page with nothing but a graph on which breakpoints can be set."""
    folder = tmp_path_factory.mktemp("badges")
    (folder / "page.py").write_text(BADGES, encoding="utf-8")
    (folder / "app.py").write_text(BADGES_APP, encoding="utf-8")
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


def test_breakpoint_is_set_by_click_and_taken_away_by_key(page: Page, app: Server):
    open_clinic(page, app)
    mark = page.locator(".node[data-id='node_intent_desk'] .dot")

    dot(page, "node", "node_intent_desk").click(force=True)
    settled(page)
    expect(mark).to_have_class("dot verified")
    expect(page.locator(".legend")).to_contain_text("Breakpoint")
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
    seen = [view_of(page)]

    for name in ("Move left", "Move up", "Move down", "Zoom out", "Zoom in", "Fit"):
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
    for _ in range(12):
        page.get_by_role("button", name="Move up", exact=True).click()
    left = view_of(page)

    say(page, "I have a question about my last bill.")

    expect(context(page)).to_contain_text("Turn 2")
    assert view_of(page) == left
    page.get_by_role("button", name="Follow").click()
    assert view_of(page) != left


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


def test_graph_takes_whole_window_and_gives_it_back(page: Page, app: Server):
    open_clinic(page, app)
    before = page.locator(".stage").bounding_box()

    page.get_by_role("button", name="Expand").click()
    wide = page.locator(".stage").bounding_box()
    page.locator(".node[data-id='node_greeting']").click()
    settled(page)
    assert wide["width"] > 1500 and wide["height"] > 900
    expect(page.locator(".node.selected")).to_have_count(1)
    page.keyboard.press("Escape")

    expect(page.get_by_role("button", name="Expand")).to_be_visible()
    assert page.locator(".stage").bounding_box() == before
    expect(page.locator(".st-key-inspector")).to_contain_text("Greeting")


def test_row_of_edges_is_chosen_and_drawn_as_chosen(page: Page, app: Server):
    open_clinic(page, app)
    page.locator(".st-key-graph_view").get_by_text("Table", exact=True).click()
    settled(page)
    page.locator(".st-key-graph_table").get_by_text("Edges", exact=True).click()
    settled(page)
    box = page.locator(".st-key-edge_table canvas").first.bounding_box()

    page.mouse.click(box["x"] + 60, box["y"] + 32 * 1.5)
    settled(page)
    page.locator(".st-key-graph_view").get_by_text("Graph", exact=True).click()
    settled(page)

    expect(page.locator(".edge.selected")).to_have_attribute(
        "aria-label", re.compile("from Greeting to Intent desk")
    )


def test_ways_on_are_listed_with_their_whole_condition_and_chosen_there(page: Page, app: Server):
    open_clinic(page, app)

    page.locator(".ways summary").click()
    page.locator(".ways button").filter(has_text="Billing desk").click()
    settled(page)

    expect(page.locator(".edge.selected")).to_have_attribute("aria-label", re.compile("to Billing desk"))
    expect(page.locator(".ways")).to_contain_text("The caller has a question about a bill")


def test_companions_stand_side_by_side_each_with_its_name(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "x.json", lab(pause=60, name="Lanes"))
    keep_import(page)
    start(page)

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


def test_graph_runs_where_its_pane_has_room(page: Page, app: Server):
    open_clinic(page, app)
    say(page, "Hi, I'd like to book an appointment, please.")
    box = page.locator(".box[data-stamp]")
    expect(box).to_have_attribute("data-direction", "down")

    page.get_by_role("button", name="Expand").click()  # a wide window
    expect(box).to_have_attribute("data-direction", "right")
    settled(page)
    page.get_by_role("button", name="Fit", exact=True).click()

    assert not any(overlaps(page).values())
    assert min(heights_of_names(page)) >= 9
    page.get_by_role("button", name="Back to the page").click()
    expect(box).to_have_attribute("data-direction", "down")
    page.get_by_role("button", name="Fit", exact=True).click()
    assert not any(overlaps(page).values())


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


def heights_of_names(page: Page) -> list[float]:
    """Return the font sizes of the nodes' names on the screen."""
    return [title.evaluate(NAME_HEIGHT) for title in page.locator(".node .title").all()[:20]]


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
    open_app(page, app.url)
    choose(page, "Workflow", "Clinic front desk")
    start(page)
    expect(page.locator(".node.current")).to_have_attribute("data-id", "node_intent_desk")


def view_of(page: Page) -> str:
    """Return the position and scale of the graph."""
    return page.locator(".scene[transform]").get_attribute("transform") or ""


def dot(page: Page, kind: str, name: str):
    """The breakpoint of a node or an edge, or the place for one."""
    return page.locator(f".{kind}[data-id='{name}'] .dot .touch")
