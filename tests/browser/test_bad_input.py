"""Invalid input in the browser: a clear message, nothing lost, the app continues."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import (
    alert,
    choose,
    connect,
    context,
    conversation,
    go_to,
    head_end,
    import_workflow,
    keep_import,
    message_box,
    open_app,
    open_inputs,
    open_workflow,
    run_head,
    say,
    settled,
    start,
)
from tests.support.factories import direct, document, node, static, tool, when
from tests.support.factories import say as say_node

pytestmark = pytest.mark.browser

UNKNOWN = "665f00000000000000000001"


def test_file_that_is_no_json_is_told_with_line_and_column_and_good_one_is_taken(page: Page, app: Server):
    open_app(page, app.url)
    good = document(static("a", "Hello from a file"), name="From a file")

    import_workflow(page, "broken.json", json.dumps(good, indent=1).replace('"Hello from a file"', "Hello"))
    expect(page.locator(".st-key-setup_form")).to_contain_text(re.compile(r"line \d+"))
    import_workflow(page, "good.json", good)
    keep_import(page)
    start(page)

    expect(run_head(page)).to_contain_text("From a file")
    expect(conversation(page)).to_contain_text("Hello from a file")


def test_what_is_wrong_with_workflow_is_listed_before_it_is_run(page: Page, app: Server):
    open_app(page, app.url)
    bad = document(
        static("a", "Hello"),
        node("b", "from_next_year"),
        direct("a", "b"),
        {**direct("b", "gone"), "logical_id": "edge_to_nowhere"},
        when("b", "a", "[[x]] === 1"),
        name="Full of mistakes",
    )

    import_workflow(page, "bad.json", bad)

    found = page.locator(".st-key-setup_form")
    expect(found).to_contain_text("gone")
    expect(found).to_contain_text("column 7")
    expect(found).to_contain_text("from_next_year")


def test_node_of_unknown_type_is_passed_over_by_name(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(
        page,
        "x.json",
        document(static("a", "Hello"), node("b", "teleport"), direct("a", "b"), name="Beaming"),
    )
    keep_import(page)

    start(page)

    expect(context(page)).to_contain_text("Completed")
    expect(conversation(page)).to_contain_text("teleport")


def test_edge_that_leads_nowhere_fails_run_by_name(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(
        page,
        "x.json",
        document(static("a", "Hello"), node("b", "no_op"), direct("a", "b"), direct("b", "nowhere")),
    )
    keep_import(page)

    start(page)

    expect(context(page)).to_contain_text("Failed")
    expect(conversation(page)).to_contain_text("nowhere")
    expect(conversation(page)).to_contain_text("Hello")
    expect(message_box(page)).to_be_disabled()


def test_condition_with_syntax_error_fails_run_and_shows_column(page: Page, app: Server):
    open_app(page, app.url)
    flow = document(
        static("a", "Hello"), static("b", "Bye"), when("a", "b", "[[x]] == "), name="Half a condition"
    )
    import_workflow(page, "x.json", flow)
    keep_import(page)

    start(page)

    expect(conversation(page)).to_contain_text(re.compile(r"column \d+"))


def test_workflow_without_start_is_told_and_another_one_still_runs(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "x.json", {**document(name="Empty"), "node_configs": []})
    keep_import(page)

    page.locator(".st-key-start button").first.click()
    expect(alert(page).first).to_contain_text("No start node found")
    choose(page, "Workflow", "Tea welcome")
    start(page)

    expect(context(page)).to_contain_text("Completed")


def test_link_to_run_that_nobody_has_is_told_and_app_goes_on(page: Page, app: Server):
    open_app(page, f"{app.url}/?backend=embedded&run={UNKNOWN}")

    expect(alert(page).first).to_contain_text(UNKNOWN)
    open_app(page, f"{app.url}/?backend=embedded&run=not-an-id")
    expect(alert(page).first).to_contain_text("not-an-id")
    open_workflow(page, app.url, "Tea welcome")
    start(page)

    expect(context(page)).to_contain_text("Completed")


def test_wrong_address_and_answer_in_html_are_told_and_embedded_engine_still_works(
    page: Page, app: Server, web_page: str
):
    open_app(page, app.url)

    connect(page, "http://127.0.0.1:9/workflows", "some-key")
    expect(alert(page).first).to_contain_text("127.0.0.1:9")
    connect(page, web_page, "some-key")
    expect(alert(page).first).to_contain_text("web page")
    expect(page.locator("body")).not_to_contain_text("some-key")
    page.get_by_role("radio", name="Embedded engine").click()
    settled(page)
    go_to(page, "Debug")

    expect(head_end(page)).to_contain_text("Embedded engine")


def test_long_right_to_left_and_picture_messages_are_shown_as_text(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "x.json", document(say_node("chat"), name="Chat"))
    keep_import(page)
    start(page)

    say(
        page,
        "🙂 مرحبا \u2067שלום\u2069 ![x](http://pictures.example/leak.png) <img src=http://pictures.example/b>",
    )
    expect(context(page)).to_contain_text("Turn 2")
    say(page, "long " + "x" * 100_000)
    expect(context(page)).to_contain_text("Turn 3")

    expect(conversation(page)).to_contain_text("![x](http://pictures.example/leak.png)")
    expect(conversation(page).locator("img")).to_have_count(0)
    assert conversation(page).inner_text().count("x" * 100_000) >= 1


def test_two_clicks_at_once_begin_one_run(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "x.json", document(say_node("chat"), name="Twice"))
    keep_import(page)

    page.locator(".st-key-start button").first.evaluate("button => { button.click(); button.click(); }")
    expect(context(page)).to_contain_text("Your turn")
    settled(page)
    go_to(page, "Runs")
    choose(page, "Workflow", "Twice")

    expect(page.locator(".st-key-runs_count")).to_have_text("1 run")


def test_tool_that_loops_for_ever_is_stopped_while_page_stays_usable(page: Page, app: Server):
    open_app(page, app.url)
    flow = document(
        static("a", "Hello"),
        tool("spin", "def spin():\n    while True: pass\n"),
        direct("a", "spin"),
        name="Spinner",
    )
    import_workflow(page, "x.json", flow)
    keep_import(page)
    page.locator(".st-key-start button").first.click()
    expect(context(page)).to_contain_text("Running")
    expect(conversation(page)).to_contain_text("Hello")

    page.locator(".st-key-inspector_tab [data-option='Event']").click()
    expect(page.locator(".st-key-inspector")).to_contain_text("Spin starts")
    expect(context(page)).to_contain_text("Running")
    page.get_by_role("button", name="Stop").first.click()

    expect(context(page)).to_contain_text("Cancelled")


def test_input_of_ten_megabytes_is_refused_and_old_one_is_not_lost(page: Page, app: Server):
    open_workflow(page, app.url, "Tea welcome")
    open_inputs(page)
    page.locator(".st-key-input_mode").get_by_text("JSON", exact=True).click()
    settled(page)
    editor = page.get_by_role("textbox", name="Run input as JSON")

    editor.fill(json.dumps({"dynamic_variables": {"big": "x" * 10_000_000}}))
    editor.blur()
    settled(page)
    page.locator(".st-key-start button").first.click()

    expect(alert(page).first).to_contain_text("10.0 MB")


@pytest.fixture
def web_page() -> Iterator[str]:
    """An address that answers with a page, as a wrong base URL does."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"<!doctype html><title>Welcome</title>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_error_is_over_the_page_and_can_be_closed(page: Page, app: Server):
    open_app(page, f"{app.url}/?run={UNKNOWN}")
    error = page.get_by_role("alert")

    expect(error).to_contain_text(UNKNOWN)
    before = page.locator(".st-key-setup_alone, .st-key-panes").first.bounding_box()
    page.get_by_role("button", name="Close the message").click()
    settled(page)

    expect(error).to_have_count(0)
    assert page.locator(".st-key-setup_alone, .st-key-panes").first.bounding_box() == before
