"""Runs of a version are replayed on the next one: their divergence is found, accepted, and stays accepted."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from debugger.backends import open_embedded
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.browser.conftest import streamlit_app
from tests.browser.driving import go_to, open_app, settled, tick
from tests.browser.test_accessibility import serious_in_light_and_dark
from tests.browser.visible_controls import WINDOW, visible_controls

BOOK, BILL = "I'd like to book an appointment, please.", "A question about my bill."
RUNS, OTHERS = 40, 5
MOST = 20


def changed(document: JsonObject) -> JsonObject:
    """Return the clinic that leaves an incomplete booking to a person, and says goodbye in other words."""
    edges = [
        {**edge, "destination_node_logical_id": "node_human"}
        if edge["logical_id"] == "edge_incomplete"
        else edge
        for edge in document["edge_configs"]
    ]
    nodes = [
        {
            **node,
            "static_messages_config": {**node["static_messages_config"], "static_messages": ["Bye now."]},
        }
        if node["logical_id"] == "node_goodbye"
        else node
        for node in document["node_configs"]
    ]
    return {**document, "edge_configs": edges, "node_configs": nodes}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The app with runs of the clinic, and a changed version of it."""
    folder = tmp_path_factory.mktemp("replay")
    database = f"sqlite:///{folder}/runs.sqlite3"
    store_runs(database)
    with streamlit_app(folder, WORKFLOW_DEBUGGER_DATABASE=database) as server:
        yield server


def store_runs(database: str) -> None:
    """Store the runs and the version."""
    backend = open_embedded(Settings(database=database, responder="rules"))
    clinic = backend.workflows("Clinic front desk")[0]
    for number in range(RUNS + OTHERS):
        result = backend.execute(clinic.id, TurnInput.with_message(None)).finish()
        said = TurnInput.with_message(BOOK if number < RUNS else BILL, command="data")
        backend.execute(clinic.id, said, run_id=result.run_id).finish()
    newest = max(version.version_number for version in backend.versions(clinic.id))
    document = changed(backend.workflow(clinic.id).to_wire())
    backend.import_version(clinic.id, document, expected=newest + 1)
    backend.close()


def replay_all_runs(page: Page, url: str) -> None:
    """Replay all runs of the list on the newest version."""
    open_app(page, url)
    go_to(page, "Runs")
    tick(page, 0)
    page.locator(".st-key-choose_found button").click()
    settled(page)
    page.locator(".st-key-replay_chosen button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{RUNS + OTHERS} runs of Clinic front desk")
    settled(page)
    dialog.get_by_role("button", name=f"Replay {RUNS + OTHERS} runs").click()
    expect(page.locator(".st-key-replay_groups")).to_be_visible(timeout=60_000)
    expect(page.locator(".st-key-replay_again button")).to_be_visible(timeout=60_000)
    settled(page)


def test_changed_path_is_understood_accepted_and_green(app, page):
    page.set_viewport_size(WINDOW)
    replay_all_runs(page, app.url)

    group = page.locator(".st-key-replay_groups tbody tr").first
    expect(group).to_contain_text("Other path")
    expect(group).to_contain_text(f"{RUNS}")
    expect(group).to_contain_text("instead of incomplete → Booking questions")
    expect(group).to_contain_text("edge")
    expect(page.locator(".st-key-graph .edge.only_a")).to_have_count(1)
    expect(page.locator(".st-key-graph .edge.only_b")).to_have_count(1)
    assert len(visible_controls(page).usable) <= MOST
    assert serious_in_light_and_dark(page) == ([], [])

    page.get_by_role("button", name="Accept …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Comment").fill("Appointments are made by people now.")
    dialog.get_by_role("button", name="Accept", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Nothing new differs")).to_be_visible()
    settled(page)

    before = page.url
    page.locator(".st-key-replay_again button").click()

    expect(page).not_to_have_url(before, timeout=60_000)
    expect(page.get_by_text("Nothing new differs")).to_be_visible(timeout=60_000)
    expect(page.get_by_text(f"{RUNS} accepted")).to_be_visible()

    page.locator(".st-key-replay_runs tbody tr").first.click()
    expect(page).to_have_url(re.compile(r"/compare\?a=[0-9a-f]{24}%401&b=[0-9a-f]{24}%402"), timeout=20_000)
    expect(page.get_by_text("A takes “incomplete” to “Booking questions”")).to_be_visible(timeout=20_000)
