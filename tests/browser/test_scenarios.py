"""Scenarios on the page: saved from a run, opened, loosened, seen to fail."""

from __future__ import annotations

import copy
import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from debugger.scenarios.loading import load_scenario
from debugger.store import Store
from tests.browser.conftest import streamlit_app
from tests.browser.driving import (
    alert,
    choose_in_menu,
    context,
    conversation,
    open_app,
    press_in_bar,
    say,
    settled,
)
from tests.support.clinic import CALL


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """An app of its own: scripts and workflows of other tests would answer otherwise."""
    with streamlit_app(tmp_path_factory.mktemp("scenarios")) as server:
        yield server


def _dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def _rows(page: Page) -> Locator:
    return page.locator(".st-key-scenario_expectations")


def _checks(page: Page) -> Locator:
    return page.locator(".st-key-scenario_checks")


def _save(page: Page, path: Path) -> None:
    """Download the scenario of the open dialog, and close it."""
    with page.expect_download() as waiting:
        page.locator(".st-key-download_scenario button").first.click()
    waiting.value.save_as(path)
    _dialog(page).get_by_role("button", name="Close").click()
    expect(_dialog(page)).to_be_hidden()
    settled(page)


def _choose_files(page: Page, *paths: Path) -> None:
    files = page.locator("[class*='st-key-scenario_files'] input[type=file]")
    files.set_input_files([str(path) for path in paths])
    settled(page)


def _open(page: Page) -> None:
    page.locator(".st-key-scenario_open_now button").first.click()
    expect(_dialog(page)).to_be_hidden()
    settled(page)


def test_run_is_saved_loosened_and_seen_to_fail(page: Page, tmp_path: Path) -> None:
    with streamlit_app(tmp_path) as server:
        open_app(page, server.url)
        for line in CALL[:3]:
            say(page, line)
        choose_in_menu(page, "save_scenario")
        page.get_by_role("textbox", name="Name").fill("Booking, begun")
        page.get_by_role("textbox", name="Name").press("Enter")
        settled(page)
        text = page.get_by_role("textbox", name="Text")
        _rows(page).get_by_text("says (Greeting)").click()
        expect(text).to_have_value(re.compile("^Thank you for calling"))
        page.get_by_role("radio", name="regex").click()
        expect(text).to_have_value(re.compile(r"^\^Thank you for calling"))
        _rows(page).get_by_text("Booking intake > Opening hours").click()
        expect(text).to_have_value("Booking intake > Opening hours")
        page.get_by_role("radio", name="contains").click()
        expect(text).to_have_value("... > Opening hours > ...")
        settled(page)
        path = tmp_path / "booking.scenario.yaml"
        _save(page, path)
        scenario = load_scenario(path).scenario
        assert scenario.name == "Booking, begun"
        assert scenario.turns[0].expect[2].says.regex.startswith("^Thank you for calling")
        assert scenario.turns[2].expect[1].path == ["...", "Opening hours", "..."]

        _break_workflow(server.folder / "data")
        choose_in_menu(page, "open_scenario")
        _choose_files(page, path)
        _open(page)

        expect(page.locator(".st-key-lower_bar")).to_contain_text("2 failed")
        expect(context(page)).to_contain_text("turn 3")
        expect(_checks(page)).to_contain_text("the path ... > Opening hours > ...")


def _break_workflow(data: Path) -> None:
    """Store another active version of the clinic, in which no question leads to the opening hours."""
    (database,) = data.rglob("*.sqlite3")
    store = Store(f"sqlite:///{database}")
    clinic = next(row for row in store.workflows()[0] if row.name == "Clinic front desk")
    changed = copy.deepcopy(store.document(clinic.id)[1])
    hours = next(node for node in changed["node_configs"] if node["logical_id"] == "node_opening_hours")
    del hours["global_node_config"]
    store.create_version(clinic.id, document=changed, mark_as_active=True)
    store.close()


def test_failed_expectation_opens_its_turn(page: Page, app, tmp_path: Path) -> None:
    path = tmp_path / "wrong.scenario.yaml"
    path.write_text(
        "version: 1\nname: Wrong\nworkflow: workflow_clinic_front_desk\nturns:\n"
        f'  - say: "{CALL[0]}"\n    expect:\n      - status: waiting_for_user_input\n'
        f'  - say: "{CALL[1]}"\n    expect:\n      - says: Thank you, Bob\n'
        f'  - say: "{CALL[2]}"\n'
    )
    open_app(page, app.url)
    press_in_bar(page, "open_scenario")
    _choose_files(page, path)
    _open(page)

    expect(page.locator(".st-key-lower_bar")).to_contain_text("1 failed")
    expect(context(page)).to_contain_text("Viewing turn 2")
    expect(page.locator(".st-key-timeline_pane")).to_contain_text("contains 'Thank you, Bob'; got")
    expect(conversation(page)).not_to_contain_text(CALL[2])
    page.keyboard.press("Escape")
    settled(page)
    page.locator(".st-key-scenario_next button").first.click()
    expect(conversation(page)).to_contain_text(CALL[2])


def test_opened_file_is_edited_and_keeps_its_comments(page: Page, app, tmp_path: Path) -> None:
    path = tmp_path / "commented.scenario.yaml"
    path.write_text(
        "# Of the front desk.\nversion: 1\nname: Tea\nworkflow: workflow_tea_welcome\nturns:\n"
        "    # Nobody says a word.\n    - expect:\n          - status:   completed # at once\n"
    )
    open_app(page, app.url)
    press_in_bar(page, "open_scenario")
    _choose_files(page, path)
    _open(page)
    expect(page.locator(".st-key-lower_bar")).to_contain_text("1 passed")

    choose_in_menu(page, "save_scenario")
    _rows(page).get_by_role("checkbox", name="says (Tea of the day), turn 1").click()
    settled(page)
    _save(page, path)

    assert path.read_text() == (
        "# Of the front desk.\nversion: 1\nname: Tea\nworkflow: workflow_tea_welcome\nturns:\n"
        "    # Nobody says a word.\n    - expect:\n          - status:   completed # at once\n"
        "          - says: Today's tea is a second-flush Assam with a slice of lemon. Enjoy\n"
    )


def test_lex_sheet_comes_back_with_results(page: Page, app, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(
        "Line #,Conversation #,Source,Input,Expected Output Intent\n"
        f'1,1,User,"{CALL[0]}",book\n2,2,User,Can I talk to a real person?,billing\n'
    )
    open_app(page, app.url)
    press_in_bar(page, "open_scenario")
    _choose_files(page, path)
    with page.expect_download() as waiting:
        page.locator(".st-key-lex_results button").first.click()
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text("utf-8-sig").splitlines()))
    assert [row["Result"] for row in rows] == ["pass", "fail"]
    assert "takes the edge 'billing'; got" in rows[1]["Got"]

    _open(page)
    expect(conversation(page)).to_contain_text(CALL[0])
    expect(page.locator(".st-key-lower_bar")).to_contain_text("1 passed")


def test_mistakes_of_a_file_are_shown_with_their_line(page: Page, app, tmp_path: Path) -> None:
    path = tmp_path / "broken.scenario.yaml"
    path.write_text(
        "version: 1\nname: A\nworkflow: w\nturns:\n  - say: Hi\n    expect:\n      - say: Hello\n"
    )
    open_app(page, app.url)
    press_in_bar(page, "open_scenario")
    _choose_files(page, path)

    expect(alert(page).first).to_contain_text("broken.scenario.yaml:7:9: say: this key is unknown")
    expect(page.locator(".st-key-scenario_open_now")).to_have_count(0)


def test_script_is_completed_checked_and_used(page: Page, tmp_path: Path) -> None:
    with streamlit_app(tmp_path) as server:
        open_app(page, server.url)
        press_in_bar(page, "script")
        editor = page.locator(".st-key-script_text textarea")
        editor.fill(
            "version: 1\nworkflow: workflow_clinic_front_desk\nanywhere:\n  - when: hours\n    tak: a"
        )
        expect(alert(page).first).to_contain_text(
            "line 5, column 5: rule 1 of anywhere has the unknown key 'tak'"
        )
        expect(page.locator(".st-key-save_script button").first).to_be_disabled()
        editor.press("Backspace")
        for _ in ": tak":
            editor.press("Backspace")
        page.keyboard.type("take: openin")
        expect(page.get_by_role("option", name="Opening hours node", exact=True)).to_be_visible()
        editor.press("Tab")
        expect(editor).to_have_value(re.compile("take: Opening hours$"))
        expect(alert(page)).to_have_count(0)
        settled(page)
        page.locator(".st-key-save_script button").first.click()
        expect(_dialog(page)).to_be_hidden()
        settled(page)

        say(page, "What are your hours?")

        expect(conversation(page)).to_contain_text("Opening hours · turn 1")
        assert len(list(tmp_path.rglob("workflow_clinic_front_desk.script.yaml"))) == 1


def test_typed_script_outlives_its_dialog(page: Page, app) -> None:
    open_app(page, app.url)
    press_in_bar(page, "script")
    editor = page.locator(".st-key-script_text textarea")
    stored = editor.input_value()
    typed = f"{stored}# not saved yet"

    editor.fill(typed)
    editor.press("Escape")
    expect(_dialog(page)).to_be_hidden()
    settled(page)
    press_in_bar(page, "script")
    expect(editor).to_have_value(typed)
    page.mouse.click(100, 500)  # beside the dialog
    editor.fill(f"{typed}, still")
    _dialog(page).get_by_role("button", name="Close").click()
    expect(_dialog(page)).to_be_hidden()
    settled(page)
    press_in_bar(page, "script")
    expect(editor).to_have_value(f"{typed}, still")

    page.locator(".st-key-discard_script button").first.click()
    expect(editor).to_have_value(stored)
    editor.fill(typed)
    page.locator(".st-key-discard_script button").first.click()
    expect(editor).to_have_value(stored)
