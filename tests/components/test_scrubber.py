"""The slider of a bar in a browser: moved by keys, and played."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Locator, expect

from debugger.views.components.toolbar import Scrubber, bar
from tests.components.driving import Host

pytestmark = pytest.mark.browser


@dataclass
class Run:
    """Events with a place among them."""

    host: Host
    place: int = 5
    last: int = 9
    hold_ms: int = 1
    help: str = ""
    moves: list[int] = field(default_factory=list)
    plays: list[str] = field(default_factory=list)

    @property
    def slider(self) -> Locator:
        return self.host.page.get_by_role("slider", name="Event on view")

    @property
    def button(self) -> Locator:
        return self.host.page.locator(".play")

    def draw(self) -> None:
        self.host.draw(self._draw)

    def _draw(self) -> None:
        words = f"event {self.place} of {self.last}"
        told = {"on_move": self._move, "on_play": self._play, "on_pause": lambda: self.plays.append("pause")}
        look = {"marks": [0, 4], "hold_ms": self.hold_ms, "shortcut": "Space", "help": self.help}
        bar("bar", [Scrubber("scrubber", "Event on view", self.place, self.last, words, **told, **look)])

    def _move(self, place: int) -> None:
        self.place = place
        self.moves.append(place)

    def _play(self) -> None:
        self.place += 1
        self.plays.append("play")


def test_slider_is_moved_by_keys_and_tells_where_it_rests(host: Host):
    run = Run(host)
    run.draw()
    expect(run.slider).to_have_attribute("aria-valuetext", "event 5 of 9")
    run.slider.focus()

    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        host.page.keyboard.press(key)
    host.answer_event("used")

    assert run.moves[-1] == 6
    expect(run.slider).to_have_attribute("aria-valuetext", "event 6 of 9")
    host.page.keyboard.press("End")
    host.answer_event("used")
    assert run.moves[-1] == 9
    expect(run.slider).to_be_focused()


def test_play_goes_on_from_each_answer_until_it_is_paused(host: Host):
    run = Run(host)
    run.draw()

    host.page.keyboard.press("Space")
    expect(run.button).to_have_accessible_name("Pause the play")
    host.answer()
    host.answer_event("used")
    assert run.place == 7
    run.hold_ms = 60_000
    host.answer_event("used")
    host.page.keyboard.press("Space")
    host.answer()

    expect(run.button).to_have_accessible_name("Play the events")
    assert run.plays == ["play", "play", "play", "pause"]


def test_play_ends_at_last_event(host: Host):
    run = Run(host, place=7)
    run.draw()

    run.button.click()
    host.answer()
    host.answer_event("used")

    expect(run.button).to_have_accessible_name("Play the events")
    assert (run.place, run.plays) == (9, ["play", "play"])


def test_move_by_hand_ends_play(host: Host):
    run = Run(host, hold_ms=60_000)
    run.draw()
    run.button.click()
    host.answer()

    run.slider.press("Home")
    host.answer_event("used")

    expect(run.button).to_have_accessible_name("Play the events")
    assert (run.place, run.moves) == (0, [0])


def test_slider_that_cannot_be_moved_says_why(host: Host):
    run = Run(host, help="No event matches the filters.")
    run.draw()

    expect(run.slider).to_be_disabled()
    expect(run.button).to_be_disabled()
    expect(host.page.locator(".scrubber")).to_have_attribute("title", "No event matches the filters.")
    host.page.keyboard.press("Space")
    assert host.events == []
