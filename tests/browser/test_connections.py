"""Connections: what survives a reload of the page, what another browser gets, and production."""

from __future__ import annotations

import sys

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, free_port, running, streamlit_app
from tests.browser.driving import (
    WATCH,
    alert,
    choose,
    connect,
    context,
    conversation,
    go_to,
    message_box,
    open_app,
    settled,
)
from tests.support.factories import document, say

pytestmark = pytest.mark.browser

KEY = "browser-test-key"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A server of the API with one workflow."""
    port, folder = free_port(), tmp_path_factory.mktemp("api")
    command = [sys.executable, "-m", "debugger", "serve", "--port", str(port), "--api-key", KEY]
    with running(command, "/healthz", port, folder) as server:
        headers = {"Authorization": f"Bearer {KEY}"}
        shop = document(say("chat"), name="Tea shop")
        made = httpx.post(f"{server.url}/workflows/v1/workflows", json=shop, headers=headers, trust_env=False)
        assert made.status_code == 201
        yield server


def runs_of(api: Server) -> int:
    url, headers = f"{api.url}/workflows/v1/workflow-runs", {"Authorization": f"Bearer {KEY}"}
    return httpx.get(url, headers=headers, trust_env=False).json()["total"]


def test_url_and_key_survive_reload_and_reach_no_other_browser(
    page: Page, app: Server, api: Server, chromium: Browser
):
    open_app(page, app.url)
    connect(page, f"{api.url}/workflows", KEY)
    expect(alert(page)).to_contain_text("The connection works")

    page.reload()
    settled(page)

    expect(page.get_by_role("textbox", name="Base URL")).to_have_value(f"{api.url}/workflows")
    page.get_by_role("button", name="Test connection").click()
    settled(page)
    expect(alert(page)).to_contain_text("The connection works")
    go_to(page, "Debug")
    choose(page, "Workflow", "Tea shop")
    message_box(page).fill("Hello")
    message_box(page).press("Enter")
    expect(context(page)).to_contain_text("Turn 1")
    settled(page)
    page.reload()
    settled(page)
    expect(conversation(page)).to_contain_text("Hello")
    address = page.url
    assert "connection=custom" in address
    assert KEY not in address
    assert "127.0.0.1" not in address.removeprefix(app.url)
    # The cookie is not for scripts, so no content of the page can read it.
    assert "workflow_debugger" not in page.evaluate("document.cookie")

    # Neither does a link on another site cost the browser its cookie.
    page.route("http://localhost/", lambda route: route.fulfill(body=link, content_type="text/html"))
    link = f"<a href='{app.url}/connection?backend=hosted&connection=custom'>Debugger</a>"
    page.goto("http://localhost/")
    page.get_by_role("link", name="Debugger").click()
    settled(page)
    expect(page.get_by_role("textbox", name="Base URL")).to_have_value(f"{api.url}/workflows")

    stranger = chromium.new_context()
    stranger.add_init_script(WATCH)
    other = stranger.new_page()
    open_app(other, address)

    expect(alert(other)).to_contain_text("none was entered in this browser")
    go_to(other, "Connection")
    expect(other.get_by_role("textbox", name="Base URL")).to_have_value("")
    assert api.url not in other.content()
    stranger.close()


def test_production_is_confirmed_once_in_browser(page: Page, api: Server, tmp_path):
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(
        f"""
        [connections.live]
        base_url = "{api.url}/workflows"
        api_key = "{KEY}"
        environment = "production"
        """
    )
    with streamlit_app(tmp_path) as app:
        open_app(page, f"{app.url}/connection?backend=hosted")
        page.get_by_role("button", name="Use").first.click()
        settled(page)
        go_to(page, "Debug")
        choose(page, "Workflow", "Tea shop")
        expect(page.locator(".st-key-head")).to_contain_text("production")
        before = runs_of(api)

        message_box(page).fill("Is it open?")
        message_box(page).press("Enter")
        question = page.get_by_role("dialog")
        expect(question).to_contain_text("production environment live at 127.0.0.1")
        question.get_by_role("button", name="Do not send").click()
        settled(page)
        expect(message_box(page)).to_have_value("Is it open?")
        assert runs_of(api) == before

        message_box(page).press("Enter")
        question.get_by_role("button", name="Send", exact=True).click()
        expect(context(page)).to_contain_text("Turn 1")
        settled(page)
        assert runs_of(api) == before + 1
        expect(message_box(page)).to_have_value("")

        page.reload()
        settled(page)
        message_box(page).fill("And now?")
        message_box(page).press("Enter")
        expect(context(page)).to_contain_text("Turn 2")
        expect(question).to_have_count(0)
        assert "connection=live" in page.url
        settled(page)


def test_new_key_keeps_run_and_draft(page: Page, app: Server, api: Server):
    open_app(page, app.url)
    connect(page, f"{api.url}/workflows", KEY)
    go_to(page, "Debug")
    choose(page, "Workflow", "Tea shop")
    message_box(page).fill("Hello")
    message_box(page).press("Enter")
    expect(context(page)).to_contain_text("Turn 1")
    settled(page)
    go_to(page, "Connection")
    page.get_by_role("textbox", name="API key").fill("a-wrong-key")
    page.get_by_role("button", name="Test connection").click()
    settled(page)
    go_to(page, "Debug")
    message_box(page).fill("Do you have oolong?")
    message_box(page).press("Enter")
    expect(alert(page).last).to_contain_text("does not accept the key")
    expect(message_box(page)).to_have_value("Do you have oolong?")  # it is put back before what is typed
    settled(page)

    message_box(page).fill("Do you have oolong? Or sencha?")
    page.get_by_role("link", name="Open Connection").first.click()
    settled(page)
    page.get_by_role("textbox", name="API key").fill(KEY)
    page.get_by_role("button", name="Test connection").click()
    settled(page)
    go_to(page, "Debug")

    expect(conversation(page)).to_contain_text("Hello")
    expect(message_box(page)).to_have_value("Do you have oolong? Or sencha?")
    message_box(page).press("Enter")
    expect(context(page)).to_contain_text("Turn 2")
    settled(page)


def test_typed_key_stays_with_its_connection(page: Page, api: Server, tmp_path):
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(
        f"""
        [connections.first]
        base_url = "{api.url}/workflows"
        [connections.second]
        base_url = "{api.url}/workflows"
        """
    )
    with streamlit_app(tmp_path) as app:
        open_app(page, f"{app.url}/connection?backend=hosted")
        page.locator(".st-key-use_connection_first button").first.click()
        settled(page)
        page.get_by_role("textbox", name="API key").fill(KEY)

        page.locator(".st-key-use_connection_second button").first.click()

        expect(page.get_by_text("Connection second")).to_be_visible()
        expect(page.get_by_role("textbox", name="API key")).to_have_value("")
