"""Calls to services and super nodes, on the page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Window
from tests.browser.driving import (
    conversation,
    import_workflow,
    keep_import,
    message_box,
    open_app,
    open_tab,
    run_head,
    say,
    settled,
    start,
)
from tests.support.factories import direct, document, node, static, when
from tests.support.factories import say as say_node
from tests.support.super_nodes import super_node

pytestmark = pytest.mark.browser


def booking():
    """A greeting, a super node in which the user is asked, and a call that is blocked."""
    inside = document(
        say_node("ask", "Ask the name."),
        static("done", "Booked."),
        when("ask", "done", freeform="The caller gave a name"),
    )
    return document(
        static("hello", "Hello"),
        super_node("booking", inside),
        node("save", "http_request", url="http://127.0.0.1:9/bookings", method="POST"),
        say_node("chat"),
        direct("hello", "booking"),
        direct("booking", "save"),
        direct("save", "chat"),
        name="Bookings",
    )


def begin(page: Page, app: Server) -> None:
    """Import the workflow and start a run of it."""
    open_app(page, app.url)
    import_workflow(page, "booking.json", booking())
    keep_import(page)
    expect(run_head(page)).to_contain_text("Bookings")
    start(page)


def test_run_that_waits_inside_super_node_stands_at_it(page: Page, app: Server):
    begin(page, app)

    expect(page.locator(".node.current")).to_have_attribute("data-id", "booking")
    expect(page.locator(".node.current")).to_have_attribute("aria-label", re.compile("your turn, at Ask"))
    expect(page.locator(".node.missing")).to_have_count(0)
    expect(message_box(page)).to_have_attribute("placeholder", "Booking › Ask waits for the user's message.")


def test_blocked_call_is_shown_with_what_to_set_and_leads_to_its_node(page: Page, app: Server):
    begin(page, app)
    expect(page.locator(".st-key-lower_view_more > button")).to_be_visible()
    say(page, "My name is Ann")
    expect(conversation(page)).to_contain_text("Booking › Done")

    open_tab(page, "Side effects")
    pane = page.locator(".st-key-timeline_pane")
    expect(page.locator(".st-key-lower_bar")).to_contain_text("1 write (blocked)")
    expect(pane).to_contain_text("Set WORKFLOW_DEBUGGER_OUTBOUND_WRITE=live")
    page.locator(".st-key-side_effects tbody tr").first.click()
    settled(page)

    expect(page.locator(".node.selected")).to_have_attribute("data-id", "save")
    expect(page.locator(".st-key-side_effect")).to_contain_text("POST http://127.0.0.1:9/bookings")
    expect(page.locator(".st-key-side_effect a")).to_have_count(0)
    with page.expect_download() as download:
        page.locator(".st-key-download_side_effects button").first.click()
    assert "POST http://127.0.0.1:9/bookings" in download.value.path().read_text()
    assert download.value.suggested_filename.endswith("-side-effects.csv")


@pytest.mark.parametrize("address", ["http://example.com/a", "https://192.0.2.1/b"])
def test_what_page_asks_of_other_machines_is_refused_and_noted(
    page: Page, app: Server, window: Window, address: str
):
    # The content security policy of the app's own pages refuses it before it is a request.
    page.route(f"{app.url}/blank", lambda route: route.fulfill(body=""))
    page.goto(f"{app.url}/blank")
    answer = page.evaluate("address => fetch(address, {mode: 'no-cors'}).catch(String)", address)

    assert "Failed to fetch" in answer
    assert window.outside == [address]
    window.outside.clear()  # or the fixture of the page complains
