"""Counts the controls on view of each page: ``python -m tests.browser.visible_controls [--names]``.

A control is an element that the Tab key reaches and that is in view in a window of 1280 by 720: neither
hidden, nor scrolled or clipped away, nor there only while the pointer moves. Rows of a list, bars of a strip
and heads that sort are one control each, as the arrow keys lead from one to the next. Nodes and edges of the
graph are none, and neither is the page itself, which has the keyboard to be scrolled. Disabled ones are
counted apart.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import FLAGS, find_chromium, streamlit_app
from tests.browser.driving import WATCH, go_to, open_app, open_workflow, say, settled, start

REST_MS = 4000
"""After it a pointer that has not moved rests."""
WINDOW = {"width": 1280, "height": 720}
PAGES = ("Runs", "Compare", "Suites", "Review", "Help", "Connection")
_LINES = ("I'd like to book an appointment, please.", "My name is Ada Moreno, born March 3rd 1990.")
_FIND = """async () => {
  const KINDS = "a[href], button, input:not([type=hidden]), select, textarea, summary,"
    + "[contenteditable=true], [tabindex]:not([tabindex='-1'])";
  const found = [];
  const walk = root => {
    for (const each of root.querySelectorAll("*")) {
      const isReached = each.matches(KINDS) && each.tabIndex >= 0 && !each.closest("svg");
      if (isReached && each.dataset.testid !== "stMain") found.push(each);
      if (each.shadowRoot) walk(each.shadowRoot);
    }
  };
  walk(document);
  const shares = await new Promise(done => {
    const watcher = new IntersectionObserver(entries => {
      watcher.disconnect();
      done(new Map(entries.map(each => [each.target, each.intersectionRatio])));
    });
    found.forEach(each => watcher.observe(each));
    if (!found.length) done(new Map());
  });
  const isSeen = each => {
    const { width, height } = each.getBoundingClientRect();
    return width > 4 && height > 4 && shares.get(each) > 0.3
      && each.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  const nameOf = each => (each.ariaLabel || each.textContent.trim() || each.title || each.placeholder
    || each.closest("label")?.textContent || each.localName).replace(/\\s+/g, " ").slice(0, 40);
  return found.filter(isSeen).map(each => [nameOf(each), each.matches(":disabled")]);
}"""


class Controls(NamedTuple):
    """The names of the controls on view."""

    usable: list[str]
    disabled: list[str]


def visible_controls(page: Page) -> Controls:
    """Return the controls that are in view."""
    settled(page)
    page.mouse.move(0, 0)  # some are in view only while the pointer is near, some while it moves
    page.wait_for_timeout(REST_MS)
    found = page.evaluate(_FIND)
    by_use = [[name for name, is_disabled in found if is_disabled is wanted] for wanted in (False, True)]
    return Controls(*by_use)


def count_each(page: Page, url: str) -> Iterator[tuple[str, Controls]]:
    """Visit each page of the app, and return its controls."""
    open_app(page, url)
    open_workflow(page, url, "Clinic front desk")
    yield "Debug before the start", visible_controls(page)
    start(page)
    for line in _LINES:
        say(page, line)
    yield "Debug in a run", visible_controls(page)
    page.get_by_role("button", name="Demo").click()
    expect(page.locator(".st-key-timeline_pane")).to_have_count(0)
    yield "Demo", visible_controls(page)
    engineer = page.get_by_role("button", name="Engineer")
    engineer.hover(force=True)  # it takes no click before the pointer has moved
    engineer.click()
    settled(page)
    for name in PAGES:
        if name == "Help":
            page.get_by_role("button", name="Help").first.click()
            settled(page)
        else:
            go_to(page, name)
        yield name, visible_controls(page)


def main() -> None:
    """Print the table."""
    shows_names = "--names" in sys.argv
    print(f"{'Page':<24}{'controls':>9}{'disabled':>10}")
    with (
        tempfile.TemporaryDirectory() as folder,
        streamlit_app(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        context = browser.new_context(viewport=WINDOW, reduced_motion="reduce")
        context.add_init_script(WATCH)
        page = context.new_page()
        page.set_default_timeout(60_000)
        for name, controls in count_each(page, server.url):
            print(f"{name:<24}{len(controls.usable):>9}{len(controls.disabled):>10}", flush=True)
            if shows_names:
                print("   ", " | ".join(controls.usable), "\n    disabled:", " | ".join(controls.disabled))
        browser.close()


if __name__ == "__main__":
    main()
