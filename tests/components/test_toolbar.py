"""A bar in a browser: its menus, fields and shortcuts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from debugger.analysis.position import position
from debugger.graph.graph import Graph
from debugger.graph.layout import layout
from debugger.views import state
from debugger.views.components.graph.component import workflow_graph
from debugger.views.components.graph.node_states import node_states
from debugger.views.components.graph.props import geometry
from debugger.views.components.toolbar import (
    Badge,
    Button,
    Disclosure,
    Menu,
    SegmentedControl,
    Select,
    Spacer,
    Text,
    TextInput,
    bar,
)
from tests.components.driving import Host
from tests.support.factories import say, workflow

pytestmark = pytest.mark.browser

COMPOSED = """(field, key) => field.dispatchEvent(
  new KeyboardEvent("keydown", {key, isComposing: true, bubbles: true, composed: true, cancelable: true}))"""
"""A key that an input method takes, as the Enter that accepts a word."""


GIVEN_WAY = """text => {
  const before = text.getBoundingClientRect().width;
  text.style.flex = "none";
  return text.getBoundingClientRect().width - before;
}"""
"""Tells by how much a text is narrower than its words, be it a part of a pixel; it is whole from then on."""


def nothing() -> None:
    """Do nothing."""


def menu(*buttons: Button) -> Menu:
    return Menu("more", "More", buttons, icon=":material/more_horiz:", shows="icon")


def test_long_label_begins_within_its_bar(host: Host):
    host.page.set_viewport_size({"width": 400, "height": 300})
    button = Button("go", "→ " + "Beratung zu Bewegung " * 6, nothing, look="tertiary")
    host.draw(lambda: bar("bar", [button], low=True))

    label = host.page.locator(".st-key-go button > span").bounding_box()

    assert label is not None
    assert label["x"] >= 0
    assert label["x"] + label["width"] <= 400


def test_heading_is_whole_beside_quiet_text_that_is_cut(host: Host):
    host.page.set_viewport_size({"width": 1280, "height": 300})
    heading, quiet = Text("Opening hours", look="heading"), Text("say_llm · node_opening_hours " * 9)
    host.draw(lambda: bar("bar", [heading, quiet, Spacer(), Button("go", "Break before", nothing)], low=True))

    assert host.page.locator(".words.heading").evaluate(GIVEN_WAY) == 0
    assert host.page.locator(".words.quiet").evaluate(GIVEN_WAY) > 0


def test_menu_is_used_by_keyboard(host: Host):
    pressed: list[str] = []
    buttons = [Button(name, name, pressed.append, (name,)) for name in ("First", "Second", "Last")]
    live = Button("live", "Back to live", pressed.append, ("live",), shortcut="Escape")
    host.draw(lambda: bar("bar", [live, menu(*buttons)]))
    page, button = host.page, host.page.locator(".st-key-more > button")
    first, second, last = (page.get_by_role("button", name=each.label) for each in buttons)
    button.focus()

    page.keyboard.press("Enter")
    expect(first).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    for key, item in (("ArrowDown", second), ("ArrowUp", first), ("ArrowUp", last), ("ArrowDown", first)):
        page.keyboard.press(key)
        expect(item).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.locator(".menu")).to_be_hidden()
    expect(button).to_be_focused()
    assert host.events == []
    page.keyboard.press("Enter")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    host.answer()
    assert pressed == ["Second"]
    page.keyboard.press("Escape")
    host.answer()
    assert pressed == ["Second", "live"]


def test_menu_far_left_is_wholly_seen(host: Host):
    host.page.set_viewport_size({"width": 400, "height": 700})
    host.draw(lambda: bar("bar", [menu(Button("wide", "A button with a long label", nothing))]))

    host.page.locator(".st-key-more > button").click()

    expect(host.page.locator(".menu")).to_be_in_viewport(ratio=1)


def test_choice_keeps_keyboard_as_its_words_change(host: Host):
    def drawn(names: dict[str, str]) -> None:
        state.begin_widget("pane", "Mocks")
        bar("bar", [SegmentedControl("pane", "Pane", ["Rows", "Mocks"], names)])

    host.draw(lambda: drawn({}))
    host.page.get_by_role("radio", name="Mocks").focus()

    host.draw(lambda: drawn({"Mocks": "Mocks 1"}))

    expect(host.page.get_by_role("radio", name="Mocks 1")).to_be_focused()


def test_input_method_commits_no_search(host: Host):
    host.draw(lambda: bar("bar", [TextInput("find", "Find", "Find", ":material/search:")]))
    field = host.page.get_by_role("textbox", name="Find")
    field.focus()
    host.page.keyboard.type("zzz")

    field.evaluate(COMPOSED, "Enter")
    assert host.events == []
    field.press("Enter")

    assert [event[-1] for _, _, [event] in host.events] == ["zzz"]


def test_filled_field_raises_no_error(host: Host):
    field = TextInput("find", "Find", "Find", ":material/search:")
    host.draw(lambda: bar("bar", [field, Button("go", "Go", nothing, shortcut="G")]))
    errors: list[str] = []
    host.page.on("pageerror", lambda error: errors.append(str(error)))

    host.page.get_by_role("textbox", name="Find").focus()
    for target in ("body", "activeElement"):  # without a key, as a browser that fills in what it remembers
        host.page.evaluate(f"document.{target}.dispatchEvent(new Event('keydown', {{bubbles: true}}))")
    host.page.evaluate("window.drawn()")

    assert errors == []


def test_chosen_option_is_seen_in_forced_colours(host: Host):
    host.page.emulate_media(forced_colors="active")
    tabs = SegmentedControl("tab", "Tab", ("Variables", "Why"))
    host.draw(lambda: bar("bar", [tabs]))
    ground = "it => getComputedStyle(it).backgroundColor"

    host.page.get_by_role("radio", name="Why").click()
    host.answer()

    expect(host.page.get_by_role("radio", name="Why")).to_be_checked()
    options = [host.page.get_by_role("radio", name=name) for name in ("Why", "Variables")]
    chosen, other = (option.evaluate(ground) for option in options)
    assert chosen != other


def test_expanded_graph_keeps_keys_from_page(host: Host):
    graph = Graph(workflow(say("ask")))

    def draw() -> None:
        bar("bar", [Button("help", "Help", nothing, shortcut="Shift+H")])
        shape, place = geometry(layout(graph), graph, {}), position([], graph, "not_started")
        marks = node_states(place, graph)
        workflow_graph(shape, marks, height=300, aria_label="", stamp="", on_choose=lambda element: None)

    host.draw(draw)
    back = host.page.locator("[data-do='expand']")
    back.click()
    expect(back).to_have_accessible_name("Back to the page")
    expect(back).to_be_focused()

    host.page.keyboard.press("Shift+H")
    assert "bar" not in [key for key, _, _ in host.events]
    expect(back).to_be_focused()
    host.page.keyboard.press("Escape")
    expect(back).to_have_accessible_name("Expand")  # it closes a moment later
    host.page.keyboard.press("Shift+H")

    assert "bar" in [key for key, _, _ in host.events]


def test_opened_tabs_and_filters_fit_into_their_bar(host: Host):
    host.page.set_viewport_size({"width": 1280, "height": 720})
    host.page.evaluate("() => document.body.insertAdjacentHTML('beforeend', '<div class=pane></div>')")
    host.page.locator(".pane").evaluate("it => { it.style.width = '741px'; }")
    views = ("Timeline", "Gantt", "Metrics", "Side effects", "Breakpoints", "Mocks")
    counts = {"Side effects": "Side effects 2", "Breakpoints": "Breakpoints 1", "Mocks": "Mocks 1"}

    def drawn() -> None:
        state.begin_widget("density", "Key events")
        filters = [
            Select("density", "Density", {"Key events": "Key events · 20 of 52"}, ""),
            TextInput("find", "Find", "Find …", ":material/search:", is_live=True),
            Disclosure("filter", "Filter", ":material/filter_list:", "secondary", yields=True),
            Badge("1 on", colour="violet"),
            Text("1 failure"),
        ]
        tabs = SegmentedControl("view", "View", views, counts, look="tabs")
        bar("bar", [tabs, Spacer(), *filters], low=True)

    host.draw(drawn, into=".pane")

    line = host.page.locator(".st-key-bar .bar")
    ends = line.locator(".part").evaluate_all("all => all.map(it => it.getBoundingClientRect().right)")
    assert max(ends) <= line.evaluate("it => it.getBoundingClientRect().right") + 0.5, ends
    expect(host.page.get_by_text("1 failure", exact=True)).to_be_visible()


def test_controls_with_one_label_have_names_of_their_own(host: Host):
    menus = [Menu(f"more_{of}", "More", [Button(f"b_{of}", "B", nothing)], of=of) for of in ("Left", "Right")]
    host.draw(lambda: bar("bar", [*menus, Button("go", "Go", nothing, of="Bye")]))

    for name in ("More (Left)", "More (Right)", "Go (Bye)"):
        expect(host.page.get_by_role("button", name=name, exact=True)).to_be_visible()


def test_button_to_page_on_view_is_current(host: Host):
    host.draw(lambda: bar("bar", [Button("help", "Help", nothing, look="tertiary", is_current=True)]))
    button = host.page.get_by_role("button", name="Help")
    expect(button).to_have_attribute("aria-current", "page")
    expect(button).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")

    host.draw(lambda: bar("bar", [Button("help", "Help", nothing, look="tertiary")]))
    expect(button).not_to_have_attribute("aria-current", "page")
    expect(button).to_have_css("background-color", "rgba(0, 0, 0, 0)")
