"""Pictures as a person takes them: from the graph's menu and from the export."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import open_workflow, settled, start
from tests.browser.test_accessibility import serious

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parent / "screenshots"


def test_svg_of_the_graphs_menu_opens_by_itself(page: Page, app: Server, tmp_path: Path):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    page.get_by_role("toolbar", name="Graph view").get_by_role("button", name="Picture").click()
    dialog = page.get_by_role("dialog", name="Picture of the graph")
    expect(dialog).to_be_visible()
    settled(page)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "picture_dialog.png")
    assert serious(page) == []
    with page.expect_download() as waiting:
        dialog.get_by_role("button", name="Download picture").click()
    assert waiting.value.suggested_filename == "clinic-front-desk.svg"
    file = tmp_path / "clinic.svg"
    waiting.value.save_as(file)

    page.goto(file.as_uri())

    expect(page.locator("svg > title")).to_have_text("Clinic front desk")
    expect(page.locator("svg text", has_text=re.compile("^Greeting$"))).to_be_visible()
    expect(page.locator("svg text", has_text=re.compile("^green: visited$"))).to_be_visible()
    expect(page.locator("g.edge title", has_text="Greeting to Intent desk: steps 1")).to_have_count(1)
    page.screenshot(path=SCREENSHOTS / "picture_svg.png")


def test_export_of_a_run_has_its_picture(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    page.locator(".st-key-export button").first.click()
    expect(page.get_by_role("dialog", name="Export")).to_be_visible()
    settled(page)
    page.locator(".st-key-export_picture button").first.click()
    settled(page)
    page.locator(".st-key-export_picture_format").get_by_role("button", name="Mermaid").or_(
        page.locator(".st-key-export_picture_format").get_by_role("radio", name="Mermaid")
    ).click()
    settled(page)

    with page.expect_download() as waiting:
        page.locator(".st-key-export_picture_download button").click()

    assert waiting.value.suggested_filename == "clinic-front-desk.mmd"
    assert "flowchart" in Path(waiting.value.path()).read_text(encoding="utf-8")
