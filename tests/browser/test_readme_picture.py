"""Animated picture of the README.

Taken anew by ``pytest -m campaign -n 0 tests/browser/test_readme_picture.py``.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import (
    context,
    conversation,
    message_box,
    open_tab,
    open_workflow,
    origin,
    press_in_bar,
    settled,
    start,
)

pytestmark = [pytest.mark.browser, pytest.mark.campaign]

PICTURE = Path(__file__).parent / "screenshots" / "step_why_fork.webp"
WIDTH, HEIGHT = 1000, 640
"""A code host shows pictures 830 px wide: at this width the smallest letters stay legible."""
MAX_BYTES = 1_000_000


@dataclass
class Film:
    """Screenshots of a page, each with how long it is shown."""

    page: Page
    frames: list[Image.Image] = field(default_factory=list)
    durations_ms: list[int] = field(default_factory=list)

    def take(self, duration_ms: int) -> None:
        """Add the page as it is."""
        settled(self.page)
        self.frames.append(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))
        self.durations_ms.append(duration_ms)


def save(frames: Sequence[Image.Image], durations_ms: Sequence[int], file: Path) -> None:
    """Write an animated WebP that repeats without end."""
    first, *rest = frames
    first.save(
        file,
        save_all=True,
        append_images=rest,
        duration=list(durations_ms),
        loop=0,
        quality=80,
        method=6,
    )


def test_picture_of_readme_is_taken(page: Page, app: Server):
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    film = Film(page)
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    film.take(1_500)

    message_box(page).fill("I need a refill, and then an appointment.")
    film.take(1_500)
    for place in ("Before Intent desk", "Before Refill desk"):
        page.locator(".st-key-step_node button").first.click()
        expect(context(page)).to_contain_text(place)
        film.take(1_800)
    page.locator(".st-key-step_turn button").first.click()
    expect(context(page)).to_contain_text("Your turn")
    film.take(2_000)

    open_tab(page, "Why")
    page.locator(".st-key-previous_decision button").first.click()
    settled(page)
    expect(page.get_by_text("Intent desk → Refill desk").first).to_be_visible()
    film.take(3_500)

    press_in_bar(page, "fork_turn")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Verified")
    words = dialog.get_by_label("User message")
    words.fill("I'd like to book an appointment, please.")
    words.press("Control+Enter")
    expect(dialog).to_contain_text("~ message")
    film.take(3_000)
    page.locator(".st-key-run_fork button").first.click()
    expect(dialog).to_have_count(0)
    expect(origin(page)).to_contain_text("fork at turn 2")
    expect(conversation(page)).to_contain_text("appointment, please.")
    film.take(3_500)

    save(film.frames, film.durations_ms, PICTURE)
    with Image.open(PICTURE) as made:
        assert made.size == (WIDTH, HEIGHT)
        assert getattr(made, "n_frames", 1) == len(film.frames)
    assert PICTURE.stat().st_size < MAX_BYTES
