"""The room of the debug page: what is visible, what is clipped, tabs, and the menu of the run."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Server, free_port, running, streamlit_app
from tests.browser.driving import (
    choose,
    choose_in_menu,
    connect,
    context,
    conversation,
    go_to,
    import_workflow,
    keep_import,
    message_box,
    open_app,
    open_inputs,
    open_setup,
    open_workflow,
    press_in_bar,
    run_head,
    say,
    settled,
    start,
)
from tests.browser.presenting import CALL, clinic_call, press
from tests.support.factories import direct, document, node, static
from tests.support.factories import say as say_node

pytestmark = pytest.mark.browser

KEY = "layout-test-key"
PANES = {
    "Conversation": ".st-key-talk",
    "Graph": ".st-key-graph_pane",
    "Timeline": ".st-key-timeline_pane",
    "Inspector": ".st-key-inspector",
}
WHOLE = """(items, holder) => {
  const room = holder.getBoundingClientRect();
  return items.filter(item => {
    const box = item.getBoundingClientRect();
    return box.height > 0 && box.left >= room.left - 1 && box.right <= room.right + 1
      && box.top >= room.top - 1 && box.bottom <= Math.min(room.bottom, innerHeight) + 1;
  }).length;
}"""
"""Counts the elements that are wholly within another one and the window."""
LEGIBLE = """(nodes, stage) => {
  const room = stage.getBoundingClientRect();
  return nodes.filter(node => {
    const box = node.querySelector(".body").getBoundingClientRect();
    const text = [...node.querySelectorAll("text")].find(each => each.getBoundingClientRect().width > 0);
    const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
    return size >= 7 && box.left >= room.left && box.right <= room.right
      && box.top >= room.top && box.bottom <= room.bottom;
  }).length;
}"""
"""Counts the nodes that are wholly on view, with a label of at least 7 px; smaller ones are an overview."""
CLIPPED = """() => {
  const found = [], PLAY = 1, LINE = 4;
  const parentOf = each => each.assignedSlot ?? each.parentElement ?? each.getRootNode().host ?? null;
  const chain = each => { const all = []; for (; each; each = parentOf(each)) all.push(each); return all; };
  const isHidden = each => getComputedStyle(each).clipPath === "inset(50%)";
  const isUnseen = each => isHidden(each) || each.matches(".icon, [popover]");
  const check = node => {
    const above = chain(node.parentElement);
    if (!node.textContent.trim() || above.some(isUnseen) || !node.parentElement.checkVisibility()) return;
    const range = document.createRange();
    range.selectNodeContents(node);
    const text = range.getBoundingClientRect();
    const tell = why => found.push(`${node.textContent.trim().slice(0, 60)}: ${why}`);
    if (text.left < -PLAY || text.right > innerWidth + PLAY) return tell("beyond the window");
    for (const each of above) {
      const { overflowX, overflowY } = getComputedStyle(each), box = each.getBoundingClientRect();
      const name = each.className || each.tagName;
      const isWider = text.left < box.left - PLAY || text.right > box.right + PLAY;
      const isHigher = text.top < box.top - LINE || text.bottom > box.bottom + LINE;
      if (overflowX !== "visible" && isWider) return tell(`wider than ${name}`);
      if (overflowY !== "visible" && isHigher) return tell(`higher than ${name}`);
    }
  };
  const walk = root => {
    for (const each of root.childNodes) {
      if (each.nodeType === Node.TEXT_NODE) check(each);
      if (each.shadowRoot) walk(each.shadowRoot);
      if (each.nodeType === Node.ELEMENT_NODE && !each.matches("style, option, select")) walk(each);
    }
  };
  const bars = ".st-key-head, .st-key-bar_pane, .st-key-origin_bar, .st-key-work_bar";
  document.querySelectorAll(bars).forEach(walk);
  return found;
}"""
"""Lists the texts of head and bars that are not whole."""
WINDOWS = {1280: 720, 1920: 1080, 820: 1180}
"""The height of each width."""
OVERLAPS = """() => {
  const controls = [];
  const walk = root => {
    for (const each of root.querySelectorAll("*")) {
      if (each.shadowRoot) walk(each.shadowRoot);
      const isOne = each.matches("button, a, .words, .badge") && !each.closest("[popover]");
      if (isOne && each.checkVisibility() && each.getBoundingClientRect().width > 2) controls.push(each);
    }
  };
  document.querySelectorAll(".st-key-head, .st-key-run_bar, .st-key-context_bar").forEach(walk);
  const found = [], name = each => (each.ariaLabel || each.textContent).trim();
  controls.forEach((one, at) => controls.slice(at + 1).forEach(other => {
    if (one === other || one.contains(other) || other.contains(one)) return;
    const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 1 && down > 1) found.push(`${name(one)} and ${name(other)}`);
  }));
  return [...new Set(found)];
}"""
"""Lists the controls of head and bar that lie over each other."""


def small(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=name, exact=True)


def expect_pane(page: Page, name: str) -> None:
    """Expect one pane, and no other."""
    expect(tab(page, name)).to_have_attribute("aria-selected", "true")
    for each, selector in PANES.items():
        expect(page.locator(selector)).to_be_visible(visible=each == name)


def test_small_window_shows_nodes_messages_and_rows(page: Page, app: Server):
    small(page)
    clinic_call(page, app.url, CALL[:2])
    stage = page.locator(".st-key-graph .stage").element_handle()
    rows = page.locator(".st-key-timeline tbody tr")
    rows_room = page.locator(".st-key-timeline .box").element_handle()
    messages = conversation(page).locator(".chat-message")

    shown = {
        "nodes": page.locator(".st-key-graph .node:not(.group)").evaluate_all(LEGIBLE, stage),
        "messages": messages.evaluate_all(WHOLE, conversation(page).element_handle()),
        "rows": rows.evaluate_all(WHOLE, rows_room),
    }

    assert shown["nodes"] >= 5, shown
    assert shown["messages"] >= 3, shown
    assert shown["rows"] >= 8, shown


def test_small_window_has_header_of_two_lines(page: Page, app: Server):
    small(page)
    clinic_call(page, app.url, CALL[:1])

    top = page.locator(".st-key-panes").bounding_box()

    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    assert top["y"] <= 88
    assert top["width"] == 1280


def test_button_that_fits_keeps_its_label_while_paused(page: Page, app: Server):
    small(page)
    clinic_call(page, app.url, CALL[:1])
    message_box(page).fill(CALL[1])
    page.get_by_role("button", name=re.compile("^Step event")).click()

    expect(context(page)).to_contain_text("Paused")
    settled(page)
    assert page.locator(".st-key-live_edit button").bounding_box()["width"] > 120


STEPS = """() => {
  const found = {};
  for (const key of ["step_event", "step_node", "step_turn", "resume", "pause", "stop"]) {
    const hosts = [...document.querySelectorAll(".st-key-context_bar *")].filter(each => each.shadowRoot);
    const button = hosts.map(each => each.shadowRoot.querySelector(`.st-key-${key} button`)).find(Boolean);
    const { x, y, width, height } = button.getBoundingClientRect();
    found[key] = [x, y, width, height].map(Math.round);
  }
  return found;
}"""
"""Gives the place of each control that steps the run."""


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 1600])
def test_step_controls_keep_their_places(page: Page, app: Server, width: int, colour_scheme):
    page.emulate_media(color_scheme=colour_scheme)
    page.set_viewport_size({"width": width, "height": 720})
    name = "Ask the caller politely which of the two appointments they would rather have"
    long = document(static("a", "Hello", name=name), say_node("chat"), direct("a", "chat"), name="Long")
    imported(page, app, long)
    before = page.evaluate(STEPS)
    at = before["step_event"]
    row = page.locator(".st-key-timeline tbody tr[aria-selected=true] td").first

    page.locator(".st-key-step_node button").click()
    expect(context(page)).to_contain_text("Before Ask the caller")
    settled(page)
    assert page.evaluate(STEPS) == before
    first = int(row.inner_text())
    for number in range(first + 1, first + 5):
        page.mouse.click(at[0] + at[2] / 2, at[1] + at[3] / 2)
        expect(row).to_have_text(str(number))
        settled(page)
        assert page.evaluate(STEPS) == before, f"paused at event {number}"
    page.locator(".st-key-resume button").click()
    expect(context(page)).to_contain_text("Your turn")
    settled(page)
    assert page.evaluate(STEPS) == before
    page.locator(".st-key-step_event button").click()
    expect(context(page)).to_contain_text("Pauses at the first event")
    settled(page)
    assert page.evaluate(STEPS) == before
    page.locator(".st-key-stop button").click()
    expect(context(page)).to_contain_text("Cancelled")
    settled(page)
    assert page.evaluate(STEPS) == before


def test_number_of_failures_is_whole_in_a_narrow_window(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    tool = {"type": "inline_python", "name": "fail", "code": "def fail():\n    return 1 / 0\n"}
    failing = [node(key, "tool_node", tool_config=tool) for key in ("a", "b")]
    imported(page, app, document(*failing, say_node("chat"), direct("a", "b"), direct("b", "chat")))

    start(page)

    number = page.locator(".st-key-lower_bar").get_by_text("2 failures")
    expect(number).to_be_visible()
    place, bar = number.bounding_box(), page.locator(".st-key-lower_bar .bar").bounding_box()
    assert place["x"] + place["width"] <= bar["x"] + bar["width"]


def test_explanations_of_columns_are_whole(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    page.locator(".st-key-export button").first.click()
    page.locator("[class*=_columns_box] summary").first.click()
    page.get_by_role("button", name="What columns hold").click()
    rows = page.locator(".st-key-export_explanations tbody tr")
    rows.first.wait_for()

    sizes = "cells => cells.map(cell => [cell.textContent, cell.scrollWidth - cell.clientWidth])"
    cut = [text for text, more in rows.locator("td").evaluate_all(sizes) if more > 1]
    assert rows.locator("td").count() > 30
    assert cut == []


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The API in another process, with the samples and a key."""
    folder, port = tmp_path_factory.mktemp("layout"), free_port()
    command = [sys.executable, "-m", "debugger", "serve", "--port", str(port), "--api-key", KEY]
    with running(command, "/healthz", port, folder) as server:
        yield server


def imported(page: Page, app: Server, workflow: dict[str, object]) -> None:
    open_app(page, app.url)
    import_workflow(page, "x.json", workflow)
    keep_import(page)


def paused(page: Page, app: Server, api: Server) -> None:
    name = "Ask the caller politely which of the two appointments they would rather have"
    imported(
        page,
        app,
        document(static("a", "Hello", name=name), say_node("chat"), direct("a", "chat"), name="Long"),
    )
    page.locator(".st-key-step_node button").click()
    expect(context(page)).to_contain_text("Before Ask the caller")


def over(page: Page, app: Server, api: Server) -> None:
    open_workflow(page, app.url, "Tea welcome")
    start(page)
    expect(context(page)).to_contain_text("Completed")


def forked(page: Page, app: Server, api: Server) -> None:
    imported(page, app, document(say_node("chat"), name="Origin"))
    start(page)
    press_in_bar(page, "fork_turn")
    page.locator(".st-key-run_unedited button").first.click()
    expect(page.locator(".st-key-origin_bar")).to_contain_text("fork at turn 1")


def hosted(page: Page, app: Server, api: Server) -> None:
    open_app(page, app.url)
    connect(page, f"{api.url}/workflows", KEY)
    expect(page.get_by_text(re.compile(r"works: \d+ workflows"))).to_be_visible()
    go_to(page, "Debug")
    choose(page, "Workflow", "Clinic front desk")
    start(page)


def failed(page: Page, app: Server, api: Server) -> None:
    imported(page, app, document(node("b", "no_op"), direct("b", "nowhere"), name="Edge to nowhere"))
    start(page)
    expect(context(page)).to_contain_text("Failed")


@pytest.mark.parametrize("visit", [paused, over, forked, hosted, failed])
def test_no_text_of_head_and_bars_is_clipped(
    page: Page, app: Server, api: Server, visit: Callable[[Page, Server, Server], None]
):
    visit(page, app, api)

    assert clipped_by_width(page) == {width: ([], []) for width in WINDOWS}


def test_no_text_is_clipped_during_a_call(page: Page, app: Server):
    found = {}
    open_workflow(page, app.url, "Clinic front desk")
    found["before a run"] = clipped_by_width(page)
    start(page)
    found["started"] = clipped_by_width(page)
    say(page, CALL[0])
    press(page, "Shift+ArrowLeft")
    expect(context(page)).to_contain_text("Viewing turn 1")
    found["past"] = clipped_by_width(page)
    page.locator(".st-key-back_to_live button").click()
    press(page, "Shift+E")
    found["demo"] = clipped_by_width(page)
    press(page, "Shift+E")
    say(page, CALL[1])
    found["waiting"] = clipped_by_width(page)

    assert found == {state: {width: ([], []) for width in WINDOWS} for state in found}


def test_long_workflow_name_leaves_head_whole(page: Page, app: Server):
    imported(page, app, document(say_node("chat"), name="A name that does not end " * 8))

    for is_started in (False, True):
        if is_started:
            start(page)
        for width in (1920, 1280, 820):
            page.set_viewport_size({"width": width, "height": 900})
            settled(page)
            assert page.evaluate(OVERLAPS) == [], (width, is_started)
            expect(page.locator(".st-key-head_end")).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1280, "height": 720})
    expect(run_head(page).locator(".st-key-setup")).to_be_in_viewport(ratio=1)


def clipped_by_width(page: Page) -> dict[int, tuple[list[str], list[str]]]:
    """Return the clipped and the overlapping texts for each width; leave the window as it was."""
    before, found = page.viewport_size, {}
    settled(page)
    for width, height in WINDOWS.items():
        page.set_viewport_size({"width": width, "height": height})
        settled(page)
        found[width] = page.evaluate(CLIPPED), page.evaluate(OVERLAPS)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size(before)
    settled(page)
    return found


def test_clipped_texts_and_overlaps_are_found(page: Page, app: Server):
    line = "width: 60px; height: 20px; overflow: hidden; white-space: nowrap"
    body = f"""<div class="st-key-head" style="{line}"><span>A text that is too long</span></div>
        <div class="st-key-bar_pane"><div style="{line}"><span>Wide<br>High<br>Higher</span></div></div>
        <div class="st-key-run_bar"><button>One</button><button style="margin: -20px">Two</button></div>"""
    page.route(f"{app.url}/blank", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(f"{app.url}/blank")

    assert [text.partition(":")[0] for text in page.evaluate(CLIPPED)] == [
        "A text that is too long",
        "High",
        "Higher",
    ]
    assert page.evaluate(OVERLAPS) == ["One and Two"]


def test_tablet_shows_one_pane_by_its_tab(page: Page, app: Server):
    page.set_viewport_size({"width": 820, "height": 1180})
    clinic_call(page, app.url, CALL[:1])
    expect_pane(page, "Conversation")

    for name in PANES:
        tab(page, name).click()
        expect_pane(page, name)
    expect(page.get_by_role("separator")).to_have_count(0)
    expect(page.get_by_role("button", name="Maximise pane")).to_have_count(0)

    page.reload()
    settled(page)
    expect_pane(page, "Inspector")
    box = page.locator(PANES["Inspector"]).bounding_box()
    assert (box["width"], box["y"] + box["height"]) == (820, 1180)


def test_tablet_sets_breakpoints_before_start(page: Page, app: Server):
    page.set_viewport_size({"width": 820, "height": 1180})
    open_workflow(page, app.url, "Clinic front desk")
    for name in ("Graph", "Conversation"):
        tab(page, name).click()
        expect(page.get_by_role("radio", name="Mocks")).to_be_in_viewport(ratio=1)

    page.get_by_role("radio", name="Breakpoints").click()
    settled(page)

    expect_pane(page, "Timeline")
    expect(page.locator(".st-key-bp_add button")).to_be_visible()
    page.locator(".st-key-fold button").click()
    settled(page)
    expect(tab(page, "Conversation")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".st-key-setup_form")).to_be_visible()


def test_tablet_keeps_every_action_in_bar_or_menu(page: Page, app: Server):
    page.set_viewport_size({"width": 820, "height": 1180})
    clinic_call(page, app.url, CALL[:1])
    keys = (
        "step_event",
        "step_node",
        "step_turn",
        "resume",
        "stop",
        "fork_turn",
        "export",
        "restart",
        "send_again",
    )

    page.locator(".st-key-more > button").click()

    for key in keys:
        expect(page.locator(f".st-key-{key} button")).to_be_visible()
    page.locator(".st-key-export button").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_tablet_keeps_steps_and_menu_in_sight_in_the_past(page: Page, app: Server):
    page.set_viewport_size({"width": 820, "height": 1180})
    clinic_call(page, app.url, CALL[:3])
    before = page.evaluate(STEPS)

    press_in_bar(page, "previous_event")

    expect(context(page)).to_contain_text("Viewing turn 4, event")
    assert page.evaluate(STEPS) == before
    for key in ("more", "back_to_live"):
        expect(page.locator(f".st-key-{key} > button")).to_be_in_viewport(ratio=1)


def test_message_box_is_reached_by_one_key(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])

    press(page, "m")
    expect(message_box(page)).to_be_focused()
    expect(message_box(page)).to_have_value("")
    page.keyboard.type("m")

    expect(message_box(page)).to_have_value("m")


def test_setup_dialog_closes_by_escape_and_stays_closed(page: Page, app: Server):
    clinic_call(page, app.url, ())
    open_setup(page)

    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    settled(page)
    page.locator(".st-key-previous_event button").click()
    settled(page)

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(context(page)).to_contain_text("Viewing")


def test_setup_dialog_changes_workflow(page: Page, app: Server):
    clinic_call(page, app.url, ())
    open_setup(page)

    choose(page, "Workflow", "Tea welcome")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(run_head(page)).to_contain_text("Tea welcome")
    start(page)
    expect(context(page)).to_contain_text("Completed")


def test_restart_with_changes_asks_for_input(page: Page, app: Server):
    clinic_call(page, app.url, ())
    choose_in_menu(page, "restart_changed")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name="Restart")).to_be_checked()
    settled(page)
    dialog.locator(".st-key-input_mode").get_by_text("JSON", exact=True).click()
    settled(page)
    editor = dialog.get_by_role("textbox", name="Run input as JSON")
    editor.fill(editor.input_value().replace('"Robin"', '"Kim"'))
    editor.blur()
    settled(page)

    page.locator(".st-key-restart_now button").first.click()

    expect(dialog).to_have_count(0)
    expect(conversation(page)).to_contain_text("this is Kim")


def test_key_that_applies_a_field_starts_no_run(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    open_inputs(page)
    page.locator(".st-key-input_mode").get_by_text("JSON", exact=True).click()
    settled(page)
    editor = page.get_by_role("textbox", name="Run input as JSON")
    editor.fill(editor.input_value().replace('"Robin"', '"Kim"'))

    editor.press("Control+Enter")
    settled(page)

    expect(context(page)).to_contain_text("Not started")
    editor.blur()
    page.keyboard.press("Control+Enter")
    expect(conversation(page)).to_contain_text("this is Kim")


def test_empty_pages_have_a_sentence_and_a_button_in_their_middle(page: Page, tmp_path: Path):
    small(page)
    with streamlit_app(tmp_path) as server:
        for name in ("runs", "review", "suites", "compare"):
            open_app(page, f"{server.url}/{name}")
            box = page.locator(".st-key-empty_page")

            expect(box.locator("p")).to_have_count(2)  # the sentence, and the label of the button
            place = box.get_by_role("button").bounding_box()
            assert abs(place["x"] + place["width"] / 2 - 640) < 10, name
            assert 150 < place["y"] < 400, name
        page.get_by_role("button", name="Open Runs").click()
        page.get_by_role("button", name="Start a run").click()
        expect(context(page)).to_contain_text("Not started")


def test_title_of_suites_stands_in_line_with_its_controls(page: Page, app: Server):
    small(page)
    open_app(page, f"{app.url}/suites")

    title = page.get_by_role("heading", name="Suites").bounding_box()
    files = page.get_by_role("button", name="Files …").bounding_box()

    assert abs(title["y"] + title["height"] / 2 - files["y"] - files["height"] / 2) < 3
