"""The time cursor: whatever moves it, the whole page shows one moment."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import context, conversation, message_box, open_tab, settled
from tests.browser.presenting import CALL, clinic_call, press

pytestmark = pytest.mark.browser


def event_on_view(page: Page) -> int:
    """The event of the banner, which everything else has to agree with."""
    expect(context(page)).to_contain_text(re.compile(r"Viewing turn \d+, event \d+"))
    banner = context(page).get_by_text("Viewing turn")
    turn, event = map(int, re.search(r"turn (\d+), event (\d+)", banner.inner_text()).groups())
    expect(page).to_have_url(re.compile(rf"turn={turn}&event={event}\b"))
    expect(page.locator(".st-key-cursor_place")).to_contain_text(f"{event} /")
    expect(page.locator(".st-key-fork_turn")).to_have_attribute(
        "title", re.compile(f"^Fork from turn {turn}:")
    )
    expect(message_box(page)).to_be_disabled()
    return event


def back_to_live(page: Page) -> None:
    press(page, "Escape")
    expect(context(page)).not_to_contain_text("Viewing")
    expect(page).not_to_have_url(re.compile("event="))
    expect(conversation(page).locator(".later")).to_have_count(0)
    expect(message_box(page)).to_be_enabled()


def test_cursor_is_moved_by_row_turn_message_bar_and_decision(page: Page, app: Server):
    page.set_viewport_size({"width": 1600, "height": 1500})
    clinic_call(page, app.url, CALL[:2])
    seen = []

    page.locator(".st-key-timeline tbody tr").filter(has_text="Intent desk → Booking intake").click()
    settled(page)
    seen.append(event_on_view(page))
    expect(page.locator(".st-key-inspector")).to_contain_text(f"After event {seen[-1]} · turn 2")
    expect(page.locator(".node.current")).to_have_attribute("data-id", "node_intent_desk")
    expect(conversation(page).locator(".later").first).to_be_attached()
    back_to_live(page)

    page.locator(".st-key-timeline_density").locator("select").select_option("Turns")
    settled(page)
    page.locator(".st-key-timeline tbody tr").first.click()
    settled(page)
    seen.append(event_on_view(page))
    expect(page.locator(".node.current")).to_have_attribute("data-id", "node_intent_desk")
    back_to_live(page)

    conversation(page).get_by_text(CALL[0]).click()
    settled(page)
    seen.append(event_on_view(page))
    expect(conversation(page).locator(".here")).to_contain_text(CALL[0])
    back_to_live(page)

    open_tab(page, "Gantt")
    page.locator(".st-key-gantt tbody tr").first.click()
    settled(page)
    seen.append(event_on_view(page))
    back_to_live(page)

    page.locator(".st-key-inspector").get_by_role("radio", name="Why", exact=True).click()
    settled(page)
    page.locator(".st-key-previous_decision button").first.click()
    settled(page)
    seen.append(event_on_view(page))

    assert len(set(seen)) > 3


def test_cursor_is_moved_by_keys_and_restored_from_address(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:2])

    press(page, "Shift+ArrowLeft")
    end_of_turn = event_on_view(page)
    press(page, "ArrowLeft")
    before = event_on_view(page)
    press(page, "ArrowLeft")
    assert event_on_view(page) < before < end_of_turn
    press(page, "ArrowRight")
    assert event_on_view(page) == before
    press(page, "Shift+ArrowRight")
    expect(context(page)).not_to_contain_text("Viewing")
    press(page, "Shift+ArrowLeft")

    page.reload()
    settled(page)
    assert event_on_view(page) == end_of_turn
    press(page, "ArrowLeft")
    assert event_on_view(page) == before
    page.wait_for_timeout(
        1_100
    )  # an address that was left within a second is taken for one of an older click
    page.go_back()
    settled(page)
    assert event_on_view(page) == end_of_turn
    back_to_live(page)
