"""Words that are typed while a browser is slow: each letter reaches the field that it is meant for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import debugger
from tests.browser.conftest import Server
from tests.browser.driving import (
    alert,
    choose,
    context,
    conversation,
    go_to,
    import_workflow,
    keep_import,
    message_box,
    open_app,
    open_workflow,
    press_in_bar,
    settled,
    start,
)
from tests.browser.test_run_input import show_json, write
from tests.support.factories import direct, document, say, static, when

pytestmark = pytest.mark.browser

DOCS = Path(debugger.__file__).parent / "docs"
VIEWS = ("Debug", "Demo")
OPENING = "I'd like to book an appointment, please."
NEXT = "Go on: my name is Ada Moreno, and the date of my birth is March 3, 1990."


def slow_down(page: Page, rate: int) -> None:
    """Let the page's thread have a fraction of the processor."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})


def open_view(page: Page, app: Server, view: str) -> None:
    open_workflow(page, app.url, "Clinic front desk")
    if view == "Demo":
        page.locator(".st-key-skin button").first.click()
        settled(page)
    slow_down(page, 6)


def type_after_start_and_after_send(page: Page) -> None:
    page.locator(".st-key-start button").first.click()
    page.keyboard.type(OPENING, delay=40)
    expect(context(page)).to_contain_text("Turn 1")
    expect(message_box(page)).to_be_enabled()
    settled(page)
    expect(message_box(page)).to_have_value(OPENING)

    page.keyboard.press("Enter")
    page.keyboard.type(NEXT, delay=40)
    expect(conversation(page)).to_contain_text(OPENING)
    expect(context(page)).to_contain_text("Turn 2")
    expect(message_box(page)).to_be_enabled()
    settled(page)
    expect(message_box(page)).to_have_value(NEXT)


@pytest.mark.parametrize("view", VIEWS)
def test_typed_words_are_complete(page: Page, app: Server, view: str):
    open_view(page, app, view)

    type_after_start_and_after_send(page)


@pytest.mark.campaign
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("number", range(20))
def test_typed_words_are_complete_each_time(page: Page, app: Server, view: str, number: int):
    open_view(page, app, view)

    type_after_start_and_after_send(page)


def begin(page: Page, app: Server) -> None:
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    slow_down(page, 6)


def test_words_after_restart_are_of_the_run_that_begins(page: Page, app: Server):
    begin(page, app)
    message_box(page).fill("Of the run before")
    page.locator(".st-key-stop button").click()
    expect(context(page)).to_contain_text("Cancelled")
    settled(page)

    page.locator(".st-key-restart button").first.click()
    page.keyboard.type(OPENING, delay=40)
    expect(context(page)).to_contain_text("Turn 1")
    settled(page)
    expect(message_box(page)).to_have_value(OPENING)
    wander(page, "back")
    expect(message_box(page)).to_have_value("Of the run before")


def test_double_click_on_send_keeps_the_keyboard(page: Page, app: Server):
    begin(page, app)
    message_box(page).fill(OPENING)

    page.locator(".st-key-message .send").dblclick()
    page.keyboard.type("more", delay=40)

    expect(context(page)).to_contain_text("Turn 2")
    settled(page)
    expect(message_box(page)).to_have_value("more")


def test_words_typed_anew_while_paused_step_nothing(page: Page, app: Server):
    begin(page, app)
    page.locator(".st-key-step_event button").click()
    expect(context(page)).to_contain_text("Pauses at the first event")
    message_box(page).fill(OPENING)
    page.keyboard.press("Enter")
    page.keyboard.type("More")
    expect(context(page)).to_contain_text("Paused")
    settled(page)
    expect(message_box(page)).to_have_value("More")
    at = page.locator(".st-key-timeline tbody tr[aria-selected=true]").inner_text()

    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.type("Something", delay=40)

    settled(page)
    expect(message_box(page)).to_have_value("Something")
    assert page.locator(".st-key-timeline tbody tr[aria-selected=true]").inner_text() == at


def test_draft_stays_with_its_workflow_and_run(page: Page, app: Server):
    box = message_box(page)
    open_workflow(page, app.url, "Clinic front desk")
    page.locator(".st-key-start button").first.click()
    expect(context(page)).to_contain_text("Turn 1")
    box.fill("Of the run")
    go_to(page, "Connection")
    go_to(page, "Debug")
    expect(box).to_have_value("Of the run")

    open_workflow(page, app.url, "Clinic front desk")
    choose(page, "Workflow", "Lab results line")
    expect(box).to_have_value("")
    box.fill("Of the other workflow")
    choose(page, "Workflow", "Clinic front desk")
    expect(box).to_have_value("")
    box.fill("Of the clinic")
    settled(page)
    wander(page, "back")
    expect(box).to_have_value("Of the other workflow")
    wander(page, "forward")
    expect(box).to_have_value("Of the clinic")

    page.locator(".st-key-start button").first.click()
    expect(context(page)).to_contain_text("Turn 1")
    settled(page)
    expect(box).to_have_value("Of the clinic")
    wander(page, "back")
    expect(context(page)).to_contain_text("Not started")
    expect(box).to_have_value("")
    wander(page, "forward")
    expect(context(page)).to_contain_text("Turn 1")
    expect(box).to_have_value("Of the clinic")


def wander(page: Page, to: str) -> None:
    """Go back or forward in the browser's history."""
    page.wait_for_timeout(
        1_100
    )  # an address that was left within a second is taken for one of an older click
    page.go_back() if to == "back" else page.go_forward()
    settled(page)


def test_refused_message_begins_no_other_workflow(page: Page, app: Server):
    box = message_box(page)
    open_workflow(page, app.url, "Clinic front desk")
    show_json(page)
    write(page, "Run input as JSON", '{"a":')
    box.fill("For the clinic")
    page.keyboard.press("Enter")
    expect(alert(page).first).to_contain_text("The run input is not JSON")
    expect(box).to_have_value("For the clinic")

    choose(page, "Workflow", "Lab results line")
    expect(box).to_have_value("")
    box.press("Enter")
    choose(page, "Workflow", "Clinic front desk")

    expect(box).to_have_value("For the clinic")
    expect(context(page)).to_contain_text("Not started")


SCRIPT = re.search(r"## The format\n\n```yaml\n(.*?)```", (DOCS / "scripts.md").read_text(), re.DOTALL)[1]
NAMES = (
    "Please. Thank you",
    "A human|person",
    "node_handover again",
    r"do you have (\w+) or not",
    "Which tea would you like? Green or black?",
    "order complete again",
    "In stock",
    "Ready: or not",
)
"""Names of nodes of which lines of the script are a part: they would be offered at the end of the line."""


def open_script(page: Page, app: Server) -> Locator:
    """Open the script of a workflow that has the nodes and the edge of `SCRIPT`; its field is empty then."""
    named = [static(f"node_named_{number}", "Hello", name=name) for number, name in enumerate(NAMES)]
    tea = document(
        say("node_order"),
        say("node_stock"),
        say("node_handover"),
        *named,
        when("node_order", "node_stock", freeform="All is said", name="order complete"),
        direct("node_stock", "node_handover"),
        logical_id="workflow_tea",
        name="Tea",
    )
    open_app(page, app.url)
    import_workflow(page, "tea.json", tea)
    keep_import(page)
    press_in_bar(page, "script")
    editor = page.locator(".st-key-script_text textarea")
    editor.fill("")
    expect(alert(page).first).to_be_visible()
    return editor


def type_script(page: Page, editor: Locator, script: str, pause: int) -> None:
    editor.press_sequentially(script, delay=pause, timeout=300_000)

    expect(editor).to_have_value(script)
    expect(page.get_by_role("dialog")).to_contain_text("No problems found.")
    expect(editor).to_have_value(script)


def test_first_rules_are_what_was_typed(page: Page, app: Server):
    editor = open_script(page, app)

    type_script(page, editor, SCRIPT[: SCRIPT.index("    - if:")], 110)


@pytest.mark.campaign
@pytest.mark.parametrize("pause", [40, 110])
def test_whole_script_is_what_was_typed(page: Page, app: Server, pause: int):
    editor = open_script(page, app)

    type_script(page, editor, SCRIPT, pause)


PLACES = [
    ("nodes:\n  node_st", "node_stock"),
    ("nodes:\n  node_order:\n    - take: order complete a", "order complete again"),
    ("nodes:\n  node_order:\n    - when: x\n      take: in st", "In stock"),
    ("nodes:\n  a:\n    - when: in st", None),
    ("nodes:\n  a:\n    - say: in st", None),
    ("nodes:\n  a:\n    - say: |\n        in st", None),
    ("nodes:\n  a:\n    - say: |\n        take: in st", None),
    ("nodes:\n  a:\n    - say: >-\n        take:\n\n        nodes:\n          in st", None),
    ("nodes:\n  a:\n    - when: |-\n        x\n      take: in st", "In stock"),
    ("nodes:\n  a:\n    - say: in\n        in st", None),
    ('nodes:\n  a:\n    - take: "in st', None),
    ("nodes:\n  a:\n    - take: x  # in st", None),
    ("# in st", None),
    ("nodes:  # in st", None),
    ("demo:\n  - in st", None),
]
"""What is typed, and the name that is offered then."""


def test_names_are_offered_where_one_stands(page: Page, app: Server):
    editor = open_script(page, app)
    options = page.locator(".st-key-script_text [role=option]:visible")

    for text, offered in PLACES:
        editor.fill(text)
        editor.press("Control+ ")
        if offered is None:
            assert options.count() == 0, text
            continue
        expect(options).to_contain_text([offered])
        expect(options.and_(page.locator("[aria-selected=true]"))).to_have_count(0)
        editor.press("Enter")
        expect(editor).to_have_value(f"{text}\n")
        editor.press("Backspace")
        editor.press("ArrowDown")
        editor.press("Enter")
        expect(editor).to_have_value(re.compile(f"{offered}$"))


def test_chosen_name_is_quoted_where_yaml_needs_it(page: Page, app: Server):
    editor = open_script(page, app)
    begin = "version: 1\nworkflow: workflow_tea\nnodes:\n  node_order:\n    - take: "

    editor.fill(f"{begin}read")
    editor.press("Control+ ")
    editor.press("ArrowDown")
    editor.press("Enter")

    expect(editor).to_have_value(f'{begin}"Ready: or not"')
    expect(page.get_by_role("dialog")).to_contain_text("No problems found.")
    editor.press("Control+z")
    expect(editor).to_have_value(f"{begin}read")
