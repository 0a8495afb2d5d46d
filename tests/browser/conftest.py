"""The app in a real Chromium: a server on a port of its own, and pages that load nothing from outside."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from tests.browser.driving import WATCH

ROOT = Path(__file__).parents[2]
FAILURES = Path(__file__).parent / "failures"
FEATURES_OFF = [
    # As Playwright has them: of two such flags Chromium reads the last.
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    # Scripts are compiled while they load, although the page before has compiled them: 0.1 s of CPU a page
    # (2026-11-28, a page of the app: 1.50 s in Chromium, 1.41 s without).
    "ScriptStreaming",
    "BackgroundResourceFetch",
]
FLAGS = [
    "--no-sandbox",
    f"--disable-features={','.join(FEATURES_OFF)}",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Nothing leaves this machine. Playwright could refuse it too, yet without any cache for what is loaded.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
ONE_PROCESS = "--process-per-site"
"""Pages of the app are drawn by one process, which has compiled what they load; see `_kept_open`."""
START_SECONDS = 120
OUTSIDE = re.compile(r"^(https?|wss?)://(?!(127\.0\.0\.1|localhost)[:/])")
FAILED = pytest.StashKey[bool]()


@dataclass(frozen=True)
class Server:
    """A process that answers at an address, and where it writes its log."""

    url: str
    log: Path
    folder: Path


@contextmanager
def running(command: list[str], health: str, port: int, folder: Path, **environment: str) -> Iterator[Server]:
    """A server process from its first healthy answer to its end."""
    log = folder / f"server-{port}.log"
    url = f"http://127.0.0.1:{port}"
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), **environment}
    with log.open("w") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, env={**os.environ, **own}
        )
        try:
            _wait_until_healthy(process, url + health, log)
            yield Server(url, log, folder)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server ended with {process.returncode}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)  # polling a port is the one thing that a process offers
    pytest.fail(f"no healthy answer after {START_SECONDS} s:\n{log.read_text()}")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def streamlit_app(
    folder: Path, *, before_start: Callable[[int], None] = lambda port: None, **environment: str
) -> contextmanager[Server]:
    """The app with a data folder of its own."""
    port = free_port()
    before_start(port)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.fileWatcherType", "none"]
    return running(command, "/_stcore/health", port, folder, **environment)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Let the page fixture know how the test itself went."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, if there is one."""
    return shutil.which("chromium") or shutil.which("google-chrome")


# Not for the whole session: while it lives, Playwright runs an event loop in the thread of the tests.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser; without one the tests are skipped by name, and fail where CI=true asks for it."""
    path = find_chromium()
    if path is None:
        reason = "no Chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, ONE_PROCESS])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app on the embedded engine with the samples."""
    with streamlit_app(tmp_path_factory.mktemp("app")) as server:
        yield server


@dataclass(frozen=True)
class Window:
    """The browser context of all tests in a worker; its pages share one cache."""

    context: BrowserContext
    outside: list[str]
    """What was asked of other machines; it was refused."""
    kept_open: Page


@pytest.fixture(scope="package")
def window(chromium: Browser) -> Iterator[Window]:
    """A window that lets nothing leave this machine."""
    context = chromium.new_context(
        viewport={"width": 1600, "height": 1000},
        accept_downloads=True,
        reduced_motion="reduce",  # whoever tests what moves asks for it
    )
    outside: list[str] = []

    def note(request: Request) -> None:
        if OUTSIDE.match(request.url):
            outside.append(request.url)

    context.on("request", note)
    context.add_init_script(WATCH)
    yield Window(context, outside, _kept_open(context))
    context.close()


def _kept_open(context: BrowserContext) -> Page:
    """A page of the app's site that stays: its process serves the next page, with all that it compiled."""
    page = context.new_page()
    page.route("**", lambda route: route.fulfill(body=""))
    page.goto("http://127.0.0.1/")
    return page


@pytest.fixture
def page(window: Window, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that remembers nothing, and reports whatever leaves this machine."""
    window.outside.clear()
    page = window.context.new_page()
    page.set_default_timeout(30_000)  # a machine that runs other tests beside these draws slowly
    expect.set_options(timeout=15_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.stack or error.message))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("requestfailed", lambda failed: errors.append(f"{failed.url}: {failed.failure}"))
    yield page
    if request.node.stash.get(FAILED, False):
        print("Errors of the page:", *errors, sep="\n")
        FAILURES.mkdir(exist_ok=True)
        page.screenshot(path=FAILURES / f"{request.node.name}.png")
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    for each in window.context.pages:
        if each is not window.kept_open:
            each.close()
    window.context.clear_cookies()
    assert window.outside == [], f"the page asked for {window.outside}"
