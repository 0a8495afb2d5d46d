"""The first and the second visit of the page, by slow networks: requests, bytes and time to the message box.

Run from the top of the repository: ``python -m tests.benchmarks.first_visit [5]``, the number of visits. Each
is in a fresh profile, and is followed by a second one in a new tab. Chromium is slowed by its own emulation
(`Network.emulateNetworkConditions`), which does not slow the frames of a WebSocket; their bytes are counted.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.benchmarks.page_cost import EMPTY_PAGE
from tests.benchmarks.server_process import server
from tests.browser.conftest import FLAGS, ROOT, find_chromium
from tests.browser.driving import WATCH as TOUR_SEEN

NETWORKS = {"3G": (1.6e6, 0.75e6, 150), "20 Mbit/s": (20e6, 5e6, 20), "local": (-8, -8, 0)}
"""Bits per second down and up, and milliseconds of latency; -8 bits (-1 byte) is without a limit."""
READY = {"app": ".st-key-message textarea", "empty page": ".st-key-more button"}


@dataclass
class Visit:
    """Cost of one visit."""

    ms: float = 0.0
    requests: int = 0
    cached: int = 0
    received: float = 0.0
    """Bytes of answers, as sent."""
    frames: int = 0
    frame_bytes: int = 0
    kinds: dict[str, float] = field(default_factory=dict)


def main() -> None:
    """Measure and print the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "empty.py").write_text(EMPTY_PAGE)
        environment = {"WORKFLOW_DEBUGGER_DATABASE": f"sqlite:///{folder}/runs.sqlite3"}
        servers = {
            "app": stack.enter_context(server(ROOT / "app.py", folder, **environment)).url,
            "empty page": stack.enter_context(server(folder / "empty.py", folder, settings=folder)).url,
        }
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        for what, url in servers.items():
            visits(browser, what, url, "local")
        print(f"medians of {repeats} ({time.strftime('%Y-%m-%d %H:%M')})")
        for what, url in servers.items():
            for network in NETWORKS:
                found = [visits(browser, what, url, network) for _ in range(repeats)]
                for number, name in enumerate(("first", "second")):
                    print(_line(f"{what}, {network}, {name}", [pair[number] for pair in found]), flush=True)
        browser.close()


def visits(browser: Browser, what: str, url: str, network: str) -> tuple[Visit, Visit]:
    """Visit a page twice with a new profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    try:
        return _visit(context, what, url, network), _visit(context, what, url, network)
    finally:
        context.close()


def _visit(context: BrowserContext, what: str, url: str, network: str) -> Visit:
    page, found = context.new_page(), Visit()
    page.set_default_timeout(120_000)
    page.add_init_script(TOUR_SEEN)
    client = context.new_cdp_session(page)
    client.send("Network.enable")
    down, up, latency = NETWORKS[network]
    limits = {"downloadThroughput": down / 8, "uploadThroughput": up / 8, "latency": latency}
    client.send("Network.emulateNetworkConditions", {"offline": False, **limits})
    kinds: dict[str, str] = {}

    def note_response(event: dict[str, Any]) -> None:
        found.requests += 1
        found.cached += bool(event["response"].get("fromDiskCache"))
        kinds[event["requestId"]] = event["type"]

    def note_end(event: dict[str, Any]) -> None:
        found.received += event["encodedDataLength"]
        kind = kinds.get(event["requestId"], "")
        found.kinds[kind] = found.kinds.get(kind, 0) + event["encodedDataLength"]

    def note_frame(event: dict[str, Any]) -> None:
        found.frames += 1
        found.frame_bytes += len(event["response"]["payloadData"])

    client.on("Network.responseReceived", note_response)
    client.on("Network.loadingFinished", note_end)
    client.on("Network.webSocketFrameReceived", note_frame)
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(READY[what])
    found.ms = (time.perf_counter() - start) * 1000
    page.wait_for_timeout(1000)
    page.close()
    return found


def _line(name: str, found: list[Visit]) -> str:
    middle = sorted(found, key=lambda visit: visit.ms)[len(found) // 2]
    kinds = ", ".join(f"{kind} {size / 1000:,.0f}" for kind, size in sorted(middle.kinds.items()))
    return (
        f"{name:<28}{statistics.median(visit.ms for visit in found):>8,.0f} ms, {middle.requests} requests "
        f"({middle.cached} cached), {middle.received / 1000:,.0f} kB ({kinds}), "
        f"{middle.frames} frames of {middle.frame_bytes / 1000:,.0f} kB"
    )


if __name__ == "__main__":
    main()
