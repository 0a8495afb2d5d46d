"""A workflow that came from elsewhere is walked along each of its edges by the page alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import import_workflow, keep_import, message_box, open_app, say, settled

pytestmark = pytest.mark.browser

LIBRARY = json.loads((Path(__file__).parent / "foreign" / "fernleihe.json").read_text())
COUNT = """() => {
  window.pressed = 0;
  window.addEventListener("pointerdown", () => { window.pressed += 1; }, true);
}"""
MOST_PRESSES = 3
TAKEN = "elements => elements.map(element => element.dataset.id)"


@dataclass(frozen=True)
class Way:
    """A way through the workflow in one fork."""

    step: str
    """The beginning of the next step's name; empty where the form has to be asked for."""
    ends_at: str
    option: str = ""
    """The next step to choose in the form."""
    output: str = ""
    """What to type in place of the output that the form has."""


FROM_DESK = (
    Way("Mikrofilm", "Mikrofilm nur im Lesesaal"),
    Way("Kopierauftrag", "Ende"),
    Way("Bestandsprüfung", "Bestellung über den GBV"),
    Way("Bestandsprüfung", "Vor Ort vorhanden", output='{"titel": "Faust", "art": "Buch"}'),
    Way("Bestandsprüfung", "Aufnahme der Bestellung", output='{"titel": "50 %", "art": "Buch"}'),
    Way("", "Abbruch", option="to Abbruch"),
    Way("Kostenhinweis", "Kostenhinweis"),
)
FROM_COSTS = (Way("Kopierauftrag", "Ende"), Way("Abbruch", "Abbruch"))


def walk(page: Page, way: Way) -> None:
    """Take a way with at most three presses."""
    offers = page.locator(".st-key-undecided")
    expect(offers).to_be_visible()
    settled(page)
    page.evaluate("window.pressed = 0")
    offers.get_by_role("button", name=f"→ {way.step}" if way.step else "Answer as the model").click()
    answer = page.locator(".st-key-desk_answer button")
    expect(answer).to_be_visible()
    settled(page)
    if way.option:
        page.locator(".st-key-desk").get_by_text(way.option).click()
        settled(page)
    if way.output:
        field = page.get_by_role("textbox", name="Structured output as JSON")
        field.click()
        field.fill(way.output)
        field.blur()
        settled(page)
    answer.click()
    expect(answer).to_be_hidden()
    here = page.locator(".node[data-id]").and_(page.get_by_label("you are here"))
    expect(here.filter(has_text=way.ends_at[:8])).to_be_visible()
    settled(page)
    assert page.evaluate("window.pressed") <= MOST_PRESSES


def go_back(page: Page, crumb: int) -> None:
    """Return to a run that this one was forked from."""
    page.locator(f".st-key-crumb_{crumb} button").click()
    settled(page)


def taken(page: Page) -> set[str]:
    """Return the edges that the run on view has taken."""
    return set(page.locator(".edge.taken").evaluate_all(TAKEN))


def test_each_edge_of_foreign_workflow_is_walked(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_app(page, app.url)
    import_workflow(page, "fernleihe.json", LIBRARY)
    keep_import(page)
    page.evaluate(COUNT)
    message_box(page).fill("Ich suche den Faust")
    message_box(page).press("Enter")
    walked: set[str] = set()

    for place, way in enumerate(FROM_DESK):
        if place:
            go_back(page, 0)
        walk(page, way)
        walked |= taken(page)
    say(page, "Was kostet das?")
    for place, way in enumerate(FROM_COSTS):
        if place:
            go_back(page, 1)
        walk(page, way)
        walked |= taken(page)

    assert walked == {edge["logical_id"] for edge in LIBRARY["edge_configs"]}
