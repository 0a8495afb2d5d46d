"""The demo view: presented by keys alone, with a demo script, and the switches to it and back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server
from tests.browser.driving import choose_in_menu, context, conversation, message_box, open_app, say, settled
from tests.browser.presenting import CALL, SCHEME, clinic_call, press

pytestmark = pytest.mark.browser

SCREENSHOTS = ROOT / "tests" / "browser" / "screenshots"
SCRIPT = (
    "I'd like to book an appointment, please.",
    "My name is Ada Moreno, born March 3rd 1990.",
    "It's about a sore knee, and Tuesday would be best.",
)
MOUSE = """window.clicks = 0;
["pointerdown", "mousedown"].forEach(each => addEventListener(each, () => { window.clicks += 1; }, true))"""
SHIFTS = """window.shifted = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => { window.shifted += entry.value; }))
  .observe({type: "layout-shift"})"""
FOCUSED = """() => {
  let it = document.activeElement;
  while (it.shadowRoot?.activeElement) it = it.shadowRoot.activeElement;
  return it === document.body ? "body" : it.innerText || it.localName;
}"""


def place(page: Page) -> str:
    """Return the event that the cursor is at."""
    return page.locator(".st-key-cursor_place").inner_text()


def test_clinic_is_presented_by_keys_alone(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    clinic_call(page, app.url, ())
    save_script(page, "\n".join(SCRIPT))
    page.locator(".st-key-restart button").first.wait_for(state="attached")
    page.keyboard.press("Shift+X")
    address = re.sub(r"&run=\w+.*", "", page.url)
    open_app(page, address)
    for drawn in (".st-key-skin button", ".st-key-graph .node", ".st-key-message textarea"):
        expect(page.locator(drawn).first).to_be_visible()  # a key that is pressed before is not heard
    settled(page)
    page.evaluate(MOUSE)
    shown = iter(range(1, 20))

    def show() -> None:
        page.screenshot(path=SCREENSHOTS / f"demo_{next(shown)}.png")

    page.keyboard.press("Shift+E")
    expect(page).to_have_url(re.compile("skin=demo"))
    settled(page)
    show()
    page.keyboard.press("Control+Enter")
    expect(context(page)).to_contain_text("Turn 1")
    expect(message_box(page)).to_be_focused()
    settled(page)
    show()

    for line, take in zip(SCRIPT, ("Tab", "ArrowRight", "Tab"), strict=True):
        expect(message_box(page)).to_have_attribute("placeholder", line)
        expect(message_box(page)).to_be_focused()
        page.keyboard.press(take)
        expect(message_box(page)).to_have_value(line)
        page.keyboard.press("Enter")
        expect(conversation(page)).to_contain_text(line)
        settled(page)
        show()
    expect(message_box(page)).not_to_have_attribute("placeholder", re.compile("knee"))

    play = page.locator(".st-key-scrubber .play")
    page.keyboard.press("Space")
    expect(play).to_have_attribute("aria-label", "Pause the play")
    expect(context(page)).to_contain_text("Earlier: turn 1")
    first = place(page)
    expect(page.locator(".st-key-cursor_place")).not_to_have_text(first)
    settled(page)
    show()
    page.keyboard.press("Space")
    expect(play).to_have_attribute("aria-label", "Play the events")
    settled(page)
    paused = place(page)
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".st-key-cursor_place")).not_to_have_text(paused)
    settled(page)
    show()
    page.keyboard.press("ArrowLeft")
    settled(page)
    page.keyboard.press("Escape")
    expect(context(page)).to_contain_text("Your turn")
    settled(page)
    show()

    page.keyboard.press("Shift+E")
    expect(page).not_to_have_url(re.compile("skin=demo"))
    expect(page.locator(".st-key-inspector")).to_be_visible()
    assert page.evaluate("window.clicks") == 0


def save_script(page: Page, text: str) -> None:
    """Save a demo script of the workflow on view."""
    choose_in_menu(page, "demo_script")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Messages in order").fill(text)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    settled(page)


def test_script_is_filled_with_messages_of_run(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:2])

    choose_in_menu(page, "demo_script")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Use this run's messages").click()

    expect(dialog.get_by_label("Messages in order")).to_have_value("\n".join(CALL[:2]))


def test_tab_in_text_leaves_message_box(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    press(page, "Shift+E")
    message_box(page).fill("My own words")

    page.keyboard.press("Tab")

    expect(message_box(page)).to_have_value("My own words")
    expect(message_box(page)).not_to_be_focused()


def test_switches_keep_keyboard(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])

    for focus, kept in (
        (".st-key-timeline [tabindex='0']", "Engineer"),
        (".st-key-inspector_tab [data-option=Variables]", "Engineer"),
        (".st-key-splitters .bar", "Engineer"),
        (".st-key-graph [data-do=fit]", "Fit"),
        (".st-key-message textarea", "textarea"),
    ):
        page.locator(focus).first.focus()
        held = page.evaluate(FOCUSED)
        switch(page)
        page.wait_for_function(f"kept => ({FOCUSED})().startsWith(kept)", arg=kept)
        switch(page)
        expect(page.locator(".st-key-inspector")).to_be_visible()
        assert "body" not in (held, page.evaluate(FOCUSED)), focus


def test_page_survives_quick_switches(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])

    for _ in range(30):
        switch(page)

    say(page, CALL[1])


def switch(page: Page) -> None:
    """Change the view without moving the keyboard, as another key would."""
    settled(page)
    page.locator(".st-key-skin button").first.evaluate("it => it.click()")
    settled(page)


def test_switches_move_little(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    clinic_call(page, app.url, CALL[:2])
    page.evaluate(SHIFTS)

    for _ in range(3):
        for _ in range(2):
            before = page.evaluate("window.shifted")
            switch(page)
            assert page.evaluate("window.shifted") - before < 0.1


PLACES = """() => {
  const inside = [".st-key-head_bar", ".st-key-context_bar", ".st-key-graph"].flatMap(each => {
    const bars = [...document.querySelectorAll(`${each} *`)].find(it => it.shadowRoot);
    return [...bars.shadowRoot.querySelectorAll("button, a, input, select, summary")];
  });
  const boxOf = it => Object.values(it.getBoundingClientRect().toJSON());
  return inside.map(it => [it.ariaLabel || it.textContent, ...boxOf(it)]);
}"""


def test_controls_appear_where_they_are(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    clinic_call(page, app.url, CALL[:1])
    press(page, "Shift+E")
    page.mouse.move(200, 300)
    page.wait_for_function("() => 'resting' in document.documentElement.dataset")
    before = page.evaluate(PLACES)
    page.evaluate(SHIFTS)

    page.mouse.move(900, 400)

    head = page.locator(".st-key-head")
    expect(head).to_have_css("opacity", "1")
    assert page.evaluate(PLACES) == before
    assert page.evaluate("window.shifted") == 0
    expect(head).to_have_css("opacity", "0")


def test_click_at_rest_presses_nothing(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    clinic_call(page, app.url, CALL[:1])
    press(page, "Shift+E")
    link = page.locator(".st-key-head").get_by_role("link", name="Runs").bounding_box()
    at = link["x"] + link["width"] / 2, link["y"] + link["height"] / 2
    page.mouse.move(*at)
    page.wait_for_function("() => 'resting' in document.documentElement.dataset")

    page.mouse.down()
    page.mouse.up()

    expect(page.locator(".st-key-head")).to_have_css("opacity", "1")
    settled(page)
    expect(page.locator(".st-key-graph")).to_be_visible()
    page.mouse.move(at[0] + 2, at[1])
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".st-key-graph")).to_be_hidden()


def test_key_shows_full_screen(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    press(page, "Shift+E")

    press(page, "f")

    page.wait_for_function("document.fullscreenElement !== null")
    press(page, "f")
    page.wait_for_function("document.fullscreenElement === null")


def test_maximised_pane_is_maximised_again_after_demo(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    page.get_by_role("button", name="Maximise pane timeline").click()

    press(page, "Shift+E")
    expect(conversation(page)).to_be_visible()
    expect(page.locator(".st-key-graph")).to_be_visible()
    press(page, "Shift+E")

    expect(page.locator(".st-key-timeline")).to_be_visible()
    expect(page.locator(".st-key-graph")).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_names_in_demo_graph_are_large(page: Page, app: Server, width: int, height: int):
    page.set_viewport_size({"width": width, "height": height})
    clinic_call(page, app.url, CALL[:1])
    press(page, "Shift+E")
    title = page.locator(".st-key-graph .node.current .title").first
    words = conversation(page).locator(".words").last

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(SCHEME, arg=scheme)
        settled(page)
        title.wait_for()
        assert title.evaluate("it => it.getBoundingClientRect().height") > 14
        assert float(words.evaluate("it => parseFloat(getComputedStyle(it).fontSize)")) >= 17
