"""Pictures of the help, taken anew by ``pytest -m campaign -n 0 tests/browser/test_help_pictures.py``."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import choose_in_menu, go_to, press_in_bar, settled
from tests.browser.presenting import CALL, clinic_call

pytestmark = [pytest.mark.browser, pytest.mark.campaign]

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


@pytest.mark.parametrize("visit", [debug, why, script, fork, review, connection])
def test_picture_is_taken(page: Page, app: Server, visit: Callable[[Page, str], None]):
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, app.url)

    picture = Image.open(io.BytesIO(page.screenshot()))
    file = PICTURES / f"{visit.__name__}.webp"
    picture.save(file, quality=82, method=6)

    assert picture.size == (1280, 720)
    assert file.stat().st_size < 150_000
