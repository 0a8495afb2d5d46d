"""Exports as a person makes them: the dialog, a file fetched from the route, and the page without network."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from debugger.exports.sources import RunReader, StoreAnnotations
from tests.browser.conftest import Server
from tests.browser.driving import choose, export_run, open_app, say, settled, start
from tests.exports.test_formats import TEXTS, run_of
from tests.support.clinic import clinic_call
from tests.support.exports import options, written

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parent / "screenshots"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dialog_downloads_the_run_in_two_clicks(page: Page, app: Server, scheme: str):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 1280, "height": 720})
    open_app(page, app.url)
    choose(page, "Workflow", "Clinic front desk")
    start(page)
    say(page, "My number is 555-0142")

    download = export_run(page)

    assert download.suggested_filename.startswith("clinic-front-desk-run-")
    with Path(download.path()).open(encoding="utf-8-sig", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert "My number is [phone]" in texts
    settled(page)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"export_{scheme}.png")


def test_page_from_disk_shows_texts_without_network(chromium: Browser, tmp_path: Path):
    file = tmp_path / "runs.html"
    backend, run_id = clinic_call()
    call = RunReader(backend, StoreAnnotations(backend.store)).run(run_id)
    file.write_bytes(written([run_of(*TEXTS), call], options("html")))
    context = chromium.new_context(offline=True)
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))

    page.goto(file.as_uri())

    shown = page.locator("article").first.locator(".message .text").all()
    assert [each.evaluate("node => node.textContent") for each in shown] == TEXTS
    page.get_by_text("Path on the graph").last.click()
    expect(page.locator("svg").last).to_be_visible()
    assert page.locator("svg").last.locator(".edge.taken").count() > 5
    assert page.locator(".message").first.evaluate("node => getComputedStyle(node).borderRadius") != "0px"
    assert told == []
    context.close()
