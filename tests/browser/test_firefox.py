"""The first-run journey in Debian's Firefox, which Playwright drives by WebDriver BiDi."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect, sync_playwright

from tests.browser.conftest import Server
from tests.browser.driving import (
    conversation,
    export_run,
    id_on_view,
    message_box,
    open_app,
    open_tab,
    origin,
    press_in_bar,
    run_id,
    say,
    settled,
    start,
)

pytestmark = [pytest.mark.browser, pytest.mark.campaign]


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of Firefox, which reports errors of scripts."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        reason = "no Firefox: apt-get install firefox-esr"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.firefox.launch(executable_path=path, channel="moz-firefox")
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 720}, accept_downloads=True)
        except Error as error:
            if "unknown command" in error.message:
                pytest.skip("this Playwright is too new for this Firefox, see CONTRIBUTING.md")
            raise
        page.set_default_timeout(30_000)
        expect.set_options(timeout=15_000)
        errors: list[Error] = []
        page.on("pageerror", lambda error: errors.append(error))
        yield page
        browser.close()
    assert errors == []


def test_first_run_journey_works_in_firefox(page: Page, app: Server):
    open_app(page, app.url)
    start(page)
    say(page, "I would like to book an appointment")
    expect(conversation(page)).to_contain_text("date of birth")
    first = run_id(page)

    page.locator(".st-key-graph svg, .st-key-graph canvas").first.wait_for()
    open_tab(page, "Metrics")
    page.keyboard.press("m")
    expect(message_box(page)).to_be_focused()

    press_in_bar(page, "fork_turn")
    page.locator(".st-key-run_unedited button").first.click()
    expect(origin(page)).to_contain_text("Verified")
    settled(page)
    fork = run_id(page)
    assert fork != first

    page.goto(f"{app.url}/compare?a={first}&b={fork}")
    settled(page)
    expect(page.locator("[data-testid=stMain]")).to_contain_text("Nothing differs")

    page.goto(f"{app.url}/?run={first}")
    settled(page)
    expect(id_on_view(page)).to_contain_text(first)
    rows = list(csv.DictReader(io.StringIO(Path(export_run(page).path()).read_text(encoding="utf-8-sig"))))
    assert [row["role"] for row in rows][:3] == ["agent", "user", "agent"]
