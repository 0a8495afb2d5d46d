"""Exports as a person makes them: the dialog, a file fetched from the route, and the page without network."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from debugger.backends import open_embedded
from debugger.exports.sources import RunReader
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.browser.conftest import Server, streamlit_app
from tests.browser.driving import export_run, open_app, open_workflow, say, settled, start
from tests.browser.test_accessibility import serious
from tests.exports.test_formats import TEXTS, run_of
from tests.support.clinic import clinic_call
from tests.support.exports import options, written

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parent / "screenshots"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dialog_downloads_the_run_in_two_clicks(page: Page, app: Server, scheme: str):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 1280, "height": 720})
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    say(page, "My number is 555-0142")

    download = export_run(page)

    assert download.suggested_filename.startswith("clinic-front-desk-run-")
    with Path(download.path()).open(encoding="utf-8-sig", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert "My number is [phone]" in texts
    settled(page)
    page.locator(".st-key-export_preview tbody tr").first.hover()
    expect(page.get_by_role("dialog").get_by_role("button", name=re.compile("Download"))).to_have_count(0)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"export_{scheme}.png")
    for box in ("columns", "masking", "csv"):
        page.locator(f"[class*=_{box}_box] summary").first.click()
        settled(page)
    page.screenshot(path=SCREENSHOTS / f"export_options_{scheme}.png")
    assert serious(page) == []


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with 1,000 runs."""
    folder = tmp_path_factory.mktemp("many")
    url = f"sqlite:///{folder}/runs.sqlite3"
    with closing(open_embedded(Settings(database=url))) as backend:
        clinic = next(each for each in backend.workflows("Clinic front desk"))
        for _ in range(1000):
            backend.execute(clinic.id, TurnInput.with_message(None)).finish()
    with streamlit_app(folder, WORKFLOW_DEBUGGER_DATABASE=url) as server:
        yield server


def csv_of(download: Download) -> list[dict[str, str]]:
    with Path(download.path()).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_large_export_is_cancelled_once_and_then_fetched(page: Page, many: Server):
    open_app(page, f"{many.url}/runs")
    settled(page)
    page.locator(".st-key-export_found button").first.click()
    settled(page)

    page.locator(".st-key-export_start button").first.click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("dialog")).to_contain_text(re.compile(r"[1-9]\d* of 1,000 runs"))
    page.screenshot(path=SCREENSHOTS / "export_progress.png")
    page.locator(".st-key-export_cancel button").first.click()
    settled(page)
    page.locator(".st-key-export_start button").first.click()
    link = page.get_by_role("link", name="Download")
    link.wait_for(timeout=90_000)
    page.screenshot(path=SCREENSHOTS / "export_done.png")
    address = link.get_attribute("href")
    with page.expect_download() as waiting:
        link.click()
    download = waiting.value

    rows = csv_of(download)
    assert len({row["run_id"] for row in rows}) == 1000
    assert download.suggested_filename.startswith("clinic-front-desk-1-000-runs-messages-qa-review-")
    assert page.request.get(f"{many.url}{address}").status == 404, "it was fetched already"


def test_page_from_disk_shows_texts_without_network(chromium: Browser, tmp_path: Path):
    file = tmp_path / "runs.html"
    backend, run_id = clinic_call()
    call = RunReader(backend, backend.store).run(run_id)
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
