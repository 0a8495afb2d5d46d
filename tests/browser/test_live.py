"""Events of a turn that is under way elsewhere, as they come to be seen on the page."""

from __future__ import annotations

import sys

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, free_port, running
from tests.browser.driving import choose, connect, context, conversation, go_to, open_app, settled
from tests.support.factories import direct, document, say, static, tool

pytestmark = pytest.mark.browser

KEY = "browser-test-key"
SLOW = "import time\ndef slow():\n    time.sleep(1.5)\n    return 1\n"
SEEN = """words => {
  window.seenAt = undefined;
  const look = () => {
    const parts = [...document.querySelectorAll(".st-key-conversation *")];
    const box = parts.find(each => each.shadowRoot)?.shadowRoot.querySelector(".box");
    if (box?.textContent.includes(words)) window.seenAt = Date.now() / 1000;
    else window.looking = requestAnimationFrame(look);
  };
  cancelAnimationFrame(window.looking);
  look();
}"""
"""Notes from now on when words come to be seen in the conversation, in seconds since 1970."""


def test_event_is_on_page_while_turn_still_runs(page: Page, app: Server, tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "debugger", "serve", "--port", str(port), "--api-key", KEY]
    slow = document(
        static("greet", "Welcome"),
        tool("work", SLOW),
        static("half", "Half of it is done"),
        tool("more", SLOW),
        static("done", "All of it is done"),
        say("ask", "Which tea?"),
        direct("greet", "work"),
        direct("work", "half"),
        direct("half", "more"),
        direct("more", "done"),
        direct("done", "ask"),
        name="Slow shop",
    )
    with (
        running(command, "/healthz", port, tmp_path) as api,
        httpx.Client(
            base_url=f"{api.url}/workflows", headers={"Authorization": f"Bearer {KEY}"}, trust_env=False
        ) as client,
    ):
        assert client.post("/v1/workflows", json=slow).status_code == 201
        open_app(page, app.url)
        connect(page, f"{api.url}/workflows", KEY)
        go_to(page, "Debug")
        choose(page, "Workflow", "Slow shop")

        page.evaluate(SEEN, "Half of it is done")
        page.locator(".st-key-start button").first.click()
        expect(conversation(page)).to_contain_text("All of it is done")
        settled(page)
        expect(context(page)).to_contain_text("Your turn")
        run_id = client.get("/v1/workflow-runs").json()["workflow_runs"][0]["_id"]
        record = client.get(f"/v1/workflow-runs/{run_id}").json()["workflow_run"]["workflow_run"]
        events = record["input_output_pairs"][0]["run_output"]["events"]
        _, half, done = [event for event in events if event["type"] == "assistant_response"]
        seen_at = page.evaluate("window.seenAt")

    # The second tool of the turn takes 1.5 s in between.
    assert half["timestamp"] < seen_at < done["timestamp"]
