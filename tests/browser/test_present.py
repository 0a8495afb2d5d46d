"""The presenter: a recorded run, step by step."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server
from tests.browser.driving import go_to, open_app, settled
from tests.browser.presenting import CALL, clinic_call, present, press, stage

pytestmark = pytest.mark.browser

SCREENSHOTS = ROOT / "tests" / "browser" / "screenshots"
PRESS_IN_A_SLOW_BROWSER = """button => {
  const soon = window.setTimeout;
  window.setTimeout = (what, after, ...given) => soon(what, after || 260, ...given);
  button.click();
  window.setTimeout = soon;
}"""
"""It tells of a press later than a page that plays asks for news."""


@pytest.fixture(autouse=True)
def as_most_people_see_it(page: Page) -> None:
    """Enable motion, which other tests disable."""
    page.emulate_media(reduced_motion="no-preference")


def test_run_is_stepped_by_keyboard_and_graph_follows(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 800})
    clinic_call(page, app.url, CALL)
    present(page)
    expect(stage(page)).to_contain_text("Before the first word")

    for _ in range(4):
        press(page, "ArrowRight")

    expect(stage(page)).to_contain_text("Intent desk → Booking intake")
    expect(stage(page)).to_contain_text("The caller wants to book a new appointment or see a doctor.")
    expect(page.locator(".node.current")).to_have_attribute("data-id", "node_booking_intake")
    expect(page.locator(".st-key-stage_talk")).to_contain_text(CALL[0])
    expect(page.locator(".st-key-stage_talk")).not_to_contain_text("full name")
    press(page, "ArrowLeft")
    expect(page.locator(".node.current")).to_have_attribute("data-id", "node_intent_desk")


def test_it_plays_to_end_by_itself_and_stands_still_there(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    present(page)
    page.get_by_role("radio", name="4×").click()
    settled(page)

    press(page, "Space")

    expect(page.locator(".st-key-play")).to_contain_text("Pause")
    expect(stage(page)).to_contain_text("So far", timeout=30_000)
    expect(page.locator(".st-key-play")).to_contain_text("Play")
    expect(page.locator(".st-key-stage_talk")).to_contain_text("full name")
    settled(page)


def test_space_pauses_also_while_button_has_keyboard(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    present(page)
    play = page.locator(".st-key-play button")
    play.click()
    expect(play).to_contain_text("Pause")

    play.focus()
    page.keyboard.press("Space")

    expect(play).to_contain_text("Play")
    settled(page)
    expect(play).to_contain_text("Play")


def test_press_counts_once_also_when_page_asks_for_news_before_it_is_told(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    present(page)
    play = page.locator(".st-key-play button")
    play.click()
    expect(play).to_contain_text("Pause")

    play.evaluate(PRESS_IN_A_SLOW_BROWSER)

    expect(play).to_contain_text("Play")
    settled(page)
    expect(play).to_contain_text("Play")


def test_turns_are_jumped_to(page: Page, app: Server):
    clinic_call(page, app.url, CALL)
    present(page)

    press(page, "Shift+ArrowRight")
    press(page, "Shift+ArrowRight")
    expect(stage(page)).to_contain_text("Turn 2 of 5")
    page.get_by_role("combobox", name="Jump to turn").click()
    page.get_by_role("option", name="Turn 4").click()
    settled(page)

    expect(stage(page)).to_contain_text("Turn 4 of 5")
    expect(page.locator(".st-key-stage_talk")).to_contain_text(CALL[2])
    expect(page.locator(".st-key-stage_talk")).not_to_contain_text(CALL[3])


def test_full_screen_leaves_stage_alone_and_is_given_back(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 800})
    clinic_call(page, app.url, CALL)
    present(page)
    press(page, "Shift+ArrowRight")
    press(page, "Shift+ArrowRight")

    page.get_by_role("button", name="Full screen").click()

    expect(page.get_by_role("button", name="Leave full screen")).to_be_visible()
    expect(page.get_by_test_id("stHeader")).not_to_be_visible()
    expect(page.locator(".st-key-head")).not_to_be_visible()
    expect(stage(page)).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "present_light.png")
    page.get_by_role("button", name="Leave full screen").click()
    expect(page.get_by_test_id("stHeader")).to_be_visible()


def test_link_presents_its_run_in_another_browser(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    present(page)
    link = page.url

    page.goto("about:blank")
    page.goto(link)
    settled(page)

    expect(page).to_have_url(re.compile("/present"))
    expect(stage(page)).to_contain_text("Clinic front desk")


def test_without_run_it_says_what_would_be_here(page: Page, app: Server):
    open_app(page, app.url)

    go_to(page, "Present")

    expect(page.get_by_test_id("stMain")).to_contain_text("No run is on view")
    expect(page.get_by_role("link", name="Choose a run")).to_be_visible()


def test_nothing_moves_for_who_wants_no_motion(page: Page, app: Server):
    page.emulate_media(reduced_motion="reduce")
    clinic_call(page, app.url, CALL[:1])
    present(page)
    press(page, "ArrowRight")

    name = page.locator(".st-key-stage_talk .bubble").first.evaluate(
        "element => getComputedStyle(element).animationName"
    )

    assert name == "none"
