"""The panes of the debug page: only what a change concerns is drawn again, and all that it concerns is."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.conftest import Server
from tests.browser.driving import (
    context,
    conversation,
    message_box,
    open_tab,
    open_workflow,
    press_in_bar,
    say,
    settled,
    start,
)

pytestmark = pytest.mark.browser


class Messages:
    """The messages that the server sends to a page from now on."""

    def __init__(self, page: Page) -> None:
        self.sent: list[ForwardMsg] = []
        self.polls = 0
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._take)
        socket.on("framesent", self._note)

    def _note(self, frame: bytes) -> None:
        self.polls += BackMsg.FromString(frame).rerun_script.is_auto_rerun

    def _take(self, frame: bytes) -> None:
        self.sent.append(ForwardMsg.FromString(frame))

    def forget(self) -> None:
        self.sent.clear()
        self.polls = 0

    @property
    def runs(self) -> int:
        """Without those by which the page looks at the record every two seconds."""
        return sum(message.WhichOneof("type") == "script_finished" for message in self.sent) - self.polls

    @property
    def elements(self) -> int:
        return sum(message.WhichOneof("type") in ("delta", "ref_hash") for message in self.sent)


@pytest.fixture
def messages(page: Page) -> Messages:
    return Messages(page)


@pytest.fixture
def call(page: Page, app: Server, messages: Messages) -> Messages:
    """The clinic after two turns; gives what is sent from then on."""
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    say(page, "Hi, I'd like to book an appointment, please.")
    messages.forget()
    return messages


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()
    settled(page)


def forked_turn(page: Page) -> Locator:
    """Return the fork button, whose help names the turn."""
    return page.locator(".st-key-fork_turn")


def moment(page: Page):
    return page.locator(".st-key-inspector_bar")


def test_choosing_event_draws_what_shows_run_once(page: Page, call: Messages):
    press(page, "previous_event")

    expect(moment(page)).to_contain_text("After event")
    assert call.runs == 2, "that of its own pane gives way to one of all panes"
    assert call.elements < 100


def test_of_key_that_is_pressed_fast_each_press_counts(page: Page, call: Messages):
    page.locator(".st-key-timeline_density").locator("select").select_option("All events")
    settled(page)
    press(page, "previous_event")
    before = event_number(page)

    for _ in range(4):
        page.keyboard.press("ArrowLeft")

    expect(moment(page)).to_contain_text(f"After event {before - 4} ")


def event_number(page: Page) -> int:
    """The one that the inspector names."""
    words = moment(page).get_by_text("After event").inner_text()
    return int(words.split()[2])


def test_bar_and_address_tell_turn_of_chosen_event(page: Page, call: Messages):
    press_in_bar(page, "previous_turn")

    expect(moment(page)).to_contain_text("turn 1")
    expect(forked_turn(page)).to_have_attribute("title", re.compile("^Fork from turn 1:"))
    expect(page).to_have_url(re.compile("turn=1"))

    press(page, "back_to_live")

    expect(moment(page)).to_contain_text("After the latest event")
    expect(forked_turn(page)).to_have_attribute("title", re.compile("^Fork from turn 2:"))


def test_quick_turn_is_drawn_once_when_it_is_over(page: Page, call: Messages):
    message_box(page).fill("My name is Ada Moreno, and I was born on March 3, 1990.")
    message_box(page).press("Enter")

    expect(conversation(page)).to_contain_text("March 3, 1990")
    settled(page)
    expect(context(page)).to_contain_text("Turn 3")
    expect(forked_turn(page)).to_have_attribute("title", re.compile("^Fork from turn 3:"))
    expect(page).to_have_url(re.compile("turn=3"))
    assert call.runs == 1


def test_node_that_is_chosen_in_graph_is_shown_by_inspector(page: Page, call: Messages):
    page.locator(".node[data-id='node_booking_intake']").click()
    settled(page)

    expect(page.locator(".st-key-inspector").get_by_role("radio", name="Node", exact=True)).to_be_checked()
    expect(page.locator(".st-key-inspector")).to_contain_text("node_booking_intake")
    assert call.elements < 100


def test_what_one_pane_changes_another_one_shows(page: Page, call: Messages):
    open_tab(page, "Node")
    press(page, "break_here")

    open_tab(page, "Breakpoints")

    expect(page.locator(".st-key-timeline_pane")).to_contain_text("before Booking intake")


def test_what_is_typed_stays_though_another_control_of_its_bar_is_used_at_once(page: Page, call: Messages):
    find = page.locator(".st-key-timeline_text input")
    density = page.locator(".st-key-timeline_density")

    find.fill("booking")
    density.locator("select").focus()  # as a mouse does; only then the text is committed
    density.locator("select").select_option("All events")
    settled(page)

    expect(density.locator("select")).to_have_value("All events")
    expect(find).to_have_value("booking")
    expect(density.locator("option:checked")).to_have_text(re.compile(r"All events · \d+ of \d+"))


SHIFTS = """() => {
  const isPane = ({ node }) => node?.closest?.(".st-key-panes");
  window.shifted = 0;
  new PerformanceObserver(list => list.getEntries().forEach(each => {
    if (each.sources.some(isPane)) window.shifted += each.value;
  })).observe({ type: "layout-shift", buffered: true });
}"""
"""Sums how much panes move while they are drawn; the head moves them as a whole."""


def splitter(page: Page, name: str) -> Locator:
    return page.get_by_role("separator", name=name, exact=True)


def size(page: Page, key: str) -> tuple[float, float]:
    box = page.locator(f".st-key-{key}").bounding_box()
    assert box is not None
    return box["width"], box["height"]


def drag(page: Page, bar: Locator, right: int, down: int) -> None:
    box = bar.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up()


def test_maximised_pane_is_alone_until_escape(page: Page, call: Messages):
    page.get_by_role("button", name="Maximise pane conversation").click()

    expect(conversation(page)).to_be_visible()
    for other in ("graph", "inspector", "timeline_pane"):
        expect(page.locator(f".st-key-{other}")).to_be_hidden()
    page.locator(".st-key-setup button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    settled(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".st-key-graph")).to_be_hidden()
    page.keyboard.press("Escape")
    for pane in ("graph", "inspector", "timeline_pane", "conversation"):
        expect(page.locator(f".st-key-{pane}").first).to_be_visible()


def test_reload_keeps_pane_sizes_without_shift(page: Page, call: Messages):
    bar = splitter(page, "Height of the upper panes")
    drag(page, bar, 0, -100)
    before = size(page, "graph")
    page.add_init_script(f"({SHIFTS})()")

    page.reload()
    settled(page)

    assert size(page, "graph") == pytest.approx(before, abs=1)
    assert page.evaluate("window.shifted") < 0.1
    page.get_by_role("button", name="Maximise pane timeline").click()
    page.reload()
    settled(page)
    expect(page.locator(".st-key-graph")).to_be_hidden()
    expect(page.get_by_role("button", name="Restore")).to_be_visible()
    assert page.evaluate("window.shifted") < 0.1
