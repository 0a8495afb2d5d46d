"""The clinic sample as a person plays it, on the embedded engine and through the API over HTTP."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, free_port, running
from tests.browser.driving import (
    choose,
    connect,
    context,
    conversation,
    export_run,
    go_to,
    message_box,
    open_app,
    open_inputs,
    open_setup,
    open_workflow,
    run_head,
    say,
    settled,
    start,
    type_into_cell,
)

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
EXPECTED = HERE / "clinic_transcript.csv"
SCREENSHOTS = HERE / "screenshots"
KEY = "browser-test-key"
DEMO = [
    "Hi, I'd like to book an appointment, please.",
    "My name is Ada Moreno, and I was born on March 3, 1990.",
    "Before I go on, what are your opening hours?",
    "Good to know. It's about a sore knee, and Tuesday would be best.",
    "The earlier one, please.",
    "Yes, please book it.",
    "No, that's all. Thank you!",
]
VOLATILE = {"run_id", "latency_ms", "started_at", "backend", "turn_ms", "run_ms"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Our own server in another process, with the samples and a key."""
    folder = tmp_path_factory.mktemp("api")
    port = free_port()
    command = [sys.executable, "-m", "debugger", "serve", "--port", str(port), "--api-key", KEY]
    with running(command, "/healthz", port, folder) as server:
        yield server


@pytest.mark.parametrize("backend", ["embedded", "hosted"])
def test_clinic_sample_is_played_to_its_end_and_its_transcript_is_expected_one(
    page: Page, app: Server, api: Server, backend: str
):
    open_app(page, app.url)
    if backend == "hosted":
        connect(page, f"{api.url}/workflows", KEY)
        expect(page.get_by_text(re.compile(r"works: \d+ workflows"))).to_be_visible()
        go_to(page, "Debug")
    choose(page, "Workflow", "Clinic front desk")
    start(page)

    for number, line in enumerate(DEMO, start=2):
        say(page, line)
        expect(context(page)).to_contain_text("Completed" if line == DEMO[-1] else "Your turn")
        expect(context(page)).to_contain_text(f"Turn {number}")
    rows = downloaded(page)

    assert plain(rows) == plain(list(csv.DictReader(io.StringIO(EXPECTED.read_text(encoding="utf-8")))))
    expect(conversation(page)).to_contain_text("You are booked, Ada Moreno")
    expect(message_box(page)).to_be_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_shown_half_way_through_call(page: Page, app: Server, scheme: str):
    page.emulate_media(color_scheme=scheme)
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    for line in DEMO[:4]:
        say(page, line)
        expect(context(page)).to_contain_text("Your turn")

    expect(page.locator(".node[data-id='node_offer_slots']")).to_have_class(re.compile("visited"))
    expect(page.locator(".node.current")).to_have_count(1)
    settled(page)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"debug_{scheme}.png")


def test_reload_finds_run_and_conversation_again(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    say(page, DEMO[0])
    expect(context(page)).to_contain_text("Your turn")
    expect(page).to_have_url(re.compile(r"run=[0-9a-f]{24}"))
    address = page.url

    page.reload()
    settled(page)

    expect(conversation(page)).to_contain_text("May I have your full name")
    expect(context(page)).to_contain_text("Your turn")
    assert run_of(page.url) == run_of(address)
    say(page, DEMO[1])
    expect(conversation(page)).to_contain_text("Thank you, Ada Moreno")


def test_variable_is_edited_in_table_and_spoken(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    open_inputs(page)
    type_into_cell(page, "start_dynamic_variables", row=1, text="Sam")
    settled(page)
    start(page)

    expect(conversation(page)).to_contain_text("this is Sam")


def test_variable_is_edited_as_json_and_what_is_no_json_is_told_with_its_place(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    open_inputs(page)
    page.locator(".st-key-input_mode").get_by_text("JSON", exact=True).click()
    settled(page)
    editor = page.get_by_role("textbox", name="Run input as JSON")
    good = editor.input_value()

    editor.fill(good.replace('"Robin"', '"Robin'))
    editor.blur()
    expect(page.locator(".st-key-run_input")).to_contain_text("line 4")
    broken = editor.input_value()
    editor.fill(good.replace('"Robin"', '"Kim"'))
    editor.blur()
    settled(page)
    start(page)

    assert '"Robin,' in broken, "what was typed is kept"
    expect(conversation(page)).to_contain_text("this is Kim")


def test_another_version_greets_in_its_own_words(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    active = conversation(page).inner_text()

    open_setup(page)
    choose(page, "Version", "v0")
    expect(page.get_by_role("dialog")).to_have_count(0)
    start(page)

    expect(run_head(page)).to_contain_text("v0")
    assert conversation(page).inner_text() != active


def test_run_begins_at_another_node_and_is_stopped(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    open_inputs(page)
    choose(page, "Start node", "Billing desk")
    start(page)
    expect(context(page)).to_contain_text("Your turn")
    expect(message_box(page)).to_have_attribute("placeholder", re.compile("Billing"))

    page.get_by_role("button", name="Stop").click()

    expect(context(page)).to_contain_text("Cancelled")
    expect(message_box(page)).to_be_disabled()


def downloaded(page: Page) -> list[dict[str, str]]:
    """The transcript as the browser saved it."""
    text = Path(export_run(page).path()).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def plain(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Rows without what differs from run to run."""
    return [{key: value for key, value in row.items() if key not in VOLATILE} for row in rows]


def run_of(url: str) -> str:
    """The run that an address names."""
    found = re.search(r"run=([0-9a-f]{24})", url)
    assert found is not None, url
    return found[1]
