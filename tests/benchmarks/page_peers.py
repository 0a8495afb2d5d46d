"""Burr's UI and this app in one Chromium, 2,000 steps each.

Needs ``apache-burr[start]`` in a virtual environment of its own. Run from the top of the repository:
``python -m tests.benchmarks.page_peers /tmp/burr/.venv/bin``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Page

from tests.benchmarks.page_cost import EMPTY_PAGE, WARM_UP, chromium, make_runs, warm_up
from tests.benchmarks.server_process import server, wait_for
from tests.browser.conftest import ROOT, free_port

STEPS = 2_000
EVENTS_A_STEP = 7.3
"""Of the tea room: so many events come of a node run."""
REPEATS = 5
QUIET_MS = 2_000
STABLE = "quiet => performance.now() - window.lastChange > quiet"


def main() -> None:
    """Measure and print."""
    binaries = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        # One for each opening: a long run is read once.
        runs = make_runs(folder, [size := round(STEPS * EVENTS_A_STEP), WARM_UP], each=REPEATS)
        (folder / "empty.py").write_text(EMPTY_PAGE)
        environment = {
            "WORKFLOW_DEBUGGER_DATABASE": f"sqlite:///{folder}/runs.sqlite3",
            "WORKFLOW_DEBUGGER_RESPONDER": "rules",
        }
        app = stack.enter_context(server(ROOT / "app.py", folder, **environment))
        empty = stack.enter_context(server(folder / "empty.py", folder))
        burr = stack.enter_context(burr_ui(binaries, folder))
        browser = stack.enter_context(chromium())
        warm_up(browser, app.url + runs[WARM_UP][0], empty.url)
        ours = [app.url + address for address in runs[size]]
        urls = {"empty Streamlit page": [empty.url], "burr": [burr], "ours": ours}
        chosen = {"burr": choose_in_burr, "ours": choose_in_ours}
        for what, times in measure(browser, urls, chosen).items():
            figures = ", ".join(f"{each:,.0f}" for each in sorted(times))
            print(f"{what:<32}{statistics.median(times):>8,.0f}   ({figures})", flush=True)


@contextmanager
def burr_ui(binaries: Path, folder: Path) -> Iterator[str]:
    """Serve Burr's UI with a run; yield the address of it."""
    home = folder / "burr"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home)}
    script = Path(__file__).parent / "burr_run.py"
    subprocess.run([binaries / "python", script, str(STEPS)], check=True, env=environment)
    port = free_port()
    command = [binaries / "burr", "--no-open", "--no-copy-demo_data", "--port", str(port)]
    with (folder / "burr.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/api/v0/projects")
            yield f"http://127.0.0.1:{port}/project/bench/null/tea-room"
        finally:
            process.terminate()
            process.wait(timeout=20)


def measure(
    browser: Callable[[], Page], urls: dict[str, list[str]], chosen: dict[str, Callable[[Page, int], None]]
) -> dict[str, list[float]]:
    """Return milliseconds until the page is still and DOM nodes, by action."""
    found: dict[str, list[float]] = {}
    for number in range(REPEATS):
        for name, addresses in urls.items():
            page = browser()
            page.goto(addresses[number % len(addresses)])
            page.wait_for_selector(".st-key-timeline tbody tr, .st-key-more button, tbody tr:nth-child(20)")
            _wait(page)
            found.setdefault(f"open, {name}", []).append(page.evaluate("window.lastChange"))
            nodes = page.evaluate("document.querySelectorAll('*').length")
            found.setdefault(f"DOM nodes, {name}", []).append(nodes)
            if name in chosen:
                for place in (2 + number, 5 + number):
                    page.evaluate("window.lastChange = window.actionStart = performance.now()")
                    chosen[name](page, place)
                    _wait(page)
                    took = page.evaluate("window.lastChange - window.actionStart")
                    found.setdefault(f"choose a step, {name}", []).append(took)
            page.context.close()
    return found


def choose_in_burr(page: Page, place: int) -> None:
    """Click a row of the list of steps."""
    page.locator("tbody tr").nth(place).evaluate("row => row.click()")


def choose_in_ours(page: Page, place: int) -> None:
    """Click a row of the timeline."""
    page.locator(".st-key-timeline tbody tr").nth(place).evaluate("row => row.click()")


def _wait(page: Page) -> None:
    time.sleep(0.2)  # a click takes a while to arrive
    page.wait_for_function(STABLE, arg=QUIET_MS)


if __name__ == "__main__":
    main()
