"""The conversation in its box: where it is scrolled to, and what of it the browser draws anew."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from tests.benchmarks.long_runs import record
from tests.browser.conftest import Server, streamlit_app
from tests.browser.driving import (
    context,
    conversation,
    import_workflow,
    keep_import,
    message_box,
    open_app,
    open_workflow,
    say,
    settled,
    start,
)
from tests.browser.presenting import CALL, clinic_call
from tests.support.factories import direct, document, node
from tests.support.factories import say as say_node

pytestmark = pytest.mark.browser

TO_ITS_END = "box => box.scrollHeight - box.clientHeight - box.scrollTop"
SCROLLING_MS = 400
"""So long a browser takes to scroll, and takes no other key meanwhile."""
COUNT_CHANGES = """box => {
  window.counted = {added: 0, removed: 0};
  new MutationObserver(changes => changes.forEach(({addedNodes, removedNodes}) => {
    window.counted.added += addedNodes.length;
    window.counted.removed += removedNodes.length;
  })).observe(box.querySelector(".said"), {childList: true, subtree: true, characterData: true});
}"""


def messages(page: Page) -> Locator:
    return conversation(page).get_by_role("group", name=re.compile("Chat message from (agent|user)"))


def scroll(page: Page, by: int) -> int:
    """Turn the wheel over the box; gives how far it is from its end then."""
    conversation(page).hover()
    page.mouse.wheel(0, by)
    page.wait_for_timeout(SCROLLING_MS)
    return int(conversation(page).evaluate(TO_ITS_END))


def test_first_turn_puts_conversation_in_place_of_setup(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    expect(conversation(page)).to_have_count(0)

    page.locator(".st-key-start button").click()

    expect(context(page)).to_contain_text("Turn 1")
    expect(messages(page)).to_have_count(1)
    expect(page.locator(".st-key-setup_form, .st-key-start")).to_have_count(0)
    expect(message_box(page)).to_be_focused()


def test_box_goes_to_its_end_with_each_turn(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 800})
    clinic_call(page, app.url, CALL[:2])
    assert conversation(page).evaluate("box => box.scrollTop") > 0
    assert conversation(page).evaluate(TO_ITS_END) <= 1

    say(page, CALL[2])

    assert conversation(page).evaluate(TO_ITS_END) <= 1
    expect(messages(page).last).to_be_in_viewport(ratio=0.9)


def test_box_stays_where_person_has_scrolled_up_to_until_they_come_back(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 800})
    clinic_call(page, app.url, CALL[:2])

    assert scroll(page, -120) > 40
    top = conversation(page).evaluate("box => box.scrollTop")
    say(page, CALL[2])
    assert conversation(page).evaluate("box => box.scrollTop") == top
    assert scroll(page, 5_000) <= 1
    say(page, CALL[3])

    assert conversation(page).evaluate(TO_ITS_END) <= 1


def test_turn_touches_only_messages_that_it_adds(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:2])
    before = messages(page).count()
    conversation(page).evaluate(COUNT_CHANGES)

    say(page, CALL[2])

    added = messages(page).count() - before
    assert added >= 2
    assert page.evaluate("window.counted") == {"added": added, "removed": 0}


def test_box_is_at_its_end_whenever_it_grows(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    clinic_call(page, app.url, CALL)
    grow = """async (box, by) => {
      box.querySelector(".said").lastElementChild.style.paddingBottom = by + "px";
      for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
      return box.scrollHeight - box.clientHeight - box.scrollTop;
    }"""

    assert conversation(page).evaluate(grow, 60) <= 1
    assert conversation(page).evaluate(grow, 400) <= 1
    assert scroll(page, -120) > 40
    left = conversation(page).evaluate(TO_ITS_END)
    assert conversation(page).evaluate(grow, 500) == left + 100


def test_box_is_scrolled_by_keyboard(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 800})
    clinic_call(page, app.url, CALL[:2])
    box = page.get_by_role("region", name="Conversation")

    box.focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(SCROLLING_MS)
    top = box.evaluate("box => box.scrollTop")
    page.keyboard.press("End")
    page.wait_for_timeout(SCROLLING_MS)

    assert top == 0
    assert box.evaluate(TO_ITS_END) <= 1


def test_folded_warnings_stay_open_when_run_goes_on(page: Page, app: Server):
    odd = [node(f"odd{place}", "quantum_leap") for place in range(3)]
    ways = [direct("odd0", "odd1"), direct("odd1", "odd2"), direct("odd2", "chat")]
    open_app(page, app.url)
    import_workflow(page, "x.json", document(*odd, say_node("chat"), *ways, name="Odd"))
    keep_import(page)
    start(page)
    warning = conversation(page).get_by_text("quantum_leap").first
    expect(warning).not_to_be_visible()

    conversation(page).get_by_text("3 warnings").click()
    expect(warning).to_be_visible()
    say(page, "Good morning")

    expect(warning).to_be_visible()


def test_what_was_said_earlier_is_added_above_and_put_away_again(page: Page, tmp_path):
    database = f"sqlite:///{tmp_path}/runs.sqlite3"
    backend = EmbeddedBackend(Settings(database=database, responder="rules"))
    run_id = record(backend, 2_000)
    backend.close()
    with streamlit_app(tmp_path, WORKFLOW_DEBUGGER_DATABASE=database) as server:
        open_app(page, f"{server.url}/?backend=embedded&run={run_id}")
        earlier = conversation(page).get_by_role("switch", name=re.compile(r"Show \d+ earlier messages"))
        messages(page).first.wait_for()
        few = messages(page).count()
        assert conversation(page).evaluate(TO_ITS_END) <= 1
        page.evaluate("last => { window.last = last; }", messages(page).last.element_handle())

        scroll(page, -100_000)
        earlier.click()
        settled(page)

        expect(earlier).to_be_checked()
        assert messages(page).count() > few
        assert messages(page).last.evaluate("last => last === window.last")
        expect(messages(page).first).to_be_in_viewport()
        earlier.click()
        settled(page)
        expect(messages(page)).to_have_count(few)


def test_suggestions_are_scrolled_by_wheel_and_keyboard(page: Page, app: Server) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    open_workflow(page, app.url, "Clinic front desk")
    line = page.locator(".st-key-message .offers")
    buttons = line.locator("button")
    expect(buttons).to_have_count(4)

    assert [_is_within(each, line) for each in (buttons.first, buttons.last)] == [True, False]
    buttons.first.hover()
    page.mouse.wheel(0, 2_000)
    page.wait_for_function("it => it.scrollLeft > 0", arg=line.element_handle())
    assert [_is_within(each, line) for each in (buttons.first, buttons.last)] == [False, True]
    buttons.first.focus()
    assert _is_within(buttons.first, line)


def _is_within(inner: Locator, outer: Locator) -> bool:
    """Return whether an element is not cut by another one at its left or right."""
    one, other = inner.bounding_box(), outer.bounding_box()
    return other["x"] - 1 <= one["x"] and one["x"] + one["width"] <= other["x"] + other["width"] + 1
