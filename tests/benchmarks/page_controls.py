"""Time and layout shift of the controls of the debug page.

Run from the top of the repository: ``python -m tests.benchmarks.page_controls [repeats]``. A call of the
clinic sample is taken through three turns, and each control is used by turns with the button of an empty
Streamlit page in the same browser.
What is printed is the median time from the click to the last change of the
page, that of the empty page, their difference, the time that nine of ten clicks
need, and the highest sum of layout shifts of one click.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.benchmarks.page_cost import EMPTY_PAGE, STABLE, chromium
from tests.benchmarks.server_process import server
from tests.browser.conftest import ROOT
from tests.browser.driving import choose, open_app, say, settled, start

REPEATS = 5
QUIET_MS = 300
"""So long nothing may change any more. What is reported is when the last change was."""
LINES = (
    "Hi, I'd like to book an appointment, please.",
    "My name is Ada Moreno, and I was born on March 3, 1990.",
)
STEPPED_LINE = "It's a sore knee, Tuesday would be best."
SHIFTS = """() => {
  window.shifted = 0;
  new PerformanceObserver(list => list.getEntries().forEach(entry => { window.shifted += entry.value; }))
    .observe({type: "layout-shift"});
}"""

Use = Callable[[], object]


@dataclass
class Figures:
    """Measurements of one control."""

    times: list[float] = field(default_factory=list)
    """Milliseconds from the click to the last change."""
    empty: list[float] = field(default_factory=list)
    """The same of the empty page, right before."""
    shifts: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "empty.py").write_text(EMPTY_PAGE)
        app = stack.enter_context(server(ROOT / "app.py", folder))
        empty = stack.enter_context(server(folder / "empty.py", folder))
        browser = stack.enter_context(chromium())
        page, other = browser(), browser()
        for each, url in ((page, app.url), (other, empty.url)):
            each.set_viewport_size({"width": 1280, "height": 720})
            open_app(each, url)
            each.evaluate(SHIFTS)
        choose(page, "Workflow", "Clinic front desk")
        start(page)
        for line in LINES:
            say(page, line)
        found: dict[str, Figures] = {}
        for number in range(repeats + 1):
            for control, use in uses(page):
                figures = found.setdefault(control, Figures())
                blank = measured(other, click(other.locator(".st-key-more button")))
                took = measured(page, use)
                if number:  # the first round loads what the browser has not seen
                    figures.empty.append(blank[0])
                    figures.times.append(took[0])
                    figures.shifts.append(took[1])
        print_figures(found)


def uses(page: Page) -> Iterator[tuple[str, Use]]:
    """Yield the controls by name, each once the one before it has been used."""
    for tab in ("Why", "Event", "Node", "Input", "Notes", "Variables"):
        yield f"inspector: {tab}", click(option(page, "inspector_tab", tab))
    for tab in ("Gantt", "Metrics", "Side effects", "Breakpoints", "Mocks", "Timeline"):
        yield f"lower pane: {tab}", click(option(page, "lower_view", tab))
    density = page.locator(".st-key-timeline_density select").first
    yield "density", partial(density.select_option, "All events")
    measured(page, partial(density.select_option, "Key events"))
    yield "event row", click(page.locator(".st-key-timeline tbody tr").nth(4))
    yield "next event", click(page.locator(".st-key-next_event button"))
    yield "previous event", click(page.locator(".st-key-previous_event button"))
    yield "message", click(page.locator(".st-key-conversation").get_by_text(LINES[0]))
    measured(page, partial(page.keyboard.press, "Escape"))
    yield "table", click(option(page, "graph_view", "Table"))
    yield "graph", click(option(page, "graph_view", "Graph"))
    yield "demo", click(page.locator(".st-key-skin button"))
    yield "engineer", click(page.locator(".st-key-skin button"))
    yield "page Runs", click(page.get_by_role("link", name="Runs"))
    yield "page Debug", click(page.get_by_role("link", name="Debug"))
    if page.locator(".st-key-message textarea").is_enabled():
        page.locator(".st-key-message textarea").fill(STEPPED_LINE)
    yield "step event", click(page.locator(".st-key-step_event button"))


def option(page: Page, key: str, name: str) -> Locator:
    """Return the button of an option of a choice."""
    behind_more = f".st-key-{key}_{name.replace(' ', '_')} button"
    return page.locator(f".st-key-{key} [data-option='{name}'], {behind_more}")


def click(button: Locator) -> Use:
    """Return the click on an element that is located before: locating takes its time on a large page."""
    return partial(button.first.element_handle().evaluate, "it => it.click()")


def measured(page: Page, use: Use) -> tuple[float, float]:
    """Return milliseconds until the last change of the page, and the layout shift until then."""
    start, shifted = page.evaluate("[window.lastChange = performance.now(), window.shifted]")
    use()
    page.wait_for_timeout(100)  # a click takes a while to arrive
    page.wait_for_function(STABLE, arg=QUIET_MS)
    end, shifted_then = page.evaluate("[window.lastChange, window.shifted]")
    settled(page)
    return end - start, shifted_then - shifted


def print_figures(found: dict[str, Figures]) -> None:
    """Print a line for each control."""
    print(f"load {os.getloadavg()[0]:.1f}; milliseconds: medians, and p90 of the page")
    print(f"{'control':<24}{'page':>7}{'empty':>7}{'above':>7}{'p90':>7}{'shift':>8}")
    for name, figures in found.items():
        took, blank = statistics.median(figures.times), statistics.median(figures.empty)
        p90 = sorted(figures.times)[math.ceil(0.9 * len(figures.times)) - 1]
        shift = max(figures.shifts)
        print(f"{name:<24}{took:>7,.0f}{blank:>7,.0f}{took - blank:>7,.0f}{p90:>7,.0f}{shift:>8.3f}")


if __name__ == "__main__":
    main()
