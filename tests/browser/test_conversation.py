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
from tests.browser.presenting import CALL, clinic_call

pytestmark = pytest.mark.browser

TO_ITS_END = "box => box.scrollHeight - box.clientHeight - box.scrollTop"


def messages(page: Page) -> Locator:
    return conversation(page).get_by_role("group", name=re.compile("Chat message from (agent|user)"))


def scroll(page: Page, by: int) -> float:
    """Turn the wheel over the conversation; return how far its end is then."""
    conversation(page).hover()
    page.mouse.wheel(0, by)
    page.wait_for_timeout(200)
    return conversation(page).evaluate(TO_ITS_END)


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


def test_box_is_at_its_end_whenever_it_grows(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    clinic_call(page, app.url, CALL)
    grow = """async (box, by) => {
      box.querySelector(".said").lastElementChild.style.paddingBottom = by + "px";
      for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
      return box.scrollHeight - box.clientHeight - box.scrollTop;
    }"""

    assert conversation(page).evaluate(grow, 60) <= 1
    assert conversation(page).evaluate(grow, 400) <= 1
    assert scroll(page, -120) > 40
    left = conversation(page).evaluate(TO_ITS_END)
    assert conversation(page).evaluate(grow, 500) == left + 100
