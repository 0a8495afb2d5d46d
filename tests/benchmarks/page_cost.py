"""What the debug page costs with a short run and with a long one, on the server and in a real Chromium.

Run from the top of the repository: ``python -m tests.benchmarks.page_cost [50000 100]``. It makes its runs
itself (`tests.benchmarks.long_runs`), in a folder that is gone afterwards. Everything is measured beside an
empty Streamlit page on a server of its own, in the same browser and by turns with it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from tests.benchmarks.long_runs import record
from tests.benchmarks.server_process import Costs, server
from tests.browser.conftest import FLAGS, ROOT
from tests.browser.driving import settled

REPEATS = 5
EMPTY_PAGE = """
import streamlit as st

st.session_state.count = st.session_state.get("count", 0)
st.button("More", key="more", on_click=lambda: st.session_state.update(count=st.session_state.count + 1))
st.write(f"{st.session_state.count} times")
"""

WATCH = """() => {
  const now = () => performance.now();
  window.lastChange = now();
  const app = () => document.querySelector('[data-testid="stApp"]');
  const busy = () => {
    const at = app();
    return at && (at.dataset.testScriptState !== "notRunning"
      || at.dataset.testConnectionState !== "CONNECTED" || document.querySelector('[data-stale="true"]'));
  };
  new MutationObserver(() => { window.lastChange = now(); })
    .observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  const look = () => { if (busy()) window.lastChange = now(); setTimeout(look, 10); };
  look();
}"""
STABLE = "quiet => performance.now() - window.lastChange > quiet"
QUIET_MS = 500
"""So long nothing may change any more. What is reported is when the last change was."""


def main() -> None:
    """Measure and print the tables."""
    sizes = [int(each) for each in sys.argv[1:]] or [50_000, 100]
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        runs = make_runs(folder, sizes)
        environment = {
            "WORKFLOW_DEBUGGER_DATABASE": f"sqlite:///{folder}/runs.sqlite3",
            "WORKFLOW_DEBUGGER_RESPONDER": "rules",
        }
        (folder / "empty.py").write_text(EMPTY_PAGE)
        app = stack.enter_context(server(ROOT / "app.py", folder, **environment))
        empty = stack.enter_context(server(folder / "empty.py", folder))
        browser = stack.enter_context(chromium())
        warm_up(browser, app, empty, runs)
        for size, address in runs.items():
            print_costs(size, measure(browser, app, empty, address))


def make_runs(folder: Path, sizes: list[int]) -> dict[int, str]:
    """Runs of so many events; the address of each."""
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{folder}/runs.sqlite3", responder="rules"))
    found = {}
    for size in sizes:
        run_id = record(backend, size)
        workflow_id = backend.workflows("Tea room")[0].id
        found[size] = f"/?backend=embedded&workflow={workflow_id}&run={run_id}"
    backend.close()
    return found


@contextmanager
def chromium() -> Iterator[Callable[[], Page]]:
    """Opens pages, each in a fresh context of one browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)

        def opened() -> Page:
            page = browser.new_context(viewport={"width": 1600, "height": 1400}).new_page()
            page.set_default_timeout(120_000)
            page.add_init_script(f"({WATCH})()")
            return page

        yield opened
        browser.close()


def warm_up(browser: Callable[[], Page], app: Costs, empty: Costs, runs: dict[int, str]) -> None:
    """Let both servers import what they need."""
    for url in (app.url + next(reversed(runs.values())), empty.url):
        page = browser()
        page.goto(url)
        settled(page)
        page.context.close()


def measure(
    browser: Callable[[], Page], app: Costs, empty: Costs, address: str
) -> dict[str, dict[str, list[float]]]:
    """Each action several times, by turns with the empty page's: milliseconds by action and by what."""
    found: dict[str, dict[str, list[float]]] = {}
    before = app.memory
    for _ in range(3):
        for what, at, url in (("open", app, app.url + address), ("empty open", empty, empty.url)):
            page = browser()
            _note(found, what, *_timed(page, at, lambda page=page, url=url: open_page(page, url)))
            if what == "empty open":
                other = page
            else:
                page_of_run = page
            if _ < 2:
                page.context.close()
    nodes = page_of_run.evaluate("document.querySelectorAll('*').length")
    for number in range(REPEATS):
        for what, do in actions(page_of_run, number).items():
            if what == "step":
                write(page_of_run, f"{number + 3} teas")
            _note(found, what, *_timed(page_of_run, app, do))
            click = lambda: other.locator(".st-key-more button").evaluate("it => it.click()")  # noqa: E731
            _note(found, "empty click", *_timed(other, empty, click))
    found["memory MB"] = {"": [app.memory - before]}
    found["DOM nodes"] = {"": [float(nodes)]}
    page_of_run.context.close()
    other.context.close()
    return found


def open_page(page: Page, url: str) -> None:
    """Open a page and wait until the last of what it shows is there."""
    page.goto(url)
    page.wait_for_selector(".st-key-timeline tbody tr, .st-key-more button")


def write(page: Page, message: str) -> None:
    """Write a message, ready to be sent: how fast somebody types is not what a step costs."""
    page.get_by_test_id("stChatInputTextArea").fill(message)
    page.wait_for_timeout(100)


def actions(page: Page, number: int) -> dict[str, Callable[[], object]]:
    """What is done with a run: choose an event, filter, go back to the end, and a turn."""
    find = page.locator(".st-key-timeline_text input")

    def fill(text: str) -> None:
        find.fill(text)
        find.press("Enter")

    def click(where: str) -> None:
        page.locator(f"{where} button").first.evaluate("it => it.click()")

    return {
        "choose": lambda: click(".st-key-previous_event"),
        "filter": lambda: fill(("tea", "cake", "reader", "bill")[number % 4]),
        "no filter": lambda: fill(""),
        "latest": lambda: click(".st-key-latest"),
        "step": lambda: click(".st-key-message"),
    }


def _timed(page: Page, at: Costs, do: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds in the browser until nothing changes any more, and of the server's CPU."""
    cpu = at.cpu_ms
    is_opening = page.url == "about:blank"
    begun = 0.0 if is_opening else page.evaluate("window.lastChange = performance.now()")
    do()
    page.wait_for_timeout(150)  # a click takes a while to arrive
    page.wait_for_function(STABLE, arg=QUIET_MS)
    took = page.evaluate("window.lastChange") - begun
    return took, at.cpu_ms - cpu


def _note(found: dict[str, dict[str, list[float]]], what: str, took: float, cpu: float) -> None:
    entry = found.setdefault(what, {"browser": [], "server CPU": []})
    entry["browser"].append(took)
    entry["server CPU"].append(cpu)


def print_costs(size: int, found: dict[str, dict[str, list[float]]]) -> None:
    """One table."""
    print(f"\n{size:,} events, medians in milliseconds ({time.strftime('%Y-%m-%d %H:%M')})")
    for what, kinds in found.items():
        told = ", ".join(f"{kind} {statistics.median(times):,.0f}" for kind, times in kinds.items())
        print(f"  {what:<14}{told}", flush=True)


if __name__ == "__main__":
    main()
