"""The keyboard: whatever a person does with it, some control of the page has it afterwards."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import context, message_box, open_workflow, settled

pytestmark = pytest.mark.browser


def test_keyboard_is_never_lost(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")

    press(page, ".st-key-start button")
    expect(context(page)).to_contain_text("Turn 1")
    has_keyboard(page)
    write(page, "Hi, I'd like to book an appointment, please.")
    press(page, ".st-key-timeline tbody tr.choice")
    press(page, ".st-key-previous_event button")
    press(page, ".st-key-next_event button")
    page.keyboard.press("Escape")
    has_keyboard(page)
    for tab in ("Why", "Event", "Variables"):
        press(page, f".st-key-inspector_tab [data-option='{tab}']")
    press(page, ".st-key-graph_view [data-option=Table]")
    press(page, ".st-key-graph_view [data-option=Graph]")
    press(page, ".st-key-skin button")
    press(page, ".st-key-skin button")
    for dialog in ("setup", "export"):
        press(page, f".st-key-{dialog} button")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        settled(page)  # the keyboard goes back to the button after the dialog has gone
        has_keyboard(page)
    press(page, ".st-key-to_runs a")
    press(page, ".st-key-runs tbody tr.choice", "Space")
    press(page, ".st-key-star_chosen button")
    press(page, ".st-key-runs thead button")
    press(page, ".st-key-runs_history button")
    press(page, ".st-key-runs_clear button")
    press(page, ".st-key-runs tbody tr.choice")
    expect(context(page)).to_contain_text("Turn")
    has_keyboard(page)


def test_keyboard_goes_to_form_and_back(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    press(page, ".st-key-lower_view [data-option=Mocks]")
    press(page, ".st-key-who_answers_choice button:nth-of-type(2)")
    press(page, ".st-key-start button")
    expect(context(page)).to_contain_text("Your turn")

    write(page, "I want to book an appointment")
    desk = page.locator(".st-key-desk")
    expect(desk.locator(":focus")).to_have_count(1)
    for _ in range(6):
        if not desk.is_visible():
            break
        press(page, ".st-key-desk_answer button")

    expect(desk).to_have_count(0)
    expect(message_box(page)).to_be_focused()


def test_dialog_of_a_menu_gives_keyboard_to_the_menu(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    press(page, ".st-key-start button")
    expect(context(page)).to_contain_text("Your turn")

    press(page, ".st-key-more > button")
    press(page, ".st-key-more .st-key-script button")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".st-key-more > button")).to_be_focused()


def test_escape_in_a_table_closes_its_dialog(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    press(page, ".st-key-start button")
    expect(context(page)).to_contain_text("Your turn")
    press(page, ".st-key-more > button")
    press(page, ".st-key-more .st-key-fork_turn button")
    table = page.get_by_role("dialog").locator("canvas").first
    table.wait_for()
    settled(page)
    table.focus()

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".st-key-more > button").first).to_be_focused()


def press(page: Page, control: str, key: str = "Enter") -> None:
    """Go to the first such control and press a key."""
    page.locator(control).first.focus()
    page.keyboard.press(key)
    settled(page)
    has_keyboard(page)


def write(page: Page, text: str) -> None:
    """Send a message."""
    message_box(page).focus()
    message_box(page).fill(text)
    page.keyboard.press("Enter")
    settled(page)
    has_keyboard(page)


def has_keyboard(page: Page) -> None:
    """Expect the keyboard to be at a control."""
    page.wait_for_function("() => document.activeElement !== document.body", timeout=5_000)
