"""Parts of the page with odd keys, odd texts and odd moments."""

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
    message_box,
    open_workflow,
    press_in_bar,
    say,
    settled,
    start,
)
from tests.browser.presenting import CALL, clinic_call, press

pytestmark = pytest.mark.browser

ARABIC = "أريد حجز موعد!"
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


def test_input_method_commits_no_search(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    field = page.get_by_role("textbox", name="Find in timeline")
    field.focus()
    page.keyboard.type("zzz")

    field.evaluate(COMPOSED, "Enter")
    settled(page)

    assert page.locator(".st-key-timeline tbody tr.choice").count() > 0


def test_arabic_message_is_set_right_to_left(page: Page, app: Server):
    clinic_call(page, app.url, (ARABIC,))
    message_box(page).fill(ARABIC)

    for text in (conversation(page).get_by_text(ARABIC), message_box(page)):
        assert text.evaluate("text => getComputedStyle(text).unicodeBidi") == "plaintext"


def test_label_of_message_keeps_emoji_whole(page: Page, app: Server):
    text = "x" * 59 + "😀 and more"
    clinic_call(page, app.url, (text,))

    label = conversation(page).locator(".chat-message.user .moment").get_attribute("aria-label")

    assert label.endswith("x😀")


def test_cursor_from_address_shows_its_message(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 800})
    clinic_call(page, app.url, CALL)
    conversation(page).get_by_text(CALL[0]).click()
    settled(page)

    page.reload()
    expect(context(page)).to_contain_text("Viewing")
    settled(page)

    expect(conversation(page).locator(".here")).to_be_in_viewport(ratio=0.9)


def test_browser_keys_pass_tabs(page: Page, app: Server):
    page.set_viewport_size({"width": 820, "height": 1180})
    open_workflow(page, app.url, "Clinic front desk")
    tab = page.get_by_role("tab", name="Graph")
    tab.click()

    for key in ("Control+ArrowRight", "Meta+ArrowRight", "Alt+ArrowRight"):
        page.keyboard.press(key)

    expect(tab).to_have_attribute("aria-selected", "true")


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


def test_chosen_option_is_seen_in_forced_colours(page: Page, app: Server):
    page.emulate_media(forced_colors="active")
    clinic_call(page, app.url, CALL[:1])
    ground = "it => getComputedStyle(it).backgroundColor"
    options = page.locator(".st-key-inspector_tab [role=radio]")

    chosen = options.and_(page.locator("[aria-checked=true]")).first.evaluate(ground)
    other = options.and_(page.locator("[aria-checked=false]")).first.evaluate(ground)

    assert chosen != other


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


def test_menu_far_left_is_wholly_seen(page: Page, app: Server):
    page.set_viewport_size({"width": 400, "height": 700})
    open_workflow(page, app.url, "Clinic front desk")

    page.locator(".st-key-pages > button").click()

    expect(page.locator(".st-key-pages .menu")).to_be_in_viewport(ratio=1)


def test_filled_field_raises_no_error(page: Page, app: Server):
    clinic_call(page, app.url, ())
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    page.get_by_role("textbox", name="Find in timeline").focus()
    for target in ("body", "activeElement"):  # without a key, as a browser that fills in what it remembers
        page.evaluate(f"document.{target}.dispatchEvent(new Event('keydown', {{bubbles: true}}))")
    settled(page)

    assert errors == []


def test_expanded_graph_keeps_keys_from_page(page: Page, app: Server):
    clinic_call(page, app.url, ())
    go_to(page, "Runs")
    choose(page, "Workflow", "Clinic front desk")
    page.get_by_role("radio", name="Statistics").click()
    settled(page)
    back = page.locator("[data-do='expand']")
    back.click()
    expect(back).to_have_accessible_name("Back to the page")
    expect(back).to_be_focused()

    page.keyboard.press("Shift+H")
    settled(page)

    expect(page).to_have_url(re.compile("/runs"))
    expect(back).to_be_focused()
