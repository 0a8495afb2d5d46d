"""The two skins over one session, the shortcuts, and the room that windows give."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server
from tests.browser.driving import context, conversation, message_box, open_app, say, settled
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
    assert conversation(page).locator(".words").all_inner_texts() == before
    expect(page.locator(".st-key-demo_bar")).to_contain_text("Slot choice waits for the user's message.")
    expect(page.locator(".st-key-inspector, .st-key-timeline_pane, .st-key-run_input")).to_have_count(0)
    expect(page.get_by_test_id("stJson")).to_have_count(0)
    expect(page.get_by_test_id("stSidebar")).not_to_be_visible()
    expect(page.get_by_test_id("stMain")).not_to_contain_text(ID)
    page.screenshot(path=SCREENSHOTS / "demo_light.png")


def test_sidebar_is_put_away_and_got_back(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 800})
    open_app(page, app.url)
    sidebar = page.get_by_test_id("stSidebar")

    page.get_by_test_id("stSidebarHeader").hover()
    page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()

    expect(sidebar).to_have_attribute("data-collapsed", "true")
    left = page.locator(".st-key-head_bar").bounding_box()["x"]
    back = page.get_by_test_id("stExpandSidebarButton").bounding_box()
    assert back["x"] + back["width"] <= left
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(sidebar).to_have_attribute("data-collapsed", "false")
    expect(sidebar).to_contain_text("Run input")


@pytest.mark.parametrize("skin", ["engineer", "demo"])
def test_what_is_scrolled_away_goes_behind_head(page: Page, app: Server, skin: str):
    page.set_viewport_size({"width": 900, "height": 500})
    clinic_call(page, app.url, CALL[:1])
    if skin == "demo":
        press(page, "Shift+E")
    # At the top of the page the head may stand lower.
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 20)")
    head = {"x": 0, "y": 0, "width": 900, "height": 40}
    settled(page)
    before = page.screenshot(clip=head)

    top = page.get_by_test_id("stMain").evaluate("main => { main.scrollTo(0, 60); return main.scrollTop; }")

    assert top == 60
    page.wait_for_timeout(200)
    assert page.screenshot(clip=head) == before


def test_demo_view_goes_on_with_run_and_leads_back(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    press(page, "Shift+E")

    say(page, CALL[1])
    page.get_by_role("button", name="Engineer view").click()
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

    expect(page.locator(".st-key-demo_bar")).to_contain_text("Turn 2")
    expect(conversation(page)).to_contain_text(CALL[0])
    expect(page.locator(".st-key-inspector")).to_have_count(0)


def test_setup_of_demo_view_opens_from_head(page: Page, app: Server):
    clinic_call(page, app.url, ())
    press(page, "Shift+E")

    page.locator(".st-key-head").get_by_role("button", name="Setup").click()
    settled(page)

    expect(page.get_by_test_id("stPopoverBody")).to_contain_text("Workflow")
    expect(page.get_by_test_id("stPopoverBody")).to_contain_text("Run input")


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
    help_ = page.get_by_role("dialog")
    expect(help_).to_contain_text("One step back")
    help_.get_by_text("Shortcuts without Ctrl").click()
    settled(page)
    page.keyboard.press("Escape")
    settled(page)
    press(page, "Shift+E")

    expect(page).not_to_have_url(re.compile("skin=demo"))
    expect(page.locator(".st-key-skin")).not_to_contain_text("Shift")
    page.locator(".st-key-help button").first.click()
    expect(help_).to_be_visible()


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


def test_tablet_shows_panes_one_below_other(page: Page, app: Server):
    page.set_viewport_size({"width": 820, "height": 1180})
    clinic_call(page, app.url, CALL[:1])

    names = (".st-key-graph_box", ".st-key-conversation", ".st-key-timeline_pane", ".st-key-inspector")
    boxes = [page.locator(name).bounding_box() for name in names]

    page.screenshot(path=SCREENSHOTS / "debug_tablet.png")
    tops = [box["y"] for box in boxes if box]
    assert len(tops) == len(names)
    assert tops == sorted(tops)
    assert all(box and box["width"] > 450 for box in boxes)
    assert width_of_page(page)[0] <= width_of_page(page)[1]
