"""The two skins over one session, the shortcuts, and the room that windows give."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server
from tests.browser.driving import context, conversation, go_to, message_box, open_setup, say, settled
from tests.browser.presenting import CALL, clinic_call, press, width_of_page

pytestmark = pytest.mark.browser

SCREENSHOTS = ROOT / "tests" / "browser" / "screenshots"
ID = re.compile(r"[0-9a-f]{24}")


def test_demo_view_shows_same_conversation_and_nothing_technical(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 800})
    clinic_call(page, app.url)
    before = conversation(page).locator(".words").all_inner_texts()

    press(page, "Shift+E")

    expect(page).to_have_url(re.compile("skin=demo"))
    expect(conversation(page).locator(".words")).to_have_text(before)
    expect(page.locator(".st-key-moment")).to_contain_text("Now it is your turn.")
    expect(page.locator(".st-key-inspector, .st-key-timeline_pane, .st-key-run_input")).to_have_count(0)
    expect(page.get_by_test_id("stJson")).to_have_count(0)
    expect(page.get_by_test_id("stMain")).not_to_contain_text(ID)
    page.screenshot(path=SCREENSHOTS / "demo_light.png")


@pytest.mark.parametrize("mode", ["engineer", "demo"])
def test_low_window_keeps_head_and_bar_in_place(page: Page, app: Server, mode: str):
    page.set_viewport_size({"width": 900, "height": 500})
    clinic_call(page, app.url, CALL[:1])
    if mode == "demo":
        press(page, "Shift+E")

    page.mouse.move(450, 20)
    page.mouse.wheel(0, 300)
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 300)")

    assert page.locator(".st-key-head").bounding_box()["y"] == 0
    expect(page.locator(".st-key-run_bar")).to_be_in_viewport(ratio=1)
    expect(message_box(page)).to_be_in_viewport(ratio=1)


def test_demo_view_goes_on_with_run_and_leads_back(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    press(page, "Shift+E")

    say(page, CALL[1])
    engineer = page.get_by_role("button", name="Engineer")
    engineer.hover(force=True)  # it takes no click before the pointer has moved
    engineer.click()
    settled(page)

    expect(page).not_to_have_url(re.compile("skin=demo"))
    expect(context(page)).to_contain_text("Turn 3")
    expect(page.locator(".st-key-inspector")).to_be_visible()


def test_link_opens_demo_view_of_its_run(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    press(page, "Shift+E")
    link = page.url

    page.goto("about:blank")
    page.goto(link)
    settled(page)

    expect(context(page)).to_contain_text("Turn 2")
    expect(conversation(page)).to_contain_text(CALL[0])
    expect(page.locator(".st-key-inspector")).to_have_count(0)


def test_setup_of_demo_view_opens_from_head(page: Page, app: Server):
    clinic_call(page, app.url, ())
    press(page, "Shift+E")

    open_setup(page)

    expect(page.get_by_role("dialog")).to_contain_text("Workflow")
    expect(page.get_by_role("dialog")).to_contain_text("Run input")


def test_capitals_in_message_are_no_shortcuts(page: Page, app: Server):
    clinic_call(page, app.url, ())
    message_box(page).click()
    settled(page)

    page.keyboard.type("SHE said JK")
    settled(page)

    expect(message_box(page)).to_have_value("SHE said JK")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("skin=demo"))


def test_help_lists_shortcuts_and_switches_plain_ones_off(page: Page, app: Server):
    clinic_call(page, app.url, ())

    press(page, "Shift+H")
    page.locator(".st-key-help_topics").get_by_text("Keys", exact=True).click()
    expect(page.locator(".st-key-help_text")).to_contain_text("Previous event on view")
    settled(page)  # a control that is drawn anew loses a click
    page.get_by_test_id("stCheckbox").get_by_text("Shortcuts without Ctrl").click()
    settled(page)
    go_to(page, "Debug")
    press(page, "Shift+E")

    expect(page).not_to_have_url(re.compile("skin=demo"))
    expect(page.locator(".st-key-skin")).not_to_contain_text("Shift")
    page.locator(".st-key-help button").first.click()
    expect(page.get_by_role("textbox", name="Search Help")).to_be_visible()


def test_search_is_reached_by_its_shortcut(page: Page, app: Server):
    clinic_call(page, app.url, ())

    press(page, "Shift+S")

    expect(page.locator(".st-key-timeline_text input")).to_be_focused()


@pytest.mark.parametrize(("width", "height", "rows"), [(1280, 800, 0), (1920, 1080, 4)])
def test_message_box_and_head_of_timeline_show_without_scrolling(
    page: Page, app: Server, width: int, height: int, rows: int
):
    page.set_viewport_size({"width": width, "height": height})
    clinic_call(page, app.url, CALL[:1])

    box = message_box(page).bounding_box()
    head = page.locator(".st-key-timeline th").first.bounding_box()

    page.screenshot(path=SCREENSHOTS / f"debug_{width}.png")
    assert box is not None
    assert head is not None
    assert box["y"] + box["height"] < head["y"]
    assert head["y"] + 20 + 32 * rows < height
    assert width_of_page(page)[0] <= width_of_page(page)[1]
