"""A run that is stepped, stopped, looked at and changed on the way, as a person does it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import driving
from tests.browser.conftest import Server
from tests.browser.driving import (
    add_breakpoint,
    alert,
    context,
    conversation,
    import_workflow,
    keep_import,
    message_box,
    open_app,
    open_editor,
    open_workflow,
    ring,
    run_head,
    settled,
    start,
    type_into_cell,
)

pytestmark = pytest.mark.browser


def opened(page: Page, app: Server) -> None:
    open_app(page, app.url)
    import_workflow(page, "ring.json", ring())
    keep_import(page)
    expect(run_head(page)).to_contain_text("Ring")


def stepping(page: Page):
    return context(page)


def test_run_is_stepped_event_by_event_then_node_by_node(page: Page, app: Server):
    opened(page, app)

    page.locator(".st-key-step_event button").first.click()
    expect(stepping(page)).to_contain_text("After one event")
    settled(page)
    expect(context(page)).to_contain_text("Paused")
    page.locator(".st-key-step_node button").first.click()
    expect(stepping(page)).to_contain_text("Before Count")
    settled(page)
    page.locator(".st-key-stop button").first.click()
    expect(context(page)).to_contain_text("Cancelled")


def test_condition_stops_before_fifth_visit_where_edit_changes_path(
    page: Page, app: Server, chromium: Browser
):
    opened(page, app)
    add_breakpoint(page, condition="{{way}} == 'round'", hits="5")
    pane = page.locator(".st-key-timeline_pane")
    expect(pane).to_contain_text("before Count")
    expect(pane).to_contain_text("Verified")

    page.locator(".st-key-start button").first.click()
    expect(stepping(page)).to_contain_text("Breakpoint before Count, 5 hits")
    settled(page)

    # The paused turn is there again after a reload, and in another tab that has its link.
    page.reload()
    expect(stepping(page)).to_contain_text("5 hits")
    settled(page)
    other = chromium.new_context().new_page()
    other.goto(page.url)
    expect(context(other)).to_contain_text("5 hits")
    other.context.close()

    open_editor(page)
    type_into_cell(page, "live_dynamic", row=0, text="right")
    expect(page.get_by_text('~ dynamic.way: "round" → "right"')).to_be_visible()
    page.locator(".st-key-apply_edits button").first.click()
    settled(page)
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-live_editor")).to_have_count(0)
    settled(page)
    expect(stepping(page)).to_contain_text("5 hits")
    page.locator(".st-key-resume button").first.click()

    expect(conversation(page)).to_contain_text("Turned right")
    expect(context(page)).to_contain_text("Your turn")
    expect(page).not_to_have_url(re.compile("session="))


def test_what_is_no_condition_is_told_where_it_breaks_and_nothing_is_set(page: Page, app: Server):
    opened(page, app)

    add_breakpoint(page, condition="{{way}} ==")

    expect(alert(page).first).to_contain_text("Column 11: Expected a value")
    expect(page.locator(".st-key-timeline_pane")).to_contain_text("No breakpoints yet")
    start(page)


CALL = [
    "Hi, I'd like to book an appointment, please.",
    "My name is Ada Moreno, and I was born on March 3, 1990.",
    "Before I go on, what are your opening hours?",
    "Good to know. It's about a sore knee, and Tuesday would be best.",
    "The earlier one, please.",
]
SEVENTH = "Yes, please book it."
IS_IN_SIGHT = """row => {
  const seen = row.getBoundingClientRect(), box = row.closest(".box").getBoundingClientRect();
  return seen.top >= box.top - 1 && seen.bottom <= box.bottom + 1;
}"""


def paused_row(page: Page):
    return page.locator(".st-key-timeline tr[aria-selected=true]")


def paused_number(page: Page, number: int):
    return paused_row(page).locator(f"td:first-child:text-is('{number}')")


def paused_at(page: Page, number: int) -> None:
    """Expect the run to be paused at an event, in header, bar, conversation and timeline."""
    row = paused_row(page)
    expect(row.locator("td").first).to_have_text(str(number))
    expect(row.locator("td").nth(1)).to_have_text("7")
    settled(page)
    assert row.evaluate(IS_IN_SIGHT)
    expect(context(page)).to_contain_text("Paused")
    expect(stepping(page)).to_contain_text("After one event.")
    expect(stepping(page)).to_contain_text("Turn 7")
    expect(conversation(page)).to_contain_text("Paused. After one event.")
    expect(message_box(page)).to_be_disabled()
    assert page.evaluate("document.activeElement !== document.body")


def test_seventh_turn_is_stepped_from_keyboard(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    for line in CALL:
        driving.say(page, line)
        expect(context(page)).to_contain_text("Your turn")
    settled(page)

    # Armed from the keyboard, and disarmed from within the box.
    page.locator(".st-key-step_event button").focus()
    page.keyboard.press("s")
    expect(stepping(page)).to_contain_text("Pauses at the first event of your next message.")
    message_box(page).press("Escape")
    expect(stepping(page)).not_to_contain_text("Pauses at the first event")
    settled(page)

    message_box(page).fill(SEVENTH)
    message_box(page).press("Alt+Enter")
    expect(context(page)).to_contain_text("Paused")
    settled(page)
    your_turn = context(page).locator(".badge").filter(has_text="Your turn")
    first = int(paused_row(page).locator("td").first.inner_text())
    number = first
    while True:
        paused_at(page, number)
        assert message_box(page).input_value() == ""
        page.keyboard.press("s")
        number += 1
        expect(paused_number(page, number).or_(your_turn).first).to_be_visible()
        if your_turn.count():
            break

    expect(context(page)).to_contain_text("Your turn")
    expect(conversation(page)).to_contain_text(SEVENTH)
    assert number - first > 10


def test_typed_message_goes_with_step_button(page: Page, app: Server):
    opened(page, app)
    message_box(page).fill("Hello")

    page.locator(".st-key-step_node button").first.click()

    expect(stepping(page)).to_contain_text("Before Count")
    expect(conversation(page)).to_contain_text("Hello")
    expect(message_box(page)).to_have_value("")
    settled(page)
    page.locator(".st-key-stop button").first.click()
    expect(context(page)).to_contain_text("Cancelled")
