"""Every page for people who use a keyboard, a screen reader or much contrast (WCAG 2.2 AA)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import (
    conversation,
    go_to,
    message_box,
    open_app,
    open_setup,
    open_workflow,
    say,
    settled,
    start,
)
from tests.browser.presenting import CALL, SCHEME, clinic_call, press

pytestmark = pytest.mark.browser

STYLED = "() => getComputedStyle(document.querySelector('.st-key-head').parentElement).position === 'sticky'"
FOCUSED = """() => {
  let held = document.activeElement, key = "";
  const above = "header, [data-testid=stSkipToContent], .st-key-head";
  const isAbove = held.closest(above);
  for (let inner = held; inner; inner = inner.shadowRoot?.activeElement) {
    held = inner;
    const names = [...(held.closest("[class*='st-key-']")?.classList || [])];
    key = names.find(name => name.startsWith("st-key-"))?.replace("st-key-", "") ?? key;
  }
  const box = held.getBoundingClientRect();
  const isCovered = box.height > 0 && box.bottom < 45 && held !== document.body && !isAbove;
  return [key, !isCovered, held.outerHTML.slice(0, 120)];
}"""
"""The key of what has the keyboard, and whether it is not hidden under the head."""

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RULES: Mapping[str, Mapping[str, object]] = {
    "light": {"type": "tag", "values": TAGS},
    # All other rules read the same document again.
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
DISABLED = 'span[aria-hidden="true"]'
"""Streamlit greys the label of a disabled choice in a place of its own, where axe cannot tell that it is the
label of something disabled; disabled controls need no contrast (WCAG 1.4.3)."""


def test_axe_finds_nothing_serious_around_start(page: Page, app: Server):
    found = {}
    open_workflow(page, app.url, "Clinic front desk")
    found["before a run"] = serious_in_light_and_dark(page)
    start(page)
    open_setup(page)
    found["setup"] = serious_in_light_and_dark(page)

    assert found == dict.fromkeys(found, ([], []))


def test_axe_finds_nothing_serious_in_run(page: Page, app: Server):
    found = {}
    clinic_call(page, app.url, CALL[:1])
    press(page, "Shift+E")
    found["demo"] = serious_in_light_and_dark(page)
    press(page, "Shift+E")
    page.set_viewport_size({"width": 820, "height": 1180})
    settled(page)
    found["tabs"] = serious_in_light_and_dark(page)
    page.set_viewport_size({"width": 1600, "height": 1000})
    settled(page)
    say(page, CALL[1])
    found["debug"] = serious_in_light_and_dark(page)
    press(page, "Shift+ArrowLeft")
    found["past"] = serious_in_light_and_dark(page)
    page.locator(".st-key-back_to_live button").click()
    page.locator(".st-key-inspector_tab").get_by_text("Event", exact=True).click()
    settled(page)
    found["event"] = serious_in_light_and_dark(page)
    page.locator(".st-key-more > button").click()
    found["menu"] = serious_in_light_and_dark(page)

    assert found == dict.fromkeys(found, ([], []))


def test_axe_finds_nothing_serious_on_other_pages(page: Page, app: Server):
    found = {}
    clinic_call(page, app.url, CALL[:2])
    go_to(page, "Runs")
    found["runs"] = serious_in_light_and_dark(page)
    go_to(page, "Review")
    press(page, "m")
    press(page, "2")
    found["review"] = serious_in_light_and_dark(page)
    page.locator(".st-key-review_import button").press("Enter")
    settled(page)
    found["import of reviews"] = serious_in_light_and_dark(page)
    go_to(page, "Compare")
    expect(page.get_by_role("combobox").first).to_be_visible()
    settled(page)
    found["compare"] = serious_in_light_and_dark(page)
    go_to(page, "Suites")
    expect(page.get_by_text("There is no scenario yet")).to_be_visible()
    settled(page)
    found["suites"] = serious_in_light_and_dark(page)
    page.get_by_role("button", name="Copy the sample scenarios").click()
    page.locator(".st-key-suite_results tbody tr").first.click()
    settled(page)
    found["scenarios"] = serious_in_light_and_dark(page)
    go_to(page, "Connection")
    found["connection"] = serious_in_light_and_dark(page)

    assert found == dict.fromkeys(found, ([], []))


def test_axe_finds_nothing_serious_in_help(page: Page, app: Server):
    found = {}
    open_app(page, f"{app.url}/help?topic=stepping")
    expect(page.get_by_role("heading", name="Step, breakpoints, why")).to_be_visible()
    found["help"] = serious_in_light_and_dark(page)
    open_app(page, f"{app.url}/help")
    expect(page.get_by_role("heading", name="Who answers for the models")).to_be_visible()
    found["first topic"] = serious_in_light_and_dark(page)
    open_app(page, f"{app.url}/help?topic=settings")
    found["settings"] = serious_in_light_and_dark(page)
    open_app(page, f"{app.url}/help")
    page.get_by_role("button", name="Take the tour").click()
    expect(page.get_by_role("dialog", name="Tour: Choose a workflow")).to_be_visible()
    found["tour"] = serious_in_light_and_dark(page)

    assert found == dict.fromkeys(found, ([], []))


def serious_in_light_and_dark(page: Page) -> tuple[list[str], list[str]]:
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(SCHEME, arg=scheme)
        settled(page)
        found.append(serious(page, RULES[scheme]))
    return found[0], found[1]


def serious(page: Page, rules: Mapping[str, object] = RULES["light"]) -> list[str]:
    """Return axe's serious and critical findings: rule, element and state."""
    page.wait_for_function(STYLED)  # a page that is only just opened may not have its style yet
    options = {"runOnly": dict(rules), "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']}: {node['target']} ({told(node)})"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
        if not (rule["id"] == "color-contrast" and DISABLED in str(node["target"]))
    ]


def told(node: dict[str, object]) -> str:
    return str(node.get("failureSummary", ""))[-260:].replace("\n", " ") + " | " + str(node.get("html"))[:160]


def test_everything_on_debug_page_is_reached_by_keyboard(page: Page, app: Server):
    clinic_call(page, app.url, ())
    page.locator(".st-key-to_debug a").focus()

    seen: set[str] = set()
    unseen_focus: list[str] = []
    for _ in range(120):
        page.keyboard.press("Tab")
        key, is_visible, html = page.evaluate(FOCUSED)
        seen.add(key)
        if not is_visible:
            unseen_focus.append(html)

    wanted = {
        "skin",
        "help",
        "setup",
        "more",
        "scrubber",
        "splitters",
        "graph_view",
        "graph",
        "conversation",
        "message",
    }
    wanted |= {"inspector_tab", "timeline"}
    assert wanted <= seen
    assert unseen_focus == []


def test_whole_conversation_is_held_without_mouse(page: Page, app: Server):
    clinic_call(page, app.url, ())
    press(page, "Shift+E")
    press(page, "Shift+E")

    message_box(page).focus()
    page.keyboard.type(CALL[0])
    page.keyboard.press("Enter")
    expect(conversation(page)).to_contain_text(CALL[0])
    settled(page)

    expect(message_box(page)).to_be_focused()


def test_end_of_turn_is_told_to_screen_readers(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    graph = page.locator(".st-key-graph p[role=status]")
    expect(graph).to_have_text("Booking intake waits for the user's message.")
    page.locator(".st-key-graph_view").get_by_text("Table", exact=True).click()
    settled(page)

    expect(page.locator(".st-key-message p[role=status]")).to_have_text(
        "Booking intake waits for the user's message."
    )


def test_escape_closes_dialog_that_has_lost_keyboard(page: Page, app: Server):
    clinic_call(page, app.url, CALL[:1])
    page.locator(".st-key-export button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    settled(page)

    page.evaluate("""() => {
      const escape = {key: "Escape", bubbles: true, cancelable: true};
      document.activeElement.blur();
      document.body.dispatchEvent(new KeyboardEvent("keydown", escape));
    }""")

    expect(page.get_by_role("dialog")).to_have_count(0)
