"""Parts of the page with odd keys, odd texts and odd moments."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import (
    choose_in_menu,
    context,
    conversation,
    message_box,
    open_workflow,
    press_in_bar,
    say,
    settled,
    start,
)
from tests.browser.presenting import CALL, clinic_call, press

pytestmark = pytest.mark.browser

COMPOSED = """(field, key) => field.dispatchEvent(
  new KeyboardEvent("keydown", {key, isComposing: true, bubbles: true, composed: true, cancelable: true}))"""
"""A key that an input method takes, as the Enter that accepts a word."""
OUTLINE = """control => {
  control.focus({ focusVisible: true });
  return getComputedStyle(control).outlineStyle;
}"""


def test_menu_that_goes_leaves_escape(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    page.locator(".st-key-more > button").click()

    page.keyboard.press("Shift+E")
    settled(page)
    press(page, "Shift+E")
    press(page, "Shift+ArrowLeft")
    expect(context(page)).to_contain_text("Viewing")
    press(page, "Escape")

    expect(context(page)).not_to_contain_text("Viewing")


def test_suggestion_keeps_what_is_typed(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    message_box(page).fill("My name is Ada")

    page.locator(".st-key-suggestion_0").click()
    expect(context(page)).to_contain_text("Turn 2")
    settled(page)

    expect(message_box(page)).to_have_value("My name is Ada")


def test_pinch_over_suggestions_zooms_page(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_workflow(page, app.url, "Clinic front desk")
    line = page.locator(".st-key-message .offers")

    taken = line.evaluate(
        "it => !it.dispatchEvent(new WheelEvent('wheel', { deltaY: 60, ctrlKey: true, cancelable: true }))"
    )

    assert (taken, line.evaluate("it => it.scrollLeft")) == (False, 0)


def test_cursor_from_address_shows_its_message(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 800})
    clinic_call(page, app.url, CALL)
    conversation(page).get_by_text(CALL[0]).click()
    settled(page)

    page.reload()
    expect(context(page)).to_contain_text("Viewing")
    settled(page)

    expect(conversation(page).locator(".here")).to_be_in_viewport(ratio=0.9)


def test_focus_is_seen_in_forced_colours(page: Page, app: Server):
    page.emulate_media(forced_colors="active")
    clinic_call(page, app.url, CALL[:1])
    press(page, "m")
    places = (
        ".st-key-step_event button",
        ".st-key-head_bar a",
        ".st-key-conversation .moment",
        ".st-key-timeline tbody tr.choice",
        ".st-key-panes [role=separator]",
        ".corner",
        ".st-key-message textarea",
    )

    unseen = {place for place in places if page.locator(place).first.evaluate(OUTLINE) == "none"}

    assert unseen == set()


def test_controls_of_graph_are_seen_in_forced_colours_before_start(page: Page, app: Server):
    page.emulate_media(forced_colors="active")
    open_workflow(page, app.url, "Clinic front desk")
    page.mouse.move(0, 0)

    expect(page.locator(".st-key-graph_bar")).to_have_css("opacity", "1")


def test_name_is_inserted_only_at_caret(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    press_in_bar(page, "script")
    editor = page.locator(".st-key-script_text textarea")
    editor.fill("")
    editor.focus()
    offered = page.locator(".st-key-script_text [role=option]").first

    page.keyboard.type("take: openin")
    expect(offered).to_be_visible()
    page.keyboard.press("Home")
    expect(offered).to_be_hidden()

    page.keyboard.press("End")
    page.keyboard.type("g")
    expect(offered).to_be_visible()
    editor.evaluate(COMPOSED, "Enter")
    expect(editor).to_have_value("take: opening")
    page.keyboard.press("Tab")
    expect(editor).to_have_value("take: Opening hours")
    page.keyboard.press("Control+z")
    expect(editor).to_have_value(re.compile("^take: openi?n?g?$"))

    page.keyboard.press("Control+a")
    page.keyboard.type("take: openin")
    expect(offered).to_be_visible()
    page.keyboard.press("Shift+Tab")
    expect(editor).to_have_value("take: openin")
    expect(editor).not_to_be_focused()


def test_next_run_is_followed_to_its_end(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    clinic_call(page, app.url, CALL)
    boxes = [page.locator(f".st-key-{key} .box") for key in ("conversation", "timeline")]
    for box in boxes:
        box.hover()
        page.mouse.wheel(0, -5_000)
        page.wait_for_function("box => box.scrollTop === 0", arg=box.element_handle())

    choose_in_menu(page, "restart")
    expect(context(page)).to_contain_text("Turn 1")
    for line in CALL:
        say(page, line)

    for box in boxes:
        assert box.evaluate("box => box.scrollHeight - box.clientHeight - box.scrollTop") <= 1
