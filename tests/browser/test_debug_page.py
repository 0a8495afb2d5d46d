"""Looking around in a run: graph, table, timeline, inspector, runs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import (
    choose,
    choose_in_menu,
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
    say,
    settled,
    start,
)
from tests.support.factories import direct, document, static, tool
from tests.support.factories import say as say_node

pytestmark = pytest.mark.browser


def test_node_is_chosen_by_click_and_by_keyboard_and_shown_in_inspector(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)

    page.locator(".node[data-id='node_greeting']").click()
    settled(page)
    expect(inspector(page)).to_contain_text("Greeting")
    expect(inspector(page)).to_contain_text("say_static")
    page.locator(".node[data-id='node_greeting']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    settled(page)

    expect(page.locator(".node.selected")).to_have_count(1)
    expect(page.locator(".node.selected")).not_to_have_attribute("data-id", "node_greeting")


def test_path_is_numbered_and_what_may_come_next_is_marked(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)

    expect(page.locator(".node[data-id='node_greeting']")).to_have_attribute(
        "aria-label", re.compile("1 visit")
    )
    expect(page.locator(".node.current")).to_have_attribute("data-id", "node_intent_desk")
    expect(page.locator(".edge.taken")).to_have_count(1)
    assert page.locator(".edge.next").count() >= 4
    page.locator(".st-key-graph_view").get_by_text("Table", exact=True).click()
    settled(page)

    expect(page.locator(".st-key-graph_box")).to_contain_text("Possible next")


def test_event_is_chosen_in_timeline_and_its_moment_shown(page: Page, app: Server):
    page.set_viewport_size({"width": 1600, "height": 1500})
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    say(page, "I'd like to book an appointment, please.")
    rows = page.locator(".st-key-timeline tbody tr")
    expect(rows.last).to_be_in_viewport()  # the list goes with the run

    rows.first.click()
    settled(page)

    expect(inspector(page)).to_contain_text(re.compile(r"After event \d+ · turn 1"))
    expect(rows.first).to_have_attribute("aria-selected", "true")
    page.locator(".st-key-back_to_live button").click()
    settled(page)
    expect(inspector(page)).to_contain_text("After the latest event")
    expect(page.locator(".st-key-timeline tr[aria-selected=true]")).to_have_count(0)


def test_restart_begins_sibling_and_first_run_is_still_there(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "x.json", document(say_node("chat"), name="Siblings"))
    keep_import(page)
    start(page)
    say(page, "the first one")
    expect(page).to_have_url(re.compile("run="))
    first = page.url

    choose_in_menu(page, "restart")
    expect(context(page)).to_contain_text("Turn 1")
    expect(page).not_to_have_url(first)
    go_to(page, "Runs")
    choose(page, "Workflow", "Siblings")
    expect(page.locator(".st-key-runs_count")).to_have_text("2 runs")
    open_app(page, first)

    expect(conversation(page)).to_contain_text("the first one")


def test_state_after_turn_is_copied_and_run_begins_with_it(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    say(page, "I'd like to book an appointment, please.")
    say(page, "My name is Ada Moreno, and I was born on March 3, 1990.")
    open_setup(page)
    page.locator(".st-key-input_for").get_by_text("Restart", exact=True).click()
    settled(page)
    page.locator(".st-key-initial_state").get_by_text("Initial state", exact=True).click()
    settled(page)
    page.locator(".st-key-copy_state button").first.click()
    state = page.get_by_role("textbox", name="Initial state as JSON")
    expect(state).to_have_value(re.compile("node_booking_intake"))
    settled(page)

    page.locator(".st-key-restart_now button").first.click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(context(page)).to_contain_text("Turn 1")
    expect(message_box(page)).to_have_attribute("placeholder", re.compile("Booking intake"))
    say(page, "It's about a sore knee, and Tuesday would be best.")
    expect(conversation(page)).to_contain_text("I have two openings")


def test_two_tabs_each_follow_their_own_run(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "x.json", document(static("a", "Hello"), name="Only once"))
    keep_import(page)
    start(page)
    other = page.context.new_page()

    open_app(other, app.url)
    choose(other, "Workflow", "Clinic front desk")
    start(other)

    expect(conversation(other)).to_contain_text("Thank you for calling")
    expect(context(page)).to_contain_text("Completed")
    expect(conversation(page)).not_to_contain_text("Thank you for calling")


@pytest.mark.parametrize("width", [800, 1280, 1920])
def test_nothing_sticks_out_at_any_width(page: Page, app: Server, width: int):
    page.set_viewport_size({"width": width, "height": 1000})
    open_workflow(page, app.url, "Clinic front desk")
    start(page)

    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1440, 900)])
def test_demo_needs_no_scrolling_and_nothing_jumps_from_turn_to_turn(
    page: Page, app: Server, width: int, height: int
):
    page.set_viewport_size({"width": width, "height": height})
    open_workflow(page, app.url, "Clinic front desk")
    expect(page.locator(".st-key-resume button").first).to_be_in_viewport(ratio=1)
    start(page)
    expect(message_box(page)).to_be_focused()
    places = [place_of(page)]

    for line in (
        "Hi, I'd like to book an appointment, please.",
        "My name is Ada Moreno, and I was born on March 3, 1990.",
        "It's about a sore knee, and Tuesday would be best.",
    ):
        page.keyboard.type(line)
        page.keyboard.press("Enter")
        expect(conversation(page)).to_contain_text(line)
        settled(page)
        expect(message_box(page)).to_be_focused()
        expect(message_box(page)).to_be_in_viewport(ratio=1)
        expect(conversation(page).locator(".chat-message").last).to_be_in_viewport(ratio=0.9)
        places.append(place_of(page))
        assert_current_node_is_in_view(page)

    assert places == places[:1] * 4


def test_after_suggestion_message_box_has_focus(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)

    page.locator(".st-key-suggestion_0").click()
    expect(context(page)).to_contain_text("Turn 2")
    settled(page)

    expect(message_box(page)).to_be_focused()


def test_after_slow_turn_message_box_has_focus_again(page: Page, app: Server):
    slow = "def slow():\n    n = 0\n    while n < 40000000:\n        n += 1\n    return n\n"
    parts = (say_node("hi"), tool("slow", slow), say_node("chat"))
    open_app(page, app.url)
    import_workflow(
        page, "x.json", document(*parts, direct("hi", "slow"), direct("slow", "chat"), name="Slow")
    )
    keep_import(page)
    start(page)

    message_box(page).fill("go on")
    message_box(page).press("Enter")
    expect(context(page)).to_contain_text("Running")
    expect(message_box(page)).to_be_disabled()
    expect(context(page)).to_contain_text("Your turn")

    expect(message_box(page)).to_be_focused()


def test_shortcut_begins_no_run_with_json_that_cannot_be_used(page: Page, app: Server):
    open_workflow(page, app.url, "Tea welcome")
    open_inputs(page)
    page.locator(".st-key-input_mode").get_by_text("JSON", exact=True).click()
    settled(page)
    editor = page.get_by_role("textbox", name="Run input as JSON")
    editor.fill('{"dynamic_variables": ')

    editor.press("Control+Enter")
    settled(page)

    expect(context(page)).to_contain_text("Not started")
    expect(editor).to_have_value('{"dynamic_variables": ')


def test_long_value_is_read_in_full_by_choosing_its_row(page: Page, app: Server):
    open_app(page, app.url)
    long = "word " * 60 + "the very end"
    import_workflow(page, "x.json", document(say_node("chat"), name="Long", defaults={"letter": long}))
    keep_import(page)
    start(page)

    page.locator(".st-key-variables tr").filter(has_text="letter").click()
    settled(page)

    expect(inspector(page).get_by_test_id("stText")).to_contain_text("the very end")


def place_of(page: Page):
    """Return the positions of the panes in the window."""
    panes = [page.locator(f".st-key-{key}") for key in ("graph", "conversation", "inspector")]
    return [locator.bounding_box() for locator in (*panes, page.locator(".st-key-message .box"))]


def assert_current_node_is_in_view(page: Page):
    """The whole node is within the picture."""
    stage = page.locator(".stage").bounding_box()
    node = page.locator(".node.current .body").bounding_box()
    assert stage["x"] <= node["x"] and node["x"] + node["width"] <= stage["x"] + stage["width"]
    assert stage["y"] <= node["y"] and node["y"] + node["height"] <= stage["y"] + stage["height"]


def inspector(page: Page):
    """The pane on the right."""
    return page.locator(".st-key-inspector")
