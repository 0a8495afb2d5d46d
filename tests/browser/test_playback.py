"""A run of a server in another process that is played and stepped here, with a difference planted in its
record."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from debugger.store.compression import compress, decompress
from tests.browser.conftest import ROOT, Server, free_port, running
from tests.browser.driving import (
    choose_in_menu,
    connect,
    context,
    conversation,
    go_to,
    id_on_view,
    import_workflow,
    keep_import,
    open_app,
    open_tab,
    origin,
    press_in_bar,
    run_id,
    say,
    settled,
    start,
)
from tests.browser.test_forks import desks

SCREENSHOTS = ROOT / "tests/browser/screenshots"

pytestmark = pytest.mark.browser


def plant(database, old: bytes, new: bytes) -> int:
    """Replace bytes in the events of a database's turns; return in how many."""
    with closing(sqlite3.connect(database)) as connection, connection:
        changed = 0
        for number, events in connection.execute("SELECT rowid, events FROM turns").fetchall():
            text = decompress(events)
            if old in text:
                changed += 1
                kept = compress(text.replace(old, new))
                connection.execute("UPDATE turns SET events = ? WHERE rowid = ?", (kept, number))
    return changed


def test_hosted_run_is_played_stepped_and_explained_here(page: Page, app: Server, tmp_path):
    port, api_key = free_port(), "sk-played"
    command = [sys.executable, "-m", "debugger", "serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--database", f"sqlite:///{tmp_path}/hosted.sqlite3", "--api-key", api_key]
    with running(command, "/healthz", port, tmp_path) as api:
        open_app(page, app.url)
        connect(page, f"{api.url}/workflows", api_key)
        go_to(page, "Debug")
        import_workflow(page, "desks.json", desks())
        keep_import(page)
        start(page)
        say(page, "let me in")
        expect(conversation(page)).to_contain_text("Plain desk")
        first, address = run_id(page), page.url
        talk = page.locator(".st-key-talk")

        choose_in_menu(page, "play_record")
        expect(talk).to_contain_text("As recorded: 2 of 2 turns and steps")
        expect(conversation(page)).to_contain_text("Plain desk")
        expect(origin(page)).to_contain_text("played run")
        assert run_id(page) != first
        open_tab(page, "Why")
        page.locator(".st-key-previous_decision button").first.click()
        settled(page)
        expect(page.locator(".why").first).to_contain_text("[[level]] == 'gold'")
        page.screenshot(path=SCREENSHOTS / "played_run.png")

        open_app(page, address)
        expect(id_on_view(page)).to_contain_text(first)
        for key, old, new in ((b"logical_id", b"plain", b"gold"), (b"name", b"Plain", b"Gold")):
            edge = b'"destination_node_%s":"%s"'
            assert plant(tmp_path / "hosted.sqlite3", edge % (key, old), edge % (key, new)) == 1
        choose_in_menu(page, "step_record")
        expect(context(page)).to_contain_text("Before Hi")
        press_in_bar(page, "resume")
        expect(talk).to_contain_text("First difference: turn 2, Chat: → Plain instead of → Gold")
        expect(talk).to_contain_text("Turn 1: as recorded")
        page.screenshot(path=SCREENSHOTS / "played_difference.png")
