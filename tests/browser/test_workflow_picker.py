"""Workflows are found by name and id, downloaded, and copied to another backend."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from debugger.backends import open_embedded
from debugger.settings import Settings
from tests.browser.conftest import Server, free_port, running, streamlit_app
from tests.browser.driving import alert, head_end, import_workflow, open_app, open_box, run_head, settled
from tests.support.factories import document, say

pytestmark = pytest.mark.browser

KEY = "browser-test-key"
UNKNOWN = "665f0c2b9a3e4d5f6a7b8c90"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the API without workflows of its own."""
    port, folder = free_port(), tmp_path_factory.mktemp("api")
    command = [sys.executable, "-m", "debugger", "serve", "--port", str(port), "--api-key", KEY]
    with running(command, "/healthz", port, folder) as server:
        yield server


@pytest.fixture(scope="module")
def workflow_ids() -> dict[str, str]:
    """The ids of the workflows in the app's store, by name; filled by `app`."""
    return {}


@pytest.fixture(scope="module")
def app(
    tmp_path_factory: pytest.TempPathFactory, api: Server, workflow_ids: dict[str, str]
) -> Iterator[Server]:
    """The app with a workflow of two versions, and with the server as its connection."""
    folder = tmp_path_factory.mktemp("app")
    database = f"sqlite:///{folder}/runs.sqlite3"
    backend = open_embedded(Settings(database=database))
    shop = backend.create_workflow(document(say("chat", "Talk."), name="Tea shop"))
    backend.store.create_version(shop.id, document=document(say("chat", "Sing."), name="Tea shop"))
    workflow_ids |= {each.label: each.id for each in backend.workflows()}
    backend.close()
    settings = {"INTERACTLY_BASE_URL": f"{api.url}/workflows", "INTERACTLY_API_KEY": KEY}
    with streamlit_app(folder, WORKFLOW_DEBUGGER_DATABASE=database, **settings) as server:
        yield server


def type_workflow(page: Page, text: str) -> None:
    """Type or paste into the picker and press Enter."""
    page.get_by_role("combobox", name="Workflow").click()
    page.get_by_role("combobox", name="Workflow").fill(text)
    expect(page.get_by_role("option")).to_have_count(1)
    expect(page.get_by_role("option", name=re.compile("^Add:"))).to_have_count(0)
    page.keyboard.press("Enter")
    settled(page)


def paste_id(page: Page, text: str) -> None:
    """Paste an id beside the list and press Enter."""
    open_box(page, "workflow_files")
    page.get_by_role("textbox", name="Open by id").fill(text)
    page.keyboard.press("Enter")
    settled(page)


def file_box(page: Page) -> Locator:
    return page.locator(".st-key-workflow_files_box")


def open_file(page: Page) -> None:
    open_box(page, "workflow_files")
    expect(file_box(page)).to_be_visible()
    settled(page)


def test_workflow_is_found_by_part_of_name_and_by_id(page: Page, app: Server, workflow_ids):
    open_app(page, app.url)

    type_workflow(page, "lab res")
    expect(run_head(page)).to_contain_text("Lab results line")
    type_workflow(page, workflow_ids["Tea shop"])
    expect(run_head(page)).to_contain_text("Tea shop")
    paste_id(page, workflow_ids["Lab results line"])
    expect(run_head(page)).to_contain_text("Lab results line")


def test_name_has_room_at_150_percent(page: Page, app: Server, workflow_ids):
    page.set_viewport_size({"width": 853, "height": 480})
    open_app(page, f"{app.url}/?workflow={workflow_ids['Tea shop']}")

    picker = page.locator(".st-key-picker [data-testid=stSelectbox]")
    expect(picker.get_by_text("Workflow", exact=True)).to_be_visible()

    assert picker.bounding_box()["width"] >= 120
    assert picker.get_by_text("Workflow", exact=True).bounding_box()["height"] < 30  # one line


def test_names_and_ids_of_listed_workflows_are_whole_beside_a_narrow_choice(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_app(page, app.url)

    page.get_by_role("combobox", name="Workflow").click()

    texts = page.locator("[role=option] > div")
    texts.first.wait_for()
    assert texts.evaluate_all("texts => texts.every(text => text.scrollWidth <= text.clientWidth)")


def test_pasted_id_of_no_workflow_is_an_error(page: Page, app: Server, workflow_ids):
    open_app(page, f"{app.url}/?workflow={workflow_ids['Tea shop']}")

    paste_id(page, UNKNOWN)

    expect(alert(page)).to_contain_text(f"There is no workflow '{UNKNOWN}'")
    expect(run_head(page)).to_contain_text("Tea shop")
    expect(page.get_by_role("combobox", name="Workflow")).to_have_value(
        f"Tea shop · {workflow_ids['Tea shop']}"
    )


def test_version_is_downloaded_and_imported_again(page: Page, app: Server, workflow_ids):
    open_app(page, f"{app.url}/?workflow={workflow_ids['Tea shop']}")
    open_file(page)
    expect(file_box(page)).to_contain_text(workflow_ids["Tea shop"])
    file_box(page).get_by_role("combobox", name="Version of the file").click()
    page.get_by_role("option", name="v1").click()
    settled(page)

    with page.expect_download() as waiting:
        file_box(page).get_by_role("button", name="Download JSON").click()

    assert waiting.value.suggested_filename == "tea-shop-v1.json"
    text = Path(waiting.value.path()).read_text()
    assert json.loads(text)["node_configs"][0]["main_response_config"]["prompt"] == "Sing."
    import_workflow(page, "tea-shop-v1.json", text)
    expect(page.locator(".st-key-import_now")).to_be_visible()


def test_workflow_is_copied_to_hosted_api_after_consent(page: Page, app: Server, api: Server, workflow_ids):
    def names() -> list[str]:
        headers = {"Authorization": f"Bearer {KEY}"}
        rows = httpx.get(f"{api.url}/workflows/v1/workflows", headers=headers, trust_env=False).json()
        return [row["workflow_config"]["name"] for row in rows["workflows"]]

    open_app(page, f"{app.url}/?workflow={workflow_ids['Tea shop']}")
    open_file(page)
    before = names()

    page.locator(".st-key-copy_workflow button").first.click()
    expect(alert(page)).to_contain_text("This creates the workflow Tea shop on default at 127.0.0.1")
    assert names() == before
    page.locator(".st-key-copy_confirmed button").first.click()

    expect(file_box(page)).to_contain_text("Copied to default (127.0.0.1")
    assert sorted(names()) == sorted([*before, "Tea shop"])
    page.get_by_role("link", name="Open the copy").click()
    settled(page)
    expect(run_head(page)).to_contain_text("Tea shop")
    expect(head_end(page)).to_contain_text("default")
