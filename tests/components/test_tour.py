"""The tour in a browser: beside its control, closed by a key."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from debugger.protocol.json_codec import encode
from debugger.views.panels import tour
from tests.components.driving import Host

pytestmark = pytest.mark.browser

STEPS = [{"title": "Write", "text": "Write a message.", "targets": [".st-key-box"], "done": ""}]


def draw(requests: int) -> None:
    """Draw the tour after so many requests for it."""
    tour._TOUR(key="tour", data={"steps": encode(STEPS).decode(), "requests": requests, "is_first": False})


def test_tour_is_closed_by_escape_unless_something_above_takes_it(host: Host):
    host.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p class=\"dialog\">Sure?</p>')")
    host.draw(lambda: draw(1))
    card = host.page.locator(".card")

    host.page.keyboard.press("Escape")
    expect(card).to_contain_text("Write a message.")
    host.page.evaluate("document.querySelector('.dialog').remove()")
    host.page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    assert host.keys == ["Escape"]

    host.draw(lambda: draw(1))
    expect(card).to_be_hidden()
    host.draw(lambda: draw(2))
    expect(card).to_be_visible()
