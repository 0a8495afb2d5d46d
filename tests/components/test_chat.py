"""The messages of a chat in a browser: scrolled, chosen, and drawn anew only where they are new."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect

from debugger.analysis.chat import ChatMessage, chat_messages
from debugger.views.components.chat import ShowEarlier, chat_box
from debugger.views.components.message_box import message_box
from tests.components.driving import Host
from tests.support.sample_runs import run_of

pytestmark = pytest.mark.browser

CALL = (
    "I'd like to book an appointment, please.",
    "My name is Ada Moreno, born March 3rd 1990.",
    "Before I go on, what are your opening hours?",
    "Good to know. It's about a sore knee, and Tuesday would be best.",
)
ARABIC = "أريد حجز موعد!"
TO_ITS_END = "box => box.scrollHeight - box.clientHeight - box.scrollTop"
SCROLLS = """box => {
  window.hasScrolled = false;
  box.addEventListener("scrollend", () => { window.hasScrolled = true; }, { once: true });
}"""
COUNT_CHANGES = """box => {
  window.counted = { added: 0, removed: 0 };
  new MutationObserver(changes => changes.forEach(({ addedNodes, removedNodes }) => {
    window.counted.added += addedNodes.length;
    window.counted.removed += removedNodes.length;
  })).observe(box.querySelector(".said"), { childList: true, subtree: true, characterData: true });
}"""


@dataclass
class Talk:
    """The conversation of a call with the clinic, as far as it has come."""

    host: Host
    turns: int

    @property
    def box(self) -> Locator:
        return self.host.page.get_by_role("region", name="Conversation")

    @property
    def messages(self) -> Locator:
        return self.host.page.locator(".chat-message")

    def draw(self) -> None:
        session = run_of("Clinic front desk", *CALL)
        said = chat_messages(session.turns[: self.turns], session.index.names)
        self.host.draw(lambda: chat_box("conversation", said, height=240, on_choose=lambda event: None))

    def say(self) -> None:
        """Draw one turn more."""
        self.turns += 1
        self.draw()

    def wait_for_end(self) -> int:
        """Wait until it has scrolled; return how far it is from its end."""
        self.host.page.wait_for_function("window.hasScrolled")
        return int(self.box.evaluate(TO_ITS_END))

    def scroll(self, by: int) -> int:
        """Turn the wheel over the box; return how far it is from its end then."""
        self.box.evaluate(SCROLLS)
        self.box.hover()
        self.host.page.mouse.wheel(0, by)
        return self.wait_for_end()


@pytest.fixture
def talk(host: Host) -> Talk:
    """The conversation after three turns, in a box that is too low for it."""
    host.page.set_viewport_size({"width": 340, "height": 400})
    drawn = Talk(host, 3)
    drawn.draw()
    return drawn


def test_box_goes_to_its_end_with_each_turn(talk: Talk):
    assert talk.box.evaluate("box => box.scrollTop") > 0
    assert talk.box.evaluate(TO_ITS_END) <= 1

    talk.say()

    assert talk.box.evaluate(TO_ITS_END) <= 1
    expect(talk.messages.last).to_be_in_viewport(ratio=0.9)


def test_box_stays_where_person_has_scrolled_up_to_until_they_come_back(talk: Talk):
    assert talk.scroll(-120) > 40
    top = talk.box.evaluate("box => box.scrollTop")
    talk.say()
    assert talk.box.evaluate("box => box.scrollTop") == top
    assert talk.scroll(5_000) <= 1
    talk.say()

    assert talk.box.evaluate(TO_ITS_END) <= 1


def test_turn_touches_only_messages_that_it_adds(talk: Talk):
    before = talk.messages.count()
    talk.box.evaluate(COUNT_CHANGES)

    talk.say()

    added = talk.messages.count() - before
    assert added >= 2
    assert talk.host.page.evaluate("window.counted") == {"added": added, "removed": 0}


def test_box_is_scrolled_by_keyboard(talk: Talk):
    talk.box.focus()
    talk.box.evaluate(SCROLLS)
    talk.host.page.keyboard.press("Home")
    talk.wait_for_end()
    top = talk.box.evaluate("box => box.scrollTop")
    talk.box.evaluate(SCROLLS)
    talk.host.page.keyboard.press("End")

    assert top == 0
    assert talk.wait_for_end() <= 1


def test_messages_are_walked_and_chosen_by_keys(host: Host):
    chosen: list[int] = []
    said = [ChatMessage("user", f"Line {number}", "", 1, 10 + number) for number in range(4)]
    host.draw(lambda: chat_box("conversation", said, height=400, on_choose=chosen.append))
    buttons = host.page.locator(".moment")
    assert host.page.locator('.moment[tabindex="0"]').count() == 1
    buttons.last.focus()

    for key, place in (("ArrowUp", 2), ("Home", 0), ("ArrowUp", 0), ("ArrowDown", 1)):
        host.page.keyboard.press(key)
        expect(buttons.nth(place)).to_be_focused()
    host.page.keyboard.press("Enter")
    host.answer()

    assert chosen == [11]
    expect(buttons.nth(1)).to_be_focused()


def test_folded_warnings_stay_open_when_run_goes_on(host: Host):
    said = [ChatMessage("warning", f"Beware {number}", "", 1, number) for number in range(3)]
    host.draw(lambda: chat_box("conversation", said, height=400))
    warning = host.page.get_by_text("Beware 0")
    expect(warning).not_to_be_visible()

    host.page.get_by_text("3 warnings").click()
    expect(warning).to_be_visible()
    said += [ChatMessage("warning", "Beware 3", "", 1, 3), ChatMessage("user", "Good morning", "", 2, 4)]
    host.answer()

    expect(host.page.get_by_text("4 warnings")).to_be_visible()
    expect(warning).to_be_visible()


def test_what_was_said_earlier_is_added_above_and_put_away_again(host: Host):
    said = [ChatMessage("agent", f"Line {number}", "Desk", number, number) for number in range(70)]
    wholes = [False]

    def draw() -> None:
        shown = said if wholes[-1] else said[40:]
        earlier = ShowEarlier("Show 40 earlier messages", wholes[-1], wholes.append)
        chat_box("conversation", shown, height=240, earlier=earlier)

    host.draw(draw)
    box, messages = host.page.get_by_role("region", name="Conversation"), host.page.locator(".chat-message")
    earlier = host.page.get_by_role("switch", name="Show 40 earlier messages")
    assert box.evaluate(TO_ITS_END) <= 1
    host.page.evaluate("last => { window.last = last; }", messages.last.element_handle())

    box.evaluate(SCROLLS)
    box.hover()
    host.page.mouse.wheel(0, -100_000)
    host.page.wait_for_function("window.hasScrolled")
    earlier.click()
    host.answer()

    expect(earlier).to_be_checked()
    expect(messages).to_have_count(70)
    assert messages.last.evaluate("last => last === window.last")
    expect(messages.first).to_be_in_viewport()
    earlier.click()
    host.answer()
    expect(messages).to_have_count(30)


def test_arabic_message_is_set_right_to_left(host: Host):
    def draw() -> None:
        chat_box("conversation", [ChatMessage("user", ARABIC, "", 1, 0)], height=200)
        message_box("message", "Message", lambda text: None)

    host.draw(draw)
    box = host.page.get_by_role("textbox")
    box.fill(ARABIC)

    for text in (host.page.locator(".words"), box):
        assert text.evaluate("text => getComputedStyle(text).unicodeBidi") == "plaintext"


def test_label_of_message_keeps_emoji_whole(host: Host):
    said = [ChatMessage("user", "x" * 59 + "😀 and more", "", 1, 0)]
    host.draw(lambda: chat_box("conversation", said, height=200, on_choose=lambda event: None))

    assert host.page.locator(".moment").get_attribute("aria-label").endswith("x😀")
