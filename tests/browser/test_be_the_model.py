"""A person answers in a model's place, pins an answer and injects a failure."""

from __future__ import annotations

import json
import re

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
from tests.support.shapes import SHAPES

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
    page.get_by_text("Me (all model calls)").click()
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


COUNT = """() => {
  window.pressed = 0;
  window.addEventListener("pointerdown", () => { window.pressed += 1; }, true);
}"""
WALKS = (
    ("several global nodes", "answer_with_0", None, "Bye"),
    ("several global nodes", "answer_with_3", None, "Law"),
    ("tool node without tool", "answer_as_model", {"success": True, "result": "full"}, "In stock"),
    ("tool node without tool", "answer_with_0", None, "Later"),
    ("super node", "answer_with_1", None, "Done"),
)


@pytest.mark.parametrize(("shape", "offer", "fields", "said"), WALKS)
def test_edge_is_walked_by_two_clicks(page: Page, app: Server, shape, offer, fields, said):
    open_app(page, app.url)
    import_workflow(page, "shape.json", SHAPES[shape].make())
    keep_import(page)
    message_box(page).fill("Hello")
    message_box(page).press("Enter")
    expect(page.locator(".st-key-undecided")).to_be_visible()
    settled(page)
    page.evaluate(COUNT)

    page.locator(f".st-key-{offer} button").click()
    answer = page.locator(".st-key-desk_answer button")
    expect(answer.or_(page.locator(".st-key-run_end")).first).to_be_visible()
    settled(page)
    if fields is not None:
        page.get_by_role("textbox", name="Structured output as JSON").fill(json.dumps(fields))
    if answer.is_visible():
        expect(answer).to_be_in_viewport(ratio=1)
        answer.click()

    expect(conversation(page)).to_contain_text(said)
    expect(page.locator(".st-key-run_end")).to_contain_text("Ended: ")
    assert page.evaluate("window.pressed") <= 2


def test_step_in_graph_is_next_step_of_model(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_app(page, app.url)
    import_workflow(page, "shape.json", SHAPES["worker with schema"].make())
    keep_import(page)
    message_box(page).fill("Hello")
    message_box(page).press("Enter")
    page.locator(".st-key-answer_as_model button").click()
    desk = page.locator(".st-key-desk")
    expect(desk).to_contain_text("Be the model of Facts")
    settled(page)

    page.get_by_text("3 possible next steps").last.click()
    page.get_by_role("button", name="→ Unclear").last.click()
    settled(page)

    expect(desk.get_by_role("radio", checked=True)).to_have_accessible_name(re.compile("to Unclear"))
    page.locator(".st-key-desk_answer button").click()
    expect(conversation(page)).to_contain_text("Unclear")
    expect(page.locator(".st-key-run_end")).to_contain_text("Ended: Unclear has no outgoing edge.")


def test_answer_gives_keyboard_to_message_box(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "orders.json", desk_flow())
    keep_import(page)
    message_box(page).fill("Good morning")
    message_box(page).press("Enter")
    page.locator(".st-key-answer_as_model button").click()
    expect(page.locator(".st-key-desk")).to_be_visible()
    expect(message_box(page)).to_be_hidden()
    settled(page)

    page.locator(".st-key-desk_answer button").click()

    expect(page.locator(".st-key-desk")).to_have_count(0)
    expect(message_box(page)).to_be_focused()
