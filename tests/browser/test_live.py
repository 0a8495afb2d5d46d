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


def test_event_is_on_page_within_200_ms_while_turn_still_runs(page: Page, app: Server, tmp_path):
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
    late = []
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

        # Whoever else uses the machine can hold everything up, so there is more than one try.
        while not late or (min(late) >= 0.2 and len(late) < 8):
            if late:
                page.locator(".st-key-more > button").click()
            button = page.locator(".st-key-restart button" if late else ".st-key-start button").first
            if late:
                expect(button).to_be_enabled()
            page.evaluate(SEEN, "Half of it is done")
            button.click()
            if late:
                expect(conversation(page)).not_to_contain_text("All of it is done")
            expect(conversation(page)).to_contain_text("All of it is done")
            settled(page)
            expect(context(page)).to_contain_text("Your turn")
            run_id = client.get("/v1/workflow-runs").json()["workflow_runs"][0]["_id"]
            record = client.get(f"/v1/workflow-runs/{run_id}").json()["workflow_run"]["workflow_run"]
            events = record["input_output_pairs"][0]["run_output"]["events"]
            _, half, done = [event for event in events if event["type"] == "assistant_response"]
            seen_at = page.evaluate("window.seenAt")
            late.append(seen_at - half["timestamp"])
            assert seen_at < done["timestamp"] - 1

    assert min(late) < 0.2
