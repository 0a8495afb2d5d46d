"""Splitters in a browser: moved by mouse and keyboard, and the tabs of a narrow window."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from debugger.views.components.splitters import PANES, SPLITS, pane_splitters
from tests.components.driving import Host

pytestmark = pytest.mark.browser

REMEMBERED = "workflow-debugger.panes"


def place_panes(host: Host, width: int = 1600, height: int = 900) -> None:
    """Put empty panes on the page, without splitters."""
    host.page.set_viewport_size({"width": width, "height": height})
    panes = "".join(f'<div data-pane="{pane.name}" style="grid-area: {pane.name}"></div>' for pane in PANES)
    host.page.evaluate(
        "html => { document.body.innerHTML = html; }",
        f'<div class="panes-room"><div class="panes">{panes}</div></div>',
    )


def draw(host: Host) -> None:
    host.draw(pane_splitters, into=".panes")


def splitter(host: Host, name: str) -> Locator:
    return host.page.get_by_role("separator", name=name, exact=True)


def value(bar: Locator) -> int:
    return int(bar.get_attribute("aria-valuenow") or "")


def size(host: Host, pane: str) -> tuple[float, float]:
    box = host.page.locator(f"[data-pane={pane}]").first.bounding_box()
    assert box is not None
    return box["width"], box["height"]


def drag(host: Host, bar: Locator, right: int, down: int) -> None:
    box = bar.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    host.page.mouse.move(x, y)
    host.page.mouse.down()
    host.page.mouse.move(x + right, y + down, steps=4)
    host.page.mouse.up()


def test_splitter_follows_mouse_and_double_click_resets(host: Host):
    place_panes(host)
    draw(host)
    bar = splitter(host, "Width of the conversation")
    width, height = size(host, "graph")

    drag(host, bar, 100, 0)

    assert size(host, "graph")[0] == pytest.approx(width - 100, abs=2)
    drag(host, splitter(host, "Height of the upper panes"), 0, -120)
    assert size(host, "graph")[1] == pytest.approx(height - 120, abs=2)
    drag(host, bar, -3000, 0)
    assert value(bar) == int(bar.get_attribute("aria-valuemin") or "")
    assert size(host, "talk")[0] == pytest.approx(SPLITS[0].least * 1600 - 4, abs=1)
    bar.dblclick()
    assert size(host, "graph")[0] == pytest.approx(width, abs=1)


def test_splitter_is_moved_by_keys_within_limits(host: Host):
    place_panes(host)
    draw(host)
    bar = splitter(host, "Width of the timeline")
    width, before = size(host, "inspect")[0], value(bar)
    bar.focus()

    host.page.keyboard.press("ArrowLeft")

    assert value(bar) == before - 2
    assert size(host, "inspect")[0] > width
    host.page.keyboard.press("End")
    assert value(bar) == int(bar.get_attribute("aria-valuemax") or "")
    host.page.keyboard.press("Enter")
    assert size(host, "inspect")[0] == pytest.approx(width, abs=1)
    expect(bar).to_be_focused()
    assert host.keys == []


def test_unusable_remembered_sizes_are_ignored(host: Host):
    place_panes(host)
    before = size(host, "graph")
    kept = '{"version": 2, "sizes": {"talk-width": 7, "upper-height": "url(x)"}, "maximised": "roof"}'
    host.page.evaluate("([key, kept]) => localStorage.setItem(key, kept)", [REMEMBERED, kept])

    draw(host)

    assert size(host, "graph") == pytest.approx(before, abs=1)
    assert host.page.locator(":root[data-maximised]").count() == 0
    expect(host.page.get_by_role("separator")).to_have_count(3)


def test_tabs_are_changed_by_arrow_keys(host: Host):
    place_panes(host, 820, 1180)
    draw(host)
    tabs = {pane.tab: host.page.get_by_role("tab", name=pane.tab) for pane in PANES}
    tabs["Conversation"].focus()

    for name in ("Graph", "Timeline", "Inspector", "Conversation"):
        host.page.keyboard.press("ArrowRight")
        expect(tabs[name]).to_be_focused()
        expect(host.page.get_by_role("tab", selected=True)).to_have_text(name)
    host.page.keyboard.press("ArrowLeft")

    expect(host.page.get_by_role("tab", selected=True)).to_have_text("Inspector")
    expect(host.page.locator(":root")).to_have_attribute("data-tab", "inspect")
    assert host.keys == []


def test_browser_keys_pass_tabs(host: Host):
    place_panes(host, 820, 1180)
    draw(host)
    tab = host.page.get_by_role("tab", name="Graph")
    tab.click()

    for key in ("Control+ArrowRight", "Meta+ArrowRight", "Alt+ArrowRight"):
        host.page.keyboard.press(key)

    expect(tab).to_have_attribute("aria-selected", "true")


RESTS = "() => 'resting' in document.documentElement.dataset"


def test_pointer_that_lies_still_rests(host: Host):
    place_panes(host)
    host.draw(lambda: pane_splitters(is_demo=True), into=".panes")
    assert host.page.evaluate(RESTS), "before it has moved"

    host.page.mouse.move(300, 300)

    assert not host.page.evaluate(RESTS)
    host.page.wait_for_function(RESTS)
    host.page.mouse.down()
    assert not host.page.evaluate(RESTS)


def test_pointer_rests_in_the_demo_view_alone(host: Host):
    place_panes(host)
    host.draw(lambda: pane_splitters(is_demo=False), into=".panes")
    host.page.mouse.move(300, 300)
    assert not host.page.evaluate(RESTS)
    host.page.wait_for_timeout(3500)
    assert not host.page.evaluate(RESTS)

    host.draw(lambda: pane_splitters(is_demo=True), into=".panes")

    assert host.page.evaluate(RESTS)


def test_control_that_tab_leads_to_stays_in_sight(host: Host):
    place_panes(host)
    host.draw(lambda: pane_splitters(is_demo=True), into=".panes")
    host.page.evaluate(
        "() => document.body.insertAdjacentHTML('afterbegin',"
        " '<div class=head><button>Runs</button></div><textarea></textarea>')"
    )
    host.page.get_by_role("button", name="Runs").focus()
    host.page.wait_for_function(RESTS, timeout=5000)
    host.page.locator("textarea").focus()

    host.page.keyboard.press("Shift+Tab")

    host.page.wait_for_timeout(3500)
    assert not host.page.evaluate(RESTS)
    host.page.locator("textarea").focus()
    host.page.wait_for_function(RESTS, timeout=5000)


def test_control_that_was_clicked_rests_whatever_key_was_last(host: Host):
    place_panes(host)
    host.draw(lambda: pane_splitters(is_demo=True), into=".panes")
    around = "<div class=head><button>Demo</button></div><textarea></textarea>"
    host.page.evaluate("html => document.body.insertAdjacentHTML('afterbegin', html)", around)
    host.page.locator("textarea").focus()
    host.page.keyboard.press("Tab")

    host.page.get_by_role("button", name="Demo").click()

    host.page.wait_for_function(RESTS, timeout=5000)


def test_words_that_are_typed_wake_nothing(host: Host):
    place_panes(host)
    host.draw(lambda: pane_splitters(is_demo=True), into=".panes")
    host.page.evaluate("() => document.body.insertAdjacentHTML('afterbegin', '<textarea></textarea>')")

    host.page.locator("textarea").press_sequentially("Hello")

    assert host.page.evaluate(RESTS)
