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
from tests.browser.test_accessibility import serious_in_light_and_dark
from tests.browser.visible_controls import WINDOW, visible_controls

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).parent / "screenshots"
DEMO = Script.load(script_for("workflow_clinic_front_desk") or "").demo
MOST_CONTROLS = 25


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


def sentence(page: Page) -> Locator:
    """The sentence on both runs."""
    return page.locator(".st-key-compare_sentence")


def pair(page: Page) -> Locator:
    """The chosen row in full."""
    return page.locator(".st-key-compare_pair")


def nodes(page: Page, share: str) -> list[str]:
    """The titles of the nodes that are drawn as only one run's, or as both's."""
    return sorted(page.locator(f".node.{share} .title").all_text_contents())


def test_two_runs_open_where_they_part_and_their_differences_are_walked_through(page: Page, played: Played):
    open_pair(page, played, played.booked, played.handed_over)

    expect(sentence(page)).to_contain_text("A 8 turns, B 5 turns; first difference in turn 5")
    expect(pair(page)).to_contain_text("Input of the turn")
    press(page, "compare_next")
    expect(pair(page)).to_contain_text("user_messages · Opening hours")
    press(page, "compare_previous")
    expect(pair(page)).to_contain_text("Input of the turn")


def test_row_that_is_clicked_shows_both_events(page: Page, played: Played):
    open_pair(page, played, played.booked, played.handed_over)
    chosen = page.locator(".st-key-compare_rows tr[aria-selected=true]")
    expect(pair(page)).to_contain_text("Row 73")
    expect(chosen).to_be_in_viewport()
    expect(page.locator(".st-key-compare_rows tbody tr").nth(72 + 8)).to_be_in_viewport()

    page.locator(".st-key-compare_rows tr[aria-selected=true] + tr").click()
    settled(page)

    expect(pair(page)).to_contain_text("Row 74")
    chosen.press("ArrowDown")
    page.keyboard.press("Enter")
    settled(page)
    expect(pair(page)).to_contain_text("Row 75")


def test_comparison_fills_window_with_few_controls(page: Page, played: Played):
    page.set_viewport_size(WINDOW)
    open_pair(page, played, played.booked, played.handed_over)

    found = visible_controls(page).usable

    assert len(found) <= MOST_CONTROLS, found
    rows, window = page.locator(".st-key-compare_rows").first.bounding_box(), WINDOW["height"]
    assert rows is not None
    assert window - 30 <= rows["y"] + rows["height"] <= window
    assert rows["height"] >= 460
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight") <= window


def test_less_is_ignored_in_one_menu(page: Page, played: Played):
    open_pair(page, played, played.booked, played.handed_over)
    menu = page.get_by_role("button", name=re.compile("^Ignore"))
    expect(menu).to_have_text(re.compile(r"Ignore \(\d+\)"))
    label = menu.inner_text()

    menu.click()
    page.get_by_role("switch", name="times").click()
    settled(page)

    expect(sentence(page)).to_contain_text("first difference in turn 1")
    expect(page.get_by_role("switch", name="times")).to_be_visible()  # another one can be switched at once
    assert menu.inner_text() != label


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


def test_axe_finds_nothing_serious_in_a_comparison(page: Page, played: Played):
    open_pair(page, played, played.older, played.booked)
    found = {}

    for name in ("Events", "Path", "Transcript", "State", "Versions"):
        tab(page, name)
        found[name] = serious_in_light_and_dark(page)
    page.get_by_role("button", name=re.compile("^Ignore")).click()
    found["Ignore"] = serious_in_light_and_dark(page)

    assert found == dict.fromkeys(found, ([], []))


def test_words_state_and_versions_have_tabs_of_their_own(page: Page, played: Played):
    open_pair(page, played, played.older, played.booked)

    tab(page, "Transcript")
    expect(page.locator(".st-key-compare_words")).to_contain_text("+ , the virtual front desk")
    tab(page, "State")
    expect(page.locator(".st-key-compare_state_line")).to_contain_text("2 differences")
    tab(page, "Versions")
    expect(page.locator(".st-key-compare_facts")).to_contain_text("another version")
    expect(page.locator(".st-key-compare_structure tr[aria-selected=true]")).to_have_count(1)
    expect(page.locator(".st-key-compare_fields")).to_contain_text("static_messages_config")


def test_same_versions_leave_no_empty_box(page: Page, played: Played):
    open_pair(page, played, played.booked, played.handed_over)

    tab(page, "Versions")

    expect(page.get_by_text("Both runs ran on the same workflow")).to_be_visible()
    expect(page.locator(".st-key-compare_fields")).to_have_count(0)


def test_run_is_pasted_by_its_id_and_one_that_is_none_is_told(page: Page, played: Played):
    open_app(page, f"{played.url}/compare?a={played.booked}")

    paste(page, "Run B", played.handed_over)
    expect(sentence(page)).to_contain_text("first difference in turn 5")
    expect(page).to_have_url(re.compile(f"b={played.handed_over}"))
    paste(page, "Run B", "nonsense")

    expect(alert(page).first).to_contain_text("'nonsense' is not a run id")
    expect(sentence(page)).to_contain_text("first difference in turn 5")


def test_compared_run_is_opened_at_turn_where_they_part(page: Page, played: Played):
    open_pair(page, played, played.booked, played.handed_over)

    pair(page).get_by_role("link", name="Open B at turn 5").click()
    settled(page)

    expect(page).to_have_url(re.compile(f"run={played.handed_over}&turn=5"))
    expect(context(page)).to_contain_text("Turn 5")
    go_to(page, "Compare")
    expect(sentence(page)).to_contain_text("first difference in turn 5")
    expect(page).to_have_url(re.compile(f"a={played.booked}"))


def test_run_on_view_is_compared_with_previous_run(page: Page, played: Played):
    page.set_default_timeout(45_000)
    open_app(page, f"{played.url}/?run={played.handed_over}")

    go_to(page, "Compare")

    expect(sentence(page)).to_contain_text("first difference in turn 5")
    expect(page).to_have_url(re.compile(f"a={played.booked}&b={played.handed_over}"))
    for label, run_id in (("Run A", played.booked), ("Run B", played.handed_over)):
        picker = page.get_by_role("combobox", name=re.compile(label))
        expect(picker).to_have_value(re.compile(f"Clinic front desk .*{run_id[-6:]}$"))


def paste(page: Page, label: str, text: str) -> None:
    """Type into a picker what it does not offer."""
    page.get_by_role("combobox", name=re.compile(label)).fill(text)
    page.keyboard.press("Enter")
    settled(page)
