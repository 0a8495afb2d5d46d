"""The graph of the debug page: what it does to the run, and what is left of it when another page was there.

What it does by itself is tested in `tests/components/test_graph.py`.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import (
    go_to,
    import_workflow,
    keep_import,
    open_app,
    open_workflow,
    settled,
    start,
)
from tests.support.companions import lab
from tests.support.factories import direct, document, static
from tests.support.factories import say as say_node
from tests.support.graph_on_page import view_of
from tests.support.super_nodes import super_node

pytestmark = pytest.mark.browser


def test_breakpoint_is_set_by_click_and_taken_away_by_key(page: Page, app: Server):
    open_clinic(page, app)
    mark = page.locator(".node[data-id='node_intent_desk'] .dot")

    dot(page, "node", "node_intent_desk").click(force=True)
    settled(page)
    expect(mark).to_have_class("dot verified")
    expect(page.locator(".legend")).to_contain_text("breakpoint")
    page.locator(".node[data-id='node_intent_desk']").focus()
    page.keyboard.press("b")
    settled(page)

    expect(mark).to_have_class("dot none")


def test_view_is_kept_while_another_page_or_table_is_looked_at(page: Page, app: Server):
    open_clinic(page, app)
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Move left", exact=True).click()
    left = view_of(page)

    page.locator(".st-key-graph_view").get_by_text("Table", exact=True).click()
    settled(page)
    page.locator(".st-key-graph_view").get_by_text("Graph", exact=True).click()
    settled(page)
    assert view_of(page) == left
    go_to(page, "Runs")
    settled(page)
    go_to(page, "Debug")
    settled(page)

    assert view_of(page) == left


def test_row_of_edges_is_chosen_and_drawn_as_chosen(page: Page, app: Server):
    open_clinic(page, app)
    page.locator(".st-key-graph_view").get_by_text("Table", exact=True).click()
    settled(page)
    page.locator(".st-key-graph_table").get_by_text("Edges", exact=True).click()
    settled(page)

    page.locator(".st-key-edge_table tbody tr").first.click()
    settled(page)
    page.locator(".st-key-graph_view").get_by_text("Graph", exact=True).click()
    settled(page)

    expect(page.locator(".edge.selected")).to_have_attribute(
        "aria-label", re.compile("from Greeting to Intent desk")
    )


def test_companions_are_in_boxes_of_their_own_with_their_names(page: Page, app: Server):
    open_app(page, app.url)
    import_workflow(page, "x.json", lab(pause=60, name="Lanes"))
    keep_import(page)
    start(page)

    expect(page.locator(".thread")).to_contain_text("◆ labpoll")
    expect(page.locator(".node[data-id='poll']")).to_contain_text("◆ labpoll")
    expect(page.locator(".node[data-id='chat']")).to_contain_text("your turn")
    expect(page.locator(".legend")).to_contain_text("◆ labpoll")
    page.locator(".st-key-graph_thread").get_by_text("labpoll").click()
    settled(page)

    expect(page.locator(".edge.taken")).to_have_count(1)
    expect(page.locator(".node[data-id='chat']")).to_have_class(re.compile("unreached"))


def test_run_stops_at_inner_breakpoint_that_the_graph_set(page: Page, app: Server):
    open_booking(page, app)
    fold(page, "box").click(force=True)
    expect(page.locator(".node")).to_have_count(4)

    dot(page, "node", "box/a").click(force=True)
    expect(page.locator(".node[data-id='box/a'] .dot")).to_have_class("dot verified")
    page.locator(".st-key-start button").first.click()

    expect(page.locator(".node[data-id='box/a']")).to_have_class(re.compile("current"))
    expect(page.locator(".node[data-id='box/a']")).to_contain_text("paused")
    expect(page.locator(".node[data-id='box']")).to_have_class(re.compile("current"))


def test_inner_node_is_chosen_and_what_is_open_stays_open(page: Page, app: Server):
    open_booking(page, app)
    fold(page, "box").click(force=True)
    expect(page.locator(".node")).to_have_count(4)
    start(page)

    expect(page.locator(".node.current[data-id='box/ask']")).to_contain_text("your turn")
    page.locator(".node[data-id='box/a'] .title").click()
    expect(page.locator(".st-key-inspector")).to_contain_text("box/a")
    go_to(page, "Runs")
    settled(page)
    go_to(page, "Debug")

    expect(page.locator(".node")).to_have_count(4)


def open_booking(page: Page, app: Server) -> None:
    """Import a workflow with a super node of two nodes."""
    inside = document(static("a", "Hello"), say_node("ask"), direct("a", "ask"))
    graph = document(static("hi", "Hi"), super_node("box", inside), direct("hi", "box"), name="Opened")
    open_app(page, app.url)
    import_workflow(page, "x.json", graph)
    keep_import(page)
    expect(page.locator(".node")).to_have_count(2)


def fold(page: Page, node: str):
    """The button that opens or closes a super node."""
    return page.locator(f".node[data-id='{node}'] .fold .touch")


def open_clinic(page: Page, app: Server) -> None:
    """The clinic sample after its first turn."""
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    expect(page.locator(".node.current")).to_have_attribute("data-id", "node_intent_desk")


def dot(page: Page, kind: str, name: str):
    """The breakpoint of a node or an edge, or the place for one."""
    return page.locator(f".{kind}[data-id='{name}'] .dot .touch")
