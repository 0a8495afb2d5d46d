"""A person answers in a model's place, pins an answer and injects a failure."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import (
    context,
    conversation,
    import_workflow,
    keep_import,
    message_box,
    open_app,
    run_head,
    settled,
)
from tests.support.factories import direct, document, say, static, tool, when

pytestmark = pytest.mark.browser


def desk_flow():
    return document(
        say("chat", "You help with orders."),
        tool("stock", "def stock():\n    return 3"),
        static("told", "In stock: [[tool_result]]"),
        when("chat", "stock", freeform="The user asks for stock", name="stock"),
        direct("stock", "told"),
        name="Orders",
    )


def test_edge_is_picked_by_hand_and_tool_made_to_fail(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "orders.json", desk_flow())
    keep_import(page)
    expect(run_head(page)).to_contain_text("Orders")
    page.locator(".st-key-lower_view").get_by_text("Mocks").click()
    settled(page)
    page.get_by_text("I, for every model").click()
    settled(page)
    page.locator(".st-key-fault_error input").fill("out of order")
    page.locator(".st-key-fault_error input").press("Enter")
    settled(page)
    form = page.locator(".st-key-new_fault")
    form.get_by_role("combobox").first.click()
    page.get_by_role("option", name="A tool").click()
    settled(page)
    page.locator(".st-key-fault_add button").first.click()
    settled(page)
    message_box(page).fill("Have you any?")
    message_box(page).press("Enter")

    desk = page.locator(".st-key-desk")
    expect(desk).to_contain_text("Be the model of Chat")
    expect(context(page)).to_contain_text("Be the model")
    settled(page)
    desk.get_by_text("to Stock (stock)").click()
    settled(page)
    page.locator(".st-key-desk_answer button").first.click()

    expect(conversation(page)).to_contain_text("In stock:")
    expect(context(page)).to_contain_text("Completed")
    expect(page.locator(".st-key-timeline_pane")).to_contain_text("fails: out of order")
