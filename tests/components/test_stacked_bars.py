"""A strip of bars in a browser: chosen from by mouse and keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from debugger.views.components.stacked_bars import Bar, Chart, Part, stacked_bars
from tests.components.driving import Host

pytestmark = pytest.mark.browser


def test_days_of_a_strip_are_equally_wide(host: Host):
    parts = [Part("runs", "violet", number, day, day) for day, number in (("Monday", 40), ("Friday", 1))]
    bars = [Bar(part.target, part.count, [part]) for part in parts]
    bars[1:1] = [Bar(day, 0, []) for day in ("Tuesday", "Wednesday", "Thursday")]
    host.draw(
        lambda: stacked_bars("days", [Chart("Days", bars, [])], on_choose=lambda _: None, is_strip=True)
    )

    widths = host.page.locator(".strip > *").evaluate_all(
        "all => all.map(each => Math.round(each.getBoundingClientRect().width))"
    )

    assert len(widths) == 5
    assert max(widths) - min(widths) <= 1
    expect(host.page.get_by_role("button")).to_have_count(2)


def test_strip_has_a_button_of_its_height_for_each_bar(host: Host):
    chosen: list[str] = []

    def draw() -> None:
        parts = [
            Part("runs", "violet", number, day, f"{day}: {number}", is_chosen=day in chosen[-1:])
            for day, number in (("Monday", 40), ("Tuesday", 1), ("Wednesday", 20))
        ]
        bars = [Bar(part.target, part.count, [part]) for part in parts]
        stacked_bars("days", [Chart("Runs by day", bars, [])], on_choose=chosen.append, is_strip=True)

    host.draw(draw)
    days = host.page.get_by_role("button")

    heights = days.evaluate_all("all => all.map(each => each.getBoundingClientRect().height)")
    days.first.focus()
    host.page.keyboard.press("ArrowRight")
    expect(days.nth(1)).to_be_focused()
    host.page.keyboard.press("Enter")
    host.answer()

    assert heights == [24, 24, 24]
    assert chosen == ["Tuesday"]
    expect(days.nth(1)).to_be_focused()
    expect(days.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(days.first).to_have_attribute("aria-pressed", "false")


def test_days_of_a_strip_are_seen_in_forced_colours(host: Host):
    host.page.emulate_media(forced_colors="active")
    parts = [Part("runs", "violet", 4, "Monday", "Monday")]
    bars = [Bar("Monday", 4, parts), Bar("Tuesday", 0, [])]
    host.draw(
        lambda: stacked_bars("days", [Chart("Days", bars, [])], on_choose=lambda _: None, is_strip=True)
    )

    grounds = host.page.locator(".strip :is(span, b)").evaluate_all(
        "all => all.map(each => getComputedStyle(each).backgroundColor)"
    )

    page_ground = host.page.locator("body").evaluate("it => getComputedStyle(it).backgroundColor")
    assert len(grounds) == 2
    assert page_ground not in grounds
