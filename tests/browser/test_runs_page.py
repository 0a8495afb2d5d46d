"""The page Runs, notes and recordings in a real browser."""

from __future__ import annotations

import csv
import re
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from debugger.store import Store
from tests.browser.conftest import Server
from tests.browser.driving import (
    choose,
    choose_in_menu,
    conversation,
    go_to,
    head_end,
    id_on_view,
    message_box,
    open_app,
    open_inputs,
    open_tab,
    open_workflow,
    say,
    settled,
    start,
    tick,
)
from tests.support.many_runs import store_walks, walked_workflow

pytestmark = pytest.mark.browser


def test_run_is_noted_found_by_its_words_and_opened_again(app: Server, page: Page):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    say(page, "I want to book an appointment, zebra")
    run_id = (id_on_view(page).text_content() or "").strip()

    open_tab(page, "Notes")
    page.locator(".st-key-star_run button").first.click()
    settled(page)
    type_into(page, "Comment", "Asked twice. ![x](https://evil.example/x.png)")
    page.locator(".st-key-add_comment button").first.click()
    settled(page)
    go_to(page, "Runs")
    type_into(page, "Search", "zebra twice")
    expect(found(page)).to_have_text("1 run")
    tick(page, 0)
    page.locator(".st-key-open_chosen button").first.click()
    settled(page)

    expect(id_on_view(page)).to_contain_text(run_id)
    expect(conversation(page)).to_contain_text("zebra")
    open_tab(page, "Notes")
    expect(page.locator(".st-key-inspector")).to_contain_text("![x](https://evil.example/x.png)")
    expect(page.get_by_role("button", name="Unstar the run")).to_be_visible()


def test_two_ticked_runs_are_compared(app: Server, page: Page):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    choose_in_menu(page, "restart")
    settled(page)
    go_to(page, "Runs")

    tick(page, 0)
    tick(page, 1)
    page.locator(".st-key-compare_chosen button").first.click()
    settled(page)

    page.wait_for_url("**/compare?**")
    assert page.url.count("a=") == page.url.count("b=") == 1
    expect(page.locator(".st-key-compare_sentence")).to_contain_text("Nothing differs")


def test_exported_run_opens_offline_with_everything_else_greyed(app: Server, page: Page, tmp_path: Path):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    say(page, "I want to book an appointment")
    page.locator(".st-key-export button").first.click()
    choose(page, "Format", "Run file")
    with page.expect_download() as waiting:
        page.locator(".st-key-export_download button").first.click()
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    settled(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    settled(page)

    go_to(page, "Runs")
    page.get_by_role("button", name="Open", exact=True).click()
    page.locator("[class*='st-key-recording_'] input[type=file]").set_input_files(file)
    settled(page)
    page.locator(".st-key-open_recording button").first.click()
    settled(page)

    expect(page.locator(".st-key-recording_banner")).to_contain_text("a run from a file")
    expect(conversation(page)).to_contain_text("I want to book an appointment")
    expect(message_box(page)).to_be_disabled()
    expect(page.locator(".st-key-restart button").first).to_be_disabled()
    page.locator(".st-key-leave_recording button").first.click()
    settled(page)
    expect(head_end(page)).to_contain_text("Embedded engine")


def test_saved_input_is_loaded_for_next_run(app: Server, page: Page):
    open_workflow(page, app.url, "Clinic front desk")
    open_inputs(page)
    page.locator(".st-key-presets_menu button").first.click()
    type_into(page, "Name", "Known caller")
    page.locator(".st-key-keep_preset button").first.click()
    settled(page)

    page.locator(".st-key-load_preset button").first.click()
    settled(page)

    expect(page.locator(".st-key-run_input")).to_contain_text("Values carried from preset Known caller")


def test_part_of_the_picture_lists_its_runs_which_are_deleted_and_restored(app: Server, page: Page):
    with closing(Store(f"sqlite:///{app.folder}/data/workflow-debugger/workflow-debugger.sqlite3")) as store:
        workflow_id = store.create_workflow(walked_workflow(), name="Vet desk").id
        store_walks(store, workflow_id, 40, name="Vet desk")
    open_app(page, f"{app.url}/runs")
    choose(page, "Workflow", "Vet desk")
    expect(found(page)).to_have_text("40 runs")

    page.get_by_role("button", name="Statistics").click()
    settled(page)
    page.locator("g.node", has_text="Book").first.click()
    settled(page)
    reached = int(re.search(r"reached by (\d+) runs", page.locator(".st-key-chosen_flow").inner_text())[1])
    page.locator(".st-key-list_reached button").first.click()
    settled(page)
    expect(found(page)).to_have_text(f"{reached} runs")
    page.get_by_role("checkbox", name="Tick all runs of the page").click()
    settled(page)
    page.locator(".st-key-delete_chosen button").first.click()
    page.locator(".st-key-delete_runs button").first.click()
    settled(page)
    page.locator(".st-key-runs_path_clear button").first.click()
    settled(page)
    expect(found(page)).to_have_text(f"{40 - reached} runs")
    page.locator(".st-key-undo_runs button").first.click()
    settled(page)
    expect(found(page)).to_have_text("40 runs")

    page.locator(".st-key-runs_history").get_by_role("button").first.click()
    settled(page)
    go_to(page, "Debug")
    go_to(page, "Runs")
    page.get_by_role("button", name="Filter · 1").click()
    expect(page.get_by_label("From", exact=True)).not_to_have_value("")
    page.keyboard.press("Escape")
    expect(found(page)).to_have_text(re.compile(r"(?:[1-9]|[1-3]\d) runs?"))
    page.locator(".st-key-runs_clear button").first.click()
    settled(page)
    page.get_by_role("button", name="Statistics").click()
    settled(page)
    expect(page.locator(".st-key-statistics_head")).to_contain_text("Runs")


def test_26_runs_are_one_file_in_two_clicks(app: Server, page: Page, tmp_path: Path):
    with closing(Store(f"sqlite:///{app.folder}/data/workflow-debugger/workflow-debugger.sqlite3")) as store:
        workflow_id = store.create_workflow(walked_workflow(), name="Vet clinic").id
        ids = store_walks(store, workflow_id, 26, name="Vet clinic")
    open_app(page, f"{app.url}/runs")
    choose(page, "Workflow", "Vet clinic")

    page.locator(".st-key-export_found button").first.click()
    with page.expect_download() as waiting:
        page.locator(".st-key-export_download button, .st-key-export_start button").first.click()
    waiting.value.save_as(tmp_path / "runs.csv")

    with (tmp_path / "runs.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["run_id"] for row in rows} == set(ids)


def test_full_store_shows_18_rows_and_floating_actions(app: Server, page: Page):
    with closing(Store(f"sqlite:///{app.folder}/data/workflow-debugger/workflow-debugger.sqlite3")) as store:
        workflow_id = store.create_workflow(walked_workflow(), name="Vet ward").id
        store_walks(store, workflow_id, 60, name="Vet ward")
    page.set_viewport_size({"width": 1280, "height": 720})
    open_app(page, f"{app.url}/runs")

    rows = page.locator(".st-key-runs tbody tr")
    rows.first.wait_for()
    seen = rows.evaluate_all(SEEN)
    verdict = page.locator(".st-key-runs thead").get_by_text("Verdict", exact=True).bounding_box()
    floating = page.locator(".st-key-runs_float")
    expect(floating).to_have_count(0)
    tick(page, 0)
    tick(page, 1)
    expect(floating).to_contain_text("2 selected")
    box = floating.bounding_box()
    page.locator(".st-key-more_actions > button").click()
    erase = page.locator(".st-key-erase_chosen button")
    menu = erase.bounding_box()
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1920, "height": 1080})
    settled(page)

    assert seen >= 18
    assert verdict is not None
    assert verdict["x"] + verdict["width"] <= 1280
    assert page.locator(".st-key-runs .box").evaluate("box => box.scrollWidth <= box.clientWidth")
    assert box is not None
    assert menu is not None
    assert box["y"] + box["height"] <= 720
    assert abs(box["x"] + box["width"] / 2 - 640) < 10
    assert 0 < menu["y"] < box["y"]
    expect(page.locator(".st-key-more_actions > button")).to_be_focused()


SEEN = """rows => rows.filter(row => {
  const { top, bottom } = row.getBoundingClientRect();
  const at = document.elementFromPoint(300, (top + bottom) / 2);
  return bottom <= innerHeight && at?.closest(".st-key-runs");
}).length"""
"""Counts rows of which nothing is covered."""


def found(page: Page) -> Locator:
    """Return the number of runs that the filters find."""
    return page.locator(".st-key-runs_count")


def type_into(page: Page, label: str, text: str) -> None:
    """Fill a text field by its label, and leave it."""
    box = page.get_by_label(label, exact=True).last
    box.fill(text)
    box.blur()
    settled(page)
