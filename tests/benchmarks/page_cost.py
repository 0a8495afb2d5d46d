"""Cost of the debug page with a short and a long run.

Measured on the server and in a real Chromium.
Run from the top of the repository: ``python -m tests.benchmarks.page_cost [50000 100]``. It makes its runs
itself (`tests.benchmarks.long_runs`), in a folder that is gone afterwards. Everything is measured beside
other pages on servers of their own, in the same browser and by turns with them: an empty one with Streamlit's
settings as they come, a "bare" one, which is that with the settings of this app (they spare it a search for
garbage after each click), and a plain one that shows about as many controls and words as the debug page, with
Streamlit's own elements and nothing to work out. In the plain one a click draws as many of them again as to
choose an event does, or as a step does.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from tests.benchmarks.long_runs import record
from tests.benchmarks.server_process import Costs, server
from tests.browser.conftest import FLAGS, ROOT, find_chromium
from tests.browser.driving import WATCH as TOUR_SEEN
from tests.browser.driving import settled

OPENINGS, REPEATS = 3, 5
WARM_UP = 50
"""Events of the run that is opened before anything is measured: a long run is read once."""
EMPTY_PAGE = """
import streamlit as st

st.session_state.count = st.session_state.get("count", 0)
st.button("More", key="more", on_click=lambda: st.session_state.update(count=st.session_state.count + 1))
st.write(f"{st.session_state.count} times")
"""

PLAIN_PAGE = """
import streamlit as st


def click():
    st.session_state.count = st.session_state.get("count", 0) + 1


def draw(name, how_many):
    for number in range(how_many):
        kind = ("button", "button", "caption", "caption", "switch", "text")[number % 6]
        if kind == "button":
            st.button(f"Button {number}", key=f"{name}_{number}", on_click=click)
        elif kind == "caption":
            st.caption(f"{name} {number}: {st.session_state.get('count', 0)}")
        elif kind == "switch":
            st.segmented_control(name, ("a", "b", "c"), key=f"{name}_{number}", label_visibility="collapsed")
        else:
            st.markdown(f"Text {number}")


@st.fragment
def workbench():
    with st.container(horizontal=True):
        draw("bar", 18)
    look()
    draw("talk", 6)


@st.fragment
def look():
    draw("look", 28)


with st.sidebar:
    draw("setup", 10)
draw("head", 4)
workbench()
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
  const watched = {subtree: true, childList: true, attributes: true, characterData: true};
  const observer = new MutationObserver(() => { window.lastChange = now(); });
  observer.observe(document, watched);
  const attach = Element.prototype.attachShadow; // what is drawn in there changes unseen from outside
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    observer.observe(root, watched);
    return root;
  };
  const look = () => { if (busy()) window.lastChange = now(); setTimeout(look, 10); };
  look();
}"""
STABLE = "quiet => performance.now() - window.lastChange > quiet"
QUIET_MS = 200
"""So long nothing may change any more. What is reported is when the last change was."""
POLL_MS = 2000
"""The page asks the server for news about this often; an action waits a random part of it.

In the rhythm of the actions, news otherwise coincided with one action in most repeats: *next event* took
154 to 211 ms with it, and takes 71 to 74 ms without (2026-11-28).
"""


def main() -> None:
    """Measure and print the tables."""
    sizes = [int(each) for each in sys.argv[1:]] or [50_000, 100]
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        runs = make_runs(folder, [*sizes, WARM_UP])
        environment = {
            "WORKFLOW_DEBUGGER_DATABASE": f"sqlite:///{folder}/runs.sqlite3",
            "WORKFLOW_DEBUGGER_RESPONDER": "rules",
        }
        (folder / "empty.py").write_text(EMPTY_PAGE)
        (folder / "plain.py").write_text(PLAIN_PAGE)
        app = stack.enter_context(server(ROOT / "app.py", folder, **environment))
        empty = stack.enter_context(server(folder / "empty.py", folder, settings=folder))
        bare = stack.enter_context(server(folder / "empty.py", folder))
        plain = stack.enter_context(server(folder / "plain.py", folder))
        browser = stack.enter_context(chromium())
        others = {"empty": empty, "bare": bare, "plain": plain}
        warm_up(browser, app.url + runs.pop(WARM_UP)[0], *(other.url for other in others.values()))
        for size, addresses in runs.items():
            print_costs(size, measure(browser, app, others, addresses))


def make_runs(folder: Path, sizes: list[int], each: int = OPENINGS) -> dict[int, list[str]]:
    """Runs of so many events, several of each size; their addresses."""
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{folder}/runs.sqlite3", responder="rules"))
    found = {}
    for size in sizes:
        run_ids = [record(backend, size) for _ in range(each)]
        found[size] = [f"/?backend=embedded&run={run_id}" for run_id in run_ids]
    backend.close()
    return found


@contextmanager
def chromium() -> Iterator[Callable[[], Page]]:
    """Opens pages, each in a fresh context of one browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)

        def opened() -> Page:
            page = browser.new_context(viewport={"width": 1600, "height": 1400}).new_page()
            page.set_default_timeout(120_000)
            page.add_init_script(TOUR_SEEN)
            page.add_init_script(f"({WATCH})()")
            return page

        yield opened
        browser.close()


def warm_up(browser: Callable[[], Page], *urls: str) -> None:
    """Let the servers import what they need."""
    for url in urls:
        page = browser()
        page.goto(url)
        settled(page)
        page.context.close()


def measure(
    browser: Callable[[], Page], app: Costs, others: dict[str, Costs], addresses: list[str]
) -> dict[str, dict[str, list[float]]]:
    """Return milliseconds by action and measure.

    Each action is repeated, in alternation with the other pages' actions.
    """
    found: dict[str, dict[str, list[float]]] = {}
    before = app.memory
    opened: dict[str, Page] = {}
    for address in addresses:
        paths = {"open": (app, address), "open again": (app, address)}
        paths |= {f"{name} open": (other, "") for name, other in others.items()}
        for what, (at, path) in paths.items():
            if what in opened:
                opened.pop(what).context.close()
            page = opened[what] = browser()
            _note(found, what, *_timed(page, at, partial(open_page, page, at.url + path)))
    page_of_run = opened["open again"]
    clicks = {
        "empty click": ("empty", ".st-key-more button"),
        "bare click": ("bare", ".st-key-more button"),
        "plain look": ("plain", ".st-key-look_0 button"),
        "plain workbench": ("plain", ".st-key-bar_0 button"),
    }
    nodes = page_of_run.evaluate("document.querySelectorAll('*').length")
    for number in range(REPEATS):
        for what, ready in actions(page_of_run, number).items():
            shown = on_view(page_of_run).all_text_contents()
            changed = partial(expect(on_view(page_of_run), what).not_to_have_text, shown)
            _note(found, what, *_timed(page_of_run, app, ready(), changed))
            for what, (name, where) in clicks.items():
                page = opened[f"{name} open"]
                _note(found, what, *_timed(page, others[name], click(page, where)))
    found["memory MB"] = {"": [app.memory - before]}
    found["DOM nodes"] = {"": [float(nodes)]}
    for page in opened.values():
        page.context.close()
    return found


def on_view(page: Page) -> Locator:
    """Return the cursor's place and the number of rows, as the page shows them."""
    return page.locator(".st-key-cursor_place, .st-key-timeline_density option:checked")


def open_page(page: Page, url: str) -> None:
    """Open a page and wait until it is complete."""
    page.goto(url)
    page.wait_for_selector(".st-key-timeline tbody tr, .st-key-more button, .st-key-talk_0 button")


def click(page: Page, where: str) -> Callable[[], object]:
    """Click a button that was located before.

    Locating takes the driver longer on a larger page.
    """
    button = page.locator(where).first.element_handle()
    return partial(button.evaluate, "it => it.click()")


def send(page: Page, message: str, button: str = ".st-key-message .box .send") -> Callable[[], object]:
    """Return the click that sends a message, by another button to be stepped.

    The message is typed before: the speed of typing is no cost of a step.
    """
    page.locator(".st-key-message textarea").fill(message)
    page.wait_for_timeout(100)
    return click(page, button)


def find(page: Page, text: str) -> Callable[[], object]:
    """Find rows of the timeline."""
    field = page.locator(".st-key-timeline_text input").element_handle()

    def do() -> None:
        field.fill(text)
        field.press("Enter")

    return do


def actions(page: Page, number: int) -> dict[str, Callable[[], Callable[[], object]]]:
    """Return the actions on a run in their order, each prepared: none leaves the page as it was."""
    step, previous = ".st-key-step_event button", ".st-key-previous_event button"
    return {
        "choose": partial(click, page, previous),
        "previous event": partial(click, page, previous),
        "next event": partial(click, page, ".st-key-next_event button"),
        "filter": partial(find, page, ("tea", "cake", "reader", "bill")[number % 4]),
        "no filter": partial(find, page, ""),
        "latest": partial(click, page, ".st-key-back_to_live button"),
        "turn": partial(send, page, f"{number + 3} teas"),
        "turn, stepped": partial(send, page, f"{number + 4} teas", step),
        "live step": partial(click, page, step),
        "resume": partial(click, page, ".st-key-resume button"),
    }


def _timed(
    page: Page, at: Costs, do: Callable[[], object], changed: Callable[[], object] = lambda: None
) -> tuple[float, float]:
    """Return milliseconds until the page is still, and the server's CPU.

    Args:
        page: The page.
        at: Its server.
        do: What is measured.
        changed: Waits until the page shows what it has to, and fails where it does not.
    """
    is_opening = page.url == "about:blank"
    if not is_opening:
        page.wait_for_timeout(random.uniform(0, POLL_MS))
    cpu = at.cpu_ms
    start = 0.0 if is_opening else page.evaluate("window.lastChange = performance.now()")
    do()
    page.wait_for_timeout(150)  # a click takes a while to arrive
    changed()
    page.wait_for_function(STABLE, arg=QUIET_MS)
    took = page.evaluate("window.lastChange") - start
    return took, at.cpu_ms - cpu


def _note(found: dict[str, dict[str, list[float]]], what: str, took: float, cpu: float) -> None:
    entry = found.setdefault(what, {"browser": [], "server CPU": []})
    entry["browser"].append(took)
    entry["server CPU"].append(cpu)


def print_costs(size: int, found: dict[str, dict[str, list[float]]]) -> None:
    """One table."""
    print(f"\n{size:,} events, milliseconds: medians, of CPU means ({time.strftime('%Y-%m-%d %H:%M')})")
    for what, kinds in found.items():
        figures = ", ".join(f"{kind} {_middle(kind, times):,.0f}" for kind, times in kinds.items())
        print(f"  {what:<16}{figures}", flush=True)


def _middle(kind: str, times: list[float]) -> float:
    """Return the median of several times; of the CPU the mean.

    Garbage is collected in one of several.
    """
    return statistics.fmean(times) if kind == "server CPU" else statistics.median(times)


if __name__ == "__main__":
    main()
