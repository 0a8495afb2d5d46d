"""A long run: it opens at its end, turns its pages, and its events can be chosen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from tests.benchmarks.long_runs import record
from tests.browser.conftest import ROOT, streamlit_app
from tests.browser.driving import conversation, open_app, settled

pytestmark = pytest.mark.browser

EVENTS = 3_000
LONG_TURNS = 201
"""The fewest that are read once the page is there, see `actions.open_run`."""
TURNS_IN_SIGHT = """where => {
  const host = [...document.querySelectorAll(where + " *")].find(each => each.shadowRoot) ;
  const root = host ? host.shadowRoot : document.querySelector(where);
  const box = root.querySelector(".box").getBoundingClientRect();
  return [...root.querySelectorAll("tbody tr")]
    .filter(row => row.getBoundingClientRect().top >= box.top)
    .filter(row => row.getBoundingClientRect().bottom <= box.bottom + 1)
    .map(row => row.cells[1].textContent);
}"""


@pytest.fixture(scope="module")
def long_run(tmp_path_factory):
    """The address of a long run."""
    folder = tmp_path_factory.mktemp("long")
    database = f"sqlite:///{folder}/runs.sqlite3"
    backend = EmbeddedBackend(Settings(database=database, responder="rules"))
    run_id = record(backend, EVENTS)
    workflow_id = backend.workflows("Tea room")[0].id
    backend.close()
    with streamlit_app(folder, WORKFLOW_DEBUGGER_DATABASE=database) as server:
        yield f"{server.url}/?backend=embedded&workflow={workflow_id}&run={run_id}"


def test_page_is_there_before_very_long_run_is_read(page: Page, tmp_path: Path):
    database = f"sqlite:///{tmp_path}/runs.sqlite3"
    backend = EmbeddedBackend(Settings(database=database, responder="rules"))
    run_id = record(backend, 0, turns=LONG_TURNS)
    backend.close()
    held = {
        "PYTHONPATH": f"{Path(__file__).parent / 'held_reading'}:{ROOT}",
        "READING_GOES_ON": f"{tmp_path}/go",
    }
    with streamlit_app(tmp_path, WORKFLOW_DEBUGGER_DATABASE=database, **held) as server:
        page.goto(f"{server.url}/?run={run_id}&turn=7")  # no backend named: it is not read ahead
        reading = f"Reading {LONG_TURNS} turns …"
        expect(conversation(page)).to_contain_text(reading, timeout=60_000)
        (tmp_path / "go").touch()

        expect(page.locator(".st-key-inspector")).to_contain_text("turn 7")
        expect(page).to_have_url(re.compile("turn=7"))
        page.wait_for_function(f"where => ({TURNS_IN_SIGHT})(where).includes('7')", arg=".st-key-timeline")


def test_long_run_opens_at_its_end_and_turns_its_pages(page: Page, long_run: str):
    page.set_viewport_size({"width": 1600, "height": 1500})
    open_app(page, long_run)
    density = page.locator(".st-key-timeline_density option:checked")
    rows = page.locator(".st-key-timeline tbody tr")

    expect(density).to_have_text(re.compile(r"Key events · [\d,]+ of 3,0\d\d"))
    page.locator(".st-key-timeline_density").locator("select").select_option("All events")
    settled(page)
    expect(density).to_have_text(re.compile(r"All events · 3,0\d\d"))
    page.locator(".st-key-timeline_page select").select_option("1")
    settled(page)
    rows.nth(1).click()
    settled(page)

    expect(page.locator(".st-key-inspector")).to_contain_text("After event 1 · turn 1")
    page.locator(".st-key-back_to_live button").click()
    settled(page)
    expect(page.locator(".st-key-inspector")).to_contain_text("After the latest event")
    assert page.locator("*").count() < 6_000
