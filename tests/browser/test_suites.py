from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, streamlit_app
from tests.browser.driving import choose_in_menu, go_to, open_app, settled
from tests.browser.presenting import CALL, clinic_call
from tests.browser.visible_controls import WINDOW, visible_controls

SCENARIO = """
version: 1
name: {name}
tags: [{tag}]
workflow: workflow_clinic_front_desk
turns:
  - say: What are your opening hours?
    expect:
      - status: waiting_for_user_input
      - says: {text}
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suites")
    with streamlit_app(folder) as server:
        yield server


def scenario(app: Server, name: str, text: str, tag: str = "smoke") -> Path:
    folder = app.folder / "data" / "workflow-debugger" / "scenarios"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.scenario.yaml"
    file.write_text(SCENARIO.format(name=name, text=text, tag=tag))
    return file


@pytest.fixture
def suites(app, page):
    for file in (app.folder / "data" / "workflow-debugger").glob("scenarios/*"):
        file.unlink()

    def opened() -> Page:
        open_app(page, app.url)
        go_to(page, "Suites")
        return page

    return opened


def rows(page: Page):
    return page.locator(".st-key-suite_results tbody tr, .st-key-suite_results [role=row]")


def result(page: Page, name: str, word: str):
    row = rows(page).filter(has_text=name)
    expect(row).to_contain_text(word, timeout=20_000)
    return row


def run(page: Page, label: str = "Run"):
    page.get_by_role("button", name=re.compile(rf"^{label}")).first.click()


def test_regression_is_red_and_opens_its_turn(app, suites):
    scenario(app, "hours", "open")
    scenario(app, "other", "open")
    page = suites()
    run(page, "Run 2 scenarios")
    result(page, "hours", "Passed")
    scenario(app, "hours", "closed for ever")

    run(page, "Run 2 scenarios")

    result(page, "hours", "Regressed")
    result(page, "other", "Still passing")
    failed = page.locator(".st-key-suite_checks_0").get_by_text("closed for ever")
    failed.click()
    expect(page).to_have_url(re.compile(r"run=[0-9a-f]{24}.*turn=1"), timeout=20_000)
    settled(page)
    expect(page.get_by_text("What are your opening hours?").first).to_be_visible()


def test_difference_and_acceptance_are_in_view(app, suites):
    scenario(app, "hours", "closed for ever and a day, as the sign on the door says")
    page = suites()
    page.set_viewport_size(WINDOW)
    run(page, "Run 1 scenario")
    result(page, "hours", "Failed")
    settled(page)

    texts = page.locator(".st-key-suite_checks_0 td.marks").first.bounding_box()
    accept = page.get_by_role("button", name="Accept what it got …").bounding_box()

    assert texts["width"] >= 240
    assert texts["y"] + texts["height"] <= accept["y"]
    assert accept["y"] + accept["height"] <= WINDOW["height"]


def test_run_failed_runs_those_alone(app, suites):
    scenario(app, "good", "open")
    scenario(app, "bad", "nothing like it")
    page = suites()
    run(page, "Run 2 scenarios")
    result(page, "bad", "Failed")

    page.get_by_role("button", name="Run failed").click()

    expect(page.get_by_text(re.compile(r"^0 passed, 1 failed"))).to_be_visible(timeout=20_000)
    expect(rows(page).filter(has_text="good")).to_contain_text("Not run")


def test_watch_runs_changed_scenario_again(app, suites):
    scenario(app, "kept", "open")
    file = scenario(app, "edited", "nothing like it")
    page = suites()
    run(page, "Run 2 scenarios")
    result(page, "edited", "Failed")
    page.get_by_text("Watch", exact=True).click()

    file.write_text(file.read_text().replace("nothing like it", "open"))

    result(page, "edited", "Fixed")
    expect(page.get_by_text(re.compile(r"^1 passed ·"))).to_be_visible()


def test_mistakes_of_files_are_listed(app, suites):
    file = scenario(app, "broken", "open")
    file.write_text(file.read_text().replace("say:", "sya:"))

    page = suites()

    expect(page.get_by_text("Did you mean 'say'?")).to_contain_text("broken.scenario.yaml:7:5")


def test_other_connections_are_not_run(app, suites):
    file = scenario(app, "remote", "open")
    file.write_text(file.read_text().replace("tags:", "connection: staging\ntags:"))

    page = suites()

    expect(page.get_by_text("1 scenario for other connections")).to_be_visible()
    expect(page.get_by_role("button", name="Run 0 scenarios")).to_be_disabled()


def test_copied_samples_pass(page, tmp_path):
    page.set_viewport_size(WINDOW)
    with streamlit_app(tmp_path) as server:  # in which no suite was run yet
        open_app(page, server.url)
        go_to(page, "Suites")
        page.get_by_role("button", name="Copy the sample scenarios").click()
        settled(page)
        page.get_by_role("button", name="Run 9 scenarios").click()

        expect(page.get_by_text("9 passed")).to_be_visible(timeout=30_000)
        settled(page)
        names = page.locator(".st-key-suite_results td:first-child")
        assert names.evaluate_all("cells => cells.every(cell => cell.scrollWidth <= cell.clientWidth)")


def test_run_is_saved_edited_failed_and_accepted(page, tmp_path):
    with streamlit_app(tmp_path) as server:
        clinic_call(page, server.url, CALL[:1])
        choose_in_menu(page, "save_scenario")
        page.get_by_role("dialog").get_by_role("button", name="Save to suite").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        go_to(page, "Suites")
        rows(page).first.click()
        page.get_by_role("button", name="Edit …").click()
        box = page.get_by_role("dialog").get_by_label("Scenario", exact=True)
        box.fill(box.input_value().replace("status: waiting_for_user_input", "status: completed", 1))
        page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        run(page, "Run 1 scenario")
        expect(rows(page).first).to_contain_text("Failed", timeout=20_000)

        page.get_by_role("button", name="Accept what it got …").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("completed")
        settled(page)
        dialog.get_by_role("button", name="Accept", exact=True).click()
        expect(dialog).to_have_count(0)
        run(page, "Run 1 scenario")

        expect(rows(page).first).to_contain_text("Fixed", timeout=20_000)


def test_suites_has_few_controls(app, suites):
    scenario(app, "good", "open")
    scenario(app, "bad", "nothing like it")
    page = suites()
    page.set_viewport_size(WINDOW)
    run(page, "Run 2 scenarios")
    result(page, "bad", "Failed")

    found = visible_controls(page).usable

    assert len(found) <= 20, found
