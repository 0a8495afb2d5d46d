"""The conversation as it begins, and the suggestions below it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import (
    context,
    conversation,
    message_box,
    open_workflow,
    start,
)

pytestmark = pytest.mark.browser


def messages(page: Page) -> Locator:
    return conversation(page).get_by_role("group", name=re.compile("Chat message from (agent|user)"))


def test_first_turn_puts_conversation_in_place_of_setup(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    expect(conversation(page)).to_have_count(0)

    page.locator(".st-key-start button").click()

    expect(context(page)).to_contain_text("Turn 1")
    expect(messages(page)).to_have_count(1)
    expect(page.locator(".st-key-setup_form, .st-key-start")).to_have_count(0)
    expect(message_box(page)).to_be_focused()


def test_suggestions_are_scrolled_by_wheel_and_keyboard(page: Page, app: Server) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    open_workflow(page, app.url, "Clinic front desk")
    start(page)  # before the start they stand in lines of their own
    line = page.locator(".st-key-message .offers")
    buttons = line.locator("button")
    expect(buttons).to_have_count(4)

    assert [_is_within(each, line) for each in (buttons.first, buttons.last)] == [True, False]
    buttons.first.hover()
    page.mouse.wheel(0, 2_000)
    page.wait_for_function("it => it.scrollLeft > 0", arg=line.element_handle())
    assert [_is_within(each, line) for each in (buttons.first, buttons.last)] == [False, True]
    buttons.first.focus()
    assert _is_within(buttons.first, line)


def _is_within(inner: Locator, outer: Locator) -> bool:
    """Return whether an element is not cut by another one at its left or right."""
    one, other = inner.bounding_box(), outer.bounding_box()
    return other["x"] - 1 <= one["x"] and one["x"] + one["width"] <= other["x"] + other["width"] + 1
