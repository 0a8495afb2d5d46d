"""Inspector and lower pane: low rows that fill their pane, bars of one line, and controls in rows."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import INSPECTOR, open_tab, settled
from tests.browser.presenting import CALL, clinic_call

pytestmark = pytest.mark.browser

LOWER = ("Timeline", "Gantt", "Metrics", "Side effects", "Breakpoints", "Mocks")
WHOLE_ROWS = """selector => {
  const host = document.querySelector(selector + " [data-testid=stBidiComponentIsolated]");
  const box = host.shadowRoot.querySelector(".box");
  const frame = box.getBoundingClientRect(), head = box.querySelector("thead").getBoundingClientRect();
  const rows = [...box.querySelectorAll("tbody tr")].map(row => row.getBoundingClientRect());
  return {
    heights: [...new Set(rows.map(row => Math.round(row.height)))],
    whole: rows.filter(row => row.top >= head.bottom - 1 && row.bottom <= frame.bottom + 1).length,
  };
}"""


def rows(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} tbody tr")


@pytest.mark.parametrize(("width", "height", "most"), [(1280, 720, 8), (1920, 1080, 12)])
def test_rows_fill_lower_pane(page: Page, app: Server, width: int, height: int, most: int):
    page.set_viewport_size({"width": width, "height": height})
    clinic_call(page, app.url, CALL[:2])

    shown = page.evaluate(WHOLE_ROWS, ".st-key-timeline")

    assert shown["heights"] == [25]
    assert shown["whole"] >= most
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight") <= height


def test_bars_stay_in_one_line_and_page_never_scrolls(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    clinic_call(page, app.url, CALL[:2])
    heights = {}

    for bar, names in (("lower_bar", LOWER), ("inspector_bar", INSPECTOR)):
        for name in names:
            open_tab(page, name)
            heights[name] = page.locator(f".st-key-{bar} .bar").bounding_box()["height"]
            assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight") <= 720, name

    assert {name: height for name, height in heights.items() if height > 32} == {}


def test_bars_of_panes_fit_a_window_at_150_percent(page: Page, app: Server):
    page.set_viewport_size({"width": 853, "height": 480})
    clinic_call(page, app.url, CALL[:1])

    for bar in ("lower_bar", "inspector_bar"):
        assert page.locator(f".st-key-{bar} .bar").bounding_box()["height"] <= 32, bar
    for name in INSPECTOR:
        open_tab(page, name)
        sides = page.locator(".st-key-inspector").evaluate("pane => [pane.scrollWidth, pane.clientWidth]")
        assert sides[0] <= sides[1], name


def test_filters_stay_in_sight_beside_opened_tabs_in_a_narrow_window(page: Page, app: Server):
    page.set_viewport_size({"width": 1024, "height": 720})
    clinic_call(page, app.url, CALL[:1])
    for name in (*LOWER[1:], LOWER[0]):
        open_tab(page, name)
    pane = page.locator(".st-key-timeline_pane")

    filters = page.locator(".st-key-timeline_more button").bounding_box()

    assert filters["x"] + filters["width"] <= pane.bounding_box()["x"] + pane.bounding_box()["width"]


def test_rows_after_cursor_are_dimmed_and_metrics_follow_it(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:2])
    later = page.locator(".st-key-timeline tr.later")
    expect(later).to_have_count(0)
    row = rows(page, "timeline").filter(has_text="Intent desk → Booking intake")

    row.click()
    settled(page)

    expect(row).to_have_attribute("aria-selected", "true")
    expect(later.nth(3)).to_be_attached()
    open_tab(page, "Metrics")
    expect(page.locator(".st-key-lower_bar")).to_contain_text("2 turns")
    expect(rows(page, "metrics_nodes")).to_have_count(2)
    open_tab(page, "Gantt")
    expect(page.locator(".st-key-gantt tr.later").first).to_be_attached()


def test_breakpoint_is_switched_off_and_removed_by_keys(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    open_tab(page, "Breakpoints")
    page.locator(".st-key-bp_add button").click()
    settled(page)
    switch = page.get_by_role("checkbox", name="Breakpoint before Greeting")

    switch.press("Space")
    settled(page)
    expect(rows(page, "breakpoints")).to_contain_text("Off")
    expect(switch).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Remove breakpoint before Greeting")).to_be_focused()
    page.keyboard.press("Enter")
    settled(page)

    expect(page.locator(".st-key-timeline_pane")).to_contain_text("No breakpoints yet")
    assert page.evaluate("document.activeElement !== document.body")


def test_chosen_variable_is_shown_in_full_below_its_row(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    clinic_call(page, app.url, CALL[:2])

    rows(page, "variables").filter(has_text="clinic_name").click()
    settled(page)

    expect(page.locator(".st-key-variable")).to_contain_text("Juniper Lane Clinic")
    expect(page.locator(".st-key-variable")).to_be_in_viewport()


def test_tab_behind_more_is_named_with_its_count_and_stays_once_opened(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    clinic_call(page, app.url, CALL[:1])
    expect(page.locator(".st-key-lower_view button")).to_have_text(["Timeline"])
    open_tab(page, "Breakpoints")
    page.locator(".st-key-bp_add button").click()
    settled(page)

    open_tab(page, "Timeline")

    expect(page.locator(".st-key-lower_view button")).to_have_text(["Timeline", "Breakpoints 1"])
    page.locator(".st-key-lower_view_more > button").click()
    menu = page.locator(".st-key-lower_view_more .menu button")
    expect(menu).to_have_text(["Gantt", "Metrics", "Side effects", "Mocks"])


def test_rows_are_found_while_person_types(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:2])
    find = page.get_by_role("textbox", name="Find in timeline")
    before = rows(page, "timeline").count()

    find.press_sequentially("intent desk", delay=60)
    expect(rows(page, "timeline")).not_to_have_count(before)
    settled(page)
    narrowed = rows(page, "timeline").count()
    find.press("Backspace")
    find.press("k")
    settled(page)

    assert 0 < narrowed < before
    expect(find).to_have_value("intent desk")
    expect(find).to_be_focused()


def test_icon_of_pane_is_seen_by_pointer_and_keyboard(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    icon = page.get_by_role("button", name="Maximise pane graph")
    page.mouse.move(5, 5)
    expect(icon).to_have_css("opacity", "0")

    page.locator(".st-key-graph").hover()
    expect(icon).to_have_css("opacity", "1")
    page.mouse.move(5, 5)
    expect(icon).to_have_css("opacity", "0")
    page.get_by_role("button", name="Maximise pane conversation").focus()
    page.keyboard.press("Tab")

    expect(icon).to_be_focused()
    expect(icon).to_have_css("opacity", "1")
    page.mouse.move(5, 6)
    page.emulate_media(forced_colors="active")
    expect(page.get_by_role("button", name="Maximise pane timeline")).to_have_css("opacity", "1")
