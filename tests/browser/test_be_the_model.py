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
    open_inputs,
    open_tab,
    run_head,
    settled,
)
from tests.support.factories import direct, document, say, static, tool, when
from tests.support.shapes import SHAPES, Shape, Way

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
    open_tab(page, "Mocks")
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
    expect(desk).to_contain_text("Answer as the model of Chat")
    expect(context(page)).to_contain_text("Answer as the model")
    settled(page)
    desk.get_by_text("to Stock (stock)").click()
    settled(page)
    page.locator(".st-key-desk_answer button").first.click()

    expect(conversation(page)).to_contain_text("In stock:")
    expect(context(page)).to_contain_text("Completed")
    open_tab(page, "Mocks")
    expect(page.locator(".st-key-timeline_pane")).to_contain_text("fails: out of order")


COUNT = """() => {
  window.pressed = 0;
  window.addEventListener("pointerdown", () => { window.pressed += 1; }, true);
}"""


def begin(page: Page, url: str, shape: Shape) -> None:
    """Import a shape and say hello, without a model."""
    open_app(page, url)
    import_workflow(page, "shape.json", shape.make())
    keep_import(page)
    if shape.start:
        open_inputs(page)
        page.locator(".st-key-input_mode").get_by_text("JSON", exact=True).click()
        settled(page)
        editor = page.get_by_role("textbox", name="Run input as JSON")
        editor.fill(json.dumps(shape.start))
        editor.blur()
        settled(page)
    message_box(page).fill("Hello")
    message_box(page).press("Enter")


def walk(page: Page, way: Way) -> None:
    """Take an edge by the button of its step, and send the form as it is then filled."""
    label = way.ends_at.rpartition("/")[2].capitalize()
    page.get_by_role("button", name=f"→ {label}", exact=True).click()
    answer = page.locator(".st-key-desk_answer button")
    expect(answer.or_(page.locator(".st-key-run_end")).first).to_be_visible()
    settled(page)
    if answer.is_visible():
        expect(answer).to_be_in_viewport(ratio=1)
        answer.click()
        expect(answer).to_be_hidden()
    settled(page)


def expect_reached(page: Page, node: str) -> None:
    """Expect that the run has reached a node."""
    if "/" in node:  # the graph does not show what is inside a super node
        expect(conversation(page)).to_contain_text(node.rpartition("/")[2].capitalize())
    else:
        shown = page.locator(f'.node[data-id="{node}"]')
        expect(shown).to_have_accessible_name(re.compile("visited|you are here"))
    if message_box(page).is_disabled():
        expect(page.locator(".st-key-run_end")).to_contain_text("Ended: ")


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_each_edge_is_walked_by_two_clicks(page: Page, app: Server, shape: Shape):
    begin(page, app.url, shape)
    expect(page.locator(".st-key-undecided")).to_be_visible()
    settled(page)
    page.evaluate(COUNT)
    for way in shape.ways:
        if way.is_default:
            expect_reached(page, way.ends_at)
    for place, way in enumerate([way for way in shape.ways if not way.is_default]):
        if place:
            page.locator(".st-key-crumb_0 button").click()  # back to the run that the last walk has left
            expect(page.locator(".st-key-undecided")).to_be_visible()
            settled(page)
        page.evaluate("window.pressed = 0")

        walk(page, way)

        assert page.evaluate("window.pressed") <= 2
        expect_reached(page, way.ends_at)


def test_step_in_graph_is_next_step_of_model(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_app(page, app.url)
    import_workflow(page, "shape.json", SHAPES["worker with schema"].make())
    keep_import(page)
    message_box(page).fill("Hello")
    message_box(page).press("Enter")
    page.locator(".st-key-answer_as_model button").click()
    desk = page.locator(".st-key-desk")
    expect(desk).to_contain_text("Answer as the model of Facts")
    settled(page)

    page.get_by_text("3 possible next steps").last.click()
    page.get_by_role("button", name="→ Unclear").last.click()
    settled(page)

    expect(desk.get_by_role("radio", checked=True)).to_have_accessible_name(re.compile("to Unclear"))
    page.locator(".st-key-desk_answer button").click()
    expect(conversation(page)).to_contain_text("Unclear")
    expect(page.locator(".st-key-run_end")).to_contain_text("Ended: Unclear has no outgoing edge.")


def test_missing_value_is_set_and_run_continues(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_app(page, app.url)
    parts = (
        static("hello", "Hi {{name}}"),
        static("gold", "Gold"),
        when("hello", "gold", "{{tier}} == 'gold'"),
    )
    import_workflow(page, "tiers.json", document(*parts, name="Tiers"))
    keep_import(page)
    message_box(page).fill("Hello")
    message_box(page).press("Enter")

    offer = page.locator(".st-key-missing_values")
    expect(offer).to_contain_text("No value for {{name}}, {{tier}}.")
    settled(page)
    offer.get_by_role("button", name="Set in a fork …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name="Dynamic (2)")).to_be_checked()
    settled(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    settled(page)
    offer.get_by_role("button", name="→ Gold").click()

    expect(conversation(page)).to_contain_text("Gold")
    expect(page.locator(".st-key-run_end")).to_contain_text("Ended: Gold has no outgoing edge.")


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
