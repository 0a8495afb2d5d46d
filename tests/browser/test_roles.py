"""The page for a signed-in user who may read, and the audit list of an administrator."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from debugger.store import Role
from tests.browser.conftest import Server, free_port, running
from tests.browser.driving import go_to, open_app, open_tab, settled
from tests.support.factories import document, say

pytestmark = pytest.mark.browser

LOOKS = re.compile(
    "^menu|Files|^Editchevron|variables|Demo|Help|Sign out|Export|Reload|Time|"
    "Move|Zoom|Fit|Current|Follow|^Picture$|Expand|Previous event|Next event|Find|Filter|System|Copy as|"
    "Download as CSV|Fullscreen|Search|columns|Event on view|Play the events|Show the run as of|"
    "Copy the run id|Maximise pane|More|Play at|Script|Open scenario|Save as scenario"
)
"""In the names of buttons and fields with which a user only looks; the import tells why it is refused."""
RUNS_OR_EDITS = (
    "Restart with the same input",
    "Restart with changes",
    "Run turn 1 again",
    "Pause run",
    "Fork",
    "Stop",
    "Step event",
    "Node",
    "Turn",
    "Resume",
)
ENABLED = """() => {
  const found = [];
  const walk = root => {
    for (const each of root.querySelectorAll("*")) {
      if (each.shadowRoot) walk(each.shadowRoot);
      if (each.matches("button:not(:disabled), input:not(:disabled), textarea:not(:disabled)")
          && each.getAttribute("role") !== "radio" && each.type !== "radio" && each.offsetParent !== null) {
        found.push((each.getAttribute("aria-label") || each.textContent || each.title || "").trim());
      }
    }
  };
  walk(document);
  return found;
}"""
PRESSED_BY_HAND = """button => { button.disabled = false; button.click(); }"""


@dataclass(frozen=True)
class Site:
    server: Server
    keys: dict[str, str]
    run_id: str
    backend: EmbeddedBackend


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """The app with a login, with a run that somebody has made."""
    folder, port = tmp_path_factory.mktemp("roles"), free_port()
    database = f"sqlite:///{folder}/runs.sqlite3"
    with closing(EmbeddedBackend(Settings(database=database, responder="rules"))) as backend:
        workflow = backend.create_workflow(document(say("chat"), name="Tea shop"))
        run_id = (
            backend.execute(workflow.id, TurnInput.with_message("Hello", command="start")).finish().run_id
        )
        users = {"Rita": Role.READ, "Ada": Role.ADMIN}
        keys = {person: backend.store.api_keys.add(person, role)[1] for person, role in users.items()}
        flags = ["--server.port", str(port), "--server.address", "127.0.0.1"]
        flags += ["--server.headless", "true", "--server.fileWatcherType", "none"]
        environment = {
            "WORKFLOW_DEBUGGER_DATABASE": database,
            "WORKFLOW_DEBUGGER_ALLOWED_HOSTS": "debugger.example",
            "WORKFLOW_DEBUGGER_RESPONDER": "rules",
        }
        command = [sys.executable, "-m", "streamlit", "run", "app.py", *flags]
        with running(command, "/_stcore/health", port, folder, **environment) as server:
            yield Site(server, keys, run_id, backend)


def sign_in(page: Page, site: Site, person: str, path: str = "/") -> None:
    page.goto(site.server.url)
    page.locator("input[type=password]").fill(site.keys[person])
    page.get_by_role("button", name="Sign in").click()
    open_app(page, site.server.url + path)


def test_reader_has_no_control_that_runs_or_edits(page: Page, site: Site):
    sign_in(page, site, "Rita", f"/?backend=embedded&run={site.run_id}")

    bar = page.locator(".st-key-context_bar")
    page.locator(".st-key-more > button").click()
    for name in RUNS_OR_EDITS:
        expect(bar.get_by_role("button", name=name).first).to_be_disabled()
    expect(page.locator(".st-key-message textarea")).to_be_disabled()
    expect(page.locator(".st-key-message textarea")).to_have_attribute(
        "placeholder", "Needs the role run; you have read."
    )
    enabled = set(page.evaluate(ENABLED))
    for tab in ("Event", "Node", "Input", "Notes", "Breakpoints", "Mocks"):
        open_tab(page, tab)
        enabled |= set(page.evaluate(ENABLED))
    assert [name for name in sorted(enabled) if not LOOKS.search(name)] == []

    page.locator(".st-key-restart button").evaluate(PRESSED_BY_HAND)
    settled(page)

    expect(page.get_by_role("alert").filter(has_text="Needs the role run; you have read.")).to_be_visible()
    assert [run.workflow_run_id for run in site.backend.runs().rows] == [site.run_id]


def test_administrator_sees_who_sent_what(page: Page, site: Site):
    sign_in(page, site, "Ada", f"/?backend=embedded&run={site.run_id}")
    page.locator(".st-key-message textarea").fill("Two cups please")
    page.locator(".st-key-message textarea").press("Enter")
    settled(page)

    go_to(page, "Connection")

    expect(page.locator(".st-key-audit")).to_contain_text("Audit list")
    expect(page.locator(".st-key-audit_entries tbody tr").first).to_be_visible()
    [sent] = [entry for entry in site.backend.store.audit.newest() if entry.action == "send turn"]
    assert (sent.person, sent.role, sent.target) == ("Ada", "admin", site.run_id)
