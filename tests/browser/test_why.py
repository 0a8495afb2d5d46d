"""The inspector's tabs Why, State and Watch."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import open_tab, open_workflow, say, settled, start

pytestmark = pytest.mark.browser


def inspector(page: Page):
    return page.locator(".st-key-inspector")


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()
    settled(page)


def begin(page: Page, app: Server) -> None:
    """A call to the clinic, with two turns of a booking."""
    open_workflow(page, app.url, "Clinic front desk")
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


def test_prompt_of_past_call_is_shown_as_sent(page: Page, app: Server):
    begin(page, app)
    open_tab(page, "Event")

    page.locator(".st-key-timeline tbody tr", has_text="say_llm").first.click()
    settled(page)

    expect(inspector(page)).to_contain_text("rebuilt")
    expect(inspector(page).locator("code").first).to_contain_text("front desk of Juniper Lane Clinic.")
    sources = page.locator(".st-key-prompt_placeholders tbody tr", has_text="{{agent_name}}").first
    expect(sources).to_contain_text('"Robin"')
    expect(sources).to_contain_text("Default of the workflow")
    page.locator(".st-key-call_view").get_by_role("radio", name="Call").click()
    settled(page)
    expect(inspector(page)).to_contain_text("messages")
    expect(inspector(page)).to_contain_text("I'd like to book an appointment, please.")


def test_names_of_variables_are_not_cut(page: Page, app: Server):
    begin(page, app)
    page.locator(".st-key-variables_bar").get_by_role("switch", name="Per-node copies").click()
    settled(page)

    names = page.locator(".st-key-variables tbody td:first-child")
    expect(names.filter(has_text="node_booking_intake.date_of_birth")).to_have_count(1)
    assert names.evaluate_all("all => all.filter(each => each.scrollWidth > each.clientWidth).length") == 0


def test_watched_condition_leads_to_event_where_it_became_true(page: Page, app: Server):
    begin(page, app)
    open_tab(page, "Watch")
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
