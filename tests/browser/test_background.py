"""Background work as a person sees it: a run that goes on although nobody says anything."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import (
    context,
    conversation,
    import_workflow,
    keep_import,
    message_box,
    open_app,
    settled,
)
from tests.support.companions import lab

pytestmark = pytest.mark.browser


def begin(page: Page, app: Server, **graph: object) -> None:
    """Import the workflow and start a run of it."""
    open_app(page, app.url)
    import_workflow(page, "lab.json", lab(**graph))
    keep_import(page)
    page.locator(".st-key-start button").first.click()
    expect(context(page)).to_contain_text("Turn 1")


def background(page: Page):
    """The line about background work."""
    return page.locator(".st-key-background")


def test_goodbye_of_companion_arrives_without_word_of_user(page: Page, app: Server):
    begin(page, app, pause=1, checks=4, name="Lab results")

    expect(background(page)).to_contain_text("Companion labpoll is at Poll")
    expect(page.locator(".node.current")).to_have_count(2)
    expect(conversation(page)).to_contain_text("Your results are here after 4 checks.")

    expect(conversation(page)).to_contain_text("turn 1, background")
    expect(context(page)).to_contain_text("Completed")
    expect(context(page)).to_contain_text("Turn 1")
    expect(background(page)).to_have_count(0)
    expect(page).to_have_url(re.compile("turn=1"))


def test_person_types_undisturbed_while_background_goes_on(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    begin(page, app, pause=1, checks=100, name="Long lab")
    box = message_box(page)
    expect(box).to_be_enabled()
    words = background(page).locator(".words").bounding_box()
    assert words is not None
    assert words["width"] > 100  # beside the switch, which is below, there would be none

    box.click()
    box.press_sequentially("How long will it take?", delay=150)

    expect(box).to_have_value("How long will it take?")
    expect(box).to_be_focused()
    box.press("Enter")
    expect(conversation(page)).to_contain_text("How long will it take?")
    expect(context(page)).to_contain_text("Turn 2")
    page.locator(".st-key-stop button").first.click()
    expect(context(page)).to_contain_text("Cancelled")


def test_background_work_can_be_switched_off_and_advanced_by_hand(page: Page, app: Server):
    begin(page, app, pause=1, checks=3, name="Lab by hand")

    background(page).get_by_text("Advance background work by itself").click()
    expect(background(page)).to_contain_text("It is paused until you advance it.")
    settled(page)
    advance = page.locator(".st-key-advance button")
    for _ in range(10):
        page.wait_for_timeout(1_100)  # the workflow's own pause between two checks
        if not advance.count():
            break
        # Found and pressed in one step: the button goes when the run completes.
        advance.evaluate_all("found => found[0]?.click()")
        settled(page)

    expect(conversation(page)).to_contain_text("Your results are here after 3 checks.")
    expect(context(page)).to_contain_text("Completed")
