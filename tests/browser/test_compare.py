"""Two recorded runs of the clinic side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from debugger.backends import open_embedded
from debugger.engine.models import Script
from debugger.protocol.runs import TurnInput
from debugger.samples import script_for
from debugger.settings import Settings
from tests.browser.conftest import streamlit_app
from tests.browser.driving import alert, context, go_to, open_app, settled

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parent / "screenshots"
DEMO = Script.load(script_for("workflow_clinic_front_desk") or "").demo
ROW, HEADER = 32, 35


@dataclass(frozen=True)
class Played:
    """A server, and the ids of the runs that its store has."""

    url: str
    booked: str
    handed_over: str
    older: str


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The app with the demo, the demo with another end, and the demo on the version before."""
    folder = tmp_path_factory.mktemp("compare")
    database = f"sqlite:///{folder}/runs.sqlite3"
    backend = open_embedded(Settings(database=database))
    clinic = next(row.id for row in backend.workflows() if row.label == "Clinic front desk")

    def play(said: tuple[str, ...], version: int) -> str:
        run_id = backend.execute(clinic, TurnInput(), version_number=version).finish().run_id
        for text in said:
            backend.execute(clinic, TurnInput.with_message(text), run_id=run_id).finish()
        return run_id

    ids = play(DEMO, 1), play((*DEMO[:3], "Please let me speak to a human."), 1), play(DEMO, 0)
    backend.close()
    with streamlit_app(folder, WORKFLOW_DEBUGGER_DATABASE=database) as server:
        yield Played(server.url, *ids)


def open_pair(page: Page, played: Played, a: str, b: str) -> None:
    """Open two runs; the first of all pages takes its time."""
    page.set_default_timeout(45_000)
    open_app(page, f"{played.url}/compare?a={a}&b={b}")


def tab(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
    settled(page)


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()
    settled(page)


def pair(page: Page) -> Locator:
    """The chosen row in full."""
    return page.locator(".st-key-compare_pair")


def nodes(page: Page, share: str) -> list[str]:
    """The titles of the nodes that are drawn as only one run's, or as both's."""
    return sorted(page.locator(f".node.{share} .title").all_text_contents())


def test_two_runs_open_where_they_part_and_their_differences_are_walked_through(page: Page, played: Played):
    open_pair(page, played, played.booked, played.handed_over)

    expect(alert(page)).to_contain_text("First difference: turn 5")
    expect(pair(page)).to_contain_text("Input of the turn")
    press(page, "compare_next")
    expect(pair(page)).to_contain_text("user_messages · Opening hours")
    press(page, "compare_previous")
    expect(pair(page)).to_contain_text("Input of the turn")


def test_row_that_is_clicked_shows_both_events(page: Page, played: Played):
    open_pair(page, played, played.booked, played.handed_over)
    grid = page.locator(".st-key-compare_rows canvas").first
    expect(pair(page)).to_contain_text("Row 73")
    settled(page)  # what is drawn above the grid still moves it
    box = grid.bounding_box()

    page.mouse.click(box["x"] + 300, box["y"] + HEADER + ROW * 5.5)
    settled(page)

    expect(pair(page)).to_contain_text("Row 74")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_paths_are_on_one_drawing(chromium: Browser, played: Played, scheme: str):
    context = chromium.new_context(viewport={"width": 1280, "height": 1130}, color_scheme=scheme)
    page = context.new_page()
    open_pair(page, played, played.booked, played.handed_over)

    tab(page, "Path")

    expect(page.locator(".node.only_b")).to_have_count(1)
    assert page.locator(".st-key-graph").first.bounding_box()["height"] > 500
    assert nodes(page, "only_b") == ["Person"]
    assert {"Goodbye", "Find slots", "Offer slots"} <= set(nodes(page, "only_a"))
    assert "Intent desk" in nodes(page, "common")
    dashes = {
        share: page.locator(f".node.{share} .body").first.evaluate("e => getComputedStyle(e).strokeDasharray")
        for share in ("common", "only_a", "only_b")
    }
    assert len(set(dashes.values())) == 3, dashes
    page.screenshot(path=SCREENSHOTS / f"compare_{scheme}.png")
    context.close()


def test_words_state_and_versions_have_tabs_of_their_own(page: Page, played: Played):
    open_pair(page, played, played.older, played.booked)

    tab(page, "Transcript")
    expect(page.locator(".st-key-compare_words")).to_contain_text("+ , the virtual front desk")
    tab(page, "State")
    expect(page.locator(".st-key-compare_state_line")).to_contain_text("2 differences")
    tab(page, "Versions")
    grid = page.locator(".st-key-compare_structure canvas").first
    grid.wait_for()
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 300, box["y"] + HEADER + ROW * 0.5)
    settled(page)
    expect(page.locator(".st-key-compare_fields")).to_contain_text("static_messages_config")


def test_run_is_pasted_by_its_id_and_one_that_is_none_is_told(page: Page, played: Played):
    open_app(page, f"{played.url}/compare?a={played.booked}")

    paste(page, "Run B", played.handed_over)
    expect(alert(page)).to_contain_text("First difference: turn 5")
    expect(page).to_have_url(re.compile(f"b={played.handed_over}"))
    paste(page, "Run B", "nonsense")

    expect(alert(page).first).to_contain_text("'nonsense' is not a run id")
    expect(alert(page).last).to_contain_text("First difference: turn 5")


def test_compared_run_is_opened_at_turn_where_they_part(page: Page, played: Played):
    open_pair(page, played, played.booked, played.handed_over)

    pair(page).get_by_role("link", name="Open B at turn 5").click()
    settled(page)

    expect(page).to_have_url(re.compile(f"run={played.handed_over}&turn=5"))
    expect(context(page)).to_contain_text("Turn 5")
    go_to(page, "Compare")
    expect(alert(page)).to_contain_text("First difference: turn 5")
    expect(page).to_have_url(re.compile(f"a={played.booked}"))


def test_run_on_view_is_compared_with_previous_run(page: Page, played: Played):
    page.set_default_timeout(45_000)
    open_app(page, f"{played.url}/?run={played.handed_over}")

    go_to(page, "Compare")

    expect(alert(page)).to_contain_text("First difference: turn 5")
    expect(page).to_have_url(re.compile(f"a={played.booked}&b={played.handed_over}"))
    for label, run_id in (("Run A", played.booked), ("Run B", played.handed_over)):
        picker = page.get_by_role("combobox", name=re.compile(label))
        expect(picker).to_have_value(re.compile(f"Clinic front desk .*{run_id[-6:]}$"))


def paste(page: Page, label: str, text: str) -> None:
    """Type into a picker what it does not offer."""
    page.get_by_role("combobox", name=re.compile(label)).fill(text)
    page.keyboard.press("Enter")
    settled(page)
