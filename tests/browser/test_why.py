"""The inspector's tabs Why, State and Watch."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import choose, open_app, say, settled, start

pytestmark = pytest.mark.browser


def inspector(page: Page):
    return page.locator(".st-key-inspector")


def open_tab(page: Page, name: str) -> None:
    page.locator(".st-key-inspector_tab").get_by_role("radio", name=name).click()
    settled(page)


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()
    settled(page)


def begin(page: Page, app: Server) -> None:
    """A call to the clinic, with two turns of a booking."""
    open_app(page, app.url)
    choose(page, "Workflow", "Clinic front desk")
    start(page)
    say(page, "I'd like to book an appointment, please.")
    say(page, "I'm Ada Moreno, born March 3rd 1985")


def test_each_decision_shows_its_ways_out_with_values_and_reasons(page: Page, app: Server):
    begin(page, app)

    open_tab(page, "Why")
    press(page, "previous_decision")
    expect(inspector(page)).to_contain_text("Booking intake → Booking questions")
    expect(inspector(page)).to_contain_text("isPresent('Ada Moreno') AND isPresent('1985-03-03')")
    expect(inspector(page)).to_contain_text("[[reason]], [[preferred_day]] have no value")
    for _ in range(3):
        press(page, "previous_decision")

    expect(inspector(page)).to_contain_text("Intent desk → Booking intake")
    expect(page.locator(".why li").nth(0)).to_contain_text("book → Booking intake")
    expect(page.locator(".why li").nth(0)).to_contain_text("taken")
    expect(page.locator(".why li").nth(1)).to_contain_text("offered, not chosen")
    expect(page.locator(".st-key-inspector_tab").get_by_role("radio", name="Why")).to_be_checked()


def test_watched_condition_leads_to_event_where_it_became_true(page: Page, app: Server):
    begin(page, app)
    page.get_by_role("radio", name="Watch").click()
    settled(page)

    box = page.get_by_role("textbox", name="Watch a variable")
    box.fill("isPresent([[full_name]])")
    box.press("Enter")
    settled(page)
    page.locator(".st-key-watches tbody tr").first.click()
    settled(page)
    expect(page.locator(".st-key-first_true button").first).to_contain_text(re.compile(r"event \d+ · turn 3"))
    press(page, "first_true")

    expect(page.locator(".st-key-inspector_bar")).to_contain_text("turn 3")
