"""The question on a turn that ran and could not be stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import streamlit_app
from tests.browser.driving import import_workflow, keep_import, message_box, open_app, settled, start
from tests.browser.test_accessibility import serious
from tests.support.factories import direct, document, node, static
from tests.support.factories import say as say_node
from tests.support.http_server import HttpServer

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parent / "screenshots"


def booking(url: str) -> dict:
    """A workflow that waits for the user, then holds, books, pays and confirms in every turn."""
    names = ("hold", "book", "pay", "confirm")
    calls = [node(name, "http_request", url=f"{url}/{name}", method="POST") for name in names]
    path = ["ask", *names, "done", "ask"]
    return document(
        say_node("ask", self_loop=False),
        *calls,
        static("done", "Your table is booked."),
        *(direct(*ends) for ends in pairwise(path)),
        name="Booking",
    )


@contextmanager
def locking(file: Path) -> Iterator[HttpServer]:
    """A service whose first confirmation locks the database of the app."""
    holder = sqlite3.connect(file, isolation_level=None, check_same_thread=False)

    def confirm(handler) -> None:
        if len(server.received) == 4:
            holder.execute("BEGIN IMMEDIATE")
        handler.send_json({"state": "confirmed"})

    with HttpServer(confirm=confirm) as server:
        server.holder = holder
        yield server
    holder.close()


def question(page: Page) -> Locator:
    return page.locator(".st-key-turn_warning")


def test_unstored_turn_lists_calls_and_asks(page: Page, tmp_path: Path):
    file = tmp_path / "runs.sqlite3"
    settings = {
        "WORKFLOW_DEBUGGER_DATABASE": f"sqlite:///{file}?timeout=1",
        "WORKFLOW_DEBUGGER_OUTBOUND_WRITE": "live",
    }
    page.set_viewport_size({"width": 1280, "height": 720})
    with streamlit_app(tmp_path, **settings) as app, locking(file) as server:
        open_app(page, app.url)
        import_workflow(page, "booking.json", booking(server.url))
        keep_import(page)
        start(page)
        box = message_box(page)
        box.fill("A table for two at eight, please")
        settled(page)

        box.press("Enter")

        expect(question(page)).to_contain_text("ran, made 4 calls and could not be stored.")
        expect(question(page)).to_contain_text(f"POST {server.url}/book · ok 200")
        expect(question(page)).to_contain_text("and 1 more call")
        settled(page)
        assert serious(page) == []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            settled(page)
            page.screenshot(path=SCREENSHOTS / f"unstored_turn_{scheme}.png")

        box.fill("A table for two at eight, please")
        settled(page)
        box.press("Enter")
        settled(page)
        expect(box).to_have_value("A table for two at eight, please")
        assert len(server.received) == 4

        page.get_by_role("button", name="Show calls").click()
        expect(question(page)).to_contain_text(f"POST {server.url}/confirm · ok 200 · Confirm")
        expect(question(page)).to_contain_text("is locked")
        page.screenshot(path=SCREENSHOTS / "unstored_turn_calls.png")

        server.holder.execute("ROLLBACK")
        page.get_by_role("button", name="Send again").click()

        expect(question(page)).to_have_count(0)
        expect(page.locator(".st-key-context_bar")).to_contain_text("Turn 2")
        settled(page)
        assert len(server.received) == 8
