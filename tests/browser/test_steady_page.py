"""The page stands still: a press at a place is the same command all through a stepped turn."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import context, message_box, settled
from tests.browser.presenting import CALL, clinic_call

pytestmark = pytest.mark.browser

MOST_SHIFT = 0.02
PLACES = """() => {
  const found = {}, hosts = [...document.querySelectorAll(".st-key-context_bar *")];
  const bar = hosts.map(each => each.shadowRoot).find(Boolean);
  for (const part of bar.querySelectorAll(".st-key-run_bar > .part:has(> button)")) {
    const key = [...part.classList].find(name => name.startsWith("st-key-")).slice(7);
    const { x, y, width, height } = part.firstElementChild.getBoundingClientRect();
    found[key] = [x + width / 2, y + height / 2];
  }
  return found;
}"""
"""Gives the middle of each button of the bar of the run."""
KEY_AT = """([x, y]) => {
  let found = document.elementFromPoint(x, y);
  while (found?.shadowRoot?.elementFromPoint(x, y)) found = found.shadowRoot.elementFromPoint(x, y);
  return [...found.closest(".part").classList].find(name => name.startsWith("st-key-")).slice(7);
}"""
WATCH_SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver(list => window.shifts.push(...list.getEntries().map(each => each.value)))
    .observe({ type: "layout-shift" });
}"""
PRESSES = (
    "step_node",
    "step_event",
    "previous_event",
    "next_event",
    "step_event",
    "step_event",
    "previous_event",
    "next_event",
    "step_event",
    "step_node",
    "resume",
    "stop",
)


def place(page: Page) -> int:
    """Return the event on view."""
    return int(page.locator(".st-key-cursor_place").inner_text().split("/")[0])


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_presses_at_fixed_places_are_same_commands(page: Page, app: Server, size, colour_scheme):
    page.emulate_media(color_scheme=colour_scheme)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    clinic_call(page, app.url, CALL[:2])
    message_box(page).fill(CALL[2])
    settled(page)
    places = page.evaluate(PLACES)
    page.evaluate(WATCH_SHIFTS)
    shifted = {}

    for number, key in enumerate(PRESSES, start=1):
        before, event = place(page), f"press {number}, {key}"
        assert page.evaluate(KEY_AT, places[key]) == key, event
        page.evaluate("window.shifts.length = 0")
        page.mouse.click(*places[key])
        if key == "previous_event":
            expect(context(page)).to_contain_text("Viewing turn 4")
        elif key == "stop":
            expect(context(page)).to_contain_text("Cancelled")
        else:
            expect(page.locator(".st-key-cursor_place")).not_to_have_text(re.compile(f"^{before} /"))
        settled(page)
        if key not in ("previous_event", "stop"):
            assert place(page) > before, event
            expect(context(page)).to_contain_text("Your turn" if key == "resume" else "Paused")
        shifted[event] = round(page.evaluate("window.shifts.reduce((sum, each) => sum + each, 0)"), 4)
        assert {key: at for key, at in page.evaluate(PLACES).items() if key in places} == places, event

    print(shifted)
    assert {event: shift for event, shift in shifted.items() if shift > MOST_SHIFT} == {}


def test_run_id_is_copied_from_menu(page: Page, app: Server):
    clinic_call(page, app.url, ())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".st-key-more > button").click()

    page.get_by_role("button", name="Copy the run id").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert f"run={page.evaluate('navigator.clipboard.readText()')}" in page.url
