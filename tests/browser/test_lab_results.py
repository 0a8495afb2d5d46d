"""The laboratory's results line as a person plays it: a result that comes unasked, and a booking."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from debugger.engine.models import Script
from debugger.samples import script_for
from tests.browser.conftest import Server
from tests.browser.driving import (
    context,
    conversation,
    message_box,
    open_tab,
    open_workflow,
    say,
    start,
)

pytestmark = pytest.mark.browser

DEMO = Script.load(script_for("workflow_lab_results") or "").demo
LOOKUP_MILLISECONDS = 30_000
"""Enough for the six seconds of the lookup on a busy machine."""


def test_result_is_spoken_unasked_and_follow_up_is_booked(page: Page, app: Server):
    open_workflow(page, app.url, "Lab results line")
    start(page)

    for line in DEMO[:2]:
        say(page, line)
    expect(conversation(page)).to_contain_text(
        "Thank you for waiting, Ada Moreno. Your results are here.", timeout=LOOKUP_MILLISECONDS
    )
    expect(conversation(page)).to_contain_text("background")
    for number, line in enumerate(DEMO[2:], start=4):
        say(page, line)
        expect(context(page)).to_contain_text(f"Turn {number}")

    expect(conversation(page)).to_contain_text(
        "Very well: Tuesday morning with Dr. Okafor, at the practice next door to us."
    )
    expect(conversation(page)).to_contain_text("your confirmation will come by mail")
    expect(context(page)).to_contain_text("Completed")
    open_tab(page, "Side effects")
    expect(page.locator(".st-key-lower_bar")).to_contain_text("1 write (blocked), 1 contact (blocked)")
    expect(message_box(page)).to_be_disabled()
    expect(page.locator(".node[data-id='node_book_follow_up']")).to_contain_text("Book a follow-up")
