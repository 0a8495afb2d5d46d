"""Actions of a user on the pages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from playwright.sync_api import Download, Locator, Page, TimeoutError, expect

from tests.support.factories import direct, document, node, static, when
from tests.support.factories import say as say_node

HEADER_HEIGHT, ROW_HEIGHT = 35, 30
INSPECTOR = ("Variables", "Why", "Event", "Changes", "Watch", "Node", "Input", "Notes")
"""The tabs of the inspector; the other ones are of the lower pane."""
WATCH = """(() => {
  const now = () => performance.now();
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (...given) { window.askedAt = now(); return send.apply(this, given); };
  new MutationObserver(changes => {
    window.turnedAt = now();
    if (changes.some(each => each.target.dataset.testScriptState !== "notRunning")) window.begunAt = now();
  }).observe(document, {subtree: true, attributeFilter: ["data-test-script-state"]});
  try { localStorage.setItem("workflow-debugger.tour", "seen"); } catch { /* a page without storage */ }
})()"""
"""Notes when the page asked for a run of the script, and when one began or ended; runs before all else.

The browser counts as one that has seen the tour.
"""
CALM = """([quiet, most]) => {
  const now = performance.now(), app = document.querySelector('[data-testid="stApp"]');
  const isWatched = window.turnedAt !== undefined;
  // What ends first may be a run, as of a poll, that was under way as the page asked.
  const isAnswered = !isWatched || window.begunAt > window.askedAt || now - window.askedAt > most;
  const calm = isAnswered && app && app.dataset.testScriptState === "notRunning"
    && app.dataset.testConnectionState === "CONNECTED" && !document.querySelector('[data-stale="true"]')
    && !document.querySelector('[data-testid="stSkeleton"]');  // the code of an element is still read
  if (!calm) { window.calmSince = undefined; return false; }
  window.calmSince ??= now;
  return now - window.calmSince > (isWatched ? quiet : 3 * quiet);
}"""
QUIET_MS, UNANSWERED_MS = 120, 1_500
"""How long the page stays as it is; how long a run is waited for that the page has asked for."""
_ADDRESSES: dict[tuple[str, str], str] = {}
"""The address of each workflow that was chosen, by the app's address and its name."""


def settled(page: Page) -> None:
    """Wait until the script has run and the page stayed at rest: a click takes a moment to be sent on."""
    page.evaluate("window.calmSince = undefined")
    page.wait_for_function(CALM, arg=[QUIET_MS, UNANSWERED_MS])


def open_app(page: Page, url: str) -> None:
    """Open the app and wait until it can be used."""
    page.goto(url)
    settled(page)


def open_workflow(page: Page, url: str, name: str) -> None:
    """Open the app at a workflow: chosen from the list the first time, by its address from then on."""
    known = _ADDRESSES.get((url, name))
    open_app(page, known or url)
    if known is None:
        choose(page, "Workflow", name)
        expect(page).to_have_url(re.compile("workflow="))
        _ADDRESSES[url, name] = page.url


def connect(page: Page, base_url: str, key: str) -> None:
    """Go to Connection and try a URL and a key."""
    page.get_by_role("link", name="Connection").first.click()
    settled(page)
    page.get_by_role("radio", name="Hosted API").click()
    settled(page)
    page.get_by_role("textbox", name="Base URL").fill(base_url)
    page.get_by_role("textbox", name="API key").fill(key)
    page.get_by_role("button", name="Test connection").click()
    settled(page)


def go_to(page: Page, name: str) -> None:
    """Follow a link of the navigation."""
    link = page.get_by_role("link", name=name).first
    link.hover(force=True)  # in the demo view it takes no click before the pointer has moved
    link.click()
    settled(page)


def import_workflow(page: Page, name: str, content: str | Mapping[str, Any]) -> None:
    """Choose a file in the import; what is no workflow is told, the rest waits for its button."""
    text = content if isinstance(content, str) else json.dumps(content)
    open_box(page, "workflow_files")
    file = {"name": name, "mimeType": "application/json", "buffer": text.encode()}
    page.locator("[class*='st-key-import_file'] input[type=file]").set_input_files(file)
    settled(page)


def open_box(page: Page, key: str) -> None:
    """Press a button that shows and hides content, unless the content is on view."""
    box = page.locator(f".st-key-{key} button").first
    if box.get_attribute("aria-expanded") != "true":
        box.click()
        settled(page)


def open_inputs(page: Page) -> None:
    """Open the run input before the start."""
    open_box(page, "edit_inputs")


def keep_import(page: Page) -> None:
    """Press the import's button; the file becomes a workflow of its own."""
    before = page.url
    button = page.locator(".st-key-import_now button").first
    button.wait_for()  # it is drawn after the choice
    own = page.get_by_text("A workflow of its own", exact=True)
    if own.count():
        own.click()
        settled(page)
    button.click()
    expect(page).not_to_have_url(before)  # it has the id of the new workflow
    settled(page)


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a select box, or of a plain list, by the beginning of its text."""
    settled(page)
    page.get_by_role("combobox", name=label).first.wait_for()
    plain = page.get_by_role("combobox", name=label, exact=True).and_(page.locator("select"))
    if plain.count():
        words = plain.locator("option").all_text_contents()
        plain.select_option(label=next(each for each in words if each.startswith(option)))
        settled(page)
        return
    box = page.get_by_test_id("stSelectbox").filter(has=page.get_by_text(label, exact=True))
    field = box.get_by_role("combobox")
    if field.input_value().startswith(option):
        return
    field.click()
    field.fill(option)  # of a long list only those in sight are on the page
    page.get_by_role("option", name=re.compile(f"^{re.escape(option)}")).click()
    settled(page)


def type_into_cell(page: Page, key: str, *, row: int, text: str) -> None:
    """Change the last column of a row of a table. The grid is painted: a cell is a place on it."""
    grid = page.locator(f"[class*='st-key-{key}'] canvas").first
    editor = page.locator(".gdg-input")
    for _ in range(5):  # a grid that is still being laid out takes no click
        box = resting_place(grid)
        page.mouse.click(box["x"] + box["width"] - 30, box["y"] + HEADER_HEIGHT + ROW_HEIGHT * (row + 0.5))
        with suppress(TimeoutError):
            # It takes the keyboard a moment after the click: until then Enter presses the last button again.
            page.wait_for_function("() => document.activeElement?.tagName === 'CANVAS'", timeout=2_000)
            # A click before it is laid out chooses nothing, and Enter would open the first cell.
            grid.locator("td:last-child[aria-selected=true]").wait_for(state="attached", timeout=2_000)
            page.keyboard.press("Enter")
            editor.wait_for(timeout=2_000)
            break
    editor.fill(text)
    asked = page.evaluate("window.askedAt ?? 0")
    editor.press("Enter")
    page.wait_for_function("asked => window.askedAt > asked", arg=asked)  # a table sends it after 150 ms
    settled(page)


def resting_place(locator: Locator) -> dict[str, float]:
    """Return the position of an element that has stopped moving."""
    before, place = None, locator.bounding_box()
    while place is None or place != before:
        locator.page.wait_for_timeout(100)
        before, place = place, locator.bounding_box()
    return place


def tick(page: Page, row: int) -> None:
    """Tick a row of the list of runs, from 0."""
    page.locator(".st-key-runs tbody input").nth(row).click()
    settled(page)


def open_editor(page: Page) -> None:
    """Open the editor of a run that stands still; a click that comes as the page is drawn anew is lost."""
    button = page.locator(".st-key-live_edit button").first
    for _ in range(3):
        if button.get_attribute("aria-expanded") != "true":  # another click would close it
            button.click()
        with suppress(AssertionError):
            expect(button).to_have_attribute("aria-expanded", "true", timeout=3_000)
            break
    page.locator("[class*='st-key-live_dynamic'] canvas").first.wait_for()
    settled(page)


def start(page: Page) -> None:
    """Begin the run and wait for its first turn."""
    page.locator(".st-key-start button").first.click()
    expect(context(page)).to_contain_text("Turn 1")
    settled(page)


def open_tab(page: Page, name: str) -> None:
    """Open a tab of the inspector or of the lower pane, from *More* where it was not opened before."""
    key = "inspector_tab" if name in INSPECTOR else "lower_view"
    page.locator(f".st-key-{key} button").first.wait_for()
    tab = page.locator(f".st-key-{key} [data-option='{name}']")
    if not tab.count():
        page.locator(f".st-key-{key}_more > button").click()
        tab = page.locator(f".st-key-{key}_{name} button".replace(" ", "_", name.count(" ")))
    tab.click()
    settled(page)


def open_setup(page: Page) -> None:
    """Open the setup of a run that has begun, in its dialog."""
    settled(page)
    page.locator(".st-key-setup button").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    settled(page)


def choose_in_menu(page: Page, key: str) -> None:
    """Press a button of the menu of the run."""
    settled(page)
    page.locator(".st-key-more > button").click()
    page.locator(f".st-key-more .st-key-{key} button").click()


def press_in_bar(page: Page, key: str) -> None:
    """Press a button of the bar of the run, or of its menu."""
    settled(page)
    button = page.locator(f".st-key-{key} button").first
    if not button.is_visible():
        page.locator(".st-key-more > button").click()
    button.click()
    settled(page)


def say(page: Page, text: str) -> None:
    """Send a message and wait until it stands in the conversation."""
    box = message_box(page)
    expect(box).to_be_enabled()
    settled(page)
    box.fill(text)
    box.press("Enter")
    expect(conversation(page)).to_contain_text(text[:60])
    settled(page)


def export_run(page: Page, preset: str = "", file_format: str = "") -> Download:
    """Download the run on view from the export dialog, which stays open."""
    page.locator(".st-key-export button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    settled(page)
    for label, option in (("Preset", preset), ("Format", file_format)):
        if option:
            choose(page, label, option)
    with page.expect_download() as waiting:
        page.locator(".st-key-export_download button").first.click()
    return waiting.value


def context(page: Page) -> Locator:
    """Return the bar of the run with its status or the cursor."""
    return page.locator(".st-key-context_bar")


def run_head(page: Page) -> Locator:
    """Return the part of the head that names workflow and run."""
    return page.locator(".st-key-run_head")


def head_end(page: Page) -> Locator:
    """Return the end of the head, which names the connection."""
    return page.locator(".st-key-head_end")


def run_id(page: Page) -> str:
    """Return the id of the run on view, from the menu of the run."""
    return (id_on_view(page).text_content() or "").strip()


def id_on_view(page: Page) -> Locator:
    """Return the place of the id of the run on view, in the menu of the run."""
    return page.locator(".st-key-more .st-key-run_id")


def origin(page: Page) -> Locator:
    """Return the line above the conversation that names the source of a fork."""
    return page.locator(".st-key-origin_bar")


def conversation(page: Page) -> Locator:
    """Return the conversation."""
    return page.locator(".st-key-conversation .box")


def message_box(page: Page) -> Locator:
    """Return the message box; not the one before it, which Streamlit keeps until this one is drawn."""
    return page.locator(".st-key-message:not([data-retained], [data-retained] *) textarea")


def alert(page: Page) -> Locator:
    """The sentences that tell what went wrong."""
    return page.get_by_test_id("stAlert")


def ring() -> dict[str, Any]:
    """Return a workflow that counts visits until a variable says which way to go."""
    return document(
        node("count", "no_op", is_start=True),
        static("left", "Turned left"),
        static("right", "Turned right"),
        say_node("chat"),
        when("count", "right", "{{way}} == 'right'"),
        when("count", "left", "{{way}} == 'left'"),
        when("count", "count", "{{way}} == 'round'", name="again"),
        direct("right", "chat"),
        direct("left", "chat"),
        name="Ring",
        defaults={"way": "round"},
    )


def add_breakpoint(page: Page, *, condition: str = "", hits: str = "") -> None:
    """Add a breakpoint with a condition or a number of hits."""
    open_tab(page, "Breakpoints")
    form = page.locator(".st-key-new_breakpoint")
    form.get_by_role("textbox", name="Condition").fill(condition)
    form.get_by_role("textbox", name="Hits").fill(hits)
    form.get_by_role("textbox", name="Hits").press("Enter")
    settled(page)
    form.get_by_role("button", name="Add").click()
    settled(page)
