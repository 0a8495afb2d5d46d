"""The run input in the browser: each key arrives in the stored run, as the preview said."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from debugger.protocol.run_file import read_run_file
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.session.input_warnings import KNOWN_KEYS
from tests.browser.conftest import Server
from tests.browser.driving import (
    alert,
    choose,
    context,
    conversation,
    export_run,
    import_workflow,
    keep_import,
    message_box,
    open_app,
    open_box,
    open_inputs,
    run_id,
    settled,
    type_into_cell,
)
from tests.support.factories import document, say, static

pytestmark = pytest.mark.browser

STATE = {"threads": {"0": {"node_logical_id": "hello"}}, "dynamic_variables": {"mood": "calm"}}
THREADS = {"0": {"node_run_inputs": [{"type": "llm", "runtime_variables": {"seat": 7}}]}}
INPUT = {
    "dynamic_variables": {"shop": "Oolong", "size": "42"},
    "runtime_variables": {"n": 2},
    "start_node_logical_id": "hello",
    "initial_state": STATE,
    "miscellaneous": {"channel": "web"},
    "thread_to_node_inputs": THREADS,
    "welcome_message": "Welcome to {{shop}}",
    "run_by": "qa",
    "team_id": "team-7",
    "version_number": 1,
}
WARNED_OF = {"team_id", "version_number", "welcome_message"}
"""Keys of `INPUT` that warn on a first turn: the server sets the team, version 0 is chosen, and no event
says the welcome message."""


def flow(name):
    parts = say("chat", "Talk of {{shop}}"), static("hello", "Hi from {{shop}}")
    defaults = {"shop": "Leaf", "size": "42"}
    return {**document(*parts, defaults=defaults, name=name), "runtime_variables": {"n": 1}}


def begin(page: Page, url: str, name: str = "Flow") -> None:
    open_app(page, url)
    import_workflow(page, "flow.json", flow(name))
    keep_import(page)


def show_json(page: Page) -> None:
    if not page.get_by_role("dialog").count():
        open_inputs(page)
    page.locator(".st-key-input_mode").get_by_text("JSON", exact=True).click()
    settled(page)


def write(page: Page, label: str, text: str) -> None:
    """Type into a field and leave it."""
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Tab")
    settled(page)


def fill_form(page: Page) -> None:
    """Give each key of `INPUT` its value by the form."""
    open_inputs(page)
    for tier, text in (("dynamic", "Oolong"), ("runtime", "2")):
        open_box(page, f"edit_start_{tier}_variables")
        type_into_cell(page, f"start_{tier}_variables", row=0, text=text)
        page.locator(f".st-key-edit_start_{tier}_variables button").click()
        settled(page)
    choose(page, "Start node", "Hello")
    page.locator(".st-key-initial_state summary").click()
    write(page, "Initial state as JSON", json.dumps(STATE))
    page.locator(".st-key-more_keys_start summary").click()
    write(page, "Welcome message", INPUT["welcome_message"])
    write(page, "Run by", "qa")
    write(page, "Team id", "team-7")
    page.locator("[class*='st-key-version_number'] input").fill("1")
    page.locator("[class*='st-key-version_number'] input").press("Tab")
    settled(page)
    write(page, "Miscellaneous as JSON", json.dumps(INPUT["miscellaneous"]))
    write(page, "Inputs of threads as JSON", json.dumps(THREADS))


def fill_json(page: Page) -> None:
    """Give each key of `INPUT` its value by the JSON editor."""
    show_json(page)
    write(page, "Run input as JSON", json.dumps(INPUT))


def preview(page: Page) -> dict[str, str]:
    """Return the values of the preview by variable, as it writes both."""
    page.locator(".st-key-input_preview summary").click()
    rows = page.locator(".st-key-input_preview_rows tbody tr")
    expect(rows.first).to_be_visible()
    cells = [row.locator("td").all_inner_texts() for row in rows.all()]
    return {name: value for name, value, source in cells if source != "system"}


def stored(page: Page, folder: Path) -> TurnLog:
    """Return the first turn of the run on view from its run file."""
    path = folder / "run.json"
    export_run(page, file_format="Run file").save_as(path)
    return turn_logs(read_run_file(path.read_bytes()).record())[0]


@pytest.mark.parametrize("fill", [fill_form, fill_json])
def test_each_key_arrives_as_previewed(page: Page, app: Server, tmp_path: Path, fill):
    begin(page, app.url)

    fill(page)
    shown = preview(page)
    warned = set(page.get_by_test_id("stAlert").locator("strong").all_inner_texts())
    page.locator(".st-key-start button").first.click()
    expect(context(page)).to_contain_text("Turn 1")
    settled(page)

    expect(conversation(page)).to_contain_text("Hi from Oolong")
    turn = stored(page, tmp_path)
    taken = turn.run_input.to_wire()
    for key, value in INPUT.items():
        if key.endswith("_variables"):  # the record has those of workflow and system as well
            assert value.items() <= taken[key].items()
        else:
            assert taken[key] == value
    assert INPUT.keys() | {"command", "workflow_id", "workflow_run_id"} == KNOWN_KEYS
    assert warned == WARNED_OF
    state = next(event for event in turn.events if event.type == "workflow_show_state").to_wire()
    variables = state["workflow_runtime_variables"]["_input_dynamic_variables"]
    assert {f"{{{{{name}}}}}": json.dumps(value) for name, value in variables.items()} == {
        name: value for name, value in shown.items() if name.startswith("{{")
    }
    assert {"[[n]]": "2", "[[seat]]": "7"}.items() <= shown.items()


def test_variable_row_is_reverted(page: Page, app: Server):
    begin(page, app.url)
    fill_json(page)
    page.locator(".st-key-input_mode").get_by_text("Form", exact=True).click()
    settled(page)
    page.locator(".st-key-edit_start_dynamic_variables button").click()  # from the table to the list
    settled(page)
    rows = page.locator("[class*='st-key-start_dynamic_variables'] tbody tr")
    expect(rows).to_have_text([re.compile("shop.*Oolong.*edited"), re.compile("size.*42.*default")])

    rows.first.get_by_role("button", name="Revert shop to Leaf").click()

    expect(rows).to_have_text([re.compile("shop.*Leaf.*default"), re.compile("size.*42.*default")])
    expect(page.locator("[class*='st-key-revert_start_dynamic']")).to_have_count(0)


def test_json_error_is_shown_at_its_place(page: Page, app: Server):
    begin(page, app.url)
    show_json(page)
    editor = page.get_by_role("textbox", name="Run input as JSON")
    assert "mono" in editor.evaluate("field => getComputedStyle(field).fontFamily.toLowerCase()")

    write(page, "Run input as JSON", '{\n  "run_by": "qa",\n  "runtime_variables": [1]\n}')

    expect(alert(page).first).to_contain_text("line 3, column 3")
    expect(page.get_by_test_id("stCode").first).to_contain_text('3 │   "runtime_variables": [1]')


def test_refused_start_keeps_input_and_last_view(page: Page, app: Server):
    begin(page, app.url)
    message_box(page).fill("Hello")
    message_box(page).press("Enter")
    expect(conversation(page)).to_contain_text("I heard")
    settled(page)
    before = run_id(page)
    page.locator(".st-key-setup button").click()
    settled(page)
    if page.get_by_role("radio", name="Restart").count():
        page.get_by_role("radio", name="Restart").click()
        settled(page)
    show_json(page)
    refused = json.dumps({"start_node_logical_id": "gone"})
    write(page, "Run input as JSON", refused)
    expect(alert(page).first).to_contain_text("The start node 'gone' is not in this version")

    page.locator(".st-key-restart_now button").first.click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(alert(page).first).to_contain_text("gone")
    expect(conversation(page)).to_contain_text("I heard")
    assert run_id(page) == before


def test_input_belongs_to_its_workflow(page: Page, app: Server):
    begin(page, app.url, "Drafted")
    show_json(page)
    write(page, "Run input as JSON", '{"run_by": ')
    choose(page, "Workflow", "Tea welcome")

    expect(alert(page)).to_have_count(0)
    expect(page.get_by_role("textbox", name="Run input as JSON")).not_to_have_value('{"run_by": ')
    choose(page, "Workflow", "Drafted")

    expect(alert(page).first).to_contain_text("is not JSON")
    expect(page.get_by_role("textbox", name="Run input as JSON")).to_have_value('{"run_by": ')
