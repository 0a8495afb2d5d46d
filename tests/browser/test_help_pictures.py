"""Pictures of the help, taken anew by ``pytest -m campaign -n 0 tests/browser/test_help_pictures.py``."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from debugger.exports.sources import RunReader
from debugger.scenarios.reports.html import write_html
from debugger.scenarios.reports.masked import Sources
from tests.browser.conftest import Server
from tests.browser.driving import (
    add_breakpoint,
    choose_in_menu,
    go_to,
    open_app,
    press_in_bar,
    run_id,
    settled,
)
from tests.browser.presenting import CALL, clinic_call
from tests.support.clinic import clinic_call as clinic_run
from tests.support.suites import check, result, scenario, suite

pytestmark = [pytest.mark.browser, pytest.mark.campaign]

WIDTH, HEIGHT = 1060, 660
"""The help shows a picture 860 px wide: at this width the smallest letters stay legible."""
PICTURES = Path(__file__).parents[2] / "debugger" / "docs" / "pictures"


def debug(page: Page, url: str) -> None:
    clinic_call(page, url, CALL[:3])


def why(page: Page, url: str) -> None:
    clinic_call(page, url, CALL[:2])
    page.locator(".st-key-inspector_tab").get_by_text("Why", exact=True).click()
    settled(page)


def script(page: Page, url: str) -> None:
    clinic_call(page, url, CALL[:1])
    choose_in_menu(page, "script")
    expect(page.get_by_role("dialog")).to_contain_text("No problems found")
    settled(page)


def fork(page: Page, url: str) -> None:
    clinic_call(page, url, CALL[:2])
    press_in_bar(page, "fork_turn")
    expect(page.get_by_role("dialog")).to_contain_text("Verified")
    page.get_by_role("dialog").locator("canvas").first.wait_for()  # the table of variables
    settled(page)


def review(page: Page, url: str) -> None:
    clinic_call(page, url, CALL[:2])
    go_to(page, "Review")
    expect(page.get_by_text("Ada Moreno").first).to_be_visible()
    settled(page)


def connection(page: Page, url: str) -> None:
    page.goto(f"{url}/connection")
    settled(page)
    page.get_by_role("radio", name="Hosted API").click()
    settled(page)


def breakpoints(page: Page, url: str) -> None:
    clinic_call(page, url, CALL[:1])
    add_breakpoint(page, condition="isPresent([[full_name]])")
    settled(page)


def runs(page: Page, url: str) -> None:
    for lines in (CALL[:1], CALL[:2], CALL):
        clinic_call(page, url, lines)
    go_to(page, "Runs")
    expect(page.locator(".st-key-runs tbody")).to_contain_text("Clinic front desk")
    settled(page)


def compare(page: Page, url: str) -> None:
    clinic_call(page, url, CALL[:2])
    first = run_id(page)
    clinic_call(page, url, (CALL[0], "Please let me speak to a human."))
    open_app(page, f"{url}/compare?a={first}&b={run_id(page)}")
    expect(page.get_by_text("speak to a human").first).to_be_visible()
    settled(page)


def export(page: Page, url: str) -> None:
    clinic_call(page, url, CALL[:2])
    page.locator(".st-key-export button").first.click()
    page.get_by_role("dialog").locator(".st-key-export_preview tbody tr").first.wait_for()
    settled(page)


def save_scenario(page: Page, url: str) -> None:
    clinic_call(page, url, CALL[:2])
    choose_in_menu(page, "save_scenario")
    expect(page.get_by_role("dialog")).to_be_visible()
    settled(page)


def suites(page: Page, url: str) -> None:
    open_app(page, url)
    go_to(page, "Suites")
    page.get_by_role("button", name=re.compile("sample")).first.click()
    settled(page)
    page.get_by_role("button", name=re.compile("^Run")).first.click()
    expect(page.get_by_text("Passed").first).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0, timeout=60_000)
    settled(page)


VISITS = [
    debug,
    why,
    script,
    fork,
    review,
    connection,
    breakpoints,
    runs,
    compare,
    export,
    save_scenario,
    suites,
]
"""What each picture shows; its file has the name of the function."""


@pytest.mark.parametrize("visit", VISITS)
def test_picture_is_taken(page: Page, app: Server, visit: Callable[[Page, str], None]):
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    visit(page, app.url)
    save(page, visit.__name__)


def test_picture_of_report_is_taken(page: Page, tmp_path: Path):
    backend, run_id = clinic_run()
    reader = RunReader(backend, None)
    failed = result("failed", check(), made=scenario("Booking", tags=["smoke"]), run_id=run_id)
    made = suite(result(made=scenario("Hours", tags=["fast"]), run_id=run_id), failed)
    with (tmp_path / "report.html").open("wb") as file:
        write_html(file, made, Sources(lambda _, run_id: reader.run(run_id)))

    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.locator("#shown")).to_have_text("2 of 2 shown")
    save(page, "report")


def save(page: Page, name: str) -> None:
    """Write the page on view as a picture of the help."""
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)  # some controls are loaded when they are drawn
    picture = Image.open(io.BytesIO(page.screenshot()))
    file = PICTURES / f"{name}.webp"
    picture.save(file, quality=82, method=6)

    assert picture.size == (WIDTH, HEIGHT)
    assert file.stat().st_size < 150_000
